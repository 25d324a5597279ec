//! `docs/first-trigger.md`, followed from top to bottom in an empty folder.
#![cfg(test)]

mod common;
mod shown;

use std::fs;
use std::path::Path;

use common::{Docent, repository};
use docent::library::disk;
use docent::rulebook::compile::compile;

/// A fenced block: what stands behind the fence, and its text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fences = page.split("\n```").skip(1).step_by(2);
    fences.map(|block| block.split_once('\n').unwrap()).collect()
}

/// The commands as the test runs them: with the binary under test, at the server's real address,
/// in the folder that the page is in by now.
fn script(text: &str, here: &Path, base: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_docent")).parent().unwrap().display().to_string();
    let url = |text: String, verb: &str| {
        text.replace(&format!("docent {verb}"), &format!("docent {verb} --url {base}"))
    };
    let text = url(url(text.replace("http://127.0.0.1:8080", base), "explain"), "forget");
    let path = format!("PATH='{binary}':\"$PATH\"\ncd '{}'\n", here.display());
    shown::examples(&text)
        .into_iter()
        .map(|example| {
            let shown = example.shown.map(|shown| format!("# → {shown}\n")).unwrap_or_default();
            format!("{path}{}{shown}", example.commands)
        })
        .collect()
}

/// Waits until the files in the folder are what is served.
async fn follow(docent: &Docent, folder: &Path) {
    let book = compile(&disk::read(folder).unwrap(), &|_| None).0.unwrap();
    docent.until("/admin/rules", |_, rules| rules["active"]["digest"] == *book.digest).await;
}

#[tokio::test]
#[ignore = "needs curl; `make test` has it"]
async fn the_first_trigger_is_as_easy_as_its_page_says() {
    let page = fs::read_to_string(repository().join("docs/first-trigger.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut shop = folder.path().join("shop");
    let (mut docent, mut answers): (Option<Docent>, usize) = (None, 0);
    for (mark, text) in blocks(&page) {
        if mark == "sh" {
            let base = docent.as_ref().map_or("", |docent| &docent.base);
            let here = if shop.exists() { &shop } else { folder.path() };
            let text = text.replace("cd shop\n", "");
            for example in shown::examples(&script(&text, here, base)) {
                assert!(example.shown.is_some(), "no answer is shown for:\n{}", example.commands);
                example.run();
                answers += 1;
            }
        } else if let Some(file) = mark.strip_prefix("yaml ") {
            fs::write(shop.join(file), format!("{text}\n")).unwrap();
        } else {
            assert_eq!((mark, text), ("sh serve", "docent serve"));
            // A server of the tests serves a folder of its own: the page goes on in there.
            let own = tempfile::tempdir().unwrap();
            fs::remove_dir(own.path()).unwrap();
            fs::rename(&shop, own.path()).unwrap();
            shop = own.path().to_owned();
            docent = Some(Docent::start_in(own, &["--listen", "127.0.0.1:0"], &[]));
        }
        if let Some(docent) = &docent {
            follow(docent, &shop).await;
        }
    }
    assert!(docent.is_some() && answers >= 12, "{answers} answers are shown");
}

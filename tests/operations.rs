//! `docs/operations.md`, followed from top to bottom beside a server of the shipped workspace.
#![cfg(test)]

mod common;
mod shown;

use std::fs;
use std::path::Path;

use common::{Docent, repository, shipped};

#[tokio::test]
async fn operating_docent_is_as_its_page_says() {
    let page = fs::read_to_string(repository().join("docs/operations.md")).unwrap();
    let docent = Docent::start_in(shipped(), &["--listen", "127.0.0.1:0"], &[]);
    docent.visit("ps_1", &["/projects"]).await;
    let binary = Path::new(env!("CARGO_BIN_EXE_docent")).parent().unwrap().display().to_string();
    let here = docent.workspace.path().display().to_string();
    let mut answers = 0;
    for block in page.split("\n```sh\n").skip(1) {
        let script = block.split_once("\n```").unwrap().0;
        for example in shown::examples(script) {
            let mut commands = example.commands.clone();
            for verb in ["status", "pause", "resume", "backup", "restore"] {
                let asked = format!("docent {verb} --url {}", docent.base);
                let at_rest = verb == "restore" && commands.contains("--store");
                if !at_rest {
                    commands = commands.replace(&format!("docent {verb}"), &asked);
                }
            }
            let commands = format!("PATH='{binary}':\"$PATH\"\ncd '{here}'\n{commands}");
            assert!(example.shown.is_some(), "no answer is shown for:\n{}", example.commands);
            shown::Example { commands, ..example }.run();
            answers += 1;
        }
    }
    assert!(answers >= 8, "{answers} answers are shown");
}

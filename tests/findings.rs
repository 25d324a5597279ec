//! What is wrong with a workspace is found, all of it at once, each at its place and with what to
//! write instead.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod corpus;

use std::collections::BTreeMap;

use corpus::{FILES, Mistake, changed, env, good, mistakes};
use docent::rulebook::codes::about;
use docent::rulebook::compile::{compile, folders};
use docent::rulebook::finding::Finding;
use docent::rulebook::lint::lint;
use docent::rulebook::render::render;
use docent::rulebook::{Rulebook, Sources};
use proptest::prelude::*;

fn check(sources: &Sources) -> (Option<Rulebook>, Vec<Finding>) {
    compile(sources, &env)
}

fn brief(findings: &[Finding]) -> Vec<(&str, &str, usize, usize)> {
    findings.iter().map(|f| (&*f.file, f.code, f.line, f.column)).collect()
}

/// How many mistakes, and how many of them have their repair told.
fn each_is_the_only_finding(file: &str, table: &str) -> (usize, usize) {
    let (mistakes, mut wrong) = (mistakes(table), Vec::new());
    for Mistake { from, to, code, place, help } in &mistakes {
        let sources = changed(file, from, to);
        let (rulebook, findings) = check(&sources);
        assert!(rulebook.is_none(), "{to}");
        let text = String::from_utf8_lossy(&sources.files[file]);
        let good = |found: &Finding| {
            *found.file == *file
                && found.code == code
                && format!("{}:{}", found.line, found.column) == *place
                && found.help.as_deref().unwrap_or("").contains(help)
                && !found.message.ends_with('.')
                && !about(found.code).is_empty()
                && render(found, &text).contains(&format!("{file}:{place}"))
        };
        if findings.len() != 1 || !findings.iter().all(good) {
            wrong.push(format!("{to}\n    {:?}", findings.iter().map(short).collect::<Vec<_>>()));
        }
    }
    assert!(wrong.is_empty(), "{} of {table} differ:\n{}", wrong.len(), wrong.join("\n"));
    (mistakes.len(), told(&mistakes))
}

fn told(mistakes: &[Mistake]) -> usize {
    mistakes.iter().filter(|mistake| !mistake.help.is_empty()).count()
}

/// Rules that are well formed and contradict each other, or themselves.
fn each_contradiction_is_found_once() -> (usize, usize) {
    let (mistakes, mut wrong) = (mistakes("between.txt"), Vec::new());
    let before: Vec<_> =
        lint(&check(&good()).0.unwrap(), &good()).into_iter().map(|found| found.message).collect();
    for Mistake { from, to, code, place, help } in &mistakes {
        let sources = changed("rules/billing.yaml", from, to);
        let (rulebook, findings) = check(&sources);
        assert_eq!(findings, [], "{to}");
        let found = lint(&rulebook.unwrap(), &sources);
        let found: Vec<_> = found
            .iter()
            .filter(|found| found.code == code && !before.contains(&found.message))
            .collect();
        let good = |found: &Finding| {
            format!("{}:{}", found.line, found.column) == *place
                && found.help.as_deref().unwrap_or("").contains(help)
        };
        if found.len() != 1 || !found.iter().all(|found| good(found)) {
            wrong.push(format!("{to}\n    {:?}", found.into_iter().map(short).collect::<Vec<_>>()));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    (mistakes.len(), told(&mistakes))
}

fn short(finding: &Finding) -> String {
    let Finding { code, line, column, length, message, help, .. } = finding;
    format!("{code} {line}:{column}+{length} {message} | {}", help.as_deref().unwrap_or("-"))
}

#[test]
fn a_good_workspace_has_no_findings() {
    let (rulebook, findings) = check(&good());
    assert_eq!(findings, []);
    let rulebook = rulebook.unwrap();
    let product = &rulebook.products["acme"];
    assert_eq!(product.rules.iter().map(|r| &*r.id).collect::<Vec<_>>(), ["stuck", "errors"]);
    assert_eq!(product.rules[0].cases[0].timeline.len(), 6);
    assert_eq!(product.settings.sources[0].url, "https://connector.example.com/events");
    assert_eq!((product.tours.len(), rulebook.prompts.len()), (1, 1));
    assert_eq!(rulebook.digest.len(), 16);
}

#[test]
fn every_mistake_of_the_tables_is_found_at_its_place() {
    let tables = ["docent.txt", "rules.txt", "tours.txt", "prompts.txt", "segments.txt"];
    let counted =
        FILES.iter().zip(tables).map(|(file, table)| each_is_the_only_finding(file, table));
    let (tried, told) = counted
        .chain([each_contradiction_is_found_once()])
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(tried >= 200, "only {tried} mistakes were tried");
    assert!(told >= 190, "only {told} of {tried} repairs are told");
}

/// The store may still be named where docent is started, so it is no mistake.
#[test]
fn replicas_are_waited_for_where_there_are_some() {
    let replicas = |store: &str| {
        let to = format!("store: {store}\nwait_replicas: 1");
        let (rulebook, findings) = check(&changed("docent.yaml", "store: memory", &to));
        assert!(rulebook.is_some(), "{findings:?}");
        findings.iter().map(|found| (found.code, found.line, found.column)).collect::<Vec<_>>()
    };
    assert_eq!(replicas("rediss+sentinel://a/main"), []);
    assert_eq!(replicas("embedded:./data"), [("no-replicas", 5, 16)]);
    assert_eq!(replicas("memory"), [("no-replicas", 5, 16)]);
}

#[test]
fn a_prompt_begins_with_its_front_matter() {
    let (_, findings) = check(&changed("prompts/reply.md", "---\nname", "name"));
    assert_eq!(brief(&findings), [("prompts/reply.md", "no-front-matter", 1, 1)]);
}

#[test]
fn a_body_may_have_150_characters_and_no_more() {
    let long = format!("body: {}", "é".repeat(153));
    let (_, findings) = check(&changed("rules/billing.yaml", "body: Need a hand?", &long));
    assert_eq!(brief(&findings), [("rules/billing.yaml", "long-body", 13, 13 + 150)]);
    let fits = format!("body: {}", "é".repeat(150));
    assert_eq!(check(&changed("rules/billing.yaml", "body: Need a hand?", &fits)).1, []);
}

#[test]
fn a_file_that_cannot_be_read_is_its_own_finding_and_the_others_are_read() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (from, to) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        bomb += &format!("{to}: &{to} [{}]\n", vec![format!("*{from}"); 9].join(", "));
    }
    for (content, expected) in [
        (bomb.into_bytes(), ("too-many", 5, true)),
        (vec![b'a'; 50 << 20], ("too-large", 0, false)),
        (b"version: 1\ntriggers: \xff\n".to_vec(), ("not-utf8", 2, true)),
        (b"version: 1\n\ttriggers: []\n".to_vec(), ("tab", 2, true)),
        (b"# nothing\n".to_vec(), ("empty-file", 0, false)),
        ("[".repeat(1 << 19).into_bytes(), ("syntax", 1, true)),
    ] {
        let mut sources = changed("tours/tours.yaml", "route: /projects", "route: x");
        sources.files.insert("rules/bad.yaml".into(), content);
        let (rulebook, findings) = check(&sources);
        let (code, line, column) = expected;
        assert!(rulebook.is_none());
        assert_eq!(findings.len(), 2, "{findings:#?}");
        assert_eq!((findings[0].code, findings[0].line), (code, line));
        assert_eq!(findings[0].column > 0, column);
        assert_eq!(findings[1].code, "bad-page");
    }
}

#[test]
fn a_workspace_needs_its_docent_yaml_and_a_product() {
    let mut sources = good();
    sources.files.remove("docent.yaml");
    assert_eq!(brief(&check(&sources).1), [("docent.yaml", "no-workspace", 0, 0)]);
    let files =
        BTreeMap::from([("docent.yaml".to_owned(), b"version: 1\nproducts: {}\n".to_vec())]);
    assert_eq!(brief(&check(&Sources { files }).1), [("docent.yaml", "no-products", 2, 11)]);
}

#[test]
fn ten_mistakes_are_ten_findings() {
    let text = "version: 1
triggers:
  - id: stuck on it
    priorty: 5
    mode: lve
    page: billing
    when: [{ dwel: 3s }]
    offer: { body: \"\", accept: \"\", dismiss: No, tour: nope, timeout: 5 }
    cooldown: never
";
    let mut sources = good();
    sources.files.insert("rules/ten.yaml".into(), text.as_bytes().to_vec());
    let (_, findings) = check(&sources);
    let found: Vec<_> = findings.iter().map(|f| (f.code, f.line)).collect();
    let expected = [
        ("bad-id", 3),
        ("unknown-key", 4),
        ("unknown-name", 5),
        ("bad-page", 6),
        ("unknown-condition", 7),
        ("blank", 8),
        ("blank-label", 8),
        ("unknown-tour", 8),
        ("bad-duration", 8),
        ("bad-duration", 9),
    ];
    assert_eq!(found, expected, "{findings:#?}");
}

#[test]
fn variables_are_given_their_type_after_they_are_replaced() {
    let sources = changed("docent.yaml", "max_sessions: 1000", "max_sessions: ${NUMBER}");
    let book = check(&sources).0.unwrap();
    assert_eq!(book.settings.limits.max_sessions, 7);
    let sources = changed("docent.yaml", "publishable: pk_1", "publishable: ${NUMBER}");
    let book = check(&sources).0.unwrap();
    assert_eq!(&*book.products["acme"].settings.keys.publishable[0].0, "7");
}

#[test]
fn the_digest_is_of_what_decides() {
    let (first, same) = (check(&good()).0.unwrap(), |book: &Rulebook, other: &Rulebook| {
        (book.digest == other.digest, book.whole == other.whole)
    });
    let told = |sources: &Sources| same(&first, &check(sources).0.unwrap());
    assert_eq!(told(&good()), (true, true));
    let worded = changed("rules/billing.yaml", "Need a hand?", "A hand?");
    assert_eq!(told(&worded), (false, false));
    let mut sources = good();
    sources.files.insert("README.md".into(), b"words".to_vec());
    assert_eq!(told(&sources), (true, true), "a file that is not read does not count");
    let rules = sources.files.get_mut("rules/billing.yaml").unwrap();
    rules.extend(b"\n# A word about it.\n");
    assert_eq!(told(&sources), (true, false), "nor does a comment");
    let other = |name: &str| if name == "TOKEN" { Some("t".to_owned()) } else { env(name) };
    let elsewhere = compile(&good(), &other).0.unwrap();
    assert_eq!(same(&first, &elsewhere), (true, false), "nor the token of an upstream");
    let quieter = changed("docent.yaml", "max_sessions: 1000", "max_sessions: 999");
    assert_eq!(told(&quieter), (false, false));
}

#[test]
fn rules_come_by_priority_then_file_then_position() {
    let rule = |id: &str, priority: u8| {
        format!(
            "  - {{ id: {id}, priority: {priority}, when: [{{ dwell: 1s }}], offer: {{ body: B, accept: A, dismiss: D }} }}\n"
        )
    };
    let file = |rules: &[String]| format!("version: 1\ntriggers:\n{}", rules.concat()).into_bytes();
    let mut sources = good();
    sources.files.insert("rules/b.yaml".into(), file(&[rule("b1", 50), rule("b2", 99)]));
    sources.files.insert("rules/a.yml".into(), file(&[rule("a1", 50), rule("a2", 50)]));
    sources.files.insert("rules/deeper/c.yaml".into(), b"not: read".to_vec());
    let book = check(&sources).0.unwrap();
    let ids: Vec<_> = book.products["acme"].rules.iter().map(|r| r.id.to_string()).collect();
    assert_eq!(ids, ["b2", "stuck", "a1", "a2", "b1", "errors"]);
}

#[test]
fn candidates_are_the_rules_of_a_page_in_order() {
    let pages = ["/a", "/a/:x", "[/a, /b]", "/:y", "/b/1", "/a/"];
    let mut text = String::from("version: 1\ntriggers:\n");
    for (number, page) in pages.iter().take(5).enumerate() {
        text += &format!(
            "  - {{ id: r{number}, page: {page}, when: [{{ dwell: 1s }}], offer: {{ body: B, accept: A, dismiss: D }} }}\n"
        );
    }
    text +=
        "  - { id: anywhere, when: [{ dwell: 1s }], offer: { body: B, accept: A, dismiss: D } }\n";
    let files = BTreeMap::from([
        ("docent.yaml".to_owned(), b"version: 1\nproducts: { acme: }\n".to_vec()),
        ("rules/r.yaml".to_owned(), text.into_bytes()),
    ]);
    let (book, findings) = check(&Sources { files });
    let book = book.unwrap_or_else(|| panic!("{findings:#?}"));
    let product = &book.products["acme"];
    for page in ["/a", "/a/", "/b", "/b/1", "/a/7", "/zzz", "", "/", "/b/1/2"] {
        let slow: Vec<_> =
            (0..product.rules.len()).filter(|place| product.rules[*place].is_for(page)).collect();
        assert_eq!(product.candidates(page).collect::<Vec<_>>(), slow, "{page}");
    }
    assert_eq!(product.candidates("/a").collect::<Vec<_>>(), [0, 2, 3, 5]);
}

#[test]
fn an_id_is_used_once_over_all_files() {
    let mut sources = good();
    let again = sources.files["tours/tours.yaml"].clone();
    sources.files.insert("tours/zwei.yaml".into(), again);
    let (_, findings) = check(&sources);
    assert_eq!(brief(&findings), [("tours/zwei.yaml", "duplicate-id", 3, 9)]);
    let help = findings[0].help.as_deref().unwrap();
    assert!(help.contains("tours/tours.yaml, line 3"), "{help}");
}

#[test]
fn a_broken_tour_file_does_not_make_its_tours_unknown() {
    let (_, findings) = check(&changed("tours/tours.yaml", "tours:\n", "tours: [\n"));
    let files: Vec<_> = findings.iter().map(|found| (&*found.file, found.code)).collect();
    assert_eq!(files, [("tours/tours.yaml", "syntax")]);
}

#[test]
fn a_flood_of_mistakes_is_cut_short() {
    let mut sources = good();
    let text = format!("version: 1\nstore: \"{}\"\n", "${NONE}".repeat(100_000));
    sources.files.insert("docent.yaml".into(), text.into_bytes());
    let rules = format!("version: 1\ntriggers:\n{}", "- q\n".repeat(40_000));
    sources.files.insert("rules/flood.yaml".into(), rules.into_bytes());
    let (rulebook, findings) = check(&sources);
    assert!(rulebook.is_none());
    assert_eq!(findings.len(), 2 + 200, "an unset variable, no products, and the flood");
}

#[test]
fn folders_are_known_even_when_docent_yaml_has_mistakes() {
    let named = |text: &str| {
        let files = BTreeMap::from([("docent.yaml".to_owned(), text.as_bytes().to_vec())]);
        folders(&Sources { files }).into_iter().collect::<Vec<_>>()
    };
    let text = "nonsense: 1\nproducts:\n  a: { rules: ./my/rules, lisen: 3 }\n  b:\n";
    assert_eq!(named(text), ["locales/", "my/rules/", "prompts/", "rules/", "segments/", "tours/"]);
    assert_eq!(named("a: b: c"), ["locales/", "prompts/", "rules/", "segments/", "tours/"]);
}

#[test]
fn two_products_may_share_a_folder_and_its_mistakes() {
    let mut sources = changed("rules/billing.yaml", "mode: live", "mode: lve");
    let two = b"version: 1\nproducts: { a: {}, b: {} }\n".to_vec();
    sources.files.insert("docent.yaml".into(), two);
    assert_eq!(brief(&check(&sources).1), [("rules/billing.yaml", "unknown-name", 7, 11)]);
}

proptest! {
    #[test]
    fn no_bytes_can_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400), file in 0..5_usize) {
        let mut sources = good();
        sources.files.insert(FILES[file].into(), bytes);
        let _ = check(&sources);
    }

    #[test]
    fn no_change_to_a_good_file_can_stop_the_reader(
        file in 0..5_usize,
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0..12_usize, "[-\\[\\]{}:&*!|>'\"#%@`,? \\n\\ta-z0-9é$]{0,6}"), 1..4),
    ) {
        let mut sources = good();
        let bytes = sources.files.get_mut(FILES[file]).unwrap();
        let mut text: Vec<char> = String::from_utf8(bytes.clone()).unwrap().chars().collect();
        for (at, removed, added) in cuts {
            let at = at.index(text.len() + 1);
            let end = (at + removed).min(text.len());
            text.splice(at..end, added.chars());
        }
        *bytes = text.iter().collect::<String>().into_bytes();
        let (rulebook, findings) = check(&sources);
        let lines = text.iter().filter(|c| **c == '\n').count() + 1;
        for finding in findings.iter().filter(|found| *found.file == *FILES[file]) {
            prop_assert!(finding.line <= lines, "{finding:?}");
            let _ = render(finding, &text.iter().collect::<String>());
        }
        prop_assert!(rulebook.is_some() || !findings.is_empty());
    }
}

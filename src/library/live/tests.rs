//! Proposals one after the other, without a file system.

use super::*;
use crate::rulebook::settings::Limits;

const PRODUCTS: &str = "version: 1\nproducts:\n  acme: {}\n  other: { rules: other/ }\n";

fn rule(id: &str) -> String {
    format!(
        "version: 1\ntriggers:\n  - {{ id: {id}, when: [dwell: 20s], \
         offer: {{ body: Help?, accept: Yes please, dismiss: No thanks }} }}\n"
    )
}

fn workspace(change: impl Fn(&mut Sources)) -> Sources {
    let mut sources = Sources::default();
    let files = [
        ("docent.yaml", PRODUCTS.to_owned()),
        ("rules/a.yaml", rule("a")),
        ("other/o.yaml", rule("o")),
    ];
    sources.files.extend(files.map(|(path, text)| (path.to_owned(), text.into_bytes())));
    change(&mut sources);
    sources
}

fn put(sources: &mut Sources, path: &str, text: &str) {
    sources.files.insert(path.to_owned(), text.into());
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn started() -> Live {
    Live::start(workspace(|_| {}), |_| None, at(0)).unwrap()
}

fn codes(live: &Live) -> Vec<&'static str> {
    let status = live.status();
    let findings = status.candidate.iter().flat_map(|candidate| &candidate.findings);
    findings.filter(|finding| is_error(finding)).map(|finding| finding.code).collect()
}

#[test]
fn a_workspace_with_a_mistake_does_not_start() {
    let broken = workspace(|sources| put(sources, "rules/a.yaml", "triggers: ["));
    let findings = Live::start(broken, |_| None, at(0)).unwrap_err();
    assert_eq!(&*findings[0].file, "rules/a.yaml");
}

#[test]
fn candidates_are_refused_once_each_and_forgiven_when_disk_and_rulebook_agree() {
    let live = started();
    let broken = |text: &'static str| workspace(move |sources| put(sources, "rules/b.yaml", text));
    for (second, text, outcome, attempts, refused) in [
        (1, "triggers: [", Outcome::Refused, 1, 1),
        (2, "triggers: [", Outcome::Refused, 1, 1),
        (3, "triggers: {", Outcome::Refused, 2, 2),
    ] {
        assert_eq!(live.propose(broken(text), at(second)), Proposal { outcome, again_in: None });
        let status = live.status();
        assert_eq!(
            (status.candidate.as_ref().unwrap().attempts, status.refused),
            (attempts, refused)
        );
    }
    live.unreadable(&DiskError::Moving, at(4));
    live.unreadable(&DiskError::Moving, at(5));
    assert_eq!((codes(&live), live.status().refused), (vec!["unreadable"], 3));
    assert_eq!(live.propose(workspace(|_| {}), at(6)).outcome, Outcome::Unchanged);
    assert_eq!((codes(&live), live.status().active.revision), (vec![], 1));
}

#[test]
fn a_product_keeps_the_rules_it_has_unless_it_is_itself_removed() {
    let live = started();
    let without = || workspace(|sources| drop(sources.files.remove("other/o.yaml")));
    let waits = Proposal { outcome: Outcome::Unchanged, again_in: Some(Span::from_seconds(2)) };
    assert_eq!(live.propose(without(), at(1)), waits);
    assert_eq!(live.propose(without(), at(3)).outcome, Outcome::Refused);
    assert_eq!(codes(&live), ["rules-lost"]);
    let removed = workspace(|sources| {
        sources.files.remove("other/o.yaml");
        put(sources, "docent.yaml", "version: 1\nproducts:\n  acme: {}\n");
    });
    assert_eq!(live.propose(removed, at(4)).outcome, Outcome::Swapped(2));
    assert_eq!((codes(&live), live.status().active.products), (vec![], 1));
}

#[test]
fn files_that_mean_the_same_are_no_new_revision() {
    let live = started();
    let stray = workspace(|sources| put(sources, "prompts/.keep", ""));
    let digest = live.status().active.sources.clone();
    assert_eq!(live.propose(stray, at(1)).outcome, Outcome::Unchanged);
    assert_eq!(live.status().active.revision, 1);
    assert_ne!(live.status().active.sources, digest, "but they are the files in force");
}

#[test]
fn settings_read_at_start_stay_until_the_next_one() {
    let live = started();
    let moved = workspace(|sources| {
        put(sources, "docent.yaml", &format!("listen: 127.0.0.1:1234\n{PRODUCTS}"));
    });
    assert_eq!(live.propose(moved, at(1)).outcome, Outcome::Swapped(2));
    let findings = live.status().active.findings.clone();
    let [warning] = findings.iter().filter(|f| f.code == "needs-restart").collect::<Vec<_>>()[..]
    else {
        panic!("one setting has changed: {findings:?}");
    };
    assert_eq!(warning.message, "`listen` has changed and takes effect at the next start");
    assert_eq!(live.current().settings.listen, "127.0.0.1:8080");
}

#[test]
fn limits_stay_until_the_next_start_but_for_the_length_of_a_batch() {
    let live = started();
    let limits = |text: &str| {
        let limits = format!("limits: {{ {text} }}\n{PRODUCTS}");
        let proposal =
            live.propose(workspace(|sources| put(sources, "docent.yaml", &limits)), at(1));
        assert!(matches!(proposal.outcome, Outcome::Swapped(_)), "{text}");
        let findings = live.status().active.findings.clone();
        let warnings = findings.iter().filter(|found| found.code == "needs-restart").count();
        (live.current().settings.limits.clone(), warnings)
    };
    let before = live.current().settings.limits.clone();
    assert_eq!(limits("session_ttl: 2h, per_session: 9/s"), (before.clone(), 1));
    let longer = Limits { actions_per_batch: 7, ..before };
    assert_eq!(limits("actions_per_batch: 7"), (longer, 0));
}

#[test]
fn a_paused_rule_is_a_revision_of_its_own_until_something_changes() {
    let live = started();
    let revisions = live.revisions();
    let mode = |live: &Live| live.current().products["acme"].rules[0].mode;
    let before = live.current();
    live.pause("acme", "a", at(1));
    live.pause("acme", "a", at(2));
    live.pause("acme", "nobody", at(2));
    assert_eq!((mode(&live), *revisions.borrow()), (Mode::Paused, 2));
    assert_eq!(live.status().active.paused, [("acme".into(), "a".into())]);
    let paused = live.current();
    assert_ne!(paused.digest, before.digest);
    assert!(paused.products.values().all(|product| product.digest == paused.digest));
    assert_eq!(live.propose(workspace(|_| {}), at(3)).outcome, Outcome::Unchanged);
    assert_eq!(mode(&live), Mode::Paused);
    let edited = workspace(|sources| put(sources, "rules/b.yaml", &rule("b")));
    assert_eq!(live.propose(edited, at(4)).outcome, Outcome::Swapped(3));
    assert_eq!((mode(&live), live.status().active.paused.len()), (Mode::Live, 0));
}

#[test]
fn nothing_of_the_files_is_printed() {
    assert!(!format!("{:?}", started()).contains("Help?"));
}

//! `--verify`: what a real docent wrote down is decided again, byte for byte.

use std::fs;
use std::path::Path;
use std::time::Duration;

use docent::engine::tape::{Entry, Line};
use docent::journal::read::{read, segments};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::common::{Docent, EAGER};
use crate::recorded::{commit, docent};

const SETTINGS: &str = "version: 1\njournal: { sample: 100% }\nproducts:\n  acme: {}\n";

fn lines(folder: &Path) -> Vec<Line> {
    let mut lines = Vec::new();
    for segment in segments(folder).unwrap_or_default() {
        let _being_packed = read(&segment, &mut |line| lines.push(line));
    }
    lines
}

/// Lives a little, and waits until it is written down.
async fn a_day() -> Docent {
    let served = Docent::timed(&[("docent.yaml", SETTINGS), ("rules/a.yaml", EAGER)]);
    for session in ["ps_1", "ps_2"] {
        assert_eq!(served.verdict(session).await, "no_trigger");
        served.visit(session, &["/a", "/b"]).await;
        assert_eq!(served.verdict(session).await, "eager");
        assert_eq!(served.verdict(session).await, "fsm:wrong_state");
        served.event(session, "proactive_dismissed").await;
        served.advance(30.0).await;
        assert_eq!(served.verdict(session).await, "fsm:conservative_cooldown");
    }
    let folder = served.workspace.path().join("data/journal");
    let begun = Instant::now();
    let decisions = || {
        let lines = lines(&folder);
        lines.iter().filter(|line| matches!(line.entry, Entry::Decision(_))).count()
    };
    while decisions() < 6 {
        assert!(begun.elapsed() < Duration::from_secs(15), "{} decisions", decisions());
        sleep(Duration::from_millis(20)).await;
    }
    served
}

#[tokio::test]
async fn the_same_rules_come_to_what_is_recorded() {
    let served = a_day().await;
    let folder = served.workspace.path();
    let (code, told, errors) = docent(folder, &["replay", "data/journal", "--verify"], "");
    assert_eq!((code, &*errors), (0, ""), "{told}");
    assert!(told.ends_with(" of 2 sessions, all as recorded\n"), "{told}");
    let arguments = ["replay", "data/journal", "--verify", "--format", "json"];
    let (_, told, _) = docent(folder, &arguments, "");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(told["ok"] == true && told["same"].as_u64() >= Some(8), "{told}");
    // A journal that somebody has changed.
    let text: String = lines(&folder.join("data/journal"))
        .iter()
        .map(|line| line.write().unwrap() + "\n")
        .collect();
    let other = text.replace("fsm:wrong_state", "resilience:min_interval");
    assert_ne!(text, other);
    fs::write(folder.join("other.jsonl"), other).unwrap();
    let (code, told, _) = docent(folder, &["replay", "other.jsonl", "--verify"], "");
    assert_eq!(code, 4, "{told}");
    assert!(told.contains(" of 2 sessions differ\n") && told.contains("  now       {"), "{told}");
    // Other rules made none of these decisions.
    let edited = EAGER.replace("Need a hand?", "Want a hand?");
    fs::create_dir_all(folder.join("edited/rules")).unwrap();
    fs::write(folder.join("edited/docent.yaml"), SETTINGS).unwrap();
    fs::write(folder.join("edited/rules/a.yaml"), &edited).unwrap();
    let arguments = ["replay", "data/journal", "--verify", "--rules", "edited"];
    let (code, _, errors) = docent(folder, &arguments, "");
    assert!(code == 1 && errors.contains("was made by these rules"), "{errors}");
    let kept = lines(&folder.join("data/journal"));
    let digest = &kept.iter().find(|line| matches!(line.entry, Entry::Decision(_))).unwrap().digest;
    let most =
        format!("decisions were made by others, of revision {digest}: name the rules of then");
    assert!(errors.contains(&most), "{errors}");
    // The revision of then is in the repository.
    fs::write(folder.join(".gitignore"), "data/\nedited/\n").unwrap();
    commit(folder);
    served.write("rules/a.yaml", &edited);
    assert_eq!(docent(folder, &["replay", "data/journal", "--verify"], "").0, 1);
    let arguments = ["replay", "data/journal", "--verify", "--rules", "HEAD"];
    let (code, told, errors) = docent(folder, &arguments, "");
    assert!(code == 0 && told.ends_with(", all as recorded\n"), "{told}{errors}");
    let arguments = ["replay", "data/journal", "--verify", "--against", "HEAD"];
    assert_eq!(docent(folder, &arguments, "").0, 2);
}

#[tokio::test]
async fn a_reload_in_the_midst_of_a_session_is_no_difference() {
    let served = Docent::timed(&[("docent.yaml", SETTINGS), ("rules/a.yaml", EAGER)]);
    served.visit("ps_1", &["/a", "/b"]).await;
    assert_eq!(served.verdict("ps_1").await, "eager");
    served.event("ps_1", "proactive_dismissed").await;
    let shorter = "version: 1\njournal: { sample: 100% }\nproducts:\n  acme: { proactive: { conservative: { base: 60s } } }\n";
    served.write("docent.yaml", shorter);
    served.until("/admin/status", |_, status| status["revision"] == 2).await;
    served.advance(120.0).await;
    assert_eq!(
        served.verdict("ps_1").await,
        "fsm:conservative_cooldown",
        "it was told ten minutes"
    );
    let folder = served.workspace.path();
    let kept = || lines(&folder.join("data/journal"));
    let decided = |lines: &[Line]| {
        let last = lines.iter().rfind(|line| matches!(line.entry, Entry::Decision(_)));
        last.is_some_and(|last| Some(&last.digest) != lines.first().map(|line| &line.digest))
    };
    let begun = Instant::now();
    while !decided(&kept()) {
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", kept());
        sleep(Duration::from_millis(20)).await;
    }
    let arguments = ["replay", "data/journal", "--verify", "--format", "json"];
    let (code, told, errors) = docent(folder, &arguments, "");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(code == 0 && told["ok"] == true && told["same"] == 1, "{told} {errors}");
}

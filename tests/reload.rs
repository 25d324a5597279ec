//! Hot reload on a real file system: whatever editors, deployments and accidents do to a
//! workspace, the right rulebook is in force afterwards, and never a wrong one meanwhile.
//!
//! Every test changes files and waits for the status to say what must follow.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "reload/workspace.rs"]
mod workspace;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use docent::library::status::Status;
use tokio::time::{Instant, sleep};

use workspace::{PRODUCT, Served, rule, save, write};

fn is_refused(status: &Status) -> bool {
    status.candidate.is_some()
}

fn agrees(status: &Status) -> bool {
    status.candidate.is_none()
}

/// The codes of what is wrong with the refused candidate.
fn codes(status: &Status) -> Vec<&'static str> {
    let findings = status.candidate.iter().flat_map(|candidate| &candidate.findings);
    findings.map(|finding| finding.code).collect()
}

#[tokio::test]
async fn however_an_editor_saves_it_is_one_reload() {
    type Save = fn(&Path, &str);
    let ways: [(&str, Save); 4] = [
        ("in place", |file, text| write(file, text)),
        ("a temporary file renamed over it", |file, text| {
            write(&file.with_file_name(".a.yaml.tmp"), text);
            fs::rename(file.with_file_name(".a.yaml.tmp"), file).unwrap();
        }),
        ("sed -i", |file, text| {
            write(&file.with_file_name("sedXq1z9"), text);
            fs::rename(file.with_file_name("sedXq1z9"), file).unwrap();
        }),
        ("vim with a backup", |file, text| {
            write(&file.with_file_name("4913"), "");
            fs::remove_file(file.with_file_name("4913")).unwrap();
            write(&file.with_file_name(".a.yaml.swp"), "b0VIM");
            fs::rename(file, file.with_file_name("a.yaml~")).unwrap();
            write(file, text);
            fs::remove_file(file.with_file_name("a.yaml~")).unwrap();
        }),
    ];
    let served = Served::new(&[("rules/a.yaml", &rule("hello", "first"))]).await;
    for (revision, (way, save)) in (2..).zip(ways) {
        save(&served.path("rules/a.yaml"), &rule("hello", way));
        let status = served.until(way, |_| served.body("hello") == Some(way.into())).await;
        assert_eq!(status.active.revision, revision, "{way}");
    }
    served.until("nothing is left to say", agrees).await;
}

#[tokio::test]
async fn a_half_written_file_is_never_served() {
    let served = Served::new(&[("rules/a.yaml", &rule("hello", "old"))]).await;
    let text = rule("hello", "new");
    let (half, _) = text.split_at(text.len() / 2);
    write(&served.path("rules/a.yaml"), half);
    served.until("half a file is refused", is_refused).await;
    assert_eq!(served.body("hello").as_deref(), Some("old"));
    write(&served.path("rules/a.yaml"), &text);
    served.until("the whole file is served", |status| status.active.revision == 2).await;
    assert_eq!(served.body("hello").as_deref(), Some("new"));
    served.until("nothing is left to say", agrees).await;
}

#[tokio::test]
async fn a_file_written_in_pieces_is_served_whole() {
    let many = |word: &str| {
        let rules: String = (0..400).map(|n| workspace::trigger(&format!("r{n}"), word)).collect();
        // Flow style: no part of it is well-formed.
        format!("{{ version: 1, triggers: [{rules}] }}")
    };
    let served = Served::new(&[("rules/a.yaml", &many("old"))]).await;
    let file = served.path("rules/a.yaml");
    let writer = tokio::task::spawn_blocking(move || {
        use std::io::Write as _;
        let mut file = fs::File::create(file).unwrap();
        for piece in many("new").as_bytes().chunks(512) {
            file.write_all(piece).unwrap();
            file.sync_data().unwrap();
        }
    });
    let whole =
        |word: &str| (0..400).all(|n| served.body(&format!("r{n}")).as_deref() == Some(word));
    served
        .until("the new file is served", |_| {
            let (old, new) = (whole("old"), whole("new"));
            assert!(old || new, "a torn file is in force");
            new
        })
        .await;
    writer.await.unwrap();
}

#[tokio::test]
async fn a_kubernetes_volume_is_exchanged_whole() {
    let served = Served::new(&[]).await;
    let rules = served.path("rules");
    let generation = |name: &str, word: &str| {
        fs::create_dir(rules.join(name)).unwrap();
        for file in ["a", "b"] {
            save(&rules.join(name).join(format!("{file}.yaml")), &rule(file, word));
        }
        symlink(name, rules.join("..data_tmp")).unwrap();
        fs::rename(rules.join("..data_tmp"), rules.join("..data")).unwrap();
    };
    generation("..v1", "1");
    for file in ["a", "b"] {
        let name = format!("{file}.yaml");
        symlink(Path::new("..data").join(&name), rules.join(name)).unwrap();
    }
    served.until("the first", |_| served.body("b").is_some() && served.body("a").is_some()).await;
    for number in 2..5 {
        let word = number.to_string();
        served.rest().await;
        let before = served.live.status().active.revision;
        generation(&format!("..v{number}"), &word);
        fs::remove_dir_all(rules.join(format!("..v{}", number - 1))).unwrap();
        let status = served
            .until("the next generation", |_| {
                let book = served.live.current();
                let [a, b] = ["a", "b"].map(|id| workspace::body_in(&book, id));
                assert_eq!(a, b, "generations are mixed");
                a.as_deref() == Some(&word)
            })
            .await;
        assert_eq!(status.active.revision, before + 1);
    }
}

#[tokio::test]
async fn a_release_is_exchanged_by_linking_the_workspace_to_another() {
    let dir = tempfile::tempdir().unwrap();
    for (release, word) in [("1", "one"), ("2", "two")] {
        let release = dir.path().join("releases").join(release);
        save(&release.join("docent.yaml"), PRODUCT);
        save(&release.join("rules/a.yaml"), &rule("hello", word));
    }
    symlink("releases/1", dir.path().join("current")).unwrap();
    let served = Served::at(dir, "current").await;
    symlink("releases/2", served.beside("next")).unwrap();
    fs::rename(served.beside("next"), served.beside("current")).unwrap();
    served.until("the second", |_| served.body("hello").as_deref() == Some("two")).await;
    served.rest().await;
    save(&served.beside("releases/2/rules/a.yaml"), &rule("hello", "three"));
    served.until("its edit", |_| served.body("hello").as_deref() == Some("three")).await;
}

#[tokio::test]
async fn a_file_that_vanishes_for_a_second_keeps_its_rules() {
    let texts = [rule("a", "a"), rule("b", "b")];
    let served = Served::new(&[("rules/a.yaml", &texts[0]), ("rules/b.yaml", &texts[1])]).await;
    for _ in 0..5 {
        let before = served.live.status().active.revision;
        let gone = Instant::now();
        fs::remove_file(served.path("rules/a.yaml")).unwrap();
        sleep(Duration::from_secs(1)).await;
        let meanwhile = served.body("a");
        save(&served.path("rules/a.yaml"), &texts[0]);
        let checked = served.live.status().watcher.last_check_at;
        // A machine that stalled for another second has told us nothing.
        if gone.elapsed() < Duration::from_millis(1_800) {
            served.until("it was looked at", |now| now.watcher.last_check_at > checked).await;
            assert_eq!(meanwhile.as_deref(), Some("a"));
            assert_eq!(served.live.status().active.revision, before);
            assert!(served.live.status().candidate.is_none());
            return;
        }
        served.until("it is back", |_| served.body("a").is_some()).await;
    }
    panic!("this machine stalls all the time");
}

#[tokio::test]
async fn a_file_that_is_gone_for_good_takes_its_rules_along_after_two_seconds() {
    let texts = [rule("a", "a"), rule("b", "b")];
    let served = Served::new(&[("rules/a.yaml", &texts[0]), ("rules/b.yaml", &texts[1])]).await;
    let gone = Instant::now();
    fs::remove_file(served.path("rules/a.yaml")).unwrap();
    served.until("it is gone", |status| status.active.rules == 2).await;
    assert!(gone.elapsed() >= Duration::from_secs(2), "{:?}", gone.elapsed());
    assert_eq!((served.body("a"), served.body("b").as_deref()), (None, Some("b")));
}

#[tokio::test]
async fn a_renamed_file_is_no_duplicate_of_itself() {
    let served = Served::new(&[("rules/a.yaml", &rule("hello", "x"))]).await;
    fs::rename(served.path("rules/a.yaml"), served.path("rules/b.yaml")).unwrap();
    let at = |status: &Status| {
        assert!(status.candidate.is_none(), "{:?}", codes(status));
        let book = served.live.current();
        book.products["acme"].rules.iter().any(|rule| &*rule.written.file == "rules/b.yaml")
    };
    served.until("the rule has moved", at).await;
}

#[tokio::test]
async fn ten_files_changed_together_are_one_revision() {
    let name = |n| format!("rules/{n}.yaml");
    let served = Served::new(&[]).await;
    for attempt in 0..20 {
        let before = served.live.status().active.revision;
        let word = format!("attempt {attempt}");
        served.rest().await;
        for n in 0..10 {
            save(&served.path(&format!("next-{n}")), &rule(&format!("r{n}"), &word));
        }
        let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
        for n in 0..10 {
            fs::rename(served.path(&format!("next-{n}")), served.path(&name(n))).unwrap();
            longest = longest.max(last.elapsed());
            last = Instant::now();
            sleep(Duration::from_millis(20)).await;
        }
        let is_new = |n| served.body(&format!("r{n}")).as_ref() == Some(&word);
        served.until("all ten are new", |_| (0..10).all(is_new)).await;
        // A machine that stalled between two of them has changed them apart.
        if longest < Duration::from_millis(75) {
            assert_eq!(served.live.status().active.revision, before + 1);
            return;
        }
    }
    panic!("this machine stalls all the time");
}

#[tokio::test]
async fn an_emptied_folder_is_refused_and_its_return_forgives() {
    let text = rule("hello", "x");
    let served = Served::new(&[("rules/a.yaml", &text)]).await;
    fs::remove_dir_all(served.path("rules")).unwrap();
    let status = served.until("it is refused", is_refused).await;
    assert_eq!(codes(&status), ["rules-lost"]);
    assert_eq!((status.active.revision, served.body("hello").as_deref()), (1, Some("x")));
    // One after the other, the first file back would be the whole rulebook for a moment.
    save(&served.path("back/a.yaml"), &text);
    save(&served.path("back/base.yaml"), &rule("base", "base"));
    fs::rename(served.path("back"), served.path("rules")).unwrap();
    let status = served.until("it is forgiven", agrees).await;
    assert_eq!(status.active.revision, 1);
    served.rest().await;
    save(&served.path("rules/a.yaml"), &rule("hello", "y"));
    served
        .until("the new folder is watched", |_| served.body("hello").as_deref() == Some("y"))
        .await;
}

#[tokio::test]
async fn product_settings_reload_with_the_rules_and_the_rest_waits_for_a_restart() {
    let served = Served::new(&[]).await;
    let changed = "version: 1\nlisten: 127.0.0.1:9999\nproducts:\n  acme:\n    proactive: { min_interval: 7s }\n";
    save(&served.path("docent.yaml"), changed);
    let status = served.until("it is reloaded", |status| status.active.revision == 2).await;
    let book = served.live.current();
    assert_eq!(book.products["acme"].settings.proactive.min_interval.to_string(), "7s");
    assert_eq!(book.settings.listen, "127.0.0.1:8080", "what the process listens on");
    let warnings: Vec<_> = status.active.findings.iter().map(|finding| finding.code).collect();
    assert!(warnings.contains(&"needs-restart"), "{warnings:?}");
    save(&served.path("docent.yaml"), PRODUCT);
    let status = served.until("it is taken back", |status| status.active.revision == 3).await;
    assert!(status.active.findings.iter().all(|finding| finding.code != "needs-restart"));
}

#[tokio::test]
async fn a_folder_that_is_named_later_is_read_and_watched() {
    let served = Served::new(&[("teams/growth/rules/a.yaml", &rule("hello", "x"))]).await;
    let moved = "version: 1\nproducts:\n  acme: { rules: teams/growth/rules/ }\n";
    save(&served.path("docent.yaml"), moved);
    served.until("it is read", |_| served.body("hello").is_some()).await;
    assert_eq!((served.body("base"), served.live.status().active.revision), (None, 2));
    served.rest().await;
    save(&served.path("teams/growth/rules/a.yaml"), &rule("hello", "y"));
    served.until("it is watched", |_| served.body("hello").as_deref() == Some("y")).await;
}

#[tokio::test]
async fn a_broken_file_is_shown_once_with_its_findings_until_it_is_repaired() {
    let served = Served::new(&[("rules/a.yaml", &rule("hello", "old"))]).await;
    let broken = rule("hello", "new").replace("when", "wen");
    save(&served.path("rules/a.yaml"), &broken);
    let status = served.until("it is refused", is_refused).await;
    let candidate = status.candidate.as_ref().unwrap();
    let finding = &candidate.findings[0];
    assert_eq!((&*finding.file, finding.line), ("rules/a.yaml", 1));
    assert_eq!((candidate.attempts, served.body("hello").as_deref()), (1, Some("old")));
    let seen = status.watcher.last_check_at;
    save(&served.path("rules/a.yaml"), &broken);
    let status = served.until("it was looked at", |now| now.watcher.last_check_at > seen).await;
    assert_eq!(status.refused, 1, "the same mistake is no news");
    save(&served.path("rules/a.yaml"), &rule("hello", "new"));
    let status = served.until("it is repaired", agrees).await;
    assert_eq!((status.active.revision, served.body("hello").as_deref()), (2, Some("new")));
}

#[tokio::test]
async fn going_back_to_what_is_served_is_no_new_revision() {
    let good = rule("hello", "good");
    let served = Served::new(&[("rules/a.yaml", &good)]).await;
    save(&served.path("rules/a.yaml"), "triggers: [");
    served.until("it is refused", is_refused).await;
    save(&served.path("rules/a.yaml"), &good);
    let status = served.until("it is forgiven", agrees).await;
    assert_eq!((status.active.revision, status.refused), (1, 1));
}

#[tokio::test]
async fn what_cannot_be_taken_is_a_finding_and_not_an_empty_file() {
    let served = Served::new(&[("rules/a.yaml", &rule("hello", "x"))]).await;
    let huge = |path: &Path| fs::File::create(path).unwrap().set_len(50 << 20).unwrap();
    let dangling = |path: &Path| symlink("nowhere", path).unwrap();
    let a_folder = |path: &Path| fs::create_dir(path).unwrap();
    save(&served.path("other.yaml"), "not in any folder that counts");
    a_folder(&served.path("rules/b.yaml"));
    huge(&served.path("rules/c.yaml"));
    let status = served.until("50 MB are refused", is_refused).await;
    assert_eq!(status.candidate.as_ref().unwrap().findings[0].file.as_ref(), "rules/c.yaml");
    fs::remove_file(served.path("rules/c.yaml")).unwrap();
    served.until("it is forgiven", agrees).await;
    dangling(&served.path("rules/c.yaml"));
    let status = served.until("a dangling link is refused", is_refused).await;
    assert_eq!(codes(&status), ["unreadable"]);
    fs::remove_file(served.path("rules/c.yaml")).unwrap();
    let status = served.until("it is forgiven", agrees).await;
    assert_eq!((status.active.revision, served.body("hello").as_deref()), (1, Some("x")));
}

#[tokio::test]
async fn a_workspace_that_is_gone_for_a_while_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("docent/docent.yaml"), PRODUCT);
    save(&dir.path().join("docent/rules/a.yaml"), &rule("hello", "old"));
    let served = Served::at(dir, "docent").await;
    fs::rename(served.beside("docent"), served.beside("away")).unwrap();
    let status = served.until("it is missed", is_refused).await;
    assert_eq!(
        (codes(&status), served.body("hello").as_deref()),
        (vec!["unreadable"], Some("old"))
    );
    fs::rename(served.beside("away"), served.beside("docent")).unwrap();
    served.until("it is back", agrees).await;
    served.rest().await;
    save(&served.path("rules/a.yaml"), &rule("hello", "new"));
    served.until("it is watched", |_| served.body("hello").as_deref() == Some("new")).await;
}

//! What an author waits for: `docent check` of 500 rules and `docent test` of 2,000 timelines, as
//! a team would write them: `cargo bench --bench authoring`.
#![expect(clippy::expect_used, reason = "a benchmark may panic")]

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use docent::engine::suite;
use docent::library::disk;
use docent::rulebook::Rulebook;
use docent::rulebook::compile::compile;
use docent::rulebook::lint::lint;

/// Rules of the workspace, each with four tests.
const RULES: usize = 500;
/// Rules of one file, all about one part of the product.
const OF_A_FILE: usize = 20;
/// Pages of one part of the product.
const PAGES: usize = 5;

/// What rules ask, and entries after which they hold: of a page, twenty seconds after coming to it.
const ASKED: [(&str, &str); 8] = [
    ("when: [{ dwell: 20s }, { ping_pong: 2 }]", WANDERED),
    ("when: [{ dwell: 20s }, { errors: { at_least: 2, within: 5m } }]", FAILED),
    ("when: session.errors(\"5m\") >= 2 && session.dwell_s >= 20 && session.path != \"/\"", FAILED),
    (
        "when: [{ dwell: 20s }, { any: [{ rage_clicks: 1 }, { count: { type: error, at_least: 2 } }] }]",
        FAILED,
    ),
    (
        "when: [{ dwell: 20s }, { sequence: { of: [/home, error], within: 10m } }, { not: { seen: rule-0 } }]",
        FAILED,
    ),
    ("when: [{ dwell: 20s }, { trait: { name: plan, in: [pro, team] } }]", PAID),
    ("when: session.trait(\"plan\", \"\") == \"pro\" && session.dwell_s >= 20", PAID),
    ("builtin: canonical_url_ping_pong\n    params: { min_cycles: 2 }", WANDERED),
];
const WANDERED: &str = "          - { at: 1s, page: /home }
          - { at: 2s, page: PAGE }
          - { at: 3s, page: /home }
          - { at: 4s, page: PAGE }
";
const FAILED: &str = "          - { at: 1s, action: error, title: Save }
          - { at: 2s, action: error, title: Save }
";
const PAID: &str = "          - { at: 2s, trait: { plan: pro } }
";

fn rule(number: usize) -> String {
    let (asked, acts) = ASKED.get(number % ASKED.len()).expect("one of them");
    let file = number / OF_A_FILE;
    let page = format!("/part-{file}/page-{}", number % PAGES);
    let tour =
        if number.is_multiple_of(3) { format!(", tour: tour-{file}") } else { String::new() };
    let priority = 5 + number % 90;
    let comes =
        format!("          - {{ at: 0s, page: /home }}\n          - {{ at: 0s, page: {page} }}\n");
    let acts = acts.replace("PAGE", &page);
    let test = |name: &str, entries: &str| {
        format!("      - name: {name}\n        timeline:\n{comes}{entries}")
    };
    let fires = format!("{acts}          - {{ at: 60s, fires: rule-{number} }}\n");
    let tests = [
        test("helps after a while", &fires),
        test("says it once", &format!("{fires}          - {{ at: 90s, silent: true }}\n")),
        test(
            "lets people be who decline",
            &format!(
                "{fires}          - {{ at: 61s, event: proactive_dismissed }}\n          - {{ at: 70s, silent: \"fsm:conservative_cooldown\" }}\n"
            ),
        ),
        test("waits", "          - { at: 5s, silent: no_trigger }\n"),
    ];
    format!(
        "  - id: rule-{number}\n    name: Help with {number}\n    priority: {priority}\n    page: {page}\n    \
         {asked}\n    offer: {{ body: \"Need a hand with {number}?\", accept: Show me, dismiss: No thanks{tour} }}\n    \
         again_after: 7d\n    tests:\n{}",
        tests.concat()
    )
}

fn write(root: &Path) {
    let put = |name: &str, text: String| fs::write(root.join(name), text).expect("a file");
    for folder in ["rules", "tours"] {
        fs::create_dir(root.join(folder)).expect("a folder");
    }
    let settings = "version: 1\nproducts:\n  acme: { sources: [{ sse: { url: \"https://up.example.com\" } }] }\n";
    put("docent.yaml", settings.to_owned());
    for file in 0..RULES / OF_A_FILE {
        let rules = file * OF_A_FILE..(file + 1) * OF_A_FILE;
        let rules: String = rules.map(rule).collect();
        put(&format!("rules/part-{file}.yaml"), format!("version: 1\ntriggers:\n{rules}"));
        let step = "steps: [{ target: \"#a\", title: First, content: Press it }]";
        let tour =
            format!("  - {{ id: tour-{file}, name: Tour {file}, use_when: Asked, {step} }}\n");
        put(&format!("tours/part-{file}.yaml"), format!("version: 1\ntours:\n{tour}"));
    }
}

/// As `docent check` does, from the disk on.
fn check(root: &Path) -> (Rulebook, usize) {
    let sources = disk::read(root).expect("a workspace");
    let (rulebook, mut findings) = compile(&sources, &|_| None);
    assert!(rulebook.is_some(), "{:#?}", findings.first());
    let rulebook = rulebook.expect("rules without a mistake");
    findings.extend(lint(&rulebook, &sources));
    (rulebook, findings.len())
}

fn authoring(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let (rulebook, _) = check(folder.path());
    let report = suite::run(&rulebook, &|_| true);
    let failed = report.tests.iter().find(|test| test.failure.is_some());
    assert!(failed.is_none(), "{failed:#?}");
    assert_eq!((report.rules.len(), report.tests.len()), (RULES, 4 * RULES));
    let mut group = criterion.benchmark_group("authoring");
    group.sample_size(20);
    group.bench_function("check of 500 rules", |bencher| {
        bencher.iter(|| black_box(check(folder.path()).1));
    });
    group.bench_function("2,000 timelines", |bencher| {
        bencher.iter(|| black_box(suite::run(&rulebook, &|_| true).tests.len()));
    });
    group.finish();
}

criterion_group!(benches, authoring);
criterion_main!(benches);

//! Replays: how many recorded actions a second are read and lived through, by all cores, under the
//! shipped rules: `cargo bench --bench replay`. The budget is 1,000,000 (DESIGN.md, section 9).
#![expect(clippy::expect_used, reason = "a benchmark may panic")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use docent::domain::time::Span;
use docent::engine::replay::answers::Assume;
use docent::engine::replay::recording::{Reach, Recorded, groups, sessions};
use docent::engine::replay::{Play, replay};
use docent::ingest::archive::{Taken, batches, parts};
use docent::library::disk;
use docent::rulebook::Rulebook;
use docent::rulebook::compile::compile;

/// Recorded sessions.
const SESSIONS: usize = 5_000;
/// Messages of each, one every ten seconds.
const BATCHES: usize = 10;
/// Actions of each message, as upstreams send them.
const ACTIONS: usize = 5;
/// Where people go.
const PAGES: [&str; 5] = ["/projects", "/settings", "/billing", "/import", "/members"];
/// What they do there.
const KINDS: [&str; 6] = ["pageview", "click", "input", "click", "submit", "error"];

/// A day of JSON lines.
fn day() -> String {
    let mut text = String::new();
    for batch in 0..BATCHES {
        for session in 0..SESSIONS {
            let at = 1_760_000_000 + session + batch * 10;
            let actions = (0..ACTIONS).map(|place| {
                let number = session * 7 + batch * 3 + place;
                let page = PAGES.get((session + batch) % PAGES.len()).expect("a page");
                let kind = KINDS.get(number % KINDS.len()).expect("a kind");
                format!(
                    "{{\"type\":\"{kind}\",\"title\":\"Element {number}\",\"description\":\"Did something\",\
                     \"canonical_url\":\"https://app.acme.test{page}\",\"timestamp_start\":{at}.{place}}}"
                )
            });
            let actions = actions.collect::<Vec<_>>().join(",");
            writeln!(
                text,
                "{{\"type\":\"actions\",\"session_id\":\"ps_{session}\",\"user_id\":\"u_{}\",\
                 \"forwarded_at\":{at}.9,\"actions\":[{actions}]}}",
                session / 2
            )
            .expect("room");
        }
    }
    text
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// As `docent replay` reads a file.
fn read(text: &str) -> Vec<Recorded> {
    let parts = thread::scope(|scope| {
        let parts = parts(text.as_bytes(), cores()).into_iter();
        let threads: Vec<_> = parts.map(|part| scope.spawn(|| batches(part, None))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a part")).collect::<Vec<_>>()
    });
    let mut whole = Taken::default();
    parts.into_iter().for_each(|part| whole.append(part));
    assert_eq!(whole.refused.count, 0, "{:?}", whole.refused);
    sessions(whole.entries)
}

/// As `docent replay` spreads groups of sessions over cores; the offers made.
fn live(rulebook: &Rulebook, recorded: &[Recorded]) -> usize {
    let product = rulebook.products.get("acme").expect("the shipped product");
    let play = Play {
        product,
        limits: &rulebook.settings.limits,
        assume: Assume::Ignored,
        poll_every: Span::from_seconds(20),
        linger: Span::from_seconds(300),
    };
    let groups = groups(recorded, Reach::of(product));
    let (next, offers) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..cores() {
            scope.spawn(|| {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let group: Vec<_> = group.iter().filter_map(|at| recorded.get(*at)).collect();
                    let played = replay(play, &group);
                    let made = played.iter().map(|played| played.firings.len()).sum();
                    offers.fetch_add(made, Ordering::Relaxed);
                }
            });
        }
    });
    offers.into_inner()
}

fn replays(criterion: &mut Criterion) {
    let sources = disk::read(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the shipped rules");
    let rulebook = compile(&sources, &|_| None).0.expect("rules without a mistake");
    let text = day();
    let recorded = read(&text);
    assert_eq!(recorded.len(), SESSIONS);
    assert!(live(&rulebook, &recorded) > 0, "nobody is offered anything");
    let mut group = criterion.benchmark_group("replay");
    group.sample_size(10);
    group.throughput(Throughput::Elements((SESSIONS * BATCHES * ACTIONS) as u64));
    // A replay keeps what it has read until it ends.
    group.bench_function("read", |bencher| bencher.iter_with_large_drop(|| read(&text)));
    group.bench_function("live through", |bencher| {
        bencher.iter(|| black_box(live(&rulebook, &recorded)));
    });
    group.bench_function("read and live through", |bencher| {
        bencher.iter_with_large_drop(|| {
            let recorded = read(&text);
            (live(&rulebook, &recorded), recorded)
        });
    });
    group.finish();
}

criterion_group!(benches, replays);
criterion_main!(benches);

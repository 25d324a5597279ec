//! Engine time of one decision with 10, 100 and 1,000 rules over 50 pages, 20 actions, after new
//! activity and while nothing changes: `cargo bench --bench decide`.
#![expect(clippy::expect_used, reason = "a benchmark may panic")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use docent::domain::action::{Batch, Delivery, RawAction, Trust};
use docent::domain::records::Context;
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use docent::engine::advance::{Received, advance};
use docent::engine::around::Around;
use docent::engine::decide::decide;
use docent::rulebook::compile::compile;
use docent::rulebook::{Product, Sources};

const PAGES: usize = 50;
const NOW: Timestamp = Timestamp::from_millis(1_760_000_000_000);

/// Rules that never match, each on one page, in the mix of leaves that authors write.
fn product(rules: usize) -> Arc<Product> {
    let mut text = String::from("version: 1\ntriggers:\n");
    for rule in 0..rules {
        let page = rule % PAGES;
        text.push_str(&format!(
            "  - id: rule-{rule}\n    page: /page-{page}\n    when:\n      - dwell: 20m\n      \
             - count: {{ type: click, at_least: 30, within: 5m }}\n      - ping_pong: 9\n    \
             offer: {{ body: Hello, accept: Yes please, dismiss: No thanks }}\n"
        ));
    }
    let files = BTreeMap::from([
        ("docent.yaml".to_owned(), b"version: 1\nproducts:\n  acme: {}\n".to_vec()),
        ("rules/bench.yaml".to_owned(), text.into_bytes()),
    ]);
    let (rulebook, findings) = compile(&Sources { files }, &|_| None);
    assert!(findings.is_empty(), "{findings:?}");
    Arc::clone(
        rulebook.expect("rules without a mistake").products.get("acme").expect("the product"),
    )
}

fn batch() -> Delivery {
    let action = |step: usize| RawAction {
        kind: if step.is_multiple_of(3) { "pageview" } else { "click" }.into(),
        title: format!("Step {step}"),
        canonical_url: format!("https://app.test/page-{}", step % 4),
        ..RawAction::default()
    };
    Delivery::Actions(Batch { actions: (0..20).map(action).collect(), ..Batch::default() })
}

fn session(product: &Product) -> Session {
    let (mut session, mut context) = (Session::default(), Context::default());
    let delivery = batch();
    let received = Received {
        delivery: &delivery,
        identity: None,
        trust: Trust::Trusted,
        voucher: None,
        most_actions: 1_000,
    };
    advance(&product.settings, &mut session, &mut context, &received, NOW);
    session
}

fn decisions(criterion: &mut Criterion) {
    for (name, changes) in
        [("decide after activity", true), ("decide while nothing changes", false)]
    {
        measure(criterion, name, changes);
    }
}

fn measure(criterion: &mut Criterion, name: &str, changes: bool) {
    let mut group = criterion.benchmark_group(name);
    for rules in [10, 100, 1_000] {
        let product = product(rules);
        let mut session = session(&product);
        let around = Around::default();
        let mut now = NOW;
        group.bench_function(BenchmarkId::from_parameter(rules), |bencher| {
            bencher.iter(|| {
                now = now.plus(Span::from_millis(1));
                session.seq += u64::from(changes);
                black_box(decide(&product, black_box(&mut session), &around, now, &mut ()))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);

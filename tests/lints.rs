//! What is hardly meant is said, at its place, and what is sensible is left alone.
#![cfg(test)]

mod lints {
    mod calendar;
    pub(crate) mod desk;
    mod pacing;
}

use lints::desk::{BOTH_TESTS, OFFER, PLAIN, codes, found, holds, rules};

#[test]
fn a_condition_that_can_never_hold() {
    holds(
        "never-true",
        &[
            &["when: [{ dwell: 60s }, { not: { dwell: 20s } }]"],
            &["when: [{ dwell: { at_least: 30s, at_most: 10s } }]"],
            &["when: [{ errors: { at_least: 3, at_most: 2 } }]"],
            &[
                "when: [{ errors: { at_least: 3, within: 1m } }, { errors: { at_most: 1, within: 5m } }]",
            ],
            &[
                "when: [{ count: { type: click, exactly: 2 } }, { count: { type: click, exactly: 3 } }]",
            ],
            &["when: [{ count: { type: click, text: Pay } }, { not: { count: click } }]"],
            &["when: [{ count: { type: click, at_least: 500 } }]"],
            &["when: [{ quick_back: 500 }]"],
            &["page: /billing, when: [{ page: /projects }]"],
            &["page: [/a/b, /a/c], when: [{ dwell: 5s }, { not: { page: '/a/:x' } }]"],
            &["page: /billing, when: session.path == \"/projects\" && session.dwell_s > 5"],
            &["page: /billing, when: session.path.starts_with(\"/projects\")"],
            &["page: /billing, when: [{ visits: { page: /billing, at_most: 0 } }, { dwell: 5s }]"],
            &["when: session.path == \"/billing/\" && session.dwell_s > 5"],
            &["when: session.email_domain == \"@example.com\""],
            &["when: session.email_domain == \"Example.com\""],
            &["when: [{ dwell: 5s }, { any: [{ page: /a }, { page: /b }] }, { page: /c }]"],
            &[
                "when: [{ dwell: 5s }, { any: [{ errors: 1 }, { count: { type: x, at_least: 201 } }] }]",
            ],
            &["when: session.dwell_s > 5 && false"],
            &[
                "when: [{ count: { type: x, scope: page, at_least: 3 } }, { count: { type: x, at_most: 1 } }]",
            ],
            &["when: [{ errors: { between: [3, 5] } }, { errors: { at_most: 2 } }]"],
        ],
        &[
            &["when: [{ dwell: { at_least: 10s, at_most: 30s } }]"],
            &["when: [{ dwell: 20s }, { not: { idle: 10s } }]"],
            &["when: [{ dwell: 60s }, { not: { dwell: 61s } }]"],
            &[
                "when: [{ errors: { at_least: 1, within: 5m } }, { errors: { at_most: 0, within: 1m } }]",
            ],
            &[
                "when: [{ count: { type: click, text: Pay } }, { not: { count: { type: click, text: Back } } }]",
            ],
            &["page: '/projects/:slug', when: [{ not: { page: /projects/new } }, { dwell: 3s }]"],
            &["page: [/billing, /projects], when: [{ page: /projects }, { dwell: 3s }]"],
            &["page: '/:x', when: session.path.starts_with(\"/projects\")"],
            &["when: session.path != \"/\" && session.dwell_s > 5"],
            &[
                "when: [{ count: { type: x, at_least: 3 } }, { count: { type: x, scope: page, at_most: 1 } }]",
            ],
            &["when: [{ errors: { between: [3, 5] } }, { errors: { at_most: 4 } }]"],
            &["when: [{ visits: { page: /a, at_most: 0 } }, { dwell: 5s }]"],
            &["when: [{ any: [{ page: /a }, { page: /b }] }, { page: /b }, { dwell: 2s }]"],
        ],
    );
}

#[test]
fn traits_that_contradict_each_other() {
    holds(
        "never-true",
        &[
            &[
                "when: [{ trait: { name: plan, is: pro } }, { trait: { name: plan, in: [free, team] } }]",
            ],
            &["when: [{ trait: { name: plan, is: pro } }, { trait: { name: plan, is_not: pro } }]"],
            &["when: [{ trait: { name: seats, at_least: 10, at_most: 5 } }]"],
        ],
        &[
            &["when: [{ trait: { name: plan, is: pro } }, { trait: { name: seats, is: 5 } }]"],
            &[
                "when: [{ trait: { name: seats, is: 5 } }, { trait: { name: seats, in: [5.0, 6] } }]",
            ],
            &[
                "when: [{ trait: { name: plan, is: pro } }, { trait: { name: plan, not_in: [free] } }]",
            ],
        ],
    );
}

#[test]
fn counts_of_a_page_and_between_two_numbers_that_can_never_be() {
    holds(
        "never-true",
        &[
            &[
                "when: [{ count: { type: x, scope: page, at_least: 3 } }, { count: { type: x, at_most: 1 } }]",
            ],
            &["when: [{ errors: { between: [3, 5] } }, { errors: { at_most: 2 } }]"],
        ],
        &[
            &[
                "when: [{ count: { type: x, at_least: 3 } }, { count: { type: x, scope: page, at_most: 1 } }]",
            ],
            &["when: [{ errors: { between: [3, 5] } }, { errors: { at_most: 4 } }]"],
        ],
    );
}

#[test]
fn a_condition_that_always_holds() {
    holds(
        "always-true",
        &[
            &["when: [{ dwell: 0s }]"],
            &["when: [{ errors: { at_least: 0 } }, { dwell: 5s }]"],
            &["when: [{ dwell: 5s }, { not: { count: { type: x, at_least: 201 } } }]"],
            &["when: [{ dwell: 5s }, { any: [{ query: tab }, { not: { query: tab } }] }]"],
            &["page: /billing, when: [{ page: [/billing, /plans] }]"],
            &["when: 'true'"],
            &["when: [{ any: [{ errors: 2 }, { not: { errors: 2 } }] }]"],
        ],
        &[
            &["when: [{ errors: { at_most: 0 } }]"],
            &["page: /billing, when: [{ page: /billing }, { dwell: 5s }]"],
            &[
                "when: [{ any: [{ trait: { name: p, is: 1 } }, { not: { trait: { name: p, is: 1 } } }] }]",
            ],
            &["when: [{ visits: 1 }]"],
        ],
    );
}

#[test]
fn a_rule_that_another_one_hides() {
    holds(
        "shadowed",
        &[
            &["priority: 60, when: [{ dwell: 20s }]", "when: [{ dwell: 20s }]"],
            &[
                "priority: 60, when: [{ dwell: 20s }]",
                "page: /a, when: [{ dwell: 30s }, { errors: 1 }]",
            ],
            &[
                "page: '/a/:x', when: [{ page: '/a/:x' }, { dwell: 1s }]",
                "page: /a/b, when: [{ dwell: 1s }]",
            ],
            &[
                "priority: 60, when: [{ errors: { at_least: 1, within: 10m } }]",
                "when: [{ errors: { at_least: 2, within: 5m } }]",
            ],
        ],
        &[
            &["priority: 60, again_after: 7d, when: [{ dwell: 20s }]", "when: [{ dwell: 20s }]"],
            &["priority: 60, cooldown: 1h, when: [{ dwell: 20s }]", "when: [{ dwell: 20s }]"],
            &["priority: 60, judge: true, when: [{ dwell: 20s }]", "when: [{ dwell: 20s }]"],
            &["priority: 60, mode: shadow, when: [{ dwell: 20s }]", "when: [{ dwell: 20s }]"],
            &["priority: 60, page: /a, when: [{ dwell: 20s }]", "when: [{ dwell: 20s }]"],
            &["priority: 60, when: [{ dwell: 30s }]", "when: [{ dwell: 20s }]"],
            &[
                "priority: 60, when: [{ trait: { name: p, is: 1 } }, { dwell: 5s }]",
                "when: [{ dwell: 5s }]",
            ],
        ],
    );
}

#[test]
fn two_rules_of_one_page_between_which_only_their_order_decides() {
    holds(
        "priority-tie",
        &[
            &["page: /a, when: [{ dwell: 20s }]", "page: /a, when: [{ errors: 1 }]"],
            &["page: '/a/:x', when: [{ dwell: 20s }]", "page: [/b, /a/b], when: [{ errors: 1 }]"],
        ],
        &[
            &["page: /a, when: [{ dwell: 20s }]", "page: /b, when: [{ errors: 1 }]"],
            &["page: /a, when: [{ dwell: 20s }]", "page: /a, priority: 60, when: [{ errors: 1 }]"],
            &[
                "page: /a, when: [{ dwell: 20s }, { errors: { at_most: 0 } }]",
                "page: /a, when: [{ errors: 1 }]",
            ],
            &["page: /a, when: [{ dwell: 20s }]", "page: /a, mode: draft, when: [{ errors: 1 }]"],
            &["when: [{ dwell: 20s }]", "page: /a, when: [{ errors: 1 }]"],
            &[
                "page: ['/x/:y'], when: [{ page: /x/1 }, { dwell: 20s }]",
                "page: '/x/:y', when: [{ page: /x/2 }, { errors: 1 }]",
            ],
        ],
    );
}

#[test]
fn a_cooldown_without_effect() {
    let when = "when: [{ dwell: 5s }]";
    holds(
        "cooldown-without-effect",
        &[&[&format!("cooldown: 30s, {when}")], &[&format!("cooldown: 0s, {when}")]],
        &[&[when], &[&format!("cooldown: 300s, {when}")], &[&format!("cooldown: 1h, {when}")]],
    );
    let quick = "version: 1\nproducts:\n  acme: { proactive: { min_interval: 30s } }\n";
    assert_eq!(codes(quick, &[&format!("cooldown: 60s, {when}")]), []);
}

#[test]
fn a_rollout_to_nobody() {
    let when = "when: [{ dwell: 5s }]";
    holds(
        "rollout-to-nobody",
        &[&[&format!("rollout: 0%, {when}")], &[&format!("rollout: {{ percent: 0 }}, {when}")]],
        &[
            &[&format!("rollout: 0.01%, {when}")],
            &[&format!("rollout: 0%, mode: draft, {when}")],
            &["rollout: 50%, priority: 60, when: [{ idle: 5s }]", "when: [{ idle: 5s }]"],
        ],
    );
}

#[test]
fn a_tour_that_runs_elsewhere() {
    let offer = |page: &str, tour: &str| {
        format!(
            "{page}when: [{{ dwell: 5s }}], offer: {{ body: B, accept: A, dismiss: D, tour: {tour} }}"
        )
    };
    holds(
        "tour-elsewhere",
        &[
            &[&offer("page: /projects, ", "pay")],
            &[&offer("page: [/billing/x, /projects], ", "add")],
        ],
        &[
            &[&offer("page: [/projects, /billing], ", "pay")],
            &[&offer("page: /projects/7, ", "add")],
            &[&offer("", "pay")],
            &[&offer("page: /projects, ", "free")],
        ],
    );
}

#[test]
fn a_trait_that_nothing_delivers() {
    let keys = ["when: [{ trait: { name: plan, is: pro } }, { dwell: 5s }]"];
    let negated = ["when: [{ not: { trait: { name: plan, is: pro } } }]"];
    let product = |listen: &str, more: &str| {
        format!("version: 1\nlisten: {listen}\nproducts:\n  acme: {{ {more} }}\n")
    };
    let browsers = product("0.0.0.0:80", "allowed_origins: ['https://a.test']");
    assert_eq!(codes(&browsers, &keys), [("never-delivered", 3)]);
    assert_eq!(codes(&browsers, &negated), [("never-delivered", 3)]);
    assert_eq!(codes(&browsers, &["when: [{ dwell: 5s }]"]), []);
    let either = "when: [{ any: [{ trait: { name: plan, is: pro } }, { dwell: 5s }] }]";
    assert_eq!(codes(&browsers, &[either]), []);
    for more in [
        "keys: { webhook: w }",
        "keys: { secret: s }",
        "sources: [{ sse: { url: 'https://u.test' } }]",
    ] {
        assert_eq!(codes(&product("0.0.0.0:80", more), &keys), [], "{more}");
    }
    for listen in ["127.0.0.1:80", "localhost:80", "'[::1]:80'"] {
        assert_eq!(codes(&product(listen, ""), &keys), [], "{listen}");
    }
}

#[test]
fn types_that_nothing_delivers() {
    holds(
        "unknown-type",
        &[
            &["when: [{ count: { type: pagevew } }]"],
            &["when: [{ sequence: [/cart, sumbit] }]"],
            &["when: [{ dwell: 5s }, { not: { count: clicks } }]"],
            &["when: 'session.count(\"rage_clik\", \"5m\") > 1'"],
        ],
        &[
            &["when: [{ count: { type: pageview } }]"],
            &["when: [{ count: { type: card_declined } }]"],
            &["when: [{ repeated_failure: { failure: save_failed, success: saved } }]"],
        ],
    );
    let posthog = ["when: [{ count: { type: $pageview, at_least: 2 } }]"];
    assert_eq!(codes(PLAIN, &posthog), [("never-delivered", 3)]);
    let upstream = PLAIN.replace("{}", "{ sources: [{ sse: { url: 'https://u.test' } }] }");
    assert_eq!(codes(&upstream, &posthog), []);
}

#[test]
fn a_trigger_that_is_asked_about_and_not_there() {
    holds(
        "unknown-trigger",
        &[
            &["when: [{ dwell: 5s }, { not: { seen: r00 } }]"],
            &[
                "page: /a, when: [{ dwell: 5s }]",
                "page: /b, when: 'session.seen(\"r_1\", \"accepted\")'",
            ],
        ],
        &[
            &["when: [{ dwell: 5s }, { not: { seen: r0 } }]"],
            &["when: [{ dwell: 5s }, { not: { seen: retired-long-ago } }]"],
        ],
    );
}

#[test]
fn live_rules_without_a_test_that_fires_or_stays_silent() {
    let rule = |mode: &str, timeline: &str| {
        format!(
            "version: 1\ntriggers:\n  - id: one\n    mode: {mode}\n    when: [{{ dwell: 5s }}]\n    {OFFER}\n    tests: [{{ name: n, timeline: [{timeline}] }}]\n"
        )
    };
    let codes = |text: &str, more: &[(&str, &str)]| {
        let files: Vec<_> = more.iter().copied().chain([("rules/r.yaml", text)]).collect();
        let found = found(PLAIN, &files);
        found.iter().map(|finding| (finding.code, finding.line)).collect::<Vec<_>>()
    };
    let (fires, silent) =
        ("{ at: 8s, page: / }, { at: 9s, fires: one }", "{ at: 1s, silent: no_trigger }");
    assert_eq!(codes(&rule("live", silent), &[]), [("no-firing-test", 7)]);
    assert_eq!(codes(&rule("live", fires), &[]), [("no-silent-test", 7)]);
    let bare = rule("live", silent);
    let bare = bare.split("    tests:").next().unwrap();
    assert_eq!(codes(bare, &[]), [("no-firing-test", 3), ("no-silent-test", 3)]);
    assert_eq!(codes(&rule("live", &format!("{silent}, {fires}")), &[]), []);
    for mode in ["draft", "paused", "shadow"] {
        assert_eq!(codes(&rule(mode, silent), &[]), [], "{mode}");
    }
    let suite = |end: &str| {
        let timeline = format!("[{{ at: 0s, page: / }}, {{ at: 9s, {end} }}]");
        format!("version: 1\ntests: [{{ name: n, timeline: {timeline} }}]\n")
    };
    assert_eq!(codes(bare, &[("rules/all.test.yaml", &suite("fires: one"))]), []);
    assert_eq!(codes(bare, &[("rules/all.test.yaml", &suite("silent: true"))]).len(), 2);
}

#[test]
fn a_quota_of_zero_that_was_singled_out() {
    let when = ["when: [{ dwell: 5s }]"];
    let quotas = |written: &str| {
        let text = format!(
            "version: 1\nproducts:\n  acme:\n    proactive:\n      quotas: {{ {written} }}\n"
        );
        codes(&text, &when)
    };
    assert_eq!(quotas("user_per_day: 0"), [("zero-means-no-limit", 5)]);
    assert_eq!(quotas("user_per_day: 3, session_per_hour: 0"), [("zero-means-no-limit", 5)]);
    assert_eq!(quotas("user_per_day: 3"), []);
    assert_eq!(quotas("product_per_minute: 0, session_per_hour: 0, user_per_day: 0"), []);
}

#[test]
fn a_warning_stands_at_the_item_that_is_meant() {
    let text = rules(&[])
        + "  - id: one\n    when:\n      - dwell: 60s\n      - not: { dwell: 20s }\n    "
        + OFFER
        + "\n    "
        + &BOTH_TESTS.replace("ID", "one")
        + "\n";
    let found = found(PLAIN, &[("rules/r.yaml", &text)]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].line, found[0].column), (6, 9));
    assert_eq!(
        found[0].message,
        "this can never hold together with what is above it, so `one` never fires"
    );
}

/// Comparing each with each would take minutes here.
#[test]
fn four_thousand_rules_of_one_page_are_looked_at_one_by_one() {
    let rule = |n: usize| {
        let (priority, plan) = (n % 100, n % 50);
        format!(
            "  - {{ id: r{n}, page: /a, priority: {priority}, when: [{{ trait: {{ name: plan, is: p{plan} }} }}, {{ dwell: {n}s }}], {OFFER} }}\n"
        )
    };
    let files: Vec<_> = (0..8)
        .map(|file| {
            let rules: String = (file * 500..(file + 1) * 500).map(rule).collect();
            (format!("rules/{file}.yaml"), format!("version: 1\ntriggers:\n{rules}"))
        })
        .collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    let found = found(PLAIN, &files);
    assert!(found.iter().any(|found| found.code == "priority-tie"));
}

//! `builtin` and `params` as authors write them.

use super::*;
use crate::rulebook::builtin::section::Words;
use crate::rulebook::yaml;

fn read_text(source: &str) -> Result<Builtin, Vec<String>> {
    let mut findings = Findings::new("rules/a.yaml", source);
    let node = yaml::read(&mut findings).unwrap();
    let builtin = read(node.get("builtin").unwrap(), node.get("params"), &mut findings);
    let list = findings.into_list();
    assert_eq!(builtin.is_none(), !list.is_empty(), "{source}: {list:?}");
    builtin.ok_or_else(|| {
        list.iter().map(|f| format!("{}:{} {}", f.line, f.column, f.message)).collect()
    })
}

#[test]
fn parameters_carry_the_sdks_names_and_defaults() {
    let dwell = |threshold_s, max_actions, body: &str| {
        Builtin::UserPageDwell(UserPageDwell { threshold_s, max_actions, body: body.to_owned() })
    };
    let default = crate::rulebook::builtin::dwell::BODY;
    for (source, expected) in [
        ("builtin: canonical_url_ping_pong", Builtin::PingPong(PingPong::default())),
        (
            "builtin: canonical_url_ping_pong\n\
             params: { min_cycles: 2, hesitation_min_distinct: 4, url_must_contain: \" /projects \" }",
            Builtin::PingPong(PingPong {
                min_cycles: 2,
                hesitation_min_distinct: 4,
                url_must_contain: "/projects".into(),
                either_leg_must_contain: String::new(),
            }),
        ),
        ("builtin: user_page_dwell", dwell(60.0, 5, default)),
        (
            "builtin: user_page_dwell\nparams: { dwell_threshold_seconds: 45, \
             user_page_dwell_max_actions: 3, dwell_proactive_body: Stuck? }",
            dwell(45.0, 3, "Stuck?"),
        ),
        (
            "builtin: user_page_dwell\nparams: { dwell_threshold_seconds: \"45\", \
             user_page_dwell_max_actions: ~ }",
            dwell(45.0, 5, default),
        ),
    ] {
        assert_eq!(read_text(source), Ok(expected), "{source}");
    }
}

#[test]
fn a_section_playbook_reads_whole() {
    let source = "builtin: section_playbook_match\nparams:\n  section_url_rules:\n    - { prefix: /b, section_id: billing }\n  section_url_fallback_id: rest\n  section_playbook:\n    billing: { body: Hello, reply_option_labels: [\"Yes\", \"No\"] }\n    rest: Hi\n";
    let Ok(Builtin::SectionPlaybook(playbook)) = read_text(source) else { panic!("{source}") };
    assert_eq!(playbook.rules, [("/b".to_owned(), "billing".to_owned())]);
    assert_eq!(playbook.fallback, "rest");
    let labels = vec!["Yes".to_owned(), "No".to_owned()];
    assert_eq!(playbook.book["billing"], Some(Words { body: "Hello".into(), labels }));
    assert_eq!(playbook.book["rest"], Some(Words { body: "Hi".into(), labels: Vec::new() }));
}

#[test]
fn every_mistake_is_shown_at_its_place() {
    for (source, expected) in [
        ("builtin: ping_pong", &["1:10 no builtin is called `ping_pong`"][..]),
        (
            "builtin: canonical_url_ping_pong\nparams: { min_cycle: 2, url_must_contain: 3 }",
            &[
                "2:11 this builtin has no key `min_cycle`",
                "2:43 `3` is a whole number where text belongs",
            ],
        ),
        (
            "builtin: user_page_dwell\nparams: { dwell_threshold_seconds: 1m, user_page_dwell_max_actions: 0 }",
            &[
                "2:36 `1m` is text where a number greater than zero belongs",
                "2:69 `0` is a whole number where a whole number, one or more, belongs",
            ],
        ),
        ("builtin: section_playbook_match", &["1:10 a section playbook needs `section_playbook`"]),
        (
            "builtin: section_playbook_match\nparams: { section_playbook: { a: \"\", b: { labels: [] } } }",
            &[
                "2:34 this text is blank",
                "2:43 a section has no key `labels`",
                "2:41 a section has no `body`",
            ],
        ),
    ] {
        let expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(read_text(source), Err(expected), "{source}");
    }
}

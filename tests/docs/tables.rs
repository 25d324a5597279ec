//! The parts of the page that are written from the code, by the name in their marker.

use std::collections::BTreeMap;

use docent::domain::decision::Hold;
use docent::domain::offer::Outcome;
use docent::rulebook::builtin::dwell::{self, UserPageDwell};
use docent::rulebook::builtin::ping_pong::{self, PingPong};
use docent::rulebook::condition::vocabulary::{LEAVES, METHODS, WORDS, Word};
use serde_json::Map;

use crate::docs::settings;
use crate::docs::source::{members, opening, said};

/// A name and what writes the part of this name.
pub(crate) type Part = (&'static str, fn() -> String);

/// Every generated part of the page.
pub(crate) const PARTS: [Part; 9] = [
    ("leaves", leaves),
    ("fields", fields),
    ("functions", functions),
    ("arguments", arguments),
    ("methods", methods),
    ("builtins", builtins),
    ("outcomes", outcomes),
    ("holds", holds),
    ("settings", || format!("```yaml\n{}```", settings::defaults())),
];

fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |", cells.join(" | "))
    };
    let head_cells: Vec<_> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let mut lines = vec![line(&head_cells), format!("|{}", "---|".repeat(head.len()))];
    lines.extend(rows.into_iter().map(|row| line(&row)));
    lines.join("\n")
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn leaves() -> String {
    let rows = LEAVES.iter().map(|leaf| {
        let keys: Vec<_> = leaf.keys.iter().map(|key| code(key)).collect();
        vec![code(leaf.short), keys.join(" "), leaf.doc.to_owned()]
    });
    table(
        &["short form", "keys of the map form", "holds when, and what is taken if not written"],
        rows,
    )
}

fn fields() -> String {
    words(true)
}

fn functions() -> String {
    words(false)
}

fn words(fields: bool) -> String {
    let rows = WORDS.iter().filter(|word| word.is_field() == fields).map(|word| {
        let leaf = code(word.leaf);
        vec![word.usage(), gives(word).to_owned(), word.doc.to_owned(), leaf]
    });
    table(&["expression", "gives", "meaning", "as a leaf"], rows)
}

fn gives(word: &Word) -> &'static str {
    word.gives.map_or("the type of its default", |kind| kind.as_str())
}

fn arguments() -> String {
    let forms = WORDS.iter().flat_map(|word| word.forms.iter().copied().flatten());
    let mut rows: Vec<_> =
        forms.map(|(name, takes)| vec![code(name), takes.as_str().to_owned()]).collect();
    rows.sort();
    rows.dedup();
    table(&["argument", "what to write"], rows)
}

fn methods() -> String {
    let rows = METHODS.iter().map(|method| vec![code(method.name), method.doc.to_owned()]);
    table(&["method of a text", "meaning"], rows)
}

fn outcomes() -> String {
    let file = "src/domain/offer.rs";
    let rows = Outcome::ALL.map(|outcome| {
        vec![code(outcome.as_str()), said(file, "Outcome", &format!("{outcome:?}"))]
    });
    table(&["outcome", "what became of the offer"], rows)
}

fn holds() -> String {
    let file = "src/domain/decision.rs";
    let rows =
        Hold::ALL.map(|hold| vec![code(hold.as_str()), said(file, "Hold", &format!("{hold:?}"))]);
    table(&["reason", "what it means"], rows)
}

/// The SDK's parameters: each stands in backticks at the head of what is said of its field.
pub(crate) fn parameters(file: &str, item: &str) -> Vec<(String, String)> {
    let of = |(_, doc): (String, String)| {
        let (name, meaning) = doc.strip_prefix('`').unwrap().split_once('`').unwrap();
        (name.to_owned(), meaning.trim_start_matches([':', ',', ';', ' ']).to_owned())
    };
    members(file, item).into_iter().map(of).collect()
}

/// File, type and own words of each detector.
pub(crate) const BUILTINS: [(&str, &str, Option<&str>); 3] = [
    ("src/rulebook/builtin/ping_pong.rs", "PingPong", Some(ping_pong::BODY)),
    ("src/rulebook/builtin/dwell.rs", "UserPageDwell", Some(dwell::BODY)),
    ("src/rulebook/builtin/section.rs", "SectionPlaybook", None),
];

fn builtins() -> String {
    let mut defaults = builtin_defaults();
    let parts: Vec<_> = BUILTINS
        .iter()
        .map(|(file, item, body)| {
            let rows = parameters(file, item).into_iter().map(|(name, meaning)| {
                let default = defaults.remove(name.as_str()).unwrap_or_default();
                vec![code(&name), default, meaning]
            });
            let table = table(&["parameter", "default", "meaning"], rows.collect::<Vec<_>>());
            let says = body.map(|body| format!(" Its own words: \"{body}\"")).unwrap_or_default();
            format!("{}.{says}\n\n{table}", opening(file))
        })
        .collect();
    assert!(defaults.is_empty(), "defaults of no parameter: {defaults:?}");
    parts.join("\n\n")
}

/// What a detector without any `params` has; a parameter that is not here is empty by default.
fn builtin_defaults() -> BTreeMap<&'static str, String> {
    let PingPong { min_cycles, hesitation_min_distinct, url_must_contain, either_leg_must_contain } =
        PingPong::default();
    assert_eq!((url_must_contain.as_str(), either_leg_must_contain.as_str()), ("", ""));
    let UserPageDwell { threshold_s, max_actions, body } = UserPageDwell::from_params(&Map::new());
    assert_eq!(body, dwell::BODY);
    BTreeMap::from([
        ("min_cycles", min_cycles.to_string()),
        ("hesitation_min_distinct", hesitation_min_distinct.to_string()),
        ("dwell_threshold_seconds", threshold_s.to_string()),
        ("user_page_dwell_max_actions", max_actions.to_string()),
        ("dwell_proactive_body", "its own words".to_owned()),
        ("section_playbook", "must be written".to_owned()),
    ])
}

//! `extends:` of a test: another test of the list, or a `given` of the file, that comes first.

use crate::rulebook::cases::given;
use crate::rulebook::reader::{Fields, Findings, words, wrong_type};
use crate::rulebook::suggest::did_you_mean;
use crate::rulebook::yaml::{Node, Value};

/// Tests that extend one another.
const MOST_LINKS: usize = 16;

/// What is written of a test, or of a `given` of the file.
#[derive(Debug)]
pub(super) struct Draft<'n> {
    /// Its whole mapping.
    pub node: &'n Node,
    pub name: Option<&'n str>,
    pub extends: Option<&'n Node>,
    pub given: Option<Node>,
    pub matrix: Option<&'n Node>,
    pub timeline: Option<&'n Node>,
    /// Whether it is a test, and no start of others.
    pub test: bool,
    /// Whether something in it has been found already.
    pub broken: bool,
}

/// The named starts of a file.
pub(super) fn starts<'n>(node: &'n Node, findings: &mut Findings<'_>) -> Vec<Draft<'n>> {
    let Value::Map(entries) = &node.value else {
        let help = "write a name, and under it what stands at the start".to_owned();
        wrong_type(node, "a mapping", Some(help), findings);
        return Vec::new();
    };
    let mut keys = given::KEYS.to_vec();
    keys.push("timeline");
    let start = |(key, node): &'n (Node, Node), findings: &mut Findings<'_>| {
        let before = findings.count();
        let fields = Fields::of(node, "a start", &keys, findings)?;
        Some(Draft {
            node,
            name: words(key, findings),
            extends: None,
            given: Some(node.without(&["timeline"])),
            matrix: None,
            timeline: fields.get("timeline"),
            test: false,
            broken: findings.count() > before,
        })
    };
    entries.iter().filter_map(|entry| start(entry, findings)).collect()
}

/// The places of what each draft goes on from, the first of them first, itself at the end; empty
/// where that cannot be told.
pub(super) fn chains(drafts: &[Draft<'_>], findings: &mut Findings<'_>) -> Vec<Vec<usize>> {
    let bases: Vec<_> = drafts.iter().map(|draft| base(draft, drafts, findings)).collect();
    (0..drafts.len()).map(|place| chain(place, drafts, &bases, findings)).collect()
}

/// What a draft goes on from.
#[derive(Clone, Copy)]
enum Base {
    Nothing,
    Draft(usize),
    Mistaken,
}

fn base(draft: &Draft<'_>, drafts: &[Draft<'_>], findings: &mut Findings<'_>) -> Base {
    let Some(node) = draft.extends else { return Base::Nothing };
    let Some(name) = words(node, findings) else { return Base::Mistaken };
    let named = |draft: &Draft<'_>| draft.name.is_some_and(|known| known.trim() == name.trim());
    if let Some(place) = drafts.iter().position(named) {
        return Base::Draft(place);
    }
    let others = drafts.iter().filter(|other| !std::ptr::eq(other.node, draft.node));
    let help = did_you_mean(name, others.filter_map(|other| other.name));
    let help = help.unwrap_or_else(|| "write the name of another test of this list".to_owned());
    findings.error(node, "unknown-name", format!("no test is called `{name}`"), Some(help));
    Base::Mistaken
}

fn chain(
    place: usize,
    drafts: &[Draft<'_>],
    bases: &[Base],
    findings: &mut Findings<'_>,
) -> Vec<usize> {
    let (mut links, mut at) = (vec![place], place);
    let mut wrong = |message: String, help: &str| {
        if let Some(node) = drafts.get(place).and_then(|draft| draft.extends) {
            findings.error(node, "extends-too-far", message, Some(help.to_owned()));
        }
        Vec::new()
    };
    loop {
        match bases.get(at).copied().unwrap_or(Base::Nothing) {
            Base::Nothing => break,
            Base::Mistaken => return Vec::new(),
            Base::Draft(next) if next == place => {
                let message = match links.as_slice() {
                    [_] => "this test extends itself".to_owned(),
                    _ => "this test extends itself, by way of others".to_owned(),
                };
                return wrong(message, "extend a test that does not lead back here");
            }
            // Others go round in a circle, which is said of them.
            Base::Draft(next) if links.contains(&next) => return Vec::new(),
            Base::Draft(_) if links.len() == MOST_LINKS => {
                let message = format!("more than {MOST_LINKS} tests extend one another");
                return wrong(message, "write the timeline out");
            }
            Base::Draft(next) => {
                links.push(next);
                at = next;
            }
        }
    }
    links.reverse();
    links
}

//! `locales/*.yaml` to translations, checked against the rules that they translate.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::rulebook::copy::{body, label, several};
use crate::rulebook::ids::Ids;
use crate::rulebook::locale::{Locale, Translation, is_tag};
use crate::rulebook::reader::{Fields, Findings, text, version, wrong_type};
use crate::rulebook::rule::{Mode, Rule};
use crate::rulebook::suggest::did_you_mean;
use crate::rulebook::template::Text;
use crate::rulebook::yaml::{Node, Style, Value};

const KEYS: &[&str] = &["version", "locale", "triggers"];
const ENTRY: &[&str] = &["body", "accept", "dismiss", "labels", "of"];

/// What a folder's files may translate.
#[derive(Debug, Default)]
pub(in crate::rulebook) struct Around<'p> {
    /// The rules of every product whose translations lie in this folder.
    pub(in crate::rulebook) rules: Vec<&'p Rule>,
    /// All their ids, those of rules with mistakes included.
    pub(in crate::rulebook) ids: Vec<&'p Ids>,
    /// Whether every file of rules could be read.
    pub(in crate::rulebook) known: bool,
}

/// The translations of one file.
pub(in crate::rulebook) fn read(
    root: &Node,
    around: &Around<'_>,
    findings: &mut Findings<'_>,
) -> Option<Locale> {
    let fields = Fields::of(root, "a locale file", KEYS, findings)?;
    version(&fields, findings);
    let tag = fields.need("locale", findings).and_then(|node| own_tag(node, findings));
    let node = fields.need("triggers", findings)?;
    let Value::Map(entries) = &node.value else {
        let help = "write each trigger's id as a key, and its words under it".to_owned();
        wrong_type(node, "a mapping", Some(help), findings);
        return None;
    };
    let mut triggers = BTreeMap::new();
    for (key, value) in entries {
        let rule = trigger(key, around, findings);
        let words = translation(value, rule, findings);
        if let (Some(id), Some(words)) = (key.as_str(), words) {
            triggers.insert(Arc::from(id), words);
        }
    }
    untranslated(node, around, findings);
    Some(Locale { tag: tag?, triggers })
}

/// A language tag; Norwegian has to be told from a refusal.
pub(in crate::rulebook) fn tag(node: &Node, findings: &mut Findings<'_>) -> Option<Arc<str>> {
    let norwegian = || Some("for Norwegian write `nb`, or quote it: `\"no\"`".to_owned());
    if node.value == Value::Bool(false) {
        wrong_type(node, "a language", norwegian(), findings);
        return None;
    }
    let written = text(node, findings)?;
    if node.style == Style::Plain && written.eq_ignore_ascii_case("no") {
        let message = "`no` without quotes is `false` to many other programs";
        findings.error(node, "bad-locale", message, norwegian());
        return None;
    }
    if is_tag(written) {
        return Some(written.into());
    }
    let message = format!("`{written}` is no language");
    let help = match written.replace('_', "-") {
        tag if is_tag(&tag) => format!("write `{tag}`"),
        _ => "write a tag such as `en`, `nb-NO` or `pt-BR`".to_owned(),
    };
    findings.error(node, "bad-locale", message, Some(help));
    None
}

/// The file is named after its language.
fn own_tag(node: &Node, findings: &mut Findings<'_>) -> Option<Arc<str>> {
    let tag = tag(node, findings)?;
    let file = Arc::clone(findings.file());
    let name = file.rsplit('/').next().unwrap_or(&file);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    if stem == &*tag {
        return Some(tag);
    }
    let message = format!("this file is called `{stem}`, and its language `{tag}`");
    let help = format!("write `locale: {stem}`, or rename the file to `{tag}.yaml`");
    findings.error(node, "bad-locale", message, Some(help));
    None
}

fn trigger<'p>(key: &Node, around: &Around<'p>, findings: &mut Findings<'_>) -> Option<&'p Rule> {
    let id = text(key, findings)?;
    let known = || around.ids.iter().flat_map(|ids| ids.iter());
    if around.known && !known().any(|known| known == id) {
        let help = did_you_mean(id, known()).or_else(|| Some("remove it".to_owned()));
        findings.error(key, "unknown-trigger", format!("no trigger is called `{id}`"), help);
    }
    around.rules.iter().find(|rule| *rule.id == *id).copied()
}

fn translation(
    node: &Node,
    rule: Option<&Rule>,
    findings: &mut Findings<'_>,
) -> Option<Translation> {
    let fields = Fields::of(node, "a translation", ENTRY, findings)?;
    let said = fields.get("body").map(|node| (node, body(node, findings)));
    if let (Some(rule), Some((node, Some(said)))) = (rule, &said) {
        placeholders(node, rule, said, findings);
    }
    let labels = labels(&fields, rule, findings);
    if said.is_none() && labels.is_empty() && !fields.has_strays() {
        let help = Some("add `body:`, or remove the trigger".to_owned());
        findings.error(node, "missing-key", "this translation says nothing", help);
    }
    if let (Some(of), Some(rule)) = (fields.get("of"), rule) {
        up_to_date(of, rule, findings);
    }
    Some(Translation { body: said.and_then(|(_, said)| said), labels })
}

fn labels(
    fields: &Fields<'_>,
    rule: Option<&Rule>,
    findings: &mut Findings<'_>,
) -> Vec<Option<Text>> {
    let pair = ["accept", "dismiss"].map(|key| fields.get(key));
    let Some(node) = fields.get("labels") else {
        if pair == [None, None] {
            return Vec::new();
        }
        return pair.map(|node| node.and_then(|node| label(node, findings))).into();
    };
    if let Some(node) = pair.into_iter().flatten().next() {
        let help = "keep `accept` and `dismiss`".to_owned();
        let message = "a translation has `labels` or `accept` and `dismiss`";
        findings.error(node, "conflict", message, Some(help));
    }
    let items = several(node, findings);
    let own = rule.map_or(0, |rule| rule.offer.labels.len());
    if own > 0 && !items.is_empty() && items.len() != own {
        let message = format!("the offer has {own} labels, and here are {}", items.len());
        findings.error(node, "out-of-range", message, Some(format!("write {own}")));
    }
    items.into_iter().map(|node| label(node, findings)).collect()
}

/// What the rule's own body fills in, and this one leaves out.
fn placeholders(node: &Node, rule: &Rule, said: &Text, findings: &mut Findings<'_>) {
    let own = rule.offer.body.iter().flat_map(Text::placeholders);
    for left_out in own.filter(|own| !said.placeholders().any(|one| one.variable == own.variable)) {
        let message = format!("this translation leaves out `{{{}}}`", left_out.variable);
        let help = Some(format!("the rule says it: `{}`", rule.id));
        findings.warning(node, "missing-placeholder", message, help);
    }
}

/// `of` is the hash of the words that were translated, as it is written: `12345678` is no number.
fn up_to_date(of: &Node, rule: &Rule, findings: &mut Findings<'_>) {
    let now = source_hash(rule);
    let written = match &of.value {
        Value::Str(text) => text.clone(),
        Value::Null | Value::Seq(_) | Value::Map(_) => {
            wrong_type(of, "a hash", Some(format!("write `of: {now}`")), findings);
            return;
        }
        _ => of.written(findings.source()).to_owned(),
    };
    if written.trim() != now {
        let message = format!("the words of `{}` have changed since they were translated", rule.id);
        let help = format!("look at the translation, then write `of: {now}`");
        findings.warning(of, "outdated-translation", message, Some(help));
    }
}

/// Eight hex digits that change with the words a rule says.
pub fn source_hash(rule: &Rule) -> String {
    let mut hash = Sha256::new();
    for text in rule.offer.body.iter().chain(&rule.offer.labels) {
        hash.update(text.to_string());
        hash.update([0]);
    }
    hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Triggers that are offered and not in this file, though others are.
fn untranslated(node: &Node, around: &Around<'_>, findings: &mut Findings<'_>) {
    let offered =
        |rule: &&&Rule| matches!(rule.mode, Mode::Live | Mode::Shadow) && rule.offer.body.is_some();
    let missing = around.rules.iter().filter(offered).filter(|rule| node.get(&rule.id).is_none());
    let missing: Vec<&str> = missing.map(|rule| &*rule.id).collect();
    if missing.is_empty() || matches!(&node.value, Value::Map(entries) if entries.is_empty()) {
        return;
    }
    let message = format!("not translated: `{}`", missing.join("`, `"));
    let help = Some("add them; until then they speak the language of the rules".to_owned());
    findings.warning(node, "missing-translation", message, help);
}

//! Workspaces around what the page shows, read as `serve` reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use docent::rulebook::compile::compile;
use docent::rulebook::finding::Finding;
use docent::rulebook::rule::Rule;
use docent::rulebook::{Rulebook, Sources};

use crate::docs::source::read;

const PLAIN: &str = "version: 1\nproducts:\n  acme: {}\n";
const SEGMENTS: &str = "version: 1\nsegments: [{ id: power-users, given: true }]\n";
const OFFER: &str = "offer: { body: Help?, accept: \"Yes\", dismiss: \"No\" }";

/// The findings of these files, and the rulebook when none is an error. Every variable is set.
pub(crate) fn compiled(files: &[(&str, &str)]) -> (Option<Rulebook>, Vec<Finding>) {
    let bytes = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
    let files: BTreeMap<_, _> = files.iter().map(bytes).collect();
    compile(&Sources { files }, &|_| Some("secret".to_owned()))
}

/// The rulebook of files without any finding.
pub(crate) fn fine(files: &[(&str, &str)]) -> Rulebook {
    let (rulebook, findings) = compiled(files);
    assert!(findings.is_empty(), "{findings:#?}\nin {files:#?}");
    rulebook.unwrap()
}

/// The rulebook of an example: a whole file of any kind, or a part of a trigger. Tours it names
/// are those of the shipped catalogue.
pub(crate) fn of_example(kind: &str, text: &str) -> Rulebook {
    let starts = |key: &str| text.lines().any(|line| line.starts_with(key));
    let tours = read("tours/acme.yaml");
    if kind == "markdown" {
        return fine(&[("docent.yaml", PLAIN), ("prompts/example.md", text)]);
    }
    if starts("products:") {
        return fine(&[("docent.yaml", text)]);
    }
    if starts("tours:") {
        return fine(&[("docent.yaml", PLAIN), ("tours/example.yaml", text)]);
    }
    if starts("segments:") {
        return fine(&[("docent.yaml", PLAIN), ("segments/example.yaml", text)]);
    }
    if starts("locale:") {
        let tag = text.split_once("locale: ").unwrap().1.lines().next().unwrap();
        let said =
            "id: hello\noffer: { body: \"Need a hand?\", accept: \"Yes\", dismiss: \"No\" }\n";
        let (rules, file) = (around_part(said), format!("locales/{tag}.yaml"));
        return fine(&[("docent.yaml", PLAIN), ("rules/a.yaml", &rules), (&file, text)]);
    }
    if starts("version:") && starts("tests:") {
        let rules: Vec<_> = ["billing", "first-steps", "projects"]
            .map(|name| (format!("rules/{name}.yaml"), read(&format!("rules/{name}.yaml"))))
            .into();
        let mut files: Vec<_> = rules.iter().map(|(path, text)| (&**path, &**text)).collect();
        files.extend([("docent.yaml", PLAIN), ("tours/acme.yaml", &tours)]);
        files.push(("rules/example.test.yaml", text));
        return fine(&files);
    }
    let rules = if starts("triggers:") { text.to_owned() } else { around_part(text) };
    fine(&[
        ("docent.yaml", PLAIN),
        ("tours/acme.yaml", &tours),
        ("segments/people.yaml", SEGMENTS),
        ("rules/example.yaml", &rules),
    ])
}

/// The one rule of a workspace whose trigger says this.
pub(crate) fn rule(part: &str) -> Rule {
    rules(&of_example("yaml", part)).pop().unwrap()
}

/// Whether a rule file is read without an error.
pub(crate) fn accepts(rules: &str) -> bool {
    compiled(&[("docent.yaml", PLAIN), ("rules/example.yaml", rules)]).0.is_some()
}

/// The rules of the one product.
pub(crate) fn rules(rulebook: &Rulebook) -> Vec<Rule> {
    rulebook.products.values().flat_map(|product| product.rules.clone()).collect()
}

/// A rule file around a part of a trigger; what is required and not there is added.
pub(crate) fn around_part(part: &str) -> String {
    let has = |key: &str| part.lines().any(|line| line.starts_with(key));
    let id = if has("id:") { "" } else { "    id: example\n" };
    let when = if has("when:") || has("builtin:") { "" } else { "    when: [dwell: 1s]\n" };
    let speaks = has("offer:") || has("builtin:");
    let offer = if speaks { String::new() } else { format!("    {OFFER}\n") };
    let part: String = part.lines().map(|line| format!("    {line}\n")).collect();
    format!("version: 1\ntriggers:\n  -\n{id}{when}{offer}{part}")
}

/// What a rule comes to, whatever it is called and wherever it is written.
pub(crate) fn meaning(rule: &Rule) -> String {
    let plain = Rule {
        id: Arc::from(""),
        name: String::new(),
        written: Default::default(),
        spelling: Default::default(),
        cases: Arc::default(),
        ..rule.clone()
    };
    format!("{plain:#?}")
}

/// The keys of every mapping, as the checker names them to somebody who wrote none: by what the
/// mapping is, `a trigger`.
pub(crate) fn keys() -> BTreeMap<String, BTreeSet<String>> {
    let settings = "version: 1\nadmin: 1\njournal: 1\nlimits: 1\nproducts:\n  a: { keys: 1, quiet_hours: 1, proactive: 1, \
                    activity: 1, builtins: 1, retrieval: 1, target_health: 1, sources: [1, sse: 1] }\n  \
                    b: { proactive: { circuit: 1, quotas: 1, conservative: 1 } }\n  c: 1\n";
    let rules = format!(
        "version: 1\ntriggers:\n  - 1\n  - {{ id: a, when: [dwell: 1s], offer: 1, goal: 1, schedule: 1, tests: [1] }}\n  \
         - {{ id: c, when: [dwell: 1s], offer: {{ body: B, labels: [A], variants: [1] }} }}\n  \
         - {{ id: b, when: [dwell: 1s], {OFFER}, tests: [{{ name: t, given: 1, timeline: [1] }}] }}\n"
    );
    let tours = "version: 1\ntours: [1, { id: a, name: a, use_when: a, steps: [1] }]\n";
    let mut found = compiled(&[
        ("docent.yaml", PLAIN),
        ("rules/a.yaml", &rules),
        ("tours/a.yaml", tours),
        ("segments/a.yaml", "version: 1\nsegments: [1]\n"),
        ("locales/nb.yaml", "version: 1\nlocale: nb\ntriggers: { a: 1 }\n"),
        ("prompts/a.md", "---\n1\n---\nWords\n"),
    ])
    .1;
    found.extend(compiled(&[("docent.yaml", settings)]).1);
    found.extend(compiled(&[("docent.yaml", "1")]).1);
    let helps = found.into_iter().filter_map(|finding| finding.help);
    helps.filter_map(|help| named(&help)).collect()
}

/// The keys that a builtin's `params` may have.
pub(crate) fn parameters(builtin: &str) -> BTreeSet<String> {
    let part = format!("builtin: {builtin}\nparams: 1\n");
    let found = compiled(&[("docent.yaml", PLAIN), ("rules/a.yaml", &around_part(&part))]).1;
    let mut helps = found.into_iter().filter_map(|finding| finding.help);
    helps.find_map(|help| named(&help)).unwrap_or_else(|| panic!("`{builtin}` is not known")).1
}

fn named(help: &str) -> Option<(String, BTreeSet<String>)> {
    let (what, keys) = help.split_once(" is a mapping with the keys ")?;
    let keys = keys.trim_matches('`').split("`, `").map(str::to_owned).collect();
    Some((what.trim_matches('`').to_owned(), keys))
}

//! The schemas that editors use say what the readers say: no false alarm, and no mistake of key or
//! type passed over.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "schema/entries.rs"]
mod entries;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use docent::rulebook::Sources;
use docent::rulebook::compile::compile;
use docent::rulebook::condition::vocabulary::LEAVES;
use docent::rulebook::finding::Severity;
use docent::rulebook::reader::Findings;
use docent::rulebook::schema::{Kind, schema, text};
use docent::rulebook::yaml;
use entries::{entries, long_forms};
use jsonschema::Validator;
use serde_json::{Value, json};

/// Findings that a schema must see too: they need no other file.
const PLAIN: [&str; 10] = [
    "unknown-key",
    "wrong-type",
    "unknown-condition",
    "bad-version",
    "bad-duration",
    "bad-rate",
    "bad-page",
    "blank",
    "empty-list",
    "missing-key",
];

/// A key of no mapping, near to none.
const STRANGE: &str = "no such key";

fn root(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn validator(kind: Kind) -> Validator {
    jsonschema::draft7::new(&schema(kind)).unwrap()
}

fn tree(file: &str, text: &str) -> Option<Value> {
    let text = match file.ends_with(".md") {
        true => text.split("---\n").nth(1)?,
        false => text,
    };
    let mut findings = Findings::new(file, text);
    let root = yaml::read(&mut findings)?;
    (findings.count() == 0).then(|| root.to_json())
}

fn kind_of(file: &str) -> Kind {
    match file {
        _ if file.ends_with(".md") => Kind::Prompts,
        _ if file.contains("tours/") => Kind::Tours,
        _ if file.contains("segments/") => Kind::Segments,
        _ if file.contains("rules/") => Kind::Rules,
        _ => Kind::Docent,
    }
}

fn complaints(kind: Kind, value: &Value) -> Vec<String> {
    let validator = validator(kind);
    validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[test]
fn every_shipped_file_follows_its_schema() {
    let mut seen = 0;
    for place in ["", "rules", "tours", "prompts", "segments"] {
        for folder in [root(place), root("tests/data/findings/good").join(place)] {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for path in entries.map(|entry| entry.unwrap().path()) {
                let file = path.to_str().unwrap();
                let ours = place.is_empty() == file.ends_with("docent.yaml");
                if !ours || !(file.ends_with(".yaml") || file.ends_with(".md")) {
                    continue;
                }
                let value = tree(file, &fs::read_to_string(&path).unwrap()).unwrap();
                assert_eq!(complaints(kind_of(file), &value), [""; 0], "{file}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 15, "only {seen} files");
}

#[test]
fn a_mistake_of_key_or_type_breaks_the_schema_too() {
    let (mut tried, mut accepted) = (0, Vec::new());
    for (file, table) in [
        ("docent.yaml", "docent.txt"),
        ("rules/billing.yaml", "rules.txt"),
        ("tours/tours.yaml", "tours.txt"),
        ("prompts/reply.md", "prompts.txt"),
        ("segments/people.yaml", "segments.txt"),
    ] {
        let good = fs::read_to_string(root("tests/data/findings/good").join(file)).unwrap();
        let table = fs::read_to_string(root("tests/data/findings").join(table)).unwrap();
        let validator = validator(kind_of(file));
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let plain = line.replace("\\n", "\n").replace("\\t", "\t");
            let parts: Vec<_> = plain.split("  =>  ").collect();
            let code = parts[2].split(' ').next().unwrap();
            // The inside of an expression is a language of its own.
            if !PLAIN.contains(&code) || parts[1].contains("session.") {
                continue;
            }
            let value = tree(file, &good.replacen(parts[0], parts[1], 1)).unwrap();
            accepted.extend(validator.is_valid(&value).then(|| format!("{file}: {line}")));
            tried += 1;
        }
    }
    assert!(accepted.is_empty(), "schemas accept:\n{}", accepted.join("\n"));
    assert!(tried >= 70, "only {tried} mistakes");
}

/// A file without a mistake, and the mappings in it that are tried.
struct Bench {
    kind: Kind,
    file: &'static str,
    whole: Value,
    places: Vec<String>,
}

/// Every mapping below, as JSON pointers.
fn mappings(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.push(at.to_owned());
            for (key, value) in members {
                mappings(value, &format!("{at}/{}", key.replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (place, value) in items.iter().enumerate() {
                mappings(value, &format!("{at}/{place}"), found);
            }
        }
        _ => {}
    }
}

/// A bench for every mapping below a place.
fn bench(kind: Kind, file: &'static str, below: &str, whole: Value) -> Bench {
    let mut places = Vec::new();
    mappings(&whole, "", &mut places);
    places.retain(|place| place.starts_with(below));
    Bench { kind, file, whole, places }
}

/// Small files, so that many can be read: each mapping there is stands in one of them.
fn benches() -> Vec<Bench> {
    let settings = json!({ "version": 1, "admin": {}, "limits": {}, "products": {
        "a": { "keys": {}, "proactive": { "circuit": {}, "quotas": {}, "conservative": {} },
            "activity": {}, "builtins": {}, "retrieval": {}, "quiet_hours": { "hours": "22:00-07:00" },
            "frequency": [{ "id": "a", "per": "user", "limit": 1 }],
            "sources": [{ "sse": { "url": "https://a.example" } }] } } });
    let tours = json!({ "version": 1, "tours": [{ "id": "a", "name": "A", "use_when": "A",
        "steps": [{ "target": "a", "title": "A", "content": "A" }] }] });
    let segments = |segment: Value| json!({ "version": 1, "segments": [segment] });
    let prompt = json!({ "name": "a", "version": 1, "description": "A" });
    let mut benches = vec![
        bench(Kind::Docent, "docent.yaml", "", settings),
        bench(Kind::Tours, "tours/tours.yaml", "", tours),
        bench(Kind::Prompts, "prompts/reply.md", "", prompt),
        bench(
            Kind::Segments,
            "segments/a.yaml",
            "",
            segments(json!({ "id": "a", "when": [{ "dwell": "3s" }] })),
        ),
        bench(Kind::Segments, "segments/a.yaml", "", segments(json!({ "id": "b", "given": true }))),
    ];
    let rules = |trigger: Value| json!({ "version": 1, "triggers": [trigger] });
    benches.extend(
        triggers().map(|trigger| bench(Kind::Rules, "rules/billing.yaml", "", rules(trigger))),
    );
    benches.extend(conditions().into_iter().map(|condition| {
        let offer = json!({ "body": "B", "labels": ["A"] });
        let trigger = json!({ "id": "a", "when": [condition], "offer": offer });
        bench(Kind::Rules, "rules/billing.yaml", "/triggers/0/when/0", rules(trigger))
    }));
    benches.extend(entries().map(|entry| in_test(entry, "/tests/0/timeline/1")));
    let edit = json!({ "at": "0s", "reload": { "words": { "offer": {} } } });
    benches.push(in_test(edit, "/tests/0/timeline/1/reload/words"));
    benches.push(in_test(json!({ "at": "0s", "page": "/b" }), "/tests/0/given"));
    // What a start says counts where the test itself says nothing else.
    let mut start = in_test(json!({ "at": "0s", "page": "/b" }), "/given");
    *start.whole.pointer_mut("/tests/0/given").unwrap() = json!({});
    benches.push(start);
    let given = json!({ "user": "u", "account": "a", "settings": { "proactive": {} } });
    let test = json!({ "name": "t", "given": given, "timeline": [{ "at": "0s", "silent": true }] });
    let tests = json!({ "version": 1, "tests": [test] });
    benches.push(bench(Kind::Tests, "rules/all.test.yaml", "/tests/0/given", tests));
    benches
}

/// A bench for every mapping below a place in tests of the whole, one of which has this entry.
fn in_test(entry: Value, below: &str) -> Bench {
    let timeline = json!([{ "at": "0s", "page": "/a" }, entry, { "at": "1d", "silent": true }]);
    let given = json!({ "user": "u", "settings": { "proactive": {} } });
    let test =
        json!({ "name": "t", "extends": "s", "given": given, "matrix": {}, "timeline": timeline });
    let tests = json!({ "version": 1, "given": { "s": { "timeline": [] } }, "tests": [test] });
    bench(Kind::Tests, "rules/all.test.yaml", below, tests)
}

fn triggers() -> impl Iterator<Item = Value> {
    let offer = json!({ "body": "B", "accept": "A", "dismiss": "D" });
    let builtin = |id: &str, params: Value| json!({ "id": "c", "builtin": id, "params": params });
    let test = json!({ "name": "t", "timeline": [{ "at": "0s", "silent": true }] });
    [
        json!({ "id": "a", "when": "session.dwell_s > 3", "offer": offer, "schedule": {}, "tests": [test] }),
        json!({ "id": "b", "when": [{ "dwell": "3s" }], "offer": { "body": "B", "labels": ["A"] } }),
        json!({ "id": "c", "builtin": "user_page_dwell", "offer": {} }),
        json!({ "id": "d", "when": [{ "dwell": "3s" }], "offer": offer, "snooze": {}, "reset": { "on": "x" },
            "on_dismiss": { "cooldown": "1h" }, "frequency": [{ "per": "user", "limit": 1 }] }),
        builtin("canonical_url_ping_pong", json!({})),
        builtin("user_page_dwell", json!({})),
        builtin("section_playbook_match", json!({
            "section_url_rules": [{ "prefix": "/b", "section_id": "b" }],
            "section_playbook": { "b": { "body": "B" }, "c": "C" } })),
    ]
    .into_iter()
}

/// Each leaf in its short form, and in its long one where it has one.
fn conditions() -> Vec<Value> {
    let short = LEAVES.iter().map(|leaf| tree("x.yaml", leaf.short).unwrap());
    short.chain(long_forms()).collect()
}

/// The errors of one file that says this, in a workspace that is fine, and the keys that its reader
/// names to somebody who wrote one that is not known.
fn reader(file: &str, value: &Value) -> (BTreeSet<&'static str>, BTreeSet<String>) {
    let rule = "version: 1\ntriggers: [{ id: words, when: [dwell: 1s], offer: { body: B, accept: A, dismiss: D } }]";
    let segments = "version: 1\nsegments: [{ id: power-users, given: true }]";
    let mut files = BTreeMap::from([
        ("docent.yaml".to_owned(), b"version: 1\nproducts: { acme: {} }\n".to_vec()),
        ("segments/people.yaml".to_owned(), segments.as_bytes().to_vec()),
        ("rules/billing.yaml".to_owned(), rule.as_bytes().to_vec()),
    ]);
    let text = match file.ends_with(".md") {
        true => format!("---\n{value}\n---\nWords\n"),
        false => value.to_string(),
    };
    files.insert(file.to_owned(), text.into_bytes());
    let (_, findings) = compile(&Sources { files }, &|_| Some("x".to_owned()));
    let (mut codes, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for found in findings {
        if *found.file == *file && found.severity == Severity::Error {
            codes.insert(found.code);
            let help = found.help.unwrap_or_default();
            let named = help.split("`").skip(1).step_by(2).map(str::to_owned);
            keys.extend(named.filter(|_| found.code.starts_with("unknown-")));
        }
    }
    (codes, keys)
}

/// Every property any of the schemas knows.
fn all_keys(schema: &Value, keys: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            members.values().for_each(|value| all_keys(value, keys));
        }
        Value::Array(items) => items.iter().for_each(|value| all_keys(value, keys)),
        _ => {}
    }
}

/// Whatever stands under whatever key of whatever mapping: what the reader takes, the schema takes;
/// what the schema takes has no mistake that a schema can see.
#[test]
fn reader_and_schema_agree() {
    let values = [
        json!(null),
        json!(true),
        json!(7),
        json!(0),
        json!(2.5),
        json!("words"),
        json!(""),
        json!("20s"),
        json!("/a"),
        json!([]),
        json!(["words"]),
        json!([7]),
        json!({}),
    ];
    let mut keys = BTreeSet::from([STRANGE.to_owned()]);
    Kind::ALL.iter().for_each(|kind| all_keys(&schema(*kind), &mut keys));
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for Bench { kind, file, whole, places } in benches() {
        let validator = validator(kind);
        assert_eq!(complaints(kind, &whole), [""; 0], "{file}: {whole}");
        assert_eq!(reader(file, &whole).0, BTreeSet::new(), "{file}: {whole}");
        for place in &places {
            let with = |key: &str, value: &Value| {
                let mut changed = whole.clone();
                let mapping = changed.pointer_mut(place).unwrap().as_object_mut().unwrap();
                mapping.insert(key.to_owned(), value.clone());
                changed
            };
            let known = reader(file, &with(STRANGE, &json!(1))).1;
            for (key, value) in keys.iter().flat_map(|key| values.iter().map(move |v| (key, v))) {
                let changed = with(key, value);
                let valid = validator.is_valid(&changed);
                // Known to neither: refused by both.
                if !valid && !known.contains(key) {
                    continue;
                }
                let found = reader(file, &changed).0;
                tried += 1;
                let plain = found.iter().any(|code| PLAIN.contains(code));
                if found.is_empty() && !valid || plain && valid {
                    wrong.push(format!("{file}{place} {key}: {value}: {found:?}, {valid}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 3_000, "only {tried} were tried");
}

#[test]
fn every_key_says_what_it_is() {
    for kind in Kind::ALL {
        let schema = schema(kind);
        undescribed(&schema, kind.as_str());
    }
}

fn undescribed(schema: &Value, at: &str) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                // A branch that only adds to what is described elsewhere says no more.
                let whole = members.contains_key("additionalProperties");
                for (key, value) in properties {
                    let doc = value["description"].as_str().unwrap_or("");
                    let leaf = at.contains("/condition/") && at.contains("/properties/");
                    assert!(!whole || leaf || doc.len() > 5, "{at}: `{key}` is not described");
                }
            }
            members.iter().for_each(|(key, value)| undescribed(value, &format!("{at}/{key}")));
        }
        Value::Array(items) => items.iter().for_each(|value| undescribed(value, at)),
        _ => {}
    }
}

#[test]
fn the_committed_schemas_are_those_of_the_code() {
    for kind in Kind::ALL {
        let name = kind.as_str();
        let file = format!("schemas/{name}.json");
        let committed = fs::read_to_string(root(&file)).unwrap_or_default();
        assert!(committed == text(kind), "{file} is out of date: docent schema {name} > {file}");
    }
}

#[test]
fn opening_the_folder_sets_up_an_editor() {
    let settings = fs::read_to_string(root(".vscode/settings.json")).unwrap();
    let settings: Value = serde_json::from_str(&settings).unwrap();
    let schemas = settings["yaml.schemas"].as_object().unwrap();
    let mapped: Vec<_> = schemas.keys().map(String::as_str).collect();
    let kinds = ["docent", "locales", "rules", "segments", "tours"];
    assert_eq!(mapped, kinds.map(|kind| format!("schemas/{kind}.json")));
    assert!(mapped.iter().all(|file| root(file).exists()));
    for (ours, made) in [("settings", "editor"), ("extensions", "extensions")] {
        let ours = fs::read_to_string(root(&format!(".vscode/{ours}.json"))).unwrap();
        let made = fs::read_to_string(root(&format!("src/cli/new/{made}.json"))).unwrap();
        assert_eq!(ours, made, "a fresh workspace is set up like this one");
    }
}

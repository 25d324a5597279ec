//! What stands in for variables that are not set where nobody is served, as in a replay: only in
//! settings that bear on no decision. Anywhere else an unset variable stays a mistake.

use crate::rulebook::environment::{Lookup, Part, parts};
use crate::rulebook::yaml::{Node, Value};

/// Settings that bear on no decision and so are in no digest, as paths on which `*` is any key and lists do not count, with
/// a value that each may have; without one, the text stays as it is written.
const HARMLESS: [(&str, Option<&str>); 14] = [
    ("listen", Some("127.0.0.1:8080")),
    ("store", Some("redis://localhost")),
    ("durability", Some("immediate")),
    ("wait_replicas", Some("1")),
    ("admin.listen", Some("127.0.0.1:8080")),
    ("admin.tokens", None),
    ("journal.folder", None),
    ("journal.keep", Some("30d")),
    ("journal.max_size", Some("1GiB")),
    ("journal.sample", Some("10%")),
    ("products.*.keys.*", None),
    ("products.*.allowed_origins", Some("*")),
    ("products.*.sources.sse.url", Some("http://localhost")),
    ("products.*.sources.sse.token", None),
];

/// Puts a value that decides nothing where a variable that is not set decides nothing.
pub fn stand_in(root: &mut Node, env: &Lookup<'_>) {
    walk(root, &mut Vec::new(), &mut |path, node| {
        let Some(text) = node.as_str().filter(|text| lacks_a_value(text, env)) else { return };
        let harmless = HARMLESS.iter().find(|(pattern, _)| is_at(pattern, path));
        if let Some((_, value)) = harmless {
            // Names that differ stay different, and nothing is left to replace.
            let value = value.map_or_else(|| text.replace("${", "$("), str::to_owned);
            node.value = Value::Str(value);
        }
    });
}

fn walk(node: &mut Node, path: &mut Vec<String>, act: &mut impl FnMut(&[String], &mut Node)) {
    match &mut node.value {
        Value::Seq(items) => items.iter_mut().for_each(|item| walk(item, path, act)),
        Value::Map(entries) => {
            for (key, value) in entries {
                path.push(key.as_str().unwrap_or_default().to_owned());
                walk(value, path, act);
                path.pop();
            }
        }
        _ => act(path, node),
    }
}

fn is_at(pattern: &str, path: &[String]) -> bool {
    let mut pattern = pattern.split('.');
    let fits = |key: &String| pattern.next().is_some_and(|part| part == "*" || part == key);
    path.iter().all(fits) && pattern.next().is_none()
}

/// Whether a variable of the text is not set, and nothing else is wrong with it.
fn lacks_a_value(text: &str, env: &Lookup<'_>) -> bool {
    let mut lacks = false;
    for part in parts(text) {
        match part {
            Part::Broken(_) => return false,
            Part::Variable(variable) => lacks |= variable.value(env(variable.name)).is_none(),
            Part::Text(_) => {}
        }
    }
    lacks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::Sources;
    use crate::rulebook::compile::{compile, rehearse};

    fn sources(settings: &str) -> Sources {
        let files = [("docent.yaml".to_owned(), settings.as_bytes().to_vec())];
        Sources { files: files.into_iter().collect() }
    }

    /// Each setting that something may stand in for, all of it and in part.
    const ALL: &str = "version: 1
listen: ${X}:80
store: redis://:${X}@redis:6379
durability: ${X}
wait_replicas: ${X}
admin: { listen: \"${X}\", tokens: [\"${X}\", \"b${X}\"] }
journal: { folder: \"${X}\", keep: \"${X}\", max_size: \"${X}\", sample: \"${X}\" }
products:
  acme:
    keys: { publishable: [\"${X}\"], secret: \"${X}\", webhook: [\"${X}\"], session_signing: [\"${X}\"] }
    allowed_origins: [\"https://${X}\"]
    sources: [{ sse: { url: \"https://${X}/stream/\", token: \"${X}\" } }]
";

    #[test]
    fn a_rehearsal_does_without_what_decides_nothing() {
        let (book, findings) = rehearse(&sources(ALL), &|_| None);
        assert!(findings.is_empty(), "{findings:?}");
        let (none, _) = compile(&sources(ALL), &|_| None);
        assert!(none.is_none(), "a server needs all of it");
        for (setting, _) in HARMLESS {
            let key = setting.trim_end_matches(".*").rsplit('.').next().unwrap();
            assert!(ALL.contains(&format!("{key}: ")), "{setting}");
        }
        // What is in no digest bears on no decision, whatever it is.
        let bare = compile(&sources("version: 1\nproducts: { acme: {} }\n"), &|_| None).0.unwrap();
        assert_eq!(book.unwrap().digest, bare.digest);
    }

    #[test]
    fn what_may_decide_must_be_set_in_a_rehearsal_too() {
        for (settings, code) in [
            ("products: { acme: { timezone: \"${X}\" } }", "unset-variable"),
            ("products: { acme: { testers: [\"${X}\"] } }", "unset-variable"),
            ("products: { acme: { proactive: { enabled: \"${X}\" } } }", "unset-variable"),
            ("products: { acme: { holdout: { percent: \"${X}\" } } }", "unset-variable"),
            ("limits: { ledger_ttl: \"${X}\" }\nproducts: { acme: {} }", "unset-variable"),
            ("store: \"redis://${X}\"\nproducts: { acme: { rules: \"${X}\" } }", "unset-variable"),
            ("store: \"${1X} ${X}\"\nproducts: { acme: {} }", "bad-variable"),
        ] {
            let (book, findings) =
                rehearse(&sources(&format!("version: 1\n{settings}\n")), &|_| None);
            let codes: Vec<_> = findings.iter().map(|found| found.code).collect();
            assert!(book.is_none() && codes.contains(&code), "{settings} {findings:?}");
        }
    }
}

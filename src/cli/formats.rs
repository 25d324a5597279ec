//! Findings for machines: one JSON object, GitHub's workflow commands, SARIF for code scanning.

use std::path::Path;

use serde_json::{Value, json};

use crate::rulebook::Rulebook;
use crate::rulebook::codes::about;
use crate::rulebook::finding::{Finding, Fix, Severity};

/// One object: whether the workspace would be served, its digest, and what was found.
pub(crate) fn object(rulebook: Option<&Rulebook>, findings: &[Finding]) -> String {
    described(rulebook, findings).to_string()
}

/// The same with what was repaired; `findings` are those that remain.
pub(crate) fn object_with_fixed(
    rulebook: Option<&Rulebook>,
    findings: &[Finding],
    fixed: &[Finding],
) -> String {
    let mut object = described(rulebook, findings);
    if let Some(object) = object.as_object_mut() {
        object.insert("fixed".to_owned(), json!(fixed));
    }
    object.to_string()
}

fn described(rulebook: Option<&Rulebook>, findings: &[Finding]) -> Value {
    let digest = rulebook.map(|book| &*book.digest);
    json!({ "valid": rulebook.is_some(), "digest": digest, "findings": findings })
}

/// A workflow command, which GitHub shows beside the line. `folder` is the workspace.
pub(crate) fn command(finding: &Finding, folder: &Path) -> String {
    let Finding { line, column, length, code, message, .. } = finding;
    let level = match finding.severity {
        Severity::Note => "notice",
        severity => level(severity),
    };
    let file = property(&path(folder, &finding.file));
    let place = match line {
        0 => String::new(),
        _ => format!(",line={line},col={column},endColumn={}", column + length.max(&1)),
    };
    let help = finding.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let title = property(code);
    format!("::{level} file={file}{place},title={title}::{}", data(&format!("{message}{help}")))
}

/// A SARIF 2.1.0 log. `folder` is the workspace.
pub(crate) fn sarif(findings: &[Finding], folder: &Path) -> String {
    let mut codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| rule(code, findings)).collect();
    let results: Vec<Value> =
        findings.iter().map(|finding| result(finding, &codes, folder)).collect();
    let driver = json!({
        "name": "docent",
        "version": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
    .to_string()
}

fn rule(code: &str, findings: &[Finding]) -> Value {
    let of_code = findings.iter().filter(|finding| finding.code == code);
    let severity = of_code.map(|finding| finding.severity).min().unwrap_or(Severity::Warning);
    let about = json!({ "text": about(code) });
    json!({
        "id": code,
        "shortDescription": about,
        "help": about,
        "defaultConfiguration": { "level": level(severity) },
    })
}

fn result(finding: &Finding, codes: &[&str], folder: &Path) -> Value {
    let Finding { line, column, length, code, message, .. } = finding;
    let help = finding.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let mut place = json!({ "artifactLocation": { "uri": uri(&path(folder, &finding.file)) } });
    if let (Some(place), 1..) = (place.as_object_mut(), *line) {
        let column = (*column).max(1);
        let region = json!({
            "startLine": line,
            "startColumn": column,
            "endColumn": column + length.max(&1),
        });
        place.insert("region".to_owned(), region);
    }
    let mut result = json!({
        "ruleId": code,
        "ruleIndex": codes.iter().position(|known| known == code),
        "level": level(finding.severity),
        "message": { "text": format!("{message}{help}") },
        "locations": [{ "physicalLocation": place }],
    });
    if let (Some(result), Some(fix)) = (result.as_object_mut(), &finding.fix) {
        result.insert("fixes".to_owned(), json!([repair(finding, fix, folder)]));
    }
    result
}

fn repair(finding: &Finding, fix: &Fix, folder: &Path) -> Value {
    let region = json!({
        "startLine": fix.line,
        "startColumn": fix.column,
        "endLine": fix.end_line,
        "endColumn": fix.end_column,
    });
    json!({
        "description": { "text": finding.help.as_deref().unwrap_or(&finding.message) },
        "artifactChanges": [{
            "artifactLocation": { "uri": uri(&path(folder, &finding.file)) },
            "replacements": [{
                "deletedRegion": region,
                "insertedContent": { "text": fix.replacement },
            }],
        }],
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// The file as seen from where docent was started, with `/`.
fn path(folder: &Path, file: &str) -> String {
    let path = folder.join(file);
    let path = path.strip_prefix(".").unwrap_or(&path);
    path.to_string_lossy().replace('\\', "/")
}

/// Of GitHub's command language.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A path as a relative URI reference.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(line: usize) -> Finding {
        Finding {
            file: "rules/é, a.yaml".into(),
            line,
            column: 3,
            length: 4,
            severity: Severity::Error,
            code: "unknown-key",
            message: "a trigger has no key `100%: x`".into(),
            help: Some("did you mean `page`?".into()),
            fix: None,
        }
    }

    #[test]
    fn a_workflow_command_escapes_what_its_language_uses() {
        assert_eq!(
            command(&finding(2), Path::new("./team")),
            "::error file=team/rules/é%2C a.yaml,line=2,col=3,endColumn=7,title=unknown-key::\
             a trigger has no key `100%25: x`%0Adid you mean `page`?"
        );
        let whole = command(&finding(0), Path::new("."));
        assert!(whole.starts_with("::error file=rules/é%2C a.yaml,title="), "{whole}");
    }

    #[test]
    fn a_log_has_one_rule_for_each_code_and_a_result_for_each_finding() {
        let other = Finding { code: "blank", severity: Severity::Warning, ..finding(3) };
        let log = sarif(&[finding(2), other, finding(0)], Path::new("."));
        let log: Value = serde_json::from_str(&log).unwrap();
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let ids: Vec<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["blank", "unknown-key"]);
        assert!(rules.iter().all(|rule| !rule["help"]["text"].as_str().unwrap().is_empty()));
        let results = run["results"].as_array().unwrap();
        assert_eq!(results[0]["ruleIndex"], 1);
        assert_eq!(results[1]["level"], "warning");
        let place = |at: usize| results[at]["locations"][0]["physicalLocation"].clone();
        assert_eq!(place(0)["artifactLocation"]["uri"], "rules/%C3%A9%2C%20a.yaml");
        let region = json!({ "startLine": 2, "startColumn": 3, "endColumn": 7 });
        assert_eq!(place(0)["region"], region);
        assert!(place(2).get("region").is_none(), "the file itself is meant");
        assert_eq!((&log["version"], results.len()), (&json!("2.1.0"), 3));
    }
}

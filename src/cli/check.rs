//! `docent check`: the same reading as at start and at reload, printed.

use serde_json::json;

use crate::cli::report::{complain, count, say};
use crate::cli::{CheckArguments, Exit, Format};
use crate::library::disk;
use crate::rulebook::compile::compile;
use crate::rulebook::finding::{Finding, Severity};
use crate::rulebook::render::render;
use crate::rulebook::{Rulebook, Sources};
use crate::runtime::environment;

/// Prints every finding; exits 0 when the workspace would be served, 1 when it cannot be read,
/// 2 when it has mistakes.
pub(crate) fn run(arguments: &CheckArguments) -> Exit {
    let sources = match disk::read(&arguments.workspace) {
        Ok(sources) => sources,
        Err(error) => {
            complain(&format!("error: {error}"));
            return Exit::Failed;
        }
    };
    let (rulebook, findings) = compile(&sources, &environment::variable);
    match arguments.format {
        Format::Human => print_for_people(&sources, rulebook.as_ref(), &findings),
        Format::Json => print_json(rulebook.as_ref(), &findings),
    }
    if rulebook.is_some() { Exit::Fine } else { Exit::Invalid }
}

pub(crate) fn print_for_people(
    sources: &Sources,
    rulebook: Option<&Rulebook>,
    findings: &[Finding],
) {
    for finding in findings {
        let source = sources.files.get(&*finding.file).map(|bytes| String::from_utf8_lossy(bytes));
        say(&render(finding, source.as_deref().unwrap_or_default()));
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let found =
        format!("{}, {}", count(errors, "error"), count(findings.len() - errors, "warning"));
    match rulebook {
        Some(book) => {
            let rules = book.products.values().map(|product| product.rules.len()).sum();
            let tours = book.products.values().map(|product| product.tours.len()).sum();
            let (rules, tours) = (count(rules, "rule"), count(tours, "tour"));
            say(&format!("{found}; {rules}, {tours}, revision {}", book.digest));
        }
        None => say(&found),
    }
}

pub(crate) fn print_json(rulebook: Option<&Rulebook>, findings: &[Finding]) {
    let digest = rulebook.map(|book| &*book.digest);
    say(&json!({ "valid": rulebook.is_some(), "digest": digest, "findings": findings }).to_string());
}

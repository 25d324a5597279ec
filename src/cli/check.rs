//! `docent check`: the same reading as at start and at reload, and what is hardly meant, printed.

use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

use crate::cli::formats::{command, object, object_with_fixed, sarif};
use crate::cli::report::{complain, count, say};
use crate::cli::{CheckArguments, Exit, Report};
use crate::library::disk;
use crate::library::rewrite::rewrite;
use crate::rulebook::compile::{PROMPTS, compile, folders};
use crate::rulebook::finding::{Finding, Severity};
use crate::rulebook::lint::{dated, lint};
use crate::rulebook::render::render;
use crate::rulebook::repair::{Repaired, repair};
use crate::rulebook::workspace::FILE;
use crate::rulebook::{Rulebook, Sources};
use crate::runtime::clock::Clock;
use crate::runtime::environment;

/// Bytes taken from standard input: one more than the rulebook reads, so that it can say so.
const MOST_OF_INPUT: u64 = (1 << 20) + 1;

/// Prints every finding; exits 0 when the workspace would be served, 1 when it cannot be read,
/// 2 when it has mistakes (or, if these are denied, warnings).
pub(crate) fn run(arguments: &CheckArguments) -> Exit {
    match checked(arguments) {
        Ok(repaired) => {
            let Repaired { rulebook, findings, .. } = &repaired;
            print(arguments, &repaired);
            match rulebook {
                Some(_) if !arguments.deny_warnings || findings.iter().all(is_note) => Exit::Fine,
                _ => Exit::Invalid,
            }
        }
        Err(error) => {
            complain(&format!("error: {error:#}"));
            Exit::Failed
        }
    }
}

/// What is found; with `--fix`, what then remains, and the files are written.
fn checked(arguments: &CheckArguments) -> anyhow::Result<Repaired> {
    let (sources, typed) = sources(arguments)?;
    let mut checked = if arguments.fix {
        let repaired = repair(&sources, &environment::variable, typed.as_deref());
        match &typed {
            Some(path) => {
                let text = repaired.sources.files.get(path).map(Vec::as_slice);
                std::io::stdout().lock().write_all(text.unwrap_or_default())?;
            }
            None => rewrite(&arguments.workspace, &sources, &repaired.sources)?,
        }
        repaired
    } else {
        let (rulebook, findings) = compile(&sources, &environment::variable);
        Repaired { sources, fixed: Vec::new(), rulebook, findings }
    };
    let Repaired { sources, rulebook, findings, .. } = &mut checked;
    if let Some(above) = workspace_above(&arguments.workspace) {
        let none = findings.iter_mut().filter(|found| found.code == "no-workspace");
        none.for_each(|found| {
            found.help = Some(format!("check all of it: `docent check {above}`"))
        });
    }
    let now = Clock::wall().now();
    let linted = |book| lint(book, sources).into_iter().chain(dated(book, sources, now));
    findings.extend(rulebook.iter().flat_map(linted));
    findings.sort();
    Ok(checked)
}

fn print(arguments: &CheckArguments, checked: &Repaired) {
    let Repaired { sources, fixed, rulebook, findings } = checked;
    let (folder, rulebook) = (&arguments.workspace, rulebook.as_ref());
    if arguments.fix && arguments.stdin {
        // Standard output is the text.
        findings.iter().for_each(|finding| complain(&shown(finding, sources)));
        return;
    }
    match arguments.format {
        Report::Human => {
            fixed.iter().for_each(|finding| say(&told(finding)));
            print_for_people(sources, rulebook, findings);
        }
        Report::Json if arguments.fix => say(&object_with_fixed(rulebook, findings, fixed)),
        Report::Json => print_json(rulebook, findings),
        Report::Github => findings.iter().for_each(|finding| say(&command(finding, folder))),
        Report::Sarif => say(&sarif(findings, folder)),
    }
}

/// One line about a repair: where, what was wrong, and what stands there now.
fn told(finding: &Finding) -> String {
    let Finding { file, line, column, message, fix, .. } = finding;
    let replacement = fix.as_ref().map_or("", |fix| &fix.replacement);
    let now = match replacement.lines().count() {
        0 | 1 => format!("now `{replacement}`"),
        lines => format!("{lines} lines are written anew"),
    };
    format!("fixed {file}:{line}:{column}: {message}; {now}")
}

/// The workspace as it lies on disk, with the text on standard input in the place of one file,
/// whose name comes with it.
fn sources(arguments: &CheckArguments) -> anyhow::Result<(Sources, Option<String>)> {
    let mut sources = disk::read(&arguments.workspace)?;
    let mut typed = None;
    if let Some(path) = &arguments.path {
        let path = within(&arguments.workspace, path)?;
        let mut text = Vec::new();
        std::io::stdin().lock().take(MOST_OF_INPUT).read_to_end(&mut text)?;
        anyhow::ensure!(matters(&path, &sources), "`{path}` is no file that docent reads here");
        sources.files.insert(path.clone(), text);
        typed = Some(path);
    }
    Ok((sources, typed))
}

/// The nearest folder above this one that is a workspace, as one would type it here.
fn workspace_above(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let above = folder.ancestors().skip(1).find(|above| above.join(FILE).is_file())?;
    let here = std::env::current_dir().ok();
    let name = match here.and_then(|here| Some(above.strip_prefix(here).ok()?.to_owned())) {
        Some(inside) if inside.as_os_str().is_empty() => ".".to_owned(),
        Some(inside) => inside.display().to_string(),
        None => above.display().to_string(),
    };
    Some(name)
}

/// A path as the workspace names it; editors give it from the root of the file system.
fn within(workspace: &Path, path: &Path) -> anyhow::Result<String> {
    let path = match path.is_absolute() {
        true => path
            .strip_prefix(workspace.canonicalize()?)
            .with_context(|| format!("`{}` is not in the workspace", path.display()))?,
        false => path.strip_prefix(".").unwrap_or(path),
    };
    Ok(path.to_string_lossy().replace('\\', "/"))
}

fn matters(path: &str, sources: &Sources) -> bool {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let endings: &[&str] = if folder == PROMPTS { &[".md"] } else { &[".yaml", ".yml"] };
    let is_read =
        folders(sources).contains(&folder) && endings.iter().any(|end| name.ends_with(end));
    path == FILE || is_read
}

/// What no more than time has brought about denies nothing.
fn is_note(finding: &Finding) -> bool {
    finding.severity == Severity::Note
}

pub(crate) fn print_for_people(
    sources: &Sources,
    rulebook: Option<&Rulebook>,
    findings: &[Finding],
) {
    findings.iter().for_each(|finding| say(&shown(finding, sources)));
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let notes = findings.iter().filter(|finding| is_note(finding)).count();
    let warnings = findings.len() - errors - notes;
    let found = format!("{}, {}", count(errors, "error"), count(warnings, "warning"));
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

fn shown(finding: &Finding, sources: &Sources) -> String {
    let source = sources.files.get(&*finding.file).map(|bytes| String::from_utf8_lossy(bytes));
    render(finding, source.as_deref().unwrap_or_default())
}

pub(crate) fn print_json(rulebook: Option<&Rulebook>, findings: &[Finding]) {
    say(&object(rulebook, findings));
}

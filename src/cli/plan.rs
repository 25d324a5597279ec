//! `docent plan`: what a pull request changes, as one comment that anybody on the team can read: rules
//! in words, what check and tests say, and what recorded sessions would have seen.

mod markdown;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::Exit;
use crate::cli::replay::drive::{self, Outcome};
use crate::cli::replay::input::Recordings;
use crate::cli::replay::limit::{self, Exceeded, Limit};
use crate::cli::replay::rulebooks::{
    Loaded, Read, failed, read_base, read_folder, read_parting, read_revision,
};
use crate::cli::replay::{Terms, recorded};
use crate::cli::report::say;
use crate::engine::suite::{Report, run as run_all};
use crate::library::revision::RevisionError;
use crate::rulebook::Rulebook;
use crate::rulebook::changes::{Change, changes};
use crate::rulebook::compile::rehearse;
use crate::rulebook::finding::{Finding, Severity};
use crate::rulebook::lint::{dated, lint};
use crate::rulebook::workspace::FILE;
use crate::runtime::clock::Clock;
use crate::runtime::environment;

/// Arguments of `docent plan`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Revisions of the repository: main..HEAD, or main...HEAD from where both parted; without the
    /// second, the folder as it is.
    #[arg(value_name = "BASE..HEAD")]
    range: String,
    /// The folder with docent.yaml.
    #[arg(long, value_name = "DIR", default_value = ".")]
    workspace: PathBuf,
    /// What was recorded, to be replayed; see `docent replay`.
    #[arg(long = "input", value_name = "FILE", visible_alias = "journal")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    terms: Terms,
    /// Exit 4 when offers become more frequent than this, in all or of one trigger: 20%.
    #[arg(long, value_name = "PERCENT", requires = "files", value_parser = limit::read)]
    max_increase: Option<Limit>,
}

/// Everything that the comment tells.
struct Plan<'a> {
    arguments: &'a Arguments,
    base: &'a Read,
    head: &'a Read,
    /// What changes, by product; `None` when one side has mistakes.
    changes: Option<Vec<(Arc<str>, Vec<Change>)>>,
    base_is: Base,
    findings: Vec<Finding>,
    /// `None` when the head has mistakes.
    tests: Option<Report>,
    /// With `--input`, when both sides are without mistakes.
    replay: Option<Replayed>,
}

/// What the base is like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Base {
    Good,
    /// It has mistakes, so that nothing compares with it.
    Broken,
    /// The workspace was not there yet: everything is new.
    Absent,
}

/// What recorded sessions came to.
struct Replayed {
    recordings: Recordings,
    outcomes: Vec<Outcome>,
    exceeded: Vec<Exceeded>,
}

/// Prints the comment. Exits 0 when all is well, 1 when something cannot be read or
/// compared with `--max-increase`, 2 when the head has
/// mistakes, 3 when a test fails, 4 when offers become more frequent than is allowed.
pub(in crate::cli) fn run(arguments: &Arguments) -> Exit {
    match planned(arguments) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn planned(arguments: &Arguments) -> Result<Exit, Exit> {
    let (base, head) = arguments.range.split_once("..").unwrap_or((&arguments.range, ""));
    let base = if base.is_empty() { "HEAD" } else { base };
    let workspace = &arguments.workspace;
    let (base, head) = match head.strip_prefix('.') {
        // `main...HEAD`: what main has got since is not taken back.
        Some(head) => (read_parting(workspace, base, head).map_err(refused)?, head),
        None => (read_base(workspace, base).map_err(refused)?, head),
    };
    let head = match head {
        "" => read_folder(workspace)?,
        revision => read_revision(workspace, revision).map_err(refused)?,
    };
    let (before, _) = rehearse(&base.sources, &environment::variable);
    let (after, mut findings) = rehearse(&head.sources, &environment::variable);
    if let Some(book) = &after {
        findings.extend(lint(book, &head.sources));
        findings.extend(dated(book, &head.sources, Clock::wall().now()));
        findings.sort();
    }
    let base_is = match &before {
        _ if !base.sources.files.contains_key(FILE) => Base::Absent,
        Some(_) => Base::Good,
        None => Base::Broken,
    };
    let before = match base_is {
        Base::Absent => after.as_ref().map(nothing),
        _ => before,
    };
    let tests = after.as_ref().map(|book| run_all(book, &|_| true));
    let both = before.zip(after);
    let changes = both.as_ref().map(|(before, after)| changes(before, after));
    let replay = match both {
        Some((before, after)) if !arguments.files.is_empty() => {
            Some(replayed(arguments, loaded(&base, before), &loaded(&head, after))?)
        }
        _ => None,
    };
    let (base, head) = (&base, &head);
    let plan = Plan { arguments, base, head, changes, base_is, findings, tests, replay };
    say(&markdown::comment(&plan));
    Ok(plan.exit())
}

fn refused(error: RevisionError) -> Exit {
    match error {
        RevisionError::NoRepository(_) => failed(format!(
            "{error}; `docent plan BASE..HEAD` compares two revisions of one, and \
             `docent replay FILE --against DIR` two folders"
        )),
        error => failed(error),
    }
}

/// A rulebook that says nothing yet.
fn nothing(head: &Rulebook) -> Rulebook {
    let (digest, settings) = ("".into(), head.settings.clone());
    let whole = Arc::default();
    Rulebook { digest, whole, settings, products: HashMap::new(), prompts: BTreeMap::new() }
}

fn loaded(read: &Read, rulebook: Rulebook) -> Loaded {
    Loaded { name: read.name.clone(), commit: read.commit.clone(), rulebook }
}

fn replayed(arguments: &Arguments, base: Loaded, head: &Loaded) -> Result<Replayed, Exit> {
    let recordings = recorded(&arguments.files, &arguments.terms, head)?;
    let outcomes = drive::all(&recordings, head, Some(&base), arguments.terms.pace());
    let limit = arguments.max_increase;
    let exceeded = limit.map(|limit| limit.exceeded(&outcomes, &base)).unwrap_or_default();
    Ok(Replayed { recordings, outcomes, exceeded })
}

impl Plan<'_> {
    fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    fn failed(&self) -> usize {
        let tests = self.tests.iter().flat_map(|report| &report.tests);
        tests.filter(|test| test.failure.is_some()).count()
    }

    fn exit(&self) -> Exit {
        match &self.replay {
            _ if self.errors() > 0 => Exit::Invalid,
            _ if self.failed() > 0 => Exit::TestsFailed,
            Some(replay) if !replay.exceeded.is_empty() => Exit::Differs,
            // A limit that nothing was held against has not been kept.
            None if self.arguments.max_increase.is_some() => Exit::Failed,
            _ => Exit::Fine,
        }
    }
}

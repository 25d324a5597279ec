//! `docent test`: every timeline of a workspace, lived through in virtual time. No network, no
//! waiting.

pub(in crate::cli) mod human;
mod json;
mod junit;

use crate::cli::check::{print_for_people, print_json};
use crate::cli::report::complain;
use crate::cli::{Coverage, Exit, Format, TestArguments, dev};
use crate::engine::suite::{ClauseCovered, Covered, Report, Tested, run as run_all};
use crate::library::disk;
use crate::rulebook::Sources;
use crate::rulebook::compile::compile;
use crate::runtime::environment;

/// A report with what its readers want to see of it.
struct Shown<'r> {
    report: &'r Report,
    sources: &'r Sources,
    coverage: Option<Coverage>,
    /// No test was run, and one should have been.
    empty: bool,
}

impl Shown<'_> {
    fn failed(&self) -> usize {
        self.report.tests.iter().filter(|test| test.failure.is_some()).count()
    }

    /// Rules that no test has seen both firing and silent; none when nobody asked.
    fn uncovered(&self) -> impl Iterator<Item = &Covered> {
        let asked = self.report.rules.iter().filter(|_| self.coverage.is_some());
        asked.filter(|rule| !(rule.fired && rule.silent))
    }

    /// Clauses that no test has seen deciding both ways, with their rules; none when nobody asked.
    fn undecided(&self) -> impl Iterator<Item = (&Covered, &ClauseCovered)> {
        let asked = self.report.rules.iter().filter(|_| self.coverage.is_some());
        let clauses = asked.flat_map(|rule| rule.clauses.iter().map(move |clause| (rule, clause)));
        clauses.filter(|(_, clause)| !(clause.decided.let_match && clause.decided.kept_silent))
    }

    fn is_good(&self) -> bool {
        let strict = self.coverage == Some(Coverage::Clauses);
        let covered = self.uncovered().next().is_none();
        let decided = !strict || self.undecided().next().is_none();
        !self.empty && self.failed() == 0 && covered && decided
    }

    /// The file of a test, with its product where there are several.
    fn heading(&self, test: &Tested) -> String {
        let alone = self.report.rules.iter().all(|rule| rule.product == test.product);
        let file = &test.written.file;
        if alone { file.to_string() } else { format!("{file} ({})", test.product) }
    }

    /// Tests of one product and file each, in order.
    fn files(&self) -> impl Iterator<Item = &[Tested]> {
        let alike = |one: &Tested, other: &Tested| {
            one.product == other.product && one.written.file == other.written.file
        };
        self.report.tests.chunk_by(alike)
    }
}

/// Runs the tests of a workspace. Exits 0 when all of them hold, 1 when something cannot be read or
/// written, 2 when the workspace has mistakes, 3 when a test fails, nothing was run though something
/// had to be, or a rule is not covered though it had to be.
pub(crate) fn run(arguments: &TestArguments) -> Exit {
    if arguments.watch {
        return dev::follow(&arguments.workspace, |sources| {
            round(arguments, sources);
        });
    }
    let sources = match disk::read(&arguments.workspace) {
        Ok(sources) => sources,
        Err(error) => {
            complain(&format!("error: {error}"));
            return Exit::Failed;
        }
    };
    round(arguments, &sources)
}

/// Runs the tests of what was read, and prints what they came to.
pub(in crate::cli) fn round(arguments: &TestArguments, sources: &Sources) -> Exit {
    let (rulebook, findings) = compile(sources, &environment::variable);
    let Some(rulebook) = rulebook else {
        match arguments.format {
            Format::Human => print_for_people(sources, None, &findings),
            Format::Json => print_json(None, &findings),
        }
        return Exit::Invalid;
    };
    let pattern = arguments.run.as_deref().unwrap_or("");
    let report = run_all(&rulebook, &|title| title.contains(pattern));
    let empty = arguments.fail_on_empty && report.tests.is_empty();
    let (report, coverage) = (&report, arguments.coverage);
    let shown = Shown { report, sources, coverage, empty };
    match arguments.format {
        Format::Human => human::print(&shown),
        Format::Json => json::print(&shown),
    }
    if let Some(path) = &arguments.junit
        && let Err(error) = std::fs::write(path, junit::document(&shown))
    {
        complain(&format!("error: cannot write `{}`: {error}", path.display()));
        return Exit::Failed;
    }
    if shown.is_good() { Exit::Fine } else { Exit::TestsFailed }
}

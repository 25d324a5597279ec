//! `docent dev`: `check` and `test` at every save, for as long as somebody edits.

use std::io::IsTerminal as _;
use std::path::Path;

use crate::cli::check::print_for_people;
use crate::cli::report::{complain, say};
use crate::cli::{DevArguments, Exit, Format, TestArguments, test};
use crate::library::changes::each;
use crate::library::disk::{self, DiskError};
use crate::rulebook::Sources;
use crate::rulebook::compile::{compile, folders};
use crate::rulebook::lint::lint;
use crate::rulebook::workspace::FILE;
use crate::runtime::clock::Clock;
use crate::runtime::environment;

/// Clears the screen and what was scrolled off it.
const CLEAR: &str = "\u{1b}[2J\u{1b}[3J\u{1b}[H";

/// Checks and tests until interrupted. Exits 1 when the workspace cannot be read at the start.
pub(crate) fn run(arguments: &DevArguments) -> Exit {
    let tests = TestArguments {
        workspace: arguments.workspace.clone(),
        run: arguments.run.clone(),
        coverage: None,
        watch: true,
        junit: None,
        fail_on_empty: false,
        format: Format::Human,
    };
    follow(&arguments.workspace, |sources| {
        let (rulebook, mut findings) = compile(sources, &environment::variable);
        findings.extend(rulebook.iter().flat_map(|book| lint(book, sources)));
        findings.sort();
        print_for_people(sources, rulebook.as_ref(), &findings);
        if rulebook.is_some() {
            test::round(&tests, sources);
        }
    })
}

/// Says what is watched, then acts on the workspace as it is, and again at every change of it,
/// until interrupted.
pub(in crate::cli) fn follow(workspace: &Path, mut act: impl FnMut(&Sources)) -> Exit {
    match disk::read(workspace) {
        Ok(sources) => say(&watched(workspace, &sources)),
        Err(error) => {
            complain(&format!("error: {error}"));
            return Exit::Failed;
        }
    }
    let clock = Clock::wall();
    let clears = std::io::stdout().is_terminal();
    let mut first = true;
    let round = |read: Result<&Sources, &DiskError>| {
        if clears && !first {
            say(CLEAR);
        }
        first = false;
        say(&format!("\n--- {} UTC", time_of_day(clock.now().as_seconds())));
        match read {
            Ok(sources) => act(sources),
            Err(error) => complain(&format!("error: {error}")),
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.map(|runtime| {
        runtime.block_on(async {
            tokio::select! {
                interrupted = tokio::signal::ctrl_c() => interrupted,
                () = each(workspace, round) => Ok(()),
            }
        })
    });
    match ended.and_then(|interrupted| interrupted) {
        Ok(()) => Exit::Fine,
        Err(error) => {
            complain(&format!("error: {error}"));
            Exit::Failed
        }
    }
}

fn watched(workspace: &Path, sources: &Sources) -> String {
    let folders: Vec<_> = folders(sources).into_iter().collect();
    let all = format!("{FILE}, {}", folders.join(", "));
    format!("watching {} ({all}); Ctrl-C ends", workspace.display())
}

/// `14:03:59`
fn time_of_day(seconds: f64) -> String {
    let of_day = seconds.rem_euclid(86_400.0) as u32;
    format!("{:02}:{:02}:{:02}", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

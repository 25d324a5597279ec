//! `docent replay`: recorded sessions lived through under the rules of a workspace, or under those of
//! two revisions, to see what a change does to real people before they do.

pub(in crate::cli) mod cores;
pub(in crate::cli) mod drive;
pub(in crate::cli) mod human;
pub(in crate::cli) mod input;
mod json;
mod kept;
pub(in crate::cli) mod limit;
pub(in crate::cli) mod rulebooks;
mod verify;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::cli::report::complain;
use crate::cli::{Exit, Format};
use crate::domain::time::Span;
use crate::engine::replay::answers;

use drive::{Outcome, Pace};
use input::Recordings;
use limit::{Exceeded, Limit};
use rulebooks::Loaded;

/// Arguments of `docent replay`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// What was recorded: docent's journal (a folder, or segments of it), files of batches as JSON
    /// lines, or PostHog's event export as CSV or JSON; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The folder with docent.yaml; or a revision of the repository, as HEAD~1.
    #[arg(long, value_name = "DIR|REV", default_value = ".")]
    rules: PathBuf,
    /// Compare with these rules: a revision of the repository, as HEAD~1, or another folder.
    #[arg(long, value_name = "REV|DIR")]
    against: Option<String>,
    #[command(flatten)]
    terms: Terms,
    /// Exit 4 when offers become more frequent than this, in all or of one trigger: 20%.
    #[arg(long, value_name = "PERCENT", requires = "against", value_parser = limit::read)]
    max_increase: Option<Limit>,
    /// Make every decision of a journal again, and prove that these rules come to what is recorded.
    #[arg(long, conflicts_with_all = ["against", "product", "from", "assume", "poll_every", "linger"])]
    verify: bool,
    /// How it is told.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// What is supposed of recordings.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Terms {
    /// Take everything for this product's, whatever it says.
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    /// What the files hold; else that is seen.
    #[arg(long, value_enum, default_value_t = From::Auto)]
    from: From,
    /// What people answer to offers.
    #[arg(long, value_enum, default_value_t = Assume::Recorded)]
    assume: Assume,
    /// How often a front end polls whose polls were not recorded.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = interval)]
    poll_every: Span,
    /// For how long it goes on after the last batch.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = interval)]
    linger: Span,
}

/// What files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    /// What it looks like.
    Auto,
    /// Segments of docent's own journal.
    Journal,
    /// One message of an upstream on each line.
    Batches,
    /// PostHog's export of events, as CSV, as JSON or as JSON lines.
    Posthog,
}

/// What people answer to offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Assume {
    /// What they answered to the same trigger in the same session, else nothing.
    Recorded,
    /// Nothing: offers lapse.
    Ignored,
    /// "No thanks", after five seconds.
    Dismissed,
    /// "Yes", after five seconds.
    Accepted,
}

impl Assume {
    const fn meant(self) -> answers::Assume {
        match self {
            Self::Recorded => answers::Assume::Recorded,
            Self::Ignored => answers::Assume::Ignored,
            Self::Dismissed => answers::Assume::Dismissed,
            Self::Accepted => answers::Assume::Accepted,
        }
    }
}

/// What is told at the end.
struct Told<'r> {
    arguments: &'r Arguments,
    recordings: &'r Recordings,
    head: &'r Loaded,
    base: Option<&'r Loaded>,
    outcomes: Vec<Outcome>,
    exceeded: Vec<Exceeded>,
}

/// Replays. Exits 0 when that is done, 1 when something cannot be read, 2 when rules have mistakes, 4
/// when offers become more frequent than is allowed, or a decision is not as recorded.
pub(in crate::cli) fn run(arguments: &Arguments) -> Exit {
    match replayed(arguments) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn replayed(arguments: &Arguments) -> Result<Exit, Exit> {
    let rules = &*arguments.rules;
    let head = rulebooks::ruling(rules)?;
    if arguments.verify {
        return Ok(verify::run(&arguments.files, &head, arguments.format));
    }
    let workspace = if rules.is_dir() { rules } else { Path::new(".") };
    let against = arguments.against.as_deref();
    let base = against.map(|named| rulebooks::named(workspace, named)).transpose()?;
    let recordings = recorded(&arguments.files, &arguments.terms, &head)?;
    let outcomes = drive::all(&recordings, &head, base.as_ref(), arguments.terms.pace());
    let limit = arguments.max_increase.zip(base.as_ref());
    let exceeded = limit.map(|(limit, base)| limit.exceeded(&outcomes, base)).unwrap_or_default();
    let (recordings, head, base) = (&recordings, &head, base.as_ref());
    let told = Told { arguments, recordings, head, base, outcomes, exceeded };
    match arguments.format {
        Format::Human => human::print(&told),
        Format::Json => json::print(&told),
    }
    Ok(if told.exceeded.is_empty() { Exit::Fine } else { Exit::Differs })
}

/// Reads what was recorded.
pub(in crate::cli) fn recorded(
    files: &[PathBuf],
    terms: &Terms,
    head: &Loaded,
) -> Result<Recordings, Exit> {
    input::recordings(files, terms, &head.rulebook).map_err(|error| {
        complain(&format!("error: {error:#}"));
        Exit::Failed
    })
}

impl Terms {
    pub(in crate::cli) const fn pace(&self) -> Pace {
        let (poll_every, linger) = (self.poll_every, self.linger);
        Pace { assume: self.assume.meant(), poll_every, linger }
    }
}

/// A length of time of at least a second.
fn interval(text: &str) -> Result<Span, String> {
    let span = Span::parse(text).map_err(|error| error.to_string())?;
    match span < Span::from_seconds(1) {
        true => Err("it is at least 1s".to_owned()),
        false => Ok(span),
    }
}

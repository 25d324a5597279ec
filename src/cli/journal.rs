//! `docent journal`: what is done to the folder of a journal that no docent is writing to.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::cli::replay::human::number;
use crate::cli::report::{complain, say};
use crate::cli::store::{close, open};
use crate::cli::{Exit, Format};
use crate::engine::erasure::Erasures;
use crate::journal::sweep::{Swept, sweep};
use crate::store::erasures;

/// Arguments of `docent journal`.
#[derive(Debug, clap::Args)]
pub(crate) struct JournalArguments {
    #[command(subcommand)]
    command: JournalCommand,
}

#[derive(Debug, clap::Subcommand)]
enum JournalCommand {
    /// Removes the lines of people who were erased: from a copy, or from the folder of a docent that
    /// will not run again. One that runs sweeps its own.
    Sweep(SweepArguments),
}

/// Arguments of `docent journal sweep`.
#[derive(Debug, clap::Args)]
struct SweepArguments {
    /// The folder of the journal.
    folder: PathBuf,
    /// The store that knows who was erased: `redis://HOST:PORT`, or `embedded:./data` while no docent
    /// uses it, from the current folder.
    #[arg(long, value_name = "STORE")]
    store: String,
    /// How it is told.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Exits 1 when the store cannot be opened, a segment cannot be rewritten or is in use.
pub(crate) fn run(arguments: &JournalArguments) -> Exit {
    let JournalCommand::Sweep(arguments) = &arguments.command;
    match swept(arguments) {
        Ok(swept) => {
            say(&told(&swept, arguments.format));
            if swept.held.is_empty() { Exit::Fine } else { Exit::Failed }
        }
        Err(error) => {
            complain(&format!("error: {error:#}"));
            Exit::Failed
        }
    }
}

fn swept(arguments: &SweepArguments) -> Result<Swept> {
    let SweepArguments { folder, store, .. } = arguments;
    let name = folder.display();
    ensure!(folder.is_dir(), "there is no folder `{name}`");
    if let Some(path) = store.strip_prefix("embedded:") {
        ensure!(Path::new(path).join("docent.redb").exists(), "there is no store in `{path}`");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let known: Erasures = runtime.block_on(async {
        let store = open(store).await?;
        let known = erasures::all(&store).await?;
        close(&store).await?;
        Ok::<_, anyhow::Error>(known.into_iter().collect())
    })?;
    sweep(folder, &known).with_context(|| format!("`{name}` is not swept; start it again"))
}

fn told(swept: &Swept, format: Format) -> String {
    let Swept { lines, segments, held, .. } = swept;
    if format == Format::Json {
        return json!({ "lines": lines, "segments": segments, "in_use": held }).to_string();
    }
    let count = |count: u64, noun| number(usize::try_from(count).unwrap_or(usize::MAX), noun);
    let (lines, segments) = (count(*lines, "line"), count(*segments, "segment"));
    let held: String = held
        .iter()
        .map(|path| format!("\n`{}` is being written to: its docent sweeps it", path.display()))
        .collect();
    format!("removed {lines} from {segments}{held}")
}

//! `docent store`: what is done to stores without a running docent.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::cli::report::{complain, say};
use crate::cli::{Exit, Format};
use crate::rulebook::settings::Durability;
use crate::runtime::client;
use crate::store::Store;
use crate::store::carry::{Copied, copy, everything};

/// Arguments of `docent store`.
#[derive(Debug, clap::Args)]
pub(crate) struct StoreArguments {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, clap::Subcommand)]
enum StoreCommand {
    /// Copies every record from one store to another. What is there already, the same or newer,
    /// stays, so that a copy that was interrupted goes on when it is started again.
    Copy(CopyArguments),
}

/// Arguments of `docent store copy`.
#[derive(Debug, clap::Args)]
struct CopyArguments {
    /// The store to read, as docent.yaml names it: `embedded:./data`, from the current folder.
    from: String,
    /// The store to write.
    to: String,
    /// How it is told.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Records between two words about how far it is.
const STEP: u64 = 100_000;

/// Exits 1 when a store cannot be opened or written, or records are missing afterwards.
pub(crate) fn run(arguments: &StoreArguments) -> Exit {
    let StoreCommand::Copy(arguments) = &arguments.command;
    match copied(arguments) {
        Ok(copied) => {
            say(&told(&copied, arguments));
            if copied.verified { Exit::Fine } else { Exit::Failed }
        }
        Err(error) => {
            complain(&format!("error: {error:#}"));
            Exit::Failed
        }
    }
}

fn copied(arguments: &CopyArguments) -> Result<Copied> {
    let CopyArguments { from, to, .. } = arguments;
    if let Some(folder) = from.strip_prefix("embedded:")
        && !Path::new(folder).join("docent.redb").exists()
    {
        bail!("there is no store in `{folder}`");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (from, to) = (open(from).await?, open(to).await?);
        let mut next = STEP;
        let copied = copy(&from, &to, |records| {
            if records >= next {
                complain(&format!("{records} records"));
                next = records + STEP;
            }
        });
        let copied = copied.await.context("the copy is not whole; start it again to go on")?;
        close(&to).await?;
        close(&from).await?;
        Ok(copied)
    })
}

fn told(copied: &Copied, arguments: &CopyArguments) -> String {
    let Copied { counts, put, verified } = copied;
    if arguments.format == Format::Json {
        let answer = json!({
            "records": counts,
            "written": put.written,
            "kept": put.kept,
            "unreadable": put.unreadable,
            "verified": verified,
        });
        return answer.to_string();
    }
    let unreadable = match put.unreadable {
        0 => String::new(),
        some => format!(", {some} not readable by this version"),
    };
    let end = match verified {
        true => "verified: every record is there",
        false => "not verified: the first store is changing; stop its docent, and start this again",
    };
    let (written, kept) = (put.written, put.kept);
    let all = tally(counts);
    format!("{all}: {written} written, {kept} already there{unreadable}\n{end}")
}

/// Opens a store to carry its records, not to serve.
pub(in crate::cli) async fn open(setting: &str) -> Result<Store> {
    if setting == "memory" {
        bail!("`memory` ends with its docent; name a store that lasts, such as `embedded:./data`");
    }
    // First, because it sets up TLS for whatever connects.
    let _client = client::shared();
    let store = Store::open_in(Path::new(""), setting, Durability::Immediate, &everything())?;
    store.reached().await?;
    Ok(store)
}

/// Writes what is left.
pub(in crate::cli) async fn close(store: &Store) -> Result<()> {
    store.close().await.context("the last records are not on disk")
}

/// `12 records (session 10, user 2)`
pub(in crate::cli) fn tally<K: AsRef<str>>(counts: &std::collections::BTreeMap<K, u64>) -> String {
    let all: u64 = counts.values().sum();
    let noun = if all == 1 { "record" } else { "records" };
    let kinds = counts.iter().map(|(kind, number)| format!("{} {number}", kind.as_ref()));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    if all == 0 { format!("0 {noun}") } else { format!("{all} {noun} ({kinds})") }
}

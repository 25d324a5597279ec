//! `docent store`: what is done to stores without a running docent.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::cli::backup::download;
use crate::cli::report::{complain, count, say};
use crate::cli::{Exit, Format};
use crate::library::disk;
use crate::rulebook::address::Address;
use crate::rulebook::compile::settings;
use crate::rulebook::settings::Durability;
use crate::rulebook::settings::Limits;
use crate::runtime::clock::Clock;
use crate::runtime::{client, environment};
use crate::store::Store;
use crate::store::carry::{
    Copied, Restored, Restoring, copy, everything, is_empty, open_to_read, remove_others,
};
use crate::store::raw::{Clash, kind_named};

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
    /// The store to read, as docent.yaml names it: `embedded:./data`, from the current folder; or a
    /// docent that serves, whose store it is then: `http://127.0.0.1:8080`.
    from: String,
    /// The store to write.
    to: String,
    /// Remove from the second store what the first does not have. For a store that no docent has
    /// used yet, filled by earlier copies.
    #[arg(long)]
    exact: bool,
    /// An operator's token, or the product's secret key, where a docent is read.
    #[arg(long, env = "DOCENT_KEY", hide_env_values = true)]
    key: Option<String>,
    /// How it is told.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Records between two words about how far it is.
const STEP: u64 = 100_000;

/// Exits 1 when a store cannot be opened or written, or records are missing afterwards, those among
/// them that cannot be read.
pub(crate) fn run(arguments: &StoreArguments) -> Exit {
    let StoreCommand::Copy(arguments) = &arguments.command;
    match copied(arguments) {
        Ok(copied) => {
            say(&told(&copied, arguments));
            let Outcome { copied: Copied { put, verified, .. }, running, .. } = &copied;
            let whole = (*verified || *running) && put.unreadable == 0;
            if whole { Exit::Fine } else { Exit::Failed }
        }
        Err(error) => {
            complain(&format!("error: {error:#}"));
            Exit::Failed
        }
    }
}

/// What a copy came to.
struct Outcome {
    copied: Copied,
    /// Removed, since the first store does not have them.
    removed: u64,
    /// A docent was read that goes on serving.
    running: bool,
}

fn copied(arguments: &CopyArguments) -> Result<Outcome> {
    let CopyArguments { from, to, exact, key, .. } = arguments;
    let running = from.starts_with("http://") || from.starts_with("https://");
    if running && *exact {
        bail!("a docent that serves is copied once more at rest; give `--exact` then");
    }
    if let Some(folder) = from.strip_prefix("embedded:")
        && !Path::new(folder).join("docent.redb").exists()
    {
        let file = if Path::new(folder).is_file() { ", it is a file: name its folder" } else { "" };
        bail!("there is no store in `{folder}`{file}");
    }
    if is_one(from, to) {
        bail!("both are the same store; name another one to copy to");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if running {
            let copied = from_running(from, key.as_deref(), to).await?;
            return Ok(Outcome { copied, removed: 0, running });
        }
        let from = answering(source(from).await).context(FIRST)?;
        let to = answering(open(to).await).context(SECOND)?;
        if *exact && is_empty(&from).await? {
            bail!("the first store has no records, so `--exact` would leave none in the second");
        }
        let mut next = STEP;
        let copied = copy(&from, &to, |records| {
            if records >= next {
                complain(&format!("{records} records"));
                next = records + STEP;
            }
        });
        let copied = copied.await.context(UNFINISHED)?;
        let removed = if *exact && copied.verified {
            remove_others(&from, &to, Clock::wall().now()).await.context(UNFINISHED)?
        } else {
            0
        };
        close(&to).await?;
        close(&from).await?;
        Ok(Outcome { copied, removed, running })
    })
}

/// Which of two stores.
const FIRST: &str = "cannot read the first store";
const SECOND: &str = "cannot write to the second store";
const UNFINISHED: &str = "the copy is not whole; start it again to go on";

/// What a docent has sent as a backup, put as it comes.
async fn from_running(base: &str, key: Option<&str>, to: &str) -> Result<Copied> {
    let to = answering(open(to).await).context(SECOND)?;
    let mut restoring = Restoring::begin(&to, Clash::NewerStays).await?;
    let mut begun = false;
    let take = async |piece: &[u8]| {
        begun = true;
        Ok(restoring.take(&to, piece).await?)
    };
    // Before the first piece there is nothing that could be half done.
    let sent = download(base, key, take).await;
    sent.map_err(|error| if begun { error.context(UNFINISHED) } else { error })?;
    let Restored { counts, put } = restoring.finish(&to).await.context(UNFINISHED)?;
    close(&to).await?;
    let named = |(kind, number): (String, u64)| Some((kind_named(&kind)?, number));
    let counts = counts.into_iter().filter_map(named).collect();
    Ok(Copied { counts, put, verified: false })
}

fn told(outcome: &Outcome, arguments: &CopyArguments) -> String {
    let Outcome { copied: Copied { counts, put, verified }, removed, running } = outcome;
    if arguments.format == Format::Json {
        let answer = json!({
            "records": counts,
            "written": put.written,
            "kept": put.kept,
            "unreadable": put.unreadable,
            "removed": removed,
            "erased": put.erased,
            "verified": verified,
        });
        return answer.to_string();
    }
    let removed = match removed {
        0 => String::new(),
        some => format!(", {some} removed"),
    };
    let end = match (verified, put.unreadable) {
        (true, 0) => "verified: every record is there".to_owned(),
        (_, some) if some > 0 && (*verified || *running) => {
            let left = count(usize::try_from(some).unwrap_or(usize::MAX), "record");
            format!(
                "not whole: {left} cannot be read by this version and stayed behind; the others are there"
            )
        }
        (false, _) if *running => {
            "its docent goes on; stop that, and copy its store itself".to_owned()
        }
        (_, _) => {
            "not verified: the first store is changing; stop its docent, and start this again"
                .to_owned()
        }
    };
    let (written, kept) = (put.written, put.kept);
    let erased = match put.erased {
        0 => String::new(),
        some => format!(", {some} of people who were erased, left out"),
    };
    let all = tally(counts);
    format!("{all}: {written} written, {kept} already there{erased}{removed}\n{end}")
}

/// Whether both settings name one store.
fn is_one(from: &str, to: &str) -> bool {
    let folder = |setting: &str| fs::canonicalize(setting.strip_prefix("embedded:")?).ok();
    if let (Some(from), Some(to)) = (folder(from), folder(to)) {
        return from == to;
    }
    let (from, to) = (Address::parse(from), Address::parse(to));
    from.is_ok_and(|from| to.is_ok_and(|to| from.is_same_place(&to)))
}

/// A store that was opened, if it answers.
fn answering(store: Result<Store>) -> Result<Store> {
    let store = store?;
    match store.trouble() {
        Some(reason) => bail!(reason),
        None => Ok(store),
    }
}

/// Opens a store to read all of it.
async fn source(setting: &str) -> Result<Store> {
    lasts(setting)?;
    let store = open_to_read(Path::new(""), setting)?;
    store.reached().await?;
    Ok(store)
}

fn lasts(setting: &str) -> Result<()> {
    if setting == "memory" {
        bail!("`memory` ends with its docent; name a store that lasts, such as `embedded:./data`");
    }
    // First, because it sets up TLS for whatever connects.
    let _client = client::shared();
    Ok(())
}

/// Opens a store to put records into it, not to serve.
pub(in crate::cli) async fn open(setting: &str) -> Result<Store> {
    lasts(setting)?;
    let limits = everything(&limits_here());
    let store = Store::open_in(Path::new(""), setting, Durability::Immediate, &limits)?;
    store.reached().await?;
    Ok(store)
}

/// Those of the workspace in the current folder, where there is one, else the usual ones.
fn limits_here() -> Limits {
    let here = disk::read(Path::new(".")).ok();
    let known = here.and_then(|sources| settings(&sources, &environment::variable));
    known.map(|known| known.limits).unwrap_or_default()
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

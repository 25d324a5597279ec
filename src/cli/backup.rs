//! `docent backup` and `docent restore`: all records of a store as a file, and back.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::cli::remote::{Remote, address, refusal};
use crate::cli::report::{complain, count, say};
use crate::cli::store::{close, open, tally};
use crate::cli::{Exit, Format};
use crate::runtime::client;
use crate::store::backup::{Counts, Reader};
use crate::store::carry::{Restoring, is_empty};
use crate::store::raw::Clash;

/// Between two pieces of an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Until a restore is over.
const LONG: Duration = Duration::from_secs(3_600);
/// Read at once.
const PIECE: usize = 64 << 10;

/// Arguments of `docent backup`.
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArguments {
    /// The file to make, or `-` for standard output.
    file: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

/// Arguments of `docent restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArguments {
    /// A file that `docent backup` made, or `-` for standard input.
    file: PathBuf,
    /// Into this store, which no docent may be using, instead of a running one's: `embedded:./data`,
    /// from the current folder.
    #[arg(long, value_name = "STORE", conflicts_with = "url")]
    store: Option<String>,
    /// Replace records that are there; those that the backup does not have stay all the same.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Exits 1 when docent cannot be reached or refuses, or the file cannot be written.
pub(crate) fn backup(arguments: &BackupArguments) -> Exit {
    let to_stdout = arguments.file == Path::new("-");
    ended(saved(arguments), if to_stdout { complain } else { say })
}

/// Exits 1 when the file is not whole, the store has records already, or does not take them all.
pub(crate) fn restore(arguments: &RestoreArguments) -> Exit {
    match restored(arguments) {
        Ok((answer, whole)) => {
            say(&answer);
            if whole { Exit::Fine } else { Exit::Failed }
        }
        Err(error) => ended(Err(error), say),
    }
}

fn ended(result: Result<String>, tell: fn(&str)) -> Exit {
    match result {
        Ok(answer) => {
            tell(&answer);
            Exit::Fine
        }
        Err(error) => {
            complain(&format!("error: {error:#}"));
            Exit::Failed
        }
    }
}

fn saved(arguments: &BackupArguments) -> Result<String> {
    let BackupArguments { file, remote } = arguments;
    if file == Path::new("-") {
        return Ok(told(&fetched(remote, &mut std::io::stdout().lock())?, "-", remote.format));
    }
    let name = file.display().to_string();
    let partial = PathBuf::from(format!("{name}.partial"));
    let cannot = || format!("cannot write `{}`", partial.display());
    let mut out = File::create(&partial).with_context(cannot)?;
    let counts = fetched(remote, &mut out).and_then(|counts| {
        out.sync_all().with_context(cannot)?;
        fs::rename(&partial, file).with_context(|| format!("cannot write `{name}`"))?;
        Ok(counts)
    });
    if counts.is_err() {
        // What is not whole is no backup.
        let _gone = fs::remove_file(&partial);
    }
    Ok(told(&counts?, &name, remote.format))
}

/// Writes the answer as it comes; what was in it, once it has proved whole.
fn fetched(remote: &Remote, out: &mut impl Write) -> Result<Counts> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut reader = Reader::begin()?;
        let take = async |piece: &[u8]| {
            reader.take(piece)?;
            Ok(out.write_all(piece)?)
        };
        download(&remote.url, remote.key.as_deref(), take).await?;
        out.flush()?;
        Ok(reader.finish()?)
    })
}

/// Has a running docent send a backup, and passes on each piece as it comes.
pub(in crate::cli) async fn download(
    base: &str,
    key: Option<&str>,
    mut take: impl AsyncFnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let request = client::shared()?.get(address(base, &["admin", "backup"])?);
    let request = match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    let reached = || format!("cannot reach docent at {base}");
    let answer = tokio::time::timeout(PATIENCE, request.send()).await.with_context(reached)?;
    let mut answer = answer.with_context(reached)?;
    let status = answer.status();
    if !status.is_success() {
        bail!(refusal(status, &answer.text().await.unwrap_or_default()));
    }
    while let Some(piece) = tokio::time::timeout(PATIENCE, answer.chunk())
        .await
        .context("docent stopped sending")?
        .context("the answer broke off")?
    {
        take(&piece).await?;
    }
    Ok(())
}

fn told(counts: &Counts, name: &str, format: Format) -> String {
    match format {
        Format::Human => format!("saved {} to {name}", tally(counts)),
        Format::Json => serde_json::json!({ "records": counts, "file": name }).to_string(),
    }
}

/// What to say, and whether all of it is there. Nothing is put before the whole file has proved
/// sound.
fn restored(arguments: &RestoreArguments) -> Result<(String, bool)> {
    let RestoreArguments { file, store, remote, .. } = arguments;
    let named = || format!("cannot restore `{}`", file.display());
    let mut backup = match file == Path::new("-") {
        true => spooled()?,
        false => File::open(file).with_context(named)?,
    };
    let mut reader = Reader::begin()?;
    let whole = pieces(&mut backup, |piece| {
        reader.take(piece)?;
        Ok(())
    });
    whole.with_context(named)?;
    reader.finish().with_context(named)?;
    backup.rewind().with_context(named)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async {
        match store {
            Some(store) => into_store(arguments, backup, store).await,
            None => into_running(arguments, backup).await,
        }
    })?;
    let number = |name: &str| {
        let number = answer.get(name).and_then(Value::as_u64).unwrap_or_default();
        usize::try_from(number).unwrap_or(usize::MAX)
    };
    let (written, unreadable) = (number("written"), number("unreadable"));
    if remote.format == Format::Json {
        return Ok((answer.to_string(), unreadable == 0));
    }
    let more = [
        (number("kept"), "already there, the same or newer"),
        (number("erased"), "of people who were erased since, left out"),
    ];
    let more = more.iter().filter(|(number, _)| *number > 0);
    let more: String = more.map(|(number, what)| format!("; {number} {what}")).collect();
    let left = match unreadable {
        0 => String::new(),
        some => format!("\nnot whole: {} cannot be read by this version", count(some, "record")),
    };
    Ok((format!("restored {}{more}{left}", count(written, "record")), unreadable == 0))
}

/// Standard input as a file: it is read twice. Nobody else can open it, and it goes with this process.
fn spooled() -> Result<File> {
    let path = std::env::temp_dir().join(format!("docent-restore-{}", std::process::id()));
    let cannot = || format!("cannot keep standard input in `{}`", path.display());
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).with_context(cannot)?;
    fs::remove_file(&path).with_context(cannot)?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file).with_context(cannot)?;
    file.rewind().with_context(cannot)?;
    Ok(file)
}

async fn into_running(arguments: &RestoreArguments, backup: File) -> Result<Value> {
    let RestoreArguments { replace, remote, .. } = arguments;
    let mut url = address(&remote.url, &["admin", "restore"])?;
    if *replace {
        url.query_pairs_mut().append_pair("replace", "1");
    }
    let body = tokio::fs::File::from_std(backup);
    let request = client::shared()?.post(url).header("content-type", "application/zstd").body(body);
    let request = match &remote.key {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    let reached = format!("cannot reach docent at {}", remote.url);
    let answer = request.timeout(LONG).send().await.context(reached)?;
    let status = answer.status();
    let text = answer.text().await.context("the answer broke off")?;
    if status.as_u16() == 409 {
        bail!(OCCUPIED);
    }
    if !status.is_success() {
        bail!(refusal(status, &text));
    }
    serde_json::from_str(&text).context("the answer is no JSON")
}

const OCCUPIED: &str = "the store has records already; with --replace those that the backup has, \
                        too, are replaced, and the others stay";

async fn into_store(
    arguments: &RestoreArguments,
    mut backup: File,
    setting: &str,
) -> Result<Value> {
    let store = open(setting).await?;
    if !arguments.replace && !is_empty(&store).await? {
        bail!(OCCUPIED);
    }
    let clash = if arguments.replace { Clash::Replace } else { Clash::NewerStays };
    let mut restoring = Restoring::begin(&store, clash).await?;
    let mut piece = vec![0; PIECE];
    loop {
        let length = backup.read(&mut piece)?;
        if length == 0 {
            break;
        }
        restoring.take(&store, piece.get(..length).unwrap_or_default()).await?;
    }
    let restored = restoring.finish(&store).await?;
    close(&store).await?;
    let put = restored.put;
    Ok(serde_json::json!({
        "records": restored.counts,
        "written": put.written,
        "kept": put.kept,
        "unreadable": put.unreadable,
        "erased": put.erased,
    }))
}

/// Shows a file piece by piece.
fn pieces(file: &mut File, mut show: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            return Ok(());
        }
        show(piece.get(..length).unwrap_or_default())?;
    }
}

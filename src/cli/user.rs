//! `docent user export` and `docent user erase`: all that a running docent keeps of one person.

use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{ArgGroup, Subcommand};
use serde_json::Value;

use crate::cli::remote::{Ask, Remote, address, ask_within};
use crate::cli::report::{complain, say};
use crate::cli::{Exit, Format};

/// Docent walks through its whole store, for five minutes at most, and then removes record by record.
const PATIENCE: Duration = Duration::from_secs(400);

/// Arguments of `docent user`.
#[derive(Debug, clap::Args)]
pub(crate) struct UserArguments {
    #[command(subcommand)]
    wish: Wish,
}

#[derive(Debug, Subcommand)]
enum Wish {
    /// Prints every record that is theirs as one JSON document.
    Export(Someone),
    /// Removes every record that is theirs; that they want no offers stays known, under a hash.
    Erase(Someone),
}

/// Who is meant, and where.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("whom").required(true).args(["id", "email", "session"])))]
struct Someone {
    /// The product's own id of the person.
    id: Option<String>,
    /// An e-mail address of theirs, in whatever case.
    #[arg(long)]
    email: Option<String>,
    /// A session of theirs; the session alone where nobody knows whose it is.
    #[arg(long)]
    session: Option<String>,
    /// The product.
    #[arg(long, default_value = "acme")]
    product: String,
    #[command(flatten)]
    remote: Remote,
}

/// Exits 1 when docent cannot be reached, refuses, or knows nothing of the person.
pub(crate) fn run(arguments: &UserArguments) -> Exit {
    let answer = match &arguments.wish {
        Wish::Export(someone) => someone.ask("export", &Ask::Read),
        Wish::Erase(someone) => someone.ask("", &Ask::Remove).and_then(|answer| {
            if someone.remote.format == Format::Json {
                return Ok(answer);
            }
            Ok(told(&serde_json::from_str(&answer).context("the answer is no JSON")?))
        }),
    };
    match answer {
        Ok(answer) => {
            say(&answer);
            Exit::Fine
        }
        Err(error) => {
            complain(&format!("error: {error:#}"));
            Exit::Failed
        }
    }
}

impl Someone {
    fn ask(&self, last: &str, wish: &Ask) -> Result<String> {
        let Self { id, email, session, product, remote } = self;
        let named = [("users", id), ("emails", email), ("sessions", session)];
        let named = named.into_iter().find_map(|(kind, id)| Some((kind, id.as_deref()?)));
        let (kind, id) = named.context("name somebody: an id, `--email` or `--session`")?;
        let pieces = ["admin", kind, product, id, last];
        let pieces = pieces.get(..if last.is_empty() { 4 } else { 5 }).unwrap_or_default();
        let url = address(&remote.url, pieces)?;
        ask_within(PATIENCE, &remote.url, url, remote.key.as_deref(), wish)
    }
}

fn told(answer: &Value) -> String {
    let count = |kind: &str| answer.get(kind).and_then(Value::as_u64).unwrap_or_default();
    let names = answer.get("names").and_then(Value::as_array);
    let names: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
    let whom = if names.is_empty() { "somebody unknown".to_owned() } else { names.join(", ") };
    let kinds = ["users", "sessions", "contexts", "conversations", "emails"];
    let removed = kinds.map(|kind| format!("{kind} {}", count(kind))).join(", ");
    let stays = match answer.get("opted_out").and_then(Value::as_bool) {
        Some(true) => "\nthat they want no offers stays known, under a hash",
        _ => "",
    };
    let lines = count("journal_lines");
    let lines = if lines == 0 { String::new() } else { format!(", journal lines {lines}") };
    let journals = answer.get("journals").and_then(Value::as_array).into_iter().flatten();
    let waiting = journals.filter(|journal| journal.get("swept") == Some(&Value::Bool(false)));
    let waiting: Vec<&str> =
        waiting.filter_map(|journal| journal.get("instance")?.as_str()).collect();
    let follows = match waiting.is_empty() {
        true => String::new(),
        false => {
            format!("\nlines of theirs are yet to leave the journals of {}", waiting.join(", "))
        }
    };
    format!("erased {whom}: {removed}{lines}{stays}{follows}")
}

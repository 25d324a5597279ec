//! `docent explain`: asks why, of a running docent or of a journal, and prints the answer.

mod instant;
mod recorded;

use anyhow::{Context as _, Result};

use crate::cli::remote::{Ask, address, ask};
use crate::cli::report::{complain, say};
use crate::cli::{Exit, ExplainArguments, Format};
use crate::domain::time::Timestamp;
use crate::runtime::clock::Clock;

/// Prints gate by gate, rule by rule and clause by clause what a poll would come to. Exits 1 when
/// docent cannot be reached or refuses, or the journal does not tell.
pub(crate) fn run(arguments: &ExplainArguments) -> Exit {
    match asked(arguments) {
        Ok(answer) => {
            say(answer.trim_end());
            Exit::Fine
        }
        Err(error) => {
            complain(&format!("error: {error:#}"));
            Exit::Failed
        }
    }
}

fn asked(arguments: &ExplainArguments) -> Result<String> {
    let session = arguments.session.as_deref().or(arguments.named.as_deref());
    let session = session.context("name the session: `docent explain ID`")?;
    let at = arguments.at.as_deref().map(|at| instant::read(at, Clock::wall().now()));
    let at = at.transpose()?;
    match &arguments.journal {
        Some(journal) => recorded::explain(arguments, journal, session, at),
        None => {
            let url = question(arguments, session, at)?;
            ask(&arguments.url, url, arguments.key.as_deref(), &Ask::Read)
        }
    }
}

fn question(
    arguments: &ExplainArguments,
    session: &str,
    at: Option<Timestamp>,
) -> Result<url::Url> {
    let mut url = address(&arguments.url, &["context", &arguments.product, session])?;
    {
        let mut query = url.query_pairs_mut();
        let form = if arguments.format == Format::Human { "text" } else { "1" };
        query.append_pair("explain", form);
        let at = at.map(|at| at.as_seconds().to_string());
        let more =
            [("at", &at), ("rule", &arguments.rule), ("conversation_id", &arguments.conversation)];
        for (name, value) in more {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
    }
    Ok(url)
}

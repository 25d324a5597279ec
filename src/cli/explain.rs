//! `docent explain`: asks a running docent why, and prints its answer.

use anyhow::Result;

use crate::cli::remote::{Ask, address, ask};
use crate::cli::report::{complain, say};
use crate::cli::{Exit, ExplainArguments, Format};

/// Prints gate by gate, rule by rule and clause by clause what a poll would come to. Exits 1 when
/// docent cannot be reached or refuses.
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
    ask(&arguments.url, question(arguments)?, arguments.key.as_deref(), &Ask::Read)
}

fn question(arguments: &ExplainArguments) -> Result<url::Url> {
    let mut url = address(&arguments.url, &["context", &arguments.product, &arguments.session])?;
    {
        let mut query = url.query_pairs_mut();
        let form = if arguments.format == Format::Human { "text" } else { "1" };
        query.append_pair("explain", form);
        let at = arguments.at.map(|at| at.to_string());
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

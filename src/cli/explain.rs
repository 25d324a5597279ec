//! `docent explain`: asks a running docent why, and prints its answer.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::cli::report::{complain, say};
use crate::cli::{Exit, ExplainArguments, Format};
use crate::runtime::client;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Prints gate by gate, rule by rule and clause by clause what a poll would come to. Exits 1 when
/// docent cannot be reached or refuses.
pub(crate) fn run(arguments: &ExplainArguments) -> Exit {
    match ask(arguments) {
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

fn ask(arguments: &ExplainArguments) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let request = client::shared()?.get(address(arguments)?).timeout(PATIENCE);
        let request = match &arguments.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        let reached = format!("cannot reach docent at {}", arguments.url);
        let response = request.send().await.context(reached)?;
        let status = response.status();
        let answer = response.text().await.context("the answer broke off")?;
        if !status.is_success() {
            bail!("docent answered {status}: {answer}");
        }
        Ok(answer)
    })
}

fn address(arguments: &ExplainArguments) -> Result<url::Url> {
    let bad = || format!("`{}` is not an address like http://127.0.0.1:8080", arguments.url);
    let mut url = url::Url::parse(&arguments.url).with_context(bad)?;
    {
        let Ok(mut path) = url.path_segments_mut() else { bail!(bad()) };
        path.pop_if_empty().extend(["context", &arguments.product, &arguments.session]);
    }
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

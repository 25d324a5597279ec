//! `docent forget`: removes what a running docent knows of a session, and prints what that was.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::cli::remote::{Ask, address, ask};
use crate::cli::report::{complain, say};
use crate::cli::{Exit, ForgetArguments, Format};

/// Exits 1 when docent cannot be reached, refuses, or knows nothing of the session.
pub(crate) fn run(arguments: &ForgetArguments) -> Exit {
    match forget(arguments) {
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

fn forget(arguments: &ForgetArguments) -> Result<String> {
    let pieces = ["admin", "sessions", &arguments.product, &arguments.session, "forget"];
    let url = address(&arguments.url, &pieces)?;
    let body = Ask::Change(json!({ "conversation_id": arguments.conversation }));
    let answer = ask(&arguments.url, url, arguments.key.as_deref(), &body)?;
    if arguments.format == Format::Json {
        return Ok(answer);
    }
    let answer: Value = serde_json::from_str(&answer).context("the answer is no JSON")?;
    Ok(told(&arguments.session, &answer))
}

fn told(session: &str, answer: &Value) -> String {
    let words = |name: &str| -> Vec<&str> {
        let list = answer.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let removed = words("removed").join(", ");
    let threads = match words("conversations") {
        threads if threads.is_empty() => String::new(),
        threads => format!(" ({})", threads.join(", ")),
    };
    let stays = answer.get("user").and_then(Value::as_str);
    let stays = stays.map(|user| format!("\nwhat is remembered of `{user}` across sessions stays"));
    format!("forgot `{session}`: {removed}{threads}{}", stays.unwrap_or_default())
}

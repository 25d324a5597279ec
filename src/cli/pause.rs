//! `docent pause` and `docent resume`: a running docent offers nothing for a product, and does again.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::cli::remote::{Ask, Remote, address, ask};
use crate::cli::report::{complain, say};
use crate::cli::{Exit, Format};
use crate::domain::time::Timestamp;
use crate::http::wire::isoformat::isoformat;

/// Arguments of `docent pause`.
#[derive(Debug, clap::Args)]
pub(crate) struct PauseArguments {
    /// The product.
    product: String,
    /// When it ends by itself: `2030-12-31T18:00` by the product's clock, with `Z` or an offset, or
    /// seconds since 1970.
    #[arg(long, value_name = "TIME", conflicts_with = "length")]
    until: Option<String>,
    /// After how long it ends by itself: `2h`, `30m`.
    #[arg(long = "for", value_name = "DURATION")]
    length: Option<String>,
    /// Why; `docent explain` and `docent status` say it.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// Arguments of `docent resume`.
#[derive(Debug, clap::Args)]
pub(crate) struct ResumeArguments {
    /// The product.
    product: String,
    #[command(flatten)]
    remote: Remote,
}

/// Exits 1 when docent cannot be reached or refuses.
pub(crate) fn pause(arguments: &PauseArguments) -> Exit {
    let PauseArguments { product, until, length, reason, remote } = arguments;
    let wish = json!({ "enabled": false, "until": until, "for": length, "reason": reason });
    ended(change(product, remote, wish, until.is_some()))
}

/// Exits 1 when docent cannot be reached or refuses.
pub(crate) fn resume(arguments: &ResumeArguments) -> Exit {
    ended(change(&arguments.product, &arguments.remote, json!({ "enabled": true }), false))
}

fn change(product: &str, remote: &Remote, wish: Value, dated: bool) -> Result<String> {
    let url = address(&remote.url, &["admin", "products", product, "proactive"])?;
    let answer = ask(&remote.url, url, remote.key.as_deref(), &Ask::Put(wish))?;
    if remote.format == Format::Json {
        return Ok(answer);
    }
    Ok(told(product, &serde_json::from_str(&answer).context("the answer is no JSON")?, dated))
}

fn told(product: &str, answer: &Value, dated: bool) -> String {
    let off = answer.get("configured").and_then(Value::as_bool) == Some(false);
    let still =
        if off { "\nit is off in docent.yaml: `proactive: { enabled: false }`" } else { "" };
    let paused = answer.get("paused").filter(|paused| !paused.is_null());
    let Some(paused) = paused else { return format!("resumed `{product}`{still}") };
    let number = |name: &str| paused.get(name).and_then(Value::as_f64);
    let ends = match (number("since"), number("until")) {
        (Some(since), Some(until)) => {
            let lasts = lasting(until - since);
            match Timestamp::from_seconds(until).filter(|_| dated) {
                Some(end) => format!("until {}, for {lasts}", isoformat(end)),
                None => format!("for {lasts}"),
            }
        }
        _ => "until `docent resume`".to_owned(),
    };
    format!("paused `{product}` {ends}: every poll is told `not_enabled`{still}")
}

/// `2h0m5s`, in whole seconds.
pub(in crate::cli) fn lasting(seconds: f64) -> String {
    let seconds = seconds.round().max(0.0) as u64;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{}s", seconds % 60),
        _ => format!("{hours}h{minutes}m"),
    }
}

fn ended(result: Result<String>) -> Exit {
    match result {
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

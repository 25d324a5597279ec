//! A running docent, asked by a command.

use std::fmt::Display;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use url::Url;

use crate::cli::Format;
use crate::runtime::client;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Arguments of every command that asks a running docent.
#[derive(Debug, clap::Args)]
pub(crate) struct Remote {
    /// Where docent's operators' routes are.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// An operator's token, or the product's secret key.
    #[arg(long, env = "DOCENT_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// How it is told.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// What is asked.
pub(crate) enum Ask {
    /// GET.
    Read,
    /// POST of this JSON.
    Change(Value),
    /// PUT of this JSON.
    Put(Value),
    /// DELETE.
    Remove,
}

/// The address of a route: `base` and these pieces of a path, encoded.
pub(crate) fn address(base: &str, pieces: &[&str]) -> Result<Url> {
    let bad = || format!("`{base}` is not an address like http://127.0.0.1:8080");
    let mut url = Url::parse(base).with_context(bad)?;
    {
        let Ok(mut path) = url.path_segments_mut() else { bail!(bad()) };
        path.pop_if_empty().extend(pieces);
    }
    Ok(url)
}

/// The answer's body. Fails when docent at `base` cannot be reached or refuses.
pub(crate) fn ask(base: &str, url: Url, key: Option<&str>, ask: &Ask) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(asked(base, url, key, ask))
}

/// The same where an answer may take so long.
pub(crate) fn ask_within(
    patience: Duration,
    base: &str,
    url: Url,
    key: Option<&str>,
    ask: &Ask,
) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(asked_within(patience, base, url, key, ask))
}

/// The same for who is asking more than once.
pub(crate) async fn asked(base: &str, url: Url, key: Option<&str>, ask: &Ask) -> Result<String> {
    asked_within(PATIENCE, base, url, key, ask).await
}

async fn asked_within(
    patience: Duration,
    base: &str,
    url: Url,
    key: Option<&str>,
    ask: &Ask,
) -> Result<String> {
    let client = client::shared()?;
    let request = match ask {
        Ask::Read => client.get(url),
        Ask::Change(body) => client.post(url).json(body),
        Ask::Put(body) => client.put(url).json(body),
        Ask::Remove => client.delete(url),
    };
    let request = match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    let reached = format!("cannot reach docent at {base}");
    let response = request.timeout(patience).send().await.context(reached)?;
    let status = response.status();
    let answer = response.text().await.context("the answer broke off")?;
    if !status.is_success() {
        let said = refusal(status, &answer);
        let known = if said == UNKNOWN { products(base, key).await } else { None };
        bail!("{said}{}", known.unwrap_or_default());
    }
    Ok(answer)
}

/// What docent says of a product that it does not serve.
const UNKNOWN: &str = "Unknown product";

/// Why docent refuses, in its words; the whole answer where it has none of its own.
pub(in crate::cli) fn refusal(status: impl Display, answer: &str) -> String {
    let status = status.to_string();
    let told: Option<Value> = serde_json::from_str(answer).ok();
    let detail = told.as_ref().and_then(|told| told.get("detail")?.as_str());
    match detail.filter(|detail| !detail.is_empty()) {
        // Words of HTTP's alone say less than its number.
        Some(detail) if status.ends_with(detail) => {
            format!("docent answered {status}")
        }
        Some(detail) => detail.to_owned(),
        None => format!("docent answered {status}: {answer}"),
    }
}

/// The products that it serves, where it tells whoever has this key.
async fn products(base: &str, key: Option<&str>) -> Option<String> {
    let request = client::shared().ok()?.get(address(base, &["admin", "rules"]).ok()?);
    let request = match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    let answer = request.timeout(PATIENCE).send().await.ok()?.text().await.ok()?;
    let answer: Value = serde_json::from_str(&answer).ok()?;
    let products = answer.get("products")?.as_object()?.keys();
    let products: Vec<_> = products.map(|id| format!("`{id}`")).collect();
    Some(format!("; docent serves {}", products.join(", ")))
}

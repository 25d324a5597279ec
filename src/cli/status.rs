//! `docent status`: what running instances serve, and whether all serve the same by now.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::cli::pause::lasting;
use crate::cli::remote::{Ask, address, asked};
use crate::cli::report::{complain, count, say};
use crate::cli::{Exit, Format};
use crate::domain::time::{Span, Timestamp};
use crate::http::wire::isoformat::isoformat;

/// Between two looks while waiting.
const AGAIN: Duration = Duration::from_millis(250);
/// What is shorter is a revision's number, though a digest may begin with it.
const DIGEST_FROM: usize = 7;
/// Characters of a whole digest.
const DIGEST: usize = 16;

/// Arguments of `docent status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArguments {
    /// Where operators' routes are; several for instances that share no store.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: Vec<String>,
    /// An operator's token, or the product's secret key.
    #[arg(long, env = "DOCENT_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Wait until every instance serves this: a revision's number, or how its digest begins, in seven
    /// characters or more.
    #[arg(long, value_name = "REVISION|DIGEST", value_parser = waited_for)]
    wait: Option<String>,
    /// How long to wait; exit 5 when it is over.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = Span::parse)]
    timeout: Span,
    /// How it is told.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Something that an instance can serve: what none can would be waited for in vain.
fn waited_for(text: &str) -> Result<String, String> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let number = is_number && text.parse::<u64>().is_ok();
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let digest = is_hex && (DIGEST_FROM..=DIGEST).contains(&text.len());
    if number || digest {
        return Ok(text.to_owned());
    }
    let found = match text {
        "" => "nothing is there to wait for; does `docent check` pass?".to_owned(),
        _ => format!("`{text}` is no revision of docent's"),
    };
    Err(format!(
        "{found}\na revision is the {DIGEST} characters 0-9 and a-f that `docent check` prints, or \
         the first {DIGEST_FROM} or more of them, and no commit; or a number, as `docent status` shows it"
    ))
}

/// What each URL answered, or why not.
type Answers = Vec<(String, Result<Value, String>)>;

/// Exits 1 when an instance cannot be reached, 5 when not all serve what is waited for in time.
pub(crate) fn run(arguments: &StatusArguments) -> Exit {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(waited(arguments)),
        Err(error) => {
            complain(&format!("error: {error}"));
            Exit::Failed
        }
    }
}

async fn waited(arguments: &StatusArguments) -> Exit {
    let patience = Duration::from_millis(arguments.timeout.as_millis().unsigned_abs());
    let begun = Instant::now();
    loop {
        let answers = answers(arguments).await;
        let served = arguments.wait.as_ref().is_none_or(|wanted| all_serve(&answers, wanted));
        let over = begun.elapsed() >= patience;
        if served || over {
            tell(arguments, &answers);
            let reached = answers.iter().all(|(_, answer)| answer.is_ok());
            return match (served, reached) {
                (false, _) => {
                    let wanted = arguments.wait.as_deref().unwrap_or_default();
                    complain(&format!("not every instance serves `{wanted}`"));
                    Exit::TimedOut
                }
                (true, true) => Exit::Fine,
                (true, false) => Exit::Failed,
            };
        }
        sleep(AGAIN).await;
    }
}

async fn answers(arguments: &StatusArguments) -> Answers {
    let mut answers = Answers::new();
    for url in &arguments.url {
        let answer = answer(url, arguments.key.as_deref()).await;
        answers.push((url.clone(), answer.map_err(|error| format!("{error:#}"))));
    }
    answers
}

async fn answer(url: &str, key: Option<&str>) -> anyhow::Result<Value> {
    let text = asked(url, address(url, &["admin", "status"])?, key, &Ask::Read).await?;
    Ok(serde_json::from_str(&text)?)
}

/// Whether every instance that was asked, and every one that shares a store with it and lives,
/// serves this.
fn all_serve(answers: &Answers, wanted: &str) -> bool {
    answers.iter().all(|(_, answer)| {
        let Ok(answer) = answer else { return false };
        let others = answer.get("instances").and_then(Value::as_array).into_iter().flatten();
        let mut living = others.filter(|other| !flag(other, "silent"));
        serves(answer, wanted) && living.all(|other| serves(other, wanted))
    })
}

fn serves(instance: &Value, wanted: &str) -> bool {
    let revision =
        instance.get("revision").and_then(Value::as_u64).map(|number| number.to_string());
    let digest = text(instance, "digest");
    revision.as_deref() == Some(wanted)
        || (wanted.len() >= DIGEST_FROM && digest.starts_with(wanted))
}

fn tell(arguments: &StatusArguments, answers: &Answers) {
    if arguments.format == Format::Json {
        let all = answers.iter().map(|(url, answer)| match answer {
            Ok(answer) => json!({ "url": url, "status": answer }),
            Err(error) => json!({ "url": url, "error": error }),
        });
        say(&Value::Array(all.collect()).to_string());
        return;
    }
    // Those that share a store tell of each other.
    let mut peers = BTreeMap::new();
    for (_, answer) in answers {
        match answer {
            Ok(answer) => {
                told(answer).iter().for_each(|line| say(line));
                let others = answer.get("instances").and_then(Value::as_array);
                for other in others.into_iter().flatten() {
                    peers.insert(text(other, "instance").to_owned(), other);
                }
            }
            Err(error) => complain(&format!("error: {error}")),
        }
    }
    for (_, answer) in answers {
        let own = answer.as_ref().map_or("", |answer| text(answer, "instance"));
        peers.remove(own);
    }
    peers.values().for_each(|other| say(&in_short(other)));
}

/// One instance in full.
fn told(status: &Value) -> Vec<String> {
    let null = Value::Null;
    let part = |name: &str| status.get(name).unwrap_or(&null);
    let store = text(part("store"), "kind");
    let mut lines = vec![format!("{}, store {store}", served(status))];
    let mut more = |line: String| lines.push(format!("  {line}"));
    if part("stale").is_object() {
        let (revision, at) = (number(part("stale"), "revision"), time(part("stale"), "kept_at"));
        more(format!("stale: started from revision {revision}, kept at {at}; the disk is broken"));
    }
    if part("candidate").is_object() {
        let (errors, first) =
            (number(part("candidate"), "errors"), text(part("candidate"), "first"));
        let errors = count(usize::try_from(errors).unwrap_or(usize::MAX), "error");
        more(format!("refused what is on disk: {errors}; {first}"));
    }
    for (product, pause) in part("paused").as_object().into_iter().flatten() {
        let until = if pause.get("until").is_some_and(Value::is_number) {
            format!("until {}", time(pause, "until"))
        } else {
            "until `docent resume`".to_owned()
        };
        let reason = match text(pause, "reason") {
            "" => String::new(),
            reason => format!(": {reason}"),
        };
        more(format!("paused `{product}` {until}{reason}"));
    }
    for rule in part("paused_rules").as_array().into_iter().flatten() {
        let (rule, product) = (text(rule, "rule"), text(rule, "product"));
        more(format!("rule `{rule}` of `{product}` is paused: it kept failing"));
    }
    if let Some(trouble) = part("store").get("trouble").and_then(Value::as_str) {
        more(format!("the store: {trouble}"));
    }
    for source in part("sources").as_array().into_iter().flatten() {
        let (product, number) = (text(source, "product"), number(source, "source"));
        let reason = text(source, "reason");
        let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        more(format!("source {number} of `{product}` is {}{why}", text(source, "state")));
    }
    lines
}

/// One that another instance told of.
fn in_short(other: &Value) -> String {
    let mut line = served(other);
    for (name, said) in [("stale", ", stale"), ("refused", ", refused what is on its disk")] {
        if flag(other, name) {
            line.push_str(said);
        }
    }
    let ago = other.get("seen_s_ago").and_then(Value::as_f64).unwrap_or_default();
    if flag(other, "silent") {
        line.push_str(&format!(", silent for {}", lasting(ago)));
    }
    line
}

fn served(instance: &Value) -> String {
    let (name, version) = (text(instance, "instance"), text(instance, "version"));
    let (revision, digest) = (number(instance, "revision"), text(instance, "digest"));
    let since = time(instance, "since");
    format!("{name}: revision {revision} ({digest}) since {since}, docent {version}")
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

fn time(value: &Value, name: &str) -> String {
    let seconds = value.get(name).and_then(Value::as_f64);
    seconds
        .and_then(|seconds| Timestamp::from_seconds(seconds.floor()))
        .map_or_else(String::new, isoformat)
}

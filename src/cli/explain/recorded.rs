//! An explanation of what was: the session is lived through again from a journal up to an instant,
//! and decided by the rules of the workspace.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use crate::app::Explained;
use crate::cli::check::print_for_people;
use crate::cli::{ExplainArguments, Format};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::around::{Around, Scope};
use crate::engine::decide::decide;
use crate::engine::explain::Told;
use crate::engine::observe::Recording;
use crate::engine::pseudonym::in_text;
use crate::engine::tape::fold::{Fold, Folded};
use crate::engine::tape::lives::lives;
use crate::engine::tape::{Came, Entry, Line, mark};
use crate::engine::testers::is_tester;
use crate::http::wire::explain::ExplainedBody;
use crate::http::wire::isoformat::isoformat;
use crate::journal::read;
use crate::library::disk;
use crate::rulebook::compile::compile;
use crate::rulebook::{Product, Rulebook};
use crate::runtime::environment;

/// What the journal told of the session up to the instant.
struct Then {
    session: Session,
    around: Around,
    digest: Arc<str>,
    lines: usize,
    /// The last decision kept, and when it was made.
    last: Option<(Timestamp, Came)>,
}

/// Explains what a poll would have come to at that instant, or at the last one recorded.
pub(super) fn explain(
    arguments: &ExplainArguments,
    journal: &Path,
    session: &str,
    at: Option<Timestamp>,
) -> Result<String> {
    let rulebook = rulebook(&arguments.workspace)?;
    let product = rulebook.products.get(&*arguments.product).with_context(|| {
        format!("the workspace has no product `{}`; name it with --product", arguments.product)
    })?;
    // As the journal tells it.
    let session = &*in_text(session);
    let lines = lines(journal, product, session)?;
    let ends = lines.last().map_or_else(Timestamp::default, |line| line.at);
    let at = at.unwrap_or(ends);
    let then = then(product, session, lines, at)?;
    let Then { session: mut state, mut around, digest, lines, last } = then;
    around.session = Some(session.into());
    if arguments.conversation.is_none() {
        around.scope = Scope::Own;
    }
    let mut recording = Recording::default();
    let decision = decide(product, &mut state, &around, at, &mut recording);
    recording.note_pause(product, "paused by an operator; the journal does not say why");
    let tester = is_tester(product, Some(session), &state.identity);
    let told = Told { product, decision, recording: &recording, tester, now: at };
    let obstacle = match &arguments.rule {
        None => None,
        Some(rule) => Some(told.first_obstacle(rule).with_context(|| {
            format!("there is no trigger `{rule}` in the product `{}`", product.id)
        })?),
    };
    if arguments.format == Format::Json {
        let explained = Explained { decision, recording: recording.clone(), tester };
        let body = ExplainedBody::new(product, &explained, obstacle, at);
        return Ok(serde_json::to_string(&body)?);
    }
    let mut text = format!("{session} at {}, from {lines} lines of the journal\n", isoformat(at));
    if digest != mark(&product.digest) {
        text.push_str(&format!(
            "recorded under the rulebook {digest}; explained with {}, the workspace's: they differ\n",
            mark(&product.digest)
        ));
    }
    match last {
        None => text.push_str(
            "no poll of it was kept before, so what was remembered of the person beyond the session is not known\n",
        ),
        Some((asked, came)) => {
            let what = match (&came.rule, came.fires()) {
                (Some(rule), true) => format!("offered `{rule}`"),
                _ => came.verdict.to_string(),
            };
            text.push_str(&format!("the last poll kept, at {}: {what}\n", isoformat(asked)));
        }
    }
    text.push('\n');
    text.push_str(&obstacle.map_or_else(|| told.text(), |obstacle| obstacle + "\n"));
    Ok(text)
}

fn rulebook(workspace: &Path) -> Result<Rulebook> {
    let sources = disk::read(workspace)?;
    let (rulebook, findings) = compile(&sources, &environment::variable);
    rulebook.map_or_else(
        || {
            print_for_people(&sources, None, &findings);
            bail!("the workspace has mistakes")
        },
        Ok,
    )
}

/// The session's lines, by time.
fn lines(journal: &Path, product: &Product, session: &str) -> Result<Vec<Line>> {
    let cannot = |path: &Path| format!("cannot read the journal `{}`", path.display());
    let segments: Vec<PathBuf> = read::segments(journal).with_context(|| cannot(journal))?;
    if segments.is_empty() {
        bail!(
            "there is no journal in `{}`: no file ends in .jsonl or .jsonl.zst",
            journal.display()
        );
    }
    let (mut found, mut span, mut other) = (Vec::new(), None, None);
    for path in &segments {
        let mut keep = |line: Line| {
            let (first, last) = span.get_or_insert((line.at, line.at));
            (*first, *last) = ((*first).min(line.at), (*last).max(line.at));
            if *line.session == *session && line.product == product.id {
                found.push(line);
            } else if !line.session.is_empty() {
                other = Some((line.session, line.product));
            }
        };
        read::read(path, &mut keep).with_context(|| cannot(path))?;
    }
    found.sort_by_key(|line| line.at);
    if !found.is_empty() {
        return Ok(found);
    }
    let told = span.map_or_else(String::new, |(first, last)| {
        format!("; it tells of {} to {}", isoformat(first), isoformat(last))
    });
    let such = other.map_or_else(String::new, |(session, product)| {
        format!(", for example of `{session}` of the product `{product}`")
    });
    bail!("the journal knows no session `{session}` of the product `{}`{told}{such}", product.id)
}

fn then(product: &Product, session: &str, lines: Vec<Line>, at: Timestamp) -> Result<Then> {
    let ends = |line: Option<&Line>| line.map_or_else(String::new, |line| isoformat(line.at));
    let (begins, last) = (ends(lines.first()), ends(lines.last()));
    let known = format!("the journal tells of `{session}` from {begins} to {last}");
    let lines: Vec<Line> = lines.into_iter().filter(|line| line.at <= at).collect();
    let Some(life) = lives(lines).pop() else {
        bail!("{known}, and of nothing by {}", isoformat(at));
    };
    let mut fold = Fold::new(product, session.into());
    let (mut polled, mut around) = (None, Around::default());
    for line in &life {
        let folded = fold.apply(line);
        if folded == Folded::Erased {
            bail!("{known}; by {} it had been forgotten", isoformat(at));
        }
        if let Entry::Decision(decision) = &line.entry {
            polled = Some((line.at, decision.came.clone()));
            if matches!(folded, Folded::Decided(_)) {
                around.clone_from(&decision.around);
            }
        }
    }
    let Some(state) = fold.session() else {
        bail!("{known}, but lines are missing before {}", isoformat(at));
    };
    let session = state.clone();
    Ok(Then { session, around, digest: Arc::clone(fold.digest()), lines: life.len(), last: polled })
}

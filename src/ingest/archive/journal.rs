//! docent's own journal as a recording: what was delivered, asked, answered and reported, each at its
//! time. `docs/journal.md` is the format.

use std::collections::HashSet;
use std::sync::Arc;

use crate::engine::around::session_of;
use crate::engine::replay::recording::{Delivered, Entry, Moment, What};
use crate::engine::tape::lives::Step as _;
use crate::engine::tape::wire::Known;
use crate::engine::tape::{self, Came, Line};
use crate::ingest::archive::Taken;

/// Segments of a journal, whole or a part of their lines. What a crash tore off at the end of a
/// segment is counted as unreadable.
pub fn journal(text: &[u8]) -> Taken {
    let (mut taken, mut known) = (Taken::default(), HashSet::new());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        taken.lines += 1;
        let read = std::str::from_utf8(line.trim_ascii()).map_err(|error| error.to_string());
        let read = match read {
            Ok("") => continue,
            Ok(text) => {
                let line = Line::read_bare(text);
                line.map(|line| line.map(|line| (text, line)))
                    .map_err(|error| format!("the line is no journal's: {error}"))
            }
            Err(why) => Err(why),
        };
        match read {
            Ok(Some((text, line))) => {
                taken.entries.extend(knew(text, &line, &mut known));
                take(line, &mut taken);
            }
            Ok(None) => taken.passed += 1,
            Err(why) => {
                let line = taken.lines;
                taken.refused.note(line, why);
            }
        }
    }
    taken
}

/// Whether a line is a journal's rather than a message.
pub fn is_journal(line: &str) -> bool {
    matches!(Line::read_bare(line), Ok(Some(_)))
}

/// What the first decision of a session that knew of its person tells of them: what they did before
/// the journal began.
fn knew(text: &str, line: &Line, known: &mut HashSet<(Arc<str>, Arc<str>)>) -> Option<Entry> {
    let tape::Entry::Decision(_) = line.entry else { return None };
    let key = (Arc::clone(&line.product), Arc::clone(&line.session));
    if known.contains(&key) {
        return None;
    }
    let what = What::Knew(Box::new(Known::read(text)?));
    known.insert(key);
    Some(Entry {
        product: Some(Arc::clone(&line.product)).filter(|id| !id.is_empty()),
        session: Arc::clone(&line.session),
        moment: Moment { at: line.at, number: line.number(), what },
    })
}

fn take(line: Line, taken: &mut Taken) {
    let number = line.number();
    let Line { at, product, session, seq, entry, .. } = line;
    if session.is_empty() {
        if let tape::Entry::Gap { lines } = entry {
            taken.missing += lines;
        }
        return;
    }
    let told = |what| Entry {
        product: Some(Arc::clone(&product)).filter(|id| !id.is_empty()),
        session: Arc::clone(&session),
        moment: Moment { at, number, what },
    };
    match entry {
        tape::Entry::State(state) if seq > 0 => {
            taken.entries.push(told(What::Stands(state)));
        }
        tape::Entry::State(_) => taken.entries.push(told(What::Born)),
        tape::Entry::Erase => taken.entries.push(told(What::Erased)),
        tape::Entry::Batch(batch) => {
            let tape::Batched { delivery, identity, trust, voucher } = *batch;
            taken.entries.extend(delivery.map(|delivery| {
                told(What::Delivered(Box::new(Delivered { delivery, identity, trust, voucher })))
            }));
        }
        tape::Entry::Event(heard) => {
            let conversation = foreign(&heard.conversation);
            let counted = heard.reaction.unheard.is_none();
            taken
                .entries
                .extend(counted.then(|| told(What::Reported(conversation, Box::new(heard.event)))));
        }
        // Somebody asked then, or time alone would not have been noticed.
        tape::Entry::Settle(_) => taken.entries.push(told(What::Noticed)),
        tape::Entry::Decision(polled) => {
            let asked = foreign(&polled.conversation);
            let what =
                if is_silent(&polled.came) { What::Polled(asked) } else { What::Noted(asked) };
            taken.entries.push(told(what));
            let made = polled.came.offer.filter(|_| polled.made);
            taken.entries.extend(made.map(|offer| told(What::Offered(Arc::clone(&offer.trigger)))));
        }
        tape::Entry::Reload { .. } | tape::Entry::Gap { .. } => {}
    }
}

/// The conversation, unless it is the toast's own.
fn foreign(conversation: &Arc<str>) -> Option<Arc<str>> {
    let own = conversation.trim().is_empty() || session_of(conversation).is_some();
    (!own).then(|| Arc::clone(conversation))
}

/// Whether the decision is one that only a session whose every poll is kept has.
fn is_silent(came: &Came) -> bool {
    let withheld = came.verdict.starts_with("holdout:") && came.rule.is_some();
    !came.fires() && !withheld && came.shadow.is_none() && came.failed.is_empty()
}

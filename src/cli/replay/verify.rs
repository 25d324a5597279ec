//! `docent replay --verify`: every decision that a journal has of these rules is made again, from the
//! recorded state and what was known beside it, and held against the recorded one, byte for byte.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::json;

use crate::cli::replay::cores;
use crate::cli::replay::human::grouped;
use crate::cli::replay::kept::{self, Kept};
use crate::cli::replay::rulebooks::Loaded;
use crate::cli::report::{complain, say};
use crate::cli::{Exit, Format};
use crate::domain::time::Timestamp;
use crate::engine::tape::fold::{Fold, Folded};
use crate::engine::tape::lives::lives;
use crate::engine::tape::{Entry, Line, mark};
use crate::http::wire::isoformat::isoformat;
use crate::rulebook::Product;

/// Differences told one by one.
const TOLD: usize = 5;

/// What a journal came to.
#[derive(Default)]
struct Verified {
    sessions: usize,
    /// Decisions and events made again under the rules that made them.
    same: u64,
    differ: u64,
    /// Decisions under other rules.
    others: u64,
    /// Lines whose session was not known, since lines before them are missing.
    lost: u64,
    /// Steps that left the session otherwise than recorded.
    strayed: u64,
    /// Lines that could not be written in time, as the journal says.
    missing: u64,
    /// Lines that are none: torn by a crash, or damaged.
    unreadable: u64,
    /// By session and time; the first few.
    first: BTreeSet<Difference>,
}

/// A decision that is another now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Difference {
    at: Timestamp,
    session: Arc<str>,
    recorded: String,
    now: String,
}

/// Makes every decision again. Exits 0 when all are as recorded, 1 when the journal cannot be read or has
/// none of these rules, 4 when one differs.
pub(super) fn run(files: &[PathBuf], head: &Loaded, format: Format) -> Exit {
    match verified(files, head) {
        Ok(verified) => {
            match format {
                Format::Human => verified.print(),
                Format::Json => say(&verified.json()),
            }
            if verified.is_good() { Exit::Fine } else { Exit::Differs }
        }
        Err(error) => {
            complain(&format!("error: {error:#}"));
            Exit::Failed
        }
    }
}

fn verified(files: &[PathBuf], head: &Loaded) -> Result<Verified> {
    let texts = kept::texts(files)?;
    let journal = kept::sort(&texts);
    let mut whole = Verified {
        missing: journal.missing,
        unreadable: journal.unreadable,
        ..Verified::default()
    };
    let parts = cores::parts(&journal.sessions, |part: &mut Verified, _, kept: &Kept<'_>| {
        if let Some(product) = head.rulebook.products.get(&*kept.product) {
            part.live(product, kept);
        }
    });
    // The sum is the same in any order.
    parts.into_iter().for_each(|part| whole.absorb(part));
    if whole.same + whole.differ == 0 {
        let digest = mark(&head.rulebook.digest);
        bail!(
            "no decision in the journal was made by these rules (revision {digest}); {} were made \
             by others: name their folder with --rules",
            grouped(whole.others)
        );
    }
    Ok(whole)
}

/// What is written is compared, byte for byte.
fn written<T: Serialize>(pair: &(T, T)) -> (String, String) {
    let write = |told: &T| serde_json::to_string(told).unwrap_or_default();
    (write(&pair.0), write(&pair.1))
}

impl Verified {
    fn live(&mut self, product: &Product, kept: &Kept<'_>) {
        self.sessions += 1;
        let ours = mark(&product.digest);
        let mut lines = Vec::with_capacity(kept.lines.len());
        for text in &kept.lines {
            match Line::read(text) {
                Ok(line) => lines.extend(line),
                Err(_) => self.unreadable += 1,
            }
        }
        for life in lives(lines) {
            let mut fold = Fold::new(product, kept.session.as_ref().into());
            for line in &life {
                let (recorded, now) = match fold.apply(line) {
                    Folded::Decided(pair) => written(&pair),
                    Folded::Heard(pair) => written(&pair),
                    Folded::Lost { .. } => {
                        self.lost += 1;
                        continue;
                    }
                    Folded::Strayed { .. } if line.digest == ours => {
                        self.strayed += 1;
                        continue;
                    }
                    _ => continue,
                };
                self.hold(line, &ours, recorded, now);
            }
        }
    }

    fn hold(&mut self, line: &Line, ours: &Arc<str>, recorded: String, now: String) {
        if line.digest != *ours {
            self.others += u64::from(matches!(line.entry, Entry::Decision(_)));
        } else if recorded == now {
            self.same += 1;
        } else {
            self.differ += 1;
            let (at, session) = (line.at, Arc::clone(&line.session));
            self.first.insert(Difference { at, session, recorded, now });
            self.cut();
        }
    }

    fn absorb(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.same += other.same;
        self.differ += other.differ;
        self.others += other.others;
        self.lost += other.lost;
        self.strayed += other.strayed;
        self.missing += other.missing;
        self.unreadable += other.unreadable;
        self.first.extend(other.first);
        self.cut();
    }

    fn cut(&mut self) {
        while self.first.len() > TOLD {
            self.first.pop_last();
        }
    }

    const fn is_good(&self) -> bool {
        self.differ == 0 && self.strayed == 0
    }

    fn print(&self) {
        let all = grouped(self.same + self.differ);
        let sessions = grouped(self.sessions as u64);
        say(&match self.is_good() {
            true => format!("{all} decisions and events of {sessions} sessions, all as recorded"),
            false => format!(
                "{} of {all} decisions and events of {sessions} sessions differ",
                grouped(self.differ)
            ),
        });
        for (count, what) in [
            (self.others, "decisions were made by other rules, and are not looked at"),
            (self.lost, "lines could not be lived through, because lines before them are missing"),
            (self.strayed, "steps left their session otherwise than recorded"),
            (self.missing, "lines could not be written in time"),
            (self.unreadable, "lines cannot be read: a crash tore them off, or they are damaged"),
        ] {
            if count > 0 {
                say(&format!("  {} {what}", grouped(count)));
            }
        }
        for Difference { at, session, recorded, now } in &self.first {
            say(&format!("\n{session} at {}", isoformat(*at)));
            say(&format!("  recorded  {recorded}\n  now       {now}"));
        }
    }

    fn json(&self) -> String {
        let first = self.first.iter().map(|difference| {
            let Difference { at, session, recorded, now } = difference;
            json!({ "session": session, "at": at.as_seconds(), "recorded": recorded, "now": now })
        });
        json!({
            "ok": self.is_good(),
            "sessions": self.sessions,
            "same": self.same,
            "differ": self.differ,
            "by_other_rules": self.others,
            "lost": self.lost,
            "strayed": self.strayed,
            "missing": self.missing,
            "unreadable": self.unreadable,
            "first": first.collect::<Vec<_>>(),
        })
        .to_string()
    }
}

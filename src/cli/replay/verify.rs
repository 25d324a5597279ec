//! `docent replay --verify`: every decision that a journal has of these rules is made again, from the
//! recorded state and what was known beside it, and held against the recorded one, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, ensure};
use serde::Serialize;
use serde_json::json;

use crate::cli::replay::cores;
use crate::cli::replay::human::{grouped, number};
use crate::cli::replay::kept::{self, Journal, Kept};
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
    /// Decisions under other rules, by their revision.
    others: BTreeMap<Arc<str>, u64>,
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
    ensure!(whole.same + whole.differ > 0, "{}", whole.nothing(files, &journal, head));
    Ok(whole)
}

/// What is written is compared, byte for byte.
fn written<T: Serialize>(pair: &(T, T)) -> (String, String) {
    let write = |told: &T| serde_json::to_string(told).unwrap_or_default();
    (write(&pair.0), write(&pair.1))
}

/// `1 line`, `1,200 lines`.
fn counted(number: u64, one: &str, several: &str) -> String {
    let noun = if number == 1 { one } else { several };
    format!("{} {noun}", grouped(number))
}

fn was_made(decisions: u64) -> String {
    counted(decisions, "decision was made", "decisions were made")
}

impl Verified {
    /// Why there is nothing to verify.
    fn nothing(&self, files: &[PathBuf], journal: &Journal<'_>, head: &Loaded) -> String {
        if journal.sessions.is_empty() && self.unreadable > 0 {
            let names: Vec<_> = files.iter().map(|path| format!("`{}`", path.display())).collect();
            return format!(
                "there is no journal in {}: --verify proves what docent itself wrote down, by \
                 default in `data/journal`; recordings of other kinds are replayed without it",
                names.join(", ")
            );
        }
        if self.sessions == 0
            && let Some(kept) = journal.sessions.first()
        {
            return format!(
                "the journal is of the product `{}`, which these rules do not have",
                kept.product
            );
        }
        let Some(most) = self.most() else { return "the journal holds no decision".to_owned() };
        format!(
            "no decision in the journal was made by these rules (revision {}); {} by others, {most}: \
             name the rules of then with --rules, a folder or a revision of the repository as HEAD~1",
            mark(&head.rulebook.digest),
            was_made(self.other_decisions()),
        )
    }

    fn other_decisions(&self) -> u64 {
        self.others.values().sum()
    }

    /// The rules, other than these, that made most decisions; of equals the first.
    fn most(&self) -> Option<String> {
        let (digest, _) = self.others.iter().rev().max_by_key(|(_, decisions)| **decisions)?;
        Some(match self.others.len() {
            1 => format!("of revision {digest}"),
            several => format!("of {several} revisions, most by {digest}"),
        })
    }

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
            if matches!(line.entry, Entry::Decision(_)) {
                *self.others.entry(Arc::clone(&line.digest)).or_default() += 1;
            }
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
        for (digest, decisions) in other.others {
            *self.others.entry(digest).or_default() += decisions;
        }
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
        let all = counted(self.same + self.differ, "decision or event", "decisions and events");
        let sessions = number(self.sessions, "session");
        say(&match self.is_good() {
            true => format!("{all} of {sessions}, all as recorded"),
            false => format!("{} of {all} of {sessions} differ", grouped(self.differ)),
        });
        if let Some(most) = self.most() {
            let others = was_made(self.other_decisions());
            say(&format!("  {others} by other rules, {most}, and not looked at"));
        }
        for (count, what) in [
            (self.lost, "not lived through, because lines before are missing"),
            (self.missing, "that could not be written in time"),
            (self.unreadable, "that cannot be read: torn off by a crash, or damaged"),
        ] {
            if count > 0 {
                say(&format!("  {} {what}", counted(count, "line", "lines")));
            }
        }
        if self.strayed > 0 {
            let steps = counted(self.strayed, "step", "steps");
            say(&format!("  {steps} left the session otherwise than recorded"));
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
            "by_other_rules": self.other_decisions(),
            "other_revisions": self.others,
            "lost": self.lost,
            "strayed": self.strayed,
            "missing": self.missing,
            "unreadable": self.unreadable,
            "first": first.collect::<Vec<_>>(),
        })
        .to_string()
    }
}

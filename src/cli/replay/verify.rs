//! `docent replay --verify`: every decision that a journal has of these rules is made again, from the
//! recorded state and what was known beside it, and held against the recorded one, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::cli::replay::human::grouped;
use crate::cli::replay::rulebooks::Loaded;
use crate::cli::report::{complain, say};
use crate::cli::{Exit, Format};
use crate::domain::time::Timestamp;
use crate::engine::tape::fold::{Fold, Folded};
use crate::engine::tape::lives::lives;
use crate::engine::tape::{Entry, Line, mark};
use crate::http::wire::isoformat::isoformat;
use crate::journal::read;
use crate::rulebook::Product;

/// Differences told one by one.
const TOLD: usize = 5;

/// What a journal has of one session.
struct Kept {
    product: Arc<str>,
    session: Arc<str>,
    lines: Vec<Line>,
}

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
    let mut sessions: BTreeMap<(Arc<str>, Arc<str>), Vec<Line>> = BTreeMap::new();
    let mut keep = |line: Line| {
        if !line.session.is_empty() {
            let key = (Arc::clone(&line.product), Arc::clone(&line.session));
            sessions.entry(key).or_default().push(line);
        }
    };
    for path in files {
        let cannot = || format!("cannot read the journal `{}`", path.display());
        for segment in read::segments(path).with_context(cannot)? {
            read::read(&segment, &mut keep)
                .with_context(|| format!("cannot read `{}`", segment.display()))?;
        }
    }
    let kept = sessions.into_iter();
    let kept = kept.map(|((product, session), lines)| Kept { product, session, lines });
    let sessions: Vec<_> = kept.collect();
    let whole = spread(&sessions, head);
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

/// Sessions over all cores; the sum is the same in any order.
fn spread(sessions: &[Kept], head: &Loaded) -> Verified {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut part = Verified::default();
        while let Some(kept) = sessions.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(product) = head.rulebook.products.get(&kept.product) {
                part.live(product, &kept.session, kept.lines.clone());
            }
        }
        part
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let parts = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect::<Vec<_>>()
    });
    let mut whole = Verified::default();
    parts.into_iter().for_each(|part| whole.absorb(part));
    whole
}

impl Verified {
    fn live(&mut self, product: &Product, id: &Arc<str>, lines: Vec<Line>) {
        self.sessions += 1;
        let ours = mark(&product.digest);
        for life in lives(lines) {
            let mut fold = Fold::new(product, Arc::clone(id));
            for line in &life {
                let folded = fold.apply(line);
                let (recorded, now) = match folded {
                    Folded::Decided(pair) => {
                        let (recorded, now) = *pair;
                        (json!(recorded).to_string(), json!(now).to_string())
                    }
                    Folded::Heard(pair) => {
                        let (recorded, now) = *pair;
                        (json!(recorded).to_string(), json!(now).to_string())
                    }
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
            "first": first.collect::<Vec<_>>(),
        })
        .to_string()
    }
}

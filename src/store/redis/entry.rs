//! An announcement as an entry of the stream: fields by name, so that operators can read it, and a
//! version passes over what only another one knows.

use std::collections::HashMap;

use redis::Cmd;

use crate::domain::announcement::{Announcement, Cause, News};
use crate::domain::decision::Hold;
use crate::domain::time::Timestamp;

/// Who announced it, and how many that instance had announced by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) from: String,
    pub(super) number: u64,
}

/// Adds the fields of an announcement to a command.
pub(super) fn write(command: &mut Cmd, from: &str, number: u64, announcement: &Announcement) {
    let Announcement { at, product, news } = announcement;
    command.arg("from").arg(from).arg("number").arg(number).arg("at").arg(at.as_millis());
    command.arg("product").arg(&**product);
    match news {
        News::Session { id, seq, by } => {
            command.arg("session").arg(&**id).arg("seq").arg(*seq);
            match by {
                Cause::Batch => command.arg("kind").arg("batch"),
                Cause::Event(name) => command.arg("kind").arg("event").arg("event").arg(&**name),
                Cause::Offer(trigger) => {
                    command.arg("kind").arg("offer").arg("trigger").arg(&**trigger)
                }
                Cause::Ghost(trigger, hold) => {
                    command.arg("kind").arg("ghost").arg("trigger").arg(&**trigger);
                    command.arg("hold").arg(hold.map_or("", Hold::as_str))
                }
            };
        }
        News::Forgotten { id } => {
            command.arg("kind").arg("forgotten").arg("session").arg(&**id);
        }
        News::Pauses => {
            command.arg("kind").arg("pauses");
        }
        News::Rulebook { digest } => {
            command.arg("kind").arg("rulebook").arg("digest").arg(&**digest);
        }
    }
}

/// The fields of an entry, one after the other, each behind its name.
pub(super) fn fields(flat: &[Vec<u8>]) -> HashMap<&str, &str> {
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let pairs = flat.chunks_exact(2).filter_map(|pair| match pair {
        [name, value] => Some((text(name)?, text(value)?)),
        _ => None,
    });
    pairs.collect()
}

/// Who wrote an entry; `None` when it was no docent.
pub(super) fn mark(fields: &HashMap<&str, &str>) -> Option<Mark> {
    let from = (*fields.get("from")?).to_owned();
    Some(Mark { from, number: fields.get("number")?.parse().ok()? })
}

/// What it announces; `None` when only another version knows.
pub(super) fn read(fields: &HashMap<&str, &str>) -> Option<Announcement> {
    let text = |name: &str| fields.get(name).copied();
    let at = Timestamp::from_millis(text("at")?.parse().ok()?);
    let session = |by| {
        let (id, seq) = (text("session")?.into(), text("seq")?.parse().ok()?);
        Some(News::Session { id, seq, by })
    };
    let news = match text("kind")? {
        "batch" => session(Cause::Batch)?,
        "event" => session(Cause::Event(text("event")?.into()))?,
        "offer" => session(Cause::Offer(text("trigger")?.into()))?,
        "ghost" => {
            let hold = text("hold").and_then(Hold::named);
            session(Cause::Ghost(text("trigger")?.into(), hold))?
        }
        "forgotten" => News::Forgotten { id: text("session")?.into() },
        "pauses" => News::Pauses,
        "rulebook" => News::Rulebook { digest: text("digest")?.into() },
        _ => return None,
    };
    Some(Announcement { at, product: text("product")?.into(), news })
}

#[cfg(test)]
mod tests {
    use redis::Arg;

    use super::*;

    fn written(announcement: &Announcement) -> Vec<Vec<u8>> {
        let mut command = Cmd::new();
        write(&mut command, "web-1", 7, announcement);
        let plain = |argument| match argument {
            Arg::Simple(bytes) => Vec::from(bytes),
            _ => Vec::new(),
        };
        command.args_iter().map(plain).collect()
    }

    #[test]
    fn what_is_written_is_read_and_what_is_unknown_is_passed_over() {
        let session = |by| News::Session { id: "ps_ü 1".into(), seq: u64::MAX, by };
        for news in [
            session(Cause::Batch),
            session(Cause::Event("proactive_dismissed".into())),
            session(Cause::Offer("hesitation".into())),
            session(Cause::Ghost("hesitation".into(), None)),
            session(Cause::Ghost("hesitation".into(), Some(Hold::HoldoutGlobal))),
            News::Forgotten { id: "ps_1".into() },
            News::Pauses,
            News::Rulebook { digest: "abc".into() },
        ] {
            let at = Timestamp::from_millis(1_760_000_000_123);
            let announcement = Announcement { at, product: "acme".into(), news };
            let mut flat = written(&announcement);
            flat.extend([b"mood".to_vec(), b"\xff".to_vec(), b"later".to_vec(), b"field".to_vec()]);
            let fields = fields(&flat);
            assert_eq!(mark(&fields), Some(Mark { from: "web-1".into(), number: 7 }));
            assert_eq!(read(&fields), Some(announcement));
        }
        let later = HashMap::from([("kind", "mood"), ("at", "1"), ("product", "acme")]);
        assert_eq!((read(&later), mark(&later)), (None, None));
    }
}

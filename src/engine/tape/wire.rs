//! Lines as JSON: short names, one member for what happened, and what goes without saying left
//! out, so that versions read each other.

mod batch;

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::domain::records::{Account, User};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::around::Around;
use crate::engine::tape::{Batched, Came, Claim, Entry, Heard, Line, Polled, Settled, VERSION};

impl Line {
    /// The line as JSON, without its end.
    ///
    /// # Errors
    /// Never for what the engine holds; a map whose keys are no texts could not be written.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// A line back; `None` for what only a later version knows.
    ///
    /// # Errors
    /// When it is no line at all: torn, or of another kind of file.
    pub fn read(text: &str) -> Result<Option<Self>, serde_json::Error> {
        serde_json::from_str::<Read<Box<Polled>>>(text).map(Read::line)
    }

    /// A line back, of a decision without what was known beside the session: that is most of a
    /// journal, and nobody needs it who decides anew.
    ///
    /// # Errors
    /// As [`Line::read`].
    pub fn read_bare(text: &str) -> Result<Option<Self>, serde_json::Error> {
        serde_json::from_str::<Read<Bare>>(text).map(Read::line)
    }
}

/// Whose line it is, read without looking at what happened.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Head<'l> {
    /// The product; empty for what concerns the instance.
    #[serde(rename = "p", borrow, default)]
    pub product: Cow<'l, str>,
    /// The session; empty for what concerns none.
    #[serde(rename = "s", borrow, default)]
    pub session: Cow<'l, str>,
    #[serde(default)]
    gap: Option<Missing>,
}

impl<'l> Head<'l> {
    /// The head of a line.
    ///
    /// # Errors
    /// When it is not JSON, or no object: torn, say.
    pub fn read(text: &'l str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// How many lines could not be written in time, where this one says so.
    pub fn missing(&self) -> u64 {
        self.gap.as_ref().map_or(0, |gap| gap.lines)
    }
}

/// What a decision knew of the person and of their account, read without the rest of its line.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Known {
    /// The person's memory.
    pub user: Option<User>,
    /// Their account's.
    pub account: Option<Account>,
}

impl Known {
    /// What the line of a decision tells of them; `None` when that is nothing.
    pub fn read(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Asked {
            decision: Decided,
        }
        #[derive(Deserialize)]
        struct Decided {
            around: Known,
        }
        let tells = text.contains("\"user\":{") || text.contains("\"account\":{");
        let asked: Asked = tells.then(|| serde_json::from_str(text).ok())??;
        let known = asked.decision.around;
        Some(known).filter(|known| *known != Self::default())
    }
}

#[derive(Default, Serialize)]
struct Written<'l> {
    /// The version of the format.
    v: u32,
    /// The time of the step, as the engine was given it.
    at: Timestamp,
    /// The product; left out where the line concerns none.
    #[serde(skip_serializing_if = "str::is_empty")]
    p: &'l str,
    /// The session; left out where the line concerns none.
    #[serde(skip_serializing_if = "str::is_empty")]
    s: &'l str,
    /// The session's sequence number as the step saw it.
    #[serde(skip_serializing_if = "is_zero")]
    q: u64,
    /// The one it left.
    #[serde(skip_serializing_if = "is_zero")]
    l: u64,
    /// The first digits of the digest of the rulebook in force.
    d: &'l str,
    /// The session as it stands, without what is as in a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Value>,
    /// Activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<&'l Batched>,
    /// A front end's event.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'l Heard>,
    /// Time alone changed the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    settle: Option<&'l Settled>,
    /// A poll, and what it came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'l Polled>,
    /// The session was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    erase: Option<Nothing>,
    /// Another rulebook came into force.
    #[serde(skip_serializing_if = "Option::is_none")]
    reload: Option<Reloaded>,
    /// Lines are missing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    gap: Option<Missing>,
}

/// A decision without what was known beside the session.
#[derive(Deserialize)]
struct Bare {
    #[serde(rename = "conv", default = "empty")]
    conversation: Arc<str>,
    #[serde(rename = "who")]
    voucher: Option<Arc<str>>,
    as_of: Option<Timestamp>,
    #[serde(default)]
    made: bool,
    #[serde(default)]
    claims: Vec<Claim>,
    came: Came,
}

impl From<Bare> for Box<Polled> {
    fn from(bare: Bare) -> Self {
        let Bare { conversation, voucher, as_of, made, claims, came } = bare;
        let around = Around::default();
        Self::new(Polled { conversation, voucher, as_of, made, claims, around, came })
    }
}

#[derive(Deserialize)]
struct Read<D> {
    at: Timestamp,
    #[serde(default = "empty")]
    p: Arc<str>,
    #[serde(default = "empty")]
    s: Arc<str>,
    #[serde(default)]
    q: u64,
    #[serde(default)]
    l: u64,
    #[serde(default = "empty")]
    d: Arc<str>,
    state: Option<Box<Session>>,
    batch: Option<Box<Batched>>,
    event: Option<Box<Heard>>,
    settle: Option<Settled>,
    decision: Option<D>,
    erase: Option<Nothing>,
    reload: Option<Reloaded>,
    gap: Option<Missing>,
}

#[derive(Deserialize, Serialize)]
struct Nothing {}

#[derive(Deserialize, Serialize)]
struct Reloaded {
    /// Its number since docent started.
    revision: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Missing {
    /// How many.
    lines: u64,
}

fn empty() -> Arc<str> {
    Arc::default()
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { at, product, session, seq, left, digest, entry } = self;
        let mut written = Written {
            v: VERSION,
            at: *at,
            p: product,
            s: session,
            q: *seq,
            l: *left,
            d: digest,
            ..Written::default()
        };
        match entry {
            Entry::State(session) => {
                written.state = Some(slim(session).map_err(S::Error::custom)?);
            }
            Entry::Batch(batch) => written.batch = Some(batch),
            Entry::Event(event) => written.event = Some(event),
            Entry::Settle(settled) => written.settle = Some(settled),
            Entry::Decision(polled) => written.decision = Some(polled),
            Entry::Erase => written.erase = Some(Nothing {}),
            Entry::Reload { revision } => {
                written.reload = Some(Reloaded { revision: *revision });
            }
            Entry::Gap { lines } => written.gap = Some(Missing { lines: *lines }),
        }
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = Read::<Box<Polled>>::deserialize(deserializer)?.line();
        line.ok_or_else(|| D::Error::custom("only a later version knows what this line tells"))
    }
}

/// A session without what is as in a new one.
fn slim(session: &Session) -> Result<Value, serde_json::Error> {
    let (mut told, new) =
        (serde_json::to_value(session)?, serde_json::to_value(Session::default())?);
    if let Value::Object(members) = &mut told {
        members.retain(|name, value| new.get(name) != Some(value));
    }
    Ok(told)
}

impl<D: Into<Box<Polled>>> Read<D> {
    fn line(self) -> Option<Line> {
        let Self { at, p, s, q, l, d, state, batch, event, settle, decision, .. } = self;
        let rare = || match (self.erase, self.reload, self.gap) {
            (Some(_), ..) => Some(Entry::Erase),
            (_, Some(Reloaded { revision }), _) => Some(Entry::Reload { revision }),
            (.., Some(Missing { lines })) => Some(Entry::Gap { lines }),
            _ => None,
        };
        let batch = batch.map(|mut batch| {
            batch.of_session(&s);
            batch
        });
        let entry = batch
            .map(Entry::Batch)
            .or_else(|| decision.map(|decision| Entry::Decision(decision.into())))
            .or_else(|| state.map(Entry::State))
            .or_else(|| event.map(Entry::Event))
            .or_else(|| settle.map(Entry::Settle))
            .or_else(rare)?;
        Some(Line { at, product: p, session: s, seq: q, left: l, digest: d, entry })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::{Batch, Delivery, RawAction, Trust};
    use serde_json::json;

    fn back(line: &Line) -> Line {
        Line::read(&line.write().unwrap()).unwrap().unwrap()
    }

    #[test]
    fn a_batch_comes_back_without_what_no_rule_reads() {
        let action = RawAction {
            kind: "click".into(),
            title: "Säve".into(),
            canonical_url: "/a".into(),
            timestamp_start: 1_760_000_000.123_456_7,
            properties: [("rows".to_owned(), json!(0.1))].into_iter().collect(),
            ..RawAction::default()
        };
        let said =
            RawAction { description: "Pressed it".into(), raw_url: "/a/".into(), ..action.clone() };
        let batch = |actions| Batch {
            session_id: Some("ps_1".into()),
            actions,
            forwarded_at: 0.1 + 0.2,
            ..Batch::default()
        };
        let line = |delivery| Line {
            at: Timestamp::from_millis(5),
            product: "acme".into(),
            session: "ps_1".into(),
            seq: 3,
            left: 4,
            digest: "0123456789abcdef".into(),
            entry: Entry::Batch(Box::new(Batched {
                delivery,
                identity: Some(u64::MAX),
                trust: Trust::Browser,
                voucher: None,
            })),
        };
        let sent = line(Some(Delivery::Actions(batch(vec![said]))));
        assert_eq!(back(&sent), line(Some(Delivery::Actions(batch(vec![action])))));
        assert_eq!(back(&line(None)), line(None));
        let text = sent.write().unwrap();
        assert!(text.starts_with(r#"{"v":1,"at":5,"p":"acme","s":"ps_1","q":3,"l":4,"d":"0"#));
    }

    #[test]
    fn what_a_later_version_writes_is_passed_over() {
        for (text, known) in [
            (r#"{"v":2,"at":5,"p":"acme","s":"ps_1","d":"","mood":{"left":[1]}}"#, false),
            (r#"{"v":2,"at":5,"p":"acme","s":"ps_1","d":"","erase":{"why":"asked"},"x":1}"#, true),
            (r#"{"v":2,"at":5,"d":"","reload":{"revision":2,"by":"ann"}}"#, true),
        ] {
            assert_eq!(Line::read(text).unwrap().is_some(), known, "{text}");
        }
        assert!(Line::read(r#"{"v":1,"at":5,"p":"ac"#).is_err(), "torn");
    }

    #[test]
    fn a_state_is_written_without_what_is_as_in_a_new_one() {
        let session = Session { seq: 3, summary: Some("said".into()), ..Session::default() };
        let told = slim(&session).unwrap();
        assert_eq!(told, json!({ "seq": 3, "summary": "said" }));
        assert_eq!(serde_json::from_value::<Session>(told).unwrap(), session);
    }
}

//! Records as bytes: when it was written, then MessagePack with every field by its name. A field
//! that one version does not know is passed over, and one that is missing keeps its default, so that
//! neighbouring versions read each other's records.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::time::Timestamp;

/// Why bytes are no record, or a record no bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

/// A record as bytes.
pub(crate) fn pack<R: Serialize>(record: &R, written: Timestamp) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = written.as_millis().to_le_bytes().to_vec();
    let mut named = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
    #[cfg(debug_assertions)]
    if later::IS_ON.load(std::sync::atomic::Ordering::Relaxed) {
        let later = later::Record { record, later_field: &[("since", 2), ("number", 7)] };
        later.serialize(&mut named).map_err(|error| Unreadable(error.to_string()))?;
        return Ok(bytes);
    }
    record.serialize(&mut named).map_err(|error| Unreadable(error.to_string()))?;
    Ok(bytes)
}

/// From now on this process writes one more field into every record, as a later version may. For
/// tests of upgrades; a release has nothing of it.
#[cfg(debug_assertions)]
#[doc(hidden)]
pub fn write_as_a_later_version() {
    later::IS_ON.store(true, std::sync::atomic::Ordering::Relaxed);
}

#[cfg(debug_assertions)]
mod later {
    use std::sync::atomic::AtomicBool;

    pub(super) static IS_ON: AtomicBool = AtomicBool::new(false);

    #[derive(serde::Serialize)]
    pub(super) struct Record<'r, R> {
        #[serde(flatten)]
        pub(super) record: &'r R,
        pub(super) later_field: &'r [(&'static str, u64)],
    }
}

/// The record in these bytes, and when it was written.
pub(crate) fn unpack<R: DeserializeOwned>(bytes: &[u8]) -> Result<(Timestamp, R), Unreadable> {
    let Some((written, record)) = bytes.split_first_chunk() else {
        return Err(Unreadable("it is too short".to_owned()));
    };
    let record = rmp_serde::from_slice(record).map_err(|error| Unreadable(error.to_string()))?;
    Ok((Timestamp::from_millis(i64::from_le_bytes(*written)), record))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::machine::Machine;
    use crate::domain::offer::{Offer, Outcome};
    use crate::domain::records::{
        Account, Chunk, Context, Conversation, EmailIndex, Pending, Product, User,
    };
    use crate::domain::session::{Session, TriggerMemory};
    use crate::domain::time::Span;
    use crate::store::record::Record;

    const WRITTEN: Timestamp = Timestamp::from_millis(1_760_000_000_123);

    /// What a record looks like to a version that knows another set of fields.
    fn seen_as<A: Serialize, B: serde::de::DeserializeOwned>(record: &A) -> B {
        let (written, seen) = unpack(&pack(record, WRITTEN).unwrap()).unwrap();
        assert_eq!(written, WRITTEN);
        seen
    }

    fn an_offer() -> Offer {
        let offer = json!({
            "id": "of_1", "trigger": "t", "body": "Need a hand?", "labels": ["Yes"],
            "tour": "create", "conversation": "proactive:ps_1", "made_at": 1, "expires_at": 2,
            "cooldown": 3, "metadata": { "a": [1, -2.5, null, { "b": "ü" }] },
        });
        serde_json::from_value(offer).unwrap()
    }

    fn a_session() -> Session {
        let mut memory = TriggerMemory { fired: Some(WRITTEN), ..TriggerMemory::default() };
        memory.outcomes.insert(Outcome::Dismissed, WRITTEN);
        let action = |started: f64| {
            let action = json!({
                "at": 1, "kind": "click", "title": "Save", "url": "/a", "page": "/a",
                "started": started, "ended": 0.1 + 0.2, "forwarded": 1_760_000_000.123_456_7,
            });
            serde_json::from_value(action).unwrap()
        };
        Session {
            seq: u64::MAX,
            offer: Some(an_offer().into()),
            machine: Machine { dismissals: 2, ..Machine::default() },
            triggers: [("t".into(), memory)].into(),
            batches: [(u64::MAX, WRITTEN)].into(),
            traits: [("plan".into(), json!("free")), ("seats".into(), json!(1.5))].into(),
            actions: [action(1e300), action(-0.0)].into(),
            summary: Some("Looked at invoices".into()),
            ..Session::default()
        }
    }

    #[test]
    fn every_kind_of_record_comes_back_as_it_was() {
        let mut user = User::default();
        user.fired.charge(&"of_1".into(), WRITTEN, Span::from_seconds(60));
        let chunk = Chunk { number: 3, at: WRITTEN, text: "said".into(), summary: true };
        let pending = Pending { batch: Default::default(), last: WRITTEN };
        let context = Context { chunks: [chunk].into(), next: 4, pending: Some(pending.into()) };
        let session = Some("ps_1".into());
        let conversation = Conversation { session: session.clone(), ..Conversation::default() };
        assert_eq!(seen_as::<_, Session>(&a_session()), a_session());
        assert_eq!(seen_as::<_, Context>(&context), context);
        assert_eq!(seen_as::<_, User>(&user), user);
        assert_eq!(seen_as::<_, Product>(&Product::default()), Product::default());
        assert_eq!(seen_as::<_, Conversation>(&conversation), conversation);
        let email = EmailIndex { session, as_of: 0.1 + 0.2 };
        assert_eq!(seen_as::<_, EmailIndex>(&email), email);
    }

    #[test]
    fn a_field_of_a_later_version_is_passed_over() {
        #[derive(Serialize)]
        struct Later {
            mood: Value,
            seq: u64,
            machine: Value,
        }
        let machine = json!({ "dismissals": 2, "patience": { "left": [1, 2] } });
        let later = Later { mood: json!(["new"]), seq: 7, machine };
        let session: Session = seen_as(&later);
        let machine = Machine { dismissals: 2, ..Machine::default() };
        assert_eq!(session, Session { seq: 7, machine, ..Session::default() });
    }

    #[test]
    fn a_field_that_an_earlier_version_did_not_write_keeps_its_default() {
        #[derive(Serialize, Deserialize)]
        struct Earlier {
            seq: u64,
        }
        let sessions = Session { seq: 7, ..Session::default() };
        assert_eq!(seen_as::<_, Session>(&Earlier { seq: 7 }), sessions);
        assert_eq!(seen_as::<_, User>(&Earlier { seq: 7 }), User { seq: 7, ..User::default() });
        assert_eq!(seen_as::<_, Earlier>(&a_session()).seq, u64::MAX, "and back");
        let nothing = json!({});
        assert_eq!(seen_as::<_, Account>(&nothing), Account::default());
        assert_eq!(seen_as::<_, Product>(&nothing), Product::default());
        assert_eq!(seen_as::<_, Conversation>(&nothing), Conversation::default());
        assert_eq!(seen_as::<_, Context>(&nothing), Context::default());
        assert_eq!(seen_as::<_, EmailIndex>(&nothing), EmailIndex::default());
    }

    /// Every record with every field of the first version that wrote any. A field that comes to
    /// one of these must have a default.
    #[test]
    fn what_the_first_version_wrote_is_read() {
        let offer = json!({
            "id": "of_1", "trigger": "t", "body": "B", "labels": ["Y"], "tour": null,
            "conversation": "proactive:s", "made_at": 1, "expires_at": 2, "cooldown": 3,
            "metadata": {},
        });
        let session = json!({
            "seq": 1, "offer": offer,
            "place": { "page": "/a", "url": "/a", "title": "A", "since": 1 },
            "triggers": { "t": { "fired": 1, "rests_until": 2, "outcomes": { "shown": 1 } } },
            "actions": [{ "at": 1, "kind": "click", "title": "A", "url": "/a", "page": "/a",
                "started": 0.5, "ended": 0.5, "forwarded": 0.5 }],
        });
        let read: Session = seen_as(&session);
        assert_eq!((read.actions.len(), read.offer.is_some(), read.page()), (1, true, "/a"));
        assert_eq!(read.triggers.len(), 1);
        let context = json!({
            "chunks": [{ "number": 1, "at": 1, "text": "said", "summary": false }],
            "pending": { "batch": {}, "last": 1 },
        });
        let read: Context = seen_as(&context);
        assert!(read.chunks.len() == 1 && read.pending.is_some());
    }

    #[test]
    fn what_was_read_back_weighs_what_it_weighed() {
        let mut shared = a_session();
        shared.share();
        let mut back: Session = seen_as(&shared);
        assert!(back.weigh() > shared.weigh());
        back.share();
        assert!(back.weigh() <= shared.weigh(), "{} {}", back.weigh(), shared.weigh());
    }

    #[test]
    fn bytes_that_are_no_record_are_refused() {
        let whole = pack(&a_session(), WRITTEN).unwrap();
        for length in 0..whole.len() {
            let part = whole.get(..length).unwrap();
            assert!(unpack::<Session>(part).is_err(), "{length}");
        }
    }
}

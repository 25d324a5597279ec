//! Batches as JSON: of each action what rules read, under short names.

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::domain::action::{Batch, Delivery, RawAction, Summary, Trust};
use crate::engine::tape::Batched;

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Message {
    /// Whether it was not believed who is who.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    browser: bool,
    /// The user a session token vouched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<Arc<str>>,
    /// The identity under which duplicates are told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    /// Whether it was a duplicate, which tells nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dup: bool,
    /// The product's own id of the person, as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// Their address, as a pseudonym.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// The chat thread, as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    chat: Option<String>,
    /// What was said of the person, by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    traits: Map<String, Value>,
    /// Their company or workspace, as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// What was said of that, by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    account_traits: Map<String, Value>,
    /// The browser's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    /// The browser's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    /// When it was sent, by the sender's clock.
    #[serde(skip_serializing_if = "is_never")]
    fwd: f64,
    /// What they did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acts: Vec<Act>,
    /// A summary in the place of actions.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    /// How many actions a summary stands for.
    #[serde(skip_serializing_if = "is_none_replaced")]
    replaces: i64,
}

/// An action: type, title, URL, start, end, properties.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Act {
    /// The type.
    #[serde(skip_serializing_if = "String::is_empty")]
    k: String,
    /// The title.
    #[serde(skip_serializing_if = "String::is_empty")]
    t: String,
    /// The canonical URL; values of its query as hashes, but for those that rules read.
    #[serde(skip_serializing_if = "String::is_empty")]
    u: String,
    /// The URL as it was before, where there is no canonical one.
    #[serde(skip_serializing_if = "String::is_empty")]
    raw: String,
    /// When it began, by the sender's clock.
    #[serde(skip_serializing_if = "is_never")]
    s: f64,
    /// When it ended, by the sender's clock.
    #[serde(skip_serializing_if = "is_never")]
    e: f64,
    /// What else was told of it, by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    p: Map<String, Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_never(seconds: &f64) -> bool {
    *seconds == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_none_replaced(actions: &i64) -> bool {
    *actions == 0
}

impl Serialize for Batched {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut message = match &self.delivery {
            None => Message { dup: true, ..Message::default() },
            Some(Delivery::Actions(batch)) => of_actions(batch),
            Some(Delivery::Summary(summary)) => Message {
                summary: Some(summary.text.clone()),
                replaces: summary.replaces,
                fwd: summary.forwarded_at,
                ..Message::default()
            },
        };
        message.browser = self.trust == Trust::Browser;
        message.who.clone_from(&self.voucher);
        message.id = self.identity;
        message.serialize(serializer)
    }
}

fn of_actions(batch: &Batch) -> Message {
    let act = |action: &RawAction| Act {
        k: action.kind.clone(),
        t: action.title.clone(),
        u: action.canonical_url.clone(),
        // Read where there is no canonical one.
        raw: if action.canonical_url.is_empty() { action.raw_url.clone() } else { String::new() },
        s: action.timestamp_start,
        e: action.timestamp_end,
        p: action.properties.clone(),
    };
    Message {
        user: batch.user_id.clone(),
        email: batch.email.clone(),
        chat: batch.conversation_id.clone(),
        traits: batch.traits.clone(),
        account: batch.account_id.clone(),
        account_traits: batch.account_traits.clone(),
        locale: batch.locale.clone(),
        zone: batch.timezone.clone(),
        fwd: batch.forwarded_at,
        acts: batch.actions.iter().map(act).collect(),
        ..Message::default()
    }
}

impl<'de> Deserialize<'de> for Batched {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let message = Message::deserialize(deserializer)?;
        let (identity, voucher) = (message.id, message.who.clone());
        let trust = if message.browser { Trust::Browser } else { Trust::Trusted };
        if message.dup && !(message.acts.is_empty() && message.summary.is_none()) {
            return Err(D::Error::custom("a duplicate tells nothing"));
        }
        let delivery = (!message.dup).then(|| message.delivery());
        Ok(Self { delivery, identity, trust, voucher })
    }
}

impl Batched {
    /// Says whose session it is, which a line says once.
    pub(super) fn of_session(&mut self, id: &str) {
        match &mut self.delivery {
            None => {}
            Some(Delivery::Actions(batch)) => batch.session_id = Some(id.to_owned()),
            Some(Delivery::Summary(summary)) => summary.session_id = Some(id.to_owned()),
        }
    }
}

impl Message {
    fn delivery(self) -> Delivery {
        let session_id = None;
        if let Some(text) = self.summary {
            let (replaces, forwarded_at) = (self.replaces, self.fwd);
            return Delivery::Summary(Summary { session_id, text, replaces, forwarded_at });
        }
        let action = |(index, act): (i64, Act)| RawAction {
            title: act.t,
            description: String::new(),
            canonical_url: act.u,
            raw_url: act.raw,
            index,
            kind: act.k,
            timestamp_start: act.s,
            timestamp_end: act.e,
            properties: act.p,
        };
        Delivery::Actions(Batch {
            session_id,
            user_id: self.user,
            email: self.email,
            conversation_id: self.chat,
            actions: (0..).zip(self.acts).map(action).collect(),
            traits: self.traits,
            account_id: self.account,
            account_traits: self.account_traits,
            locale: self.locale,
            timezone: self.zone,
            forwarded_at: self.fwd,
        })
    }
}

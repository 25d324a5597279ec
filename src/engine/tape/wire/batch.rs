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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    browser: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dup: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    traits: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    account_traits: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    #[serde(skip_serializing_if = "is_never")]
    fwd: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acts: Vec<Act>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "is_none_replaced")]
    replaces: i64,
}

/// An action: type, title, URL, start, end, properties.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Act {
    #[serde(skip_serializing_if = "String::is_empty")]
    k: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    t: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    u: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    raw: String,
    #[serde(skip_serializing_if = "is_never")]
    s: f64,
    #[serde(skip_serializing_if = "is_never")]
    e: f64,
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

//! Advancing: a delivery becomes part of a session. Applied twice it counts once.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::action::{Action, Batch, Delivery, RawAction, Summary, Trust};
use crate::domain::goal::OpenGoal;
use crate::domain::page::{page_of, without_query};
use crate::domain::properties::Properties;
use crate::domain::records::Context;
use crate::domain::session::{BATCHES_KEPT, Place, Session};
use crate::domain::text::{Shared, first_bytes};
use crate::domain::time::{Span, Timestamp};
use crate::domain::traits::learn;
use crate::engine::memory::{wipe, wiped};
use crate::engine::{context, goals};
use crate::rulebook::Product;
use crate::rulebook::settings::ProductSettings;

/// A message seen within this time is a duplicate (contract 2.6).
const DUPLICATE_WITHIN: Span = Span::from_seconds(300);
/// A sender's clock is believed this far back.
const CLOCK_BELIEVED: Span = Span::from_seconds(600);
/// The summary that rules can read, in bytes.
const SUMMARY_BYTES: usize = 2 << 10;
/// The texts of a session's actions, in bytes: all that rules need of an hour, and no more than a
/// poll may load.
const ACTIVITY_BYTES: usize = 16 << 10;
/// Equal texts are looked for in this many recent actions.
const SHARE_WITHIN: usize = 16;

/// What a delivery came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// Seen before; nothing changed.
    pub duplicate: bool,
    /// Actions taken.
    pub accepted: usize,
    /// Goals of earlier offers that these actions reached.
    pub reached: Vec<OpenGoal>,
}

impl Advanced {
    /// `accepted` or `duplicate`, for metrics.
    pub const fn result(&self) -> &'static str {
        if self.duplicate { "duplicate" } else { "accepted" }
    }
}

/// A delivery with what its receiver knows of it.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The message.
    pub delivery: &'a Delivery,
    /// Its identity, see [`crate::engine::identity::identity`].
    pub identity: Option<u64>,
    /// How far it is believed.
    pub trust: Trust,
    /// The user a session token vouches for.
    pub voucher: Option<&'a str>,
    /// Actions kept of one batch; the oldest go.
    pub most_actions: usize,
}

impl Received<'_> {
    /// How many of the session's newest actions may be remembered of its person: all when they have
    /// just become known, else those of this delivery, where somebody vouches for them.
    pub fn vouched_actions(&self, accepted: usize, is_new: bool) -> usize {
        match self.trust == Trust::Trusted || self.voucher.is_some() {
            _ if is_new => usize::MAX,
            true => accepted,
            false => 0,
        }
    }
}

/// Takes a delivery into a session and its context.
pub fn advance(
    settings: &ProductSettings,
    session: &mut Session,
    context: &mut Context,
    received: &Received<'_>,
    now: Timestamp,
) -> Advanced {
    let advanced = advance_session(settings, session, received, now);
    tell(settings, context, received, &advanced, now);
    advanced
}

/// Takes what a session took into the texts for a chatbot, too.
pub fn tell(
    settings: &ProductSettings,
    context: &mut Context,
    received: &Received<'_>,
    advanced: &Advanced,
    now: Timestamp,
) {
    match (received.delivery, received.trust) {
        _ if advanced.duplicate => {}
        (Delivery::Actions(batch), _) => context::append(context, batch, &settings.retrieval, now),
        (Delivery::Summary(summary), Trust::Trusted) => {
            context::append_summary(context, &summary.text, &settings.retrieval, now);
        }
        (Delivery::Summary(_), Trust::Browser) => {}
    }
}

/// Takes a delivery into a session and makes void what it says is over, as a product's rules have
/// it. The texts for a chatbot are left alone.
pub fn take(
    product: &Product,
    session: &mut Session,
    received: &Received<'_>,
    now: Timestamp,
) -> Advanced {
    let advanced = advance_session(&product.settings, session, received, now);
    if !advanced.duplicate {
        wipe(&mut session.triggers, wiped(product, received.delivery), now);
    }
    advanced
}

fn advance_session(
    settings: &ProductSettings,
    session: &mut Session,
    received: &Received<'_>,
    now: Timestamp,
) -> Advanced {
    if received.identity.is_some_and(|id| seen(session, id, now)) {
        return Advanced { duplicate: true, ..Advanced::default() };
    }
    session.seq += 1;
    session.identity.bind(received.voucher);
    match received.delivery {
        Delivery::Actions(batch) => take_batch(settings, session, received, batch, now),
        Delivery::Summary(summary) => take_summary(session, received.trust, summary),
    }
}

/// Whether this identity was seen of late; notes it if not.
fn seen(session: &mut Session, id: u64, now: Timestamp) -> bool {
    session.batches.retain(|(_, at)| now.since(*at) < DUPLICATE_WITHIN);
    if session.batches.iter().any(|(known, _)| *known == id) {
        return true;
    }
    if session.batches.len() == BATCHES_KEPT {
        session.batches.pop_front();
    }
    session.batches.push_back((id, now));
    false
}

fn take_batch(
    settings: &ProductSettings,
    session: &mut Session,
    received: &Received<'_>,
    batch: &Batch,
    now: Timestamp,
) -> Advanced {
    if received.trust == Trust::Trusted {
        identify(session, batch);
    }
    note(&mut session.locale, batch.locale.as_ref());
    note(&mut session.timezone, batch.timezone.as_ref());
    let forwarded = if batch.forwarded_at == 0.0 { now.as_seconds() } else { batch.forwarded_at };
    let skip = batch.actions.len().saturating_sub(received.most_actions);
    let taken = batch.actions.iter().skip(skip);
    let mut advanced = Advanced::default();
    for raw in taken {
        let at = take_action(session, raw, forwarded, now);
        goals::reach(session, &raw.kind, at, &mut advanced.reached);
        advanced.accepted += 1;
    }
    prune(settings, session, now);
    advanced
}

fn take_summary(session: &mut Session, trust: Trust, summary: &Summary) -> Advanced {
    if trust == Trust::Trusted {
        session.summary = Some(first_bytes(&summary.text, SUMMARY_BYTES).into());
    }
    Advanced::default()
}

fn identify(session: &mut Session, batch: &Batch) {
    let identity = &mut session.identity;
    let user = batch.user_id.as_ref().filter(|_| !identity.bound);
    note(&mut identity.user_id, user);
    note(&mut identity.email, batch.email.as_ref());
    note(&mut identity.account, batch.account_id.as_ref());
    identity.vouched |= batch.user_id.is_some() || batch.email.is_some();
    learn(&mut session.traits, &batch.traits);
}

/// Takes what was said, where something was.
fn note(known: &mut Option<Arc<str>>, said: Option<&String>) {
    if let Some(said) = said.filter(|said| known.as_deref() != Some(said)) {
        *known = Some(said.as_str().into());
    }
}

/// Takes one action; when it happened.
fn take_action(
    session: &mut Session,
    raw: &RawAction,
    forwarded: f64,
    now: Timestamp,
) -> Timestamp {
    let at = engine_time(raw, session.last_action, now);
    let place = if raw.canonical_url.is_empty() { &raw.raw_url } else { &raw.canonical_url };
    let url = share(session, &raw.canonical_url, |action| &action.url);
    let page = page_of(place);
    let action = Action {
        at,
        kind: share(session, &raw.kind, |action| &action.kind),
        title: share(session, &raw.title, |action| &action.title),
        page: if *page == *url { url.clone() } else { share(session, page, |action| &action.page) },
        url,
        started: raw.timestamp_start,
        ended: raw.timestamp_end,
        forwarded,
        properties: properties(session, raw),
    };
    if session.last_action.is_none() {
        session.first_seen = at;
    }
    let bare = without_query(place);
    let known = [&action.url, &action.page].into_iter().find(|known| ***known == *bare).cloned();
    let url = known.unwrap_or_else(|| {
        let before = session.place.as_ref().filter(|before| *before.url == *bare);
        before.map_or_else(|| bare.into(), |before| before.url.clone())
    });
    arrive(session, &action, url);
    session.last_action = Some(at);
    session.action_count += 1;
    session.actions.push_back(action);
    at
}

/// The sender's clock where it can be right, else the receipt; never before the previous action.
fn engine_time(raw: &RawAction, previous: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let believed = |at: &Timestamp| now.minus(CLOCK_BELIEVED) <= *at && *at <= now;
    let said = Timestamp::from_seconds(raw.timestamp_start).filter(believed).unwrap_or(now);
    previous.map_or(said, |previous| said.max(previous))
}

fn arrive(session: &mut Session, action: &Action, url: Shared) {
    if action.page.is_empty() {
        return;
    }
    let stays = session.place.as_ref().filter(|place| place.page == action.page);
    let since = stays.map_or(action.at, |place| place.since);
    let (page, title) = (action.page.clone(), action.title.clone());
    session.place = Some(Place { page, url, title, since });
}

/// An equal text of a recent action, so that a session holds each once.
fn share(session: &Session, text: &str, of: impl Fn(&Action) -> &Shared) -> Shared {
    let mut recent = session.actions.iter().rev().take(SHARE_WITHIN).map(of);
    recent.find(|known| ***known == *text).map_or_else(|| text.into(), Shared::clone)
}

/// What the action tells besides; shared with a recent action that tells the same.
fn properties(session: &Session, raw: &RawAction) -> Option<Arc<Properties>> {
    let told = Properties::of(&raw.properties)?;
    let recent = session.actions.iter().rev().take(SHARE_WITHIN);
    let mut known = recent.filter_map(|action| action.properties.as_ref());
    Some(known.find(|known| ***known == told).map_or_else(|| Arc::new(told), Arc::clone))
}

/// How many of the oldest actions would have to go for the texts of the rest to fit. What lies in
/// memory is not asked: a session that was read back must be cut as the one that was lived.
fn over_large(session: &Session) -> usize {
    let bytes = |action: &Action| {
        let texts = [&action.kind, &action.title, &action.url, &action.page];
        let told = action.properties.as_ref().map_or(0, |told| told.bytes());
        texts.iter().map(|text| text.len()).sum::<usize>() + told
    };
    if session.actions.iter().map(bytes).sum::<usize>() <= ACTIVITY_BYTES {
        return 0;
    }
    let (mut room, mut newer) = (ACTIVITY_BYTES, HashMap::new());
    let newest = session.actions.iter().rev().enumerate();
    let kept = newest.take_while(|(age, action)| {
        let mut left = Some(room);
        for text in [&action.kind, &action.title, &action.url, &action.page] {
            let shared = newer.insert(&**text, *age).is_some_and(|at| age - at <= SHARE_WITHIN);
            left = left.and_then(|room| room.checked_sub(if shared { 0 } else { text.len() }));
        }
        if let Some(told) = &action.properties {
            let last = session.actions.len() - 1 - age;
            let mut after = session.actions.iter().skip(last + 1).take(SHARE_WITHIN);
            let shared = after.any(|later| later.properties.as_deref() == Some(told));
            left = left.and_then(|room| room.checked_sub(if shared { 0 } else { told.bytes() }));
        }
        room = left.unwrap_or(0);
        left.is_some()
    });
    session.actions.len() - kept.count()
}

fn prune(settings: &ProductSettings, session: &mut Session, now: Timestamp) {
    let oldest = now.minus(settings.activity.keep);
    let gone = session.actions.partition_point(|action| action.at <= oldest);
    let over = session.actions.len().saturating_sub(settings.activity.max_actions);
    let large = over_large(session);
    session.actions.drain(..gone.max(over).max(large));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_do_not_make_a_session_large() {
        let settings = ProductSettings::default();
        let (mut session, mut context) = (Session::default(), Context::default());
        let action = |step: usize| RawAction {
            title: format!("{step} {}", "t".repeat(500)),
            canonical_url: format!("/{step}/{}", "u".repeat(500)),
            properties: [("note".into(), format!("{step} {}", "p".repeat(1_500)).into())]
                .into_iter()
                .collect(),
            ..RawAction::default()
        };
        let batch = Batch { actions: (0..200).map(action).collect(), ..Batch::default() };
        let delivery = Delivery::Actions(batch);
        let (identity, trust, voucher) = (None, Trust::Trusted, None);
        let received =
            Received { delivery: &delivery, identity, trust, voucher, most_actions: 1_000 };
        advance(&settings, &mut session, &mut context, &received, Timestamp::from_millis(9_000));
        let told = |action: &Action| action.properties.as_ref().map_or(0, |told| told.bytes());
        let kept = session.actions.iter();
        let kept = kept.map(|action| action.title.len() + action.url.len() + told(action));
        assert!((1..=ACTIVITY_BYTES).contains(&kept.sum()), "{}", session.actions.len());
        let newest = session.actions.back().map(|action| action.title.starts_with("199 "));
        assert_eq!(newest, Some(true));
    }
}

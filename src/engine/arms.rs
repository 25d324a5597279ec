//! Arms: who is in a trigger's rollout, who in a control group, and who sees which variant. All by
//! buckets, so that nobody's lot changes by itself.

use std::borrow::Cow;

use crate::domain::bucket::{BUCKETS, Draw, Share};
use crate::domain::decision::Hold;
use crate::domain::session::{Identity, Session};
use crate::domain::time::Timestamp;
use crate::engine::around::{Around, Lot};
use crate::engine::gates::{Facts, Refused};
use crate::engine::pseudonym::{in_text, of_email};
use crate::engine::standing::Match;
use crate::rulebook::arms::{Arms, Unit, Variant};
use crate::rulebook::rule::Rule;

/// Whom a draw is for; nobody where that is not known.
/// An e-mail address counts as its pseudonym, so that a recording, which tells no other, draws alike.
fn unit<'a>(by: Unit, identity: &'a Identity, session: Option<&'a str>) -> Option<Cow<'a, str>> {
    let name = match by {
        Unit::User => match identity.user_key() {
            Some(email) if identity.user_id.is_none() => return Some(of_email(email).into()),
            known => known.map(|key| &**key).or(session),
        },
        Unit::Session => session,
        Unit::Account => identity.account.as_deref(),
    };
    name.map(in_text)
}

fn bucket(asked: &Match<'_>, draw: Draw, trigger: &str, by: Unit) -> Option<u16> {
    let Facts { session, around, .. } = *asked.facts;
    drawn(around.lot, draw, || {
        Some(draw.bucket(trigger, &unit(by, &session.identity, around.session.as_deref())?))
    })
}

fn drawn(lot: Lot, draw: Draw, hashed: impl FnOnce() -> Option<u16>) -> Option<u16> {
    match (lot, draw) {
        (Lot::Drawn, _) => hashed(),
        (Lot::Pinned(bucket), _) => Some(bucket),
        (Lot::Included, Draw::Rollout | Draw::Variant) => Some(0),
        (Lot::Included, Draw::Holdout) => Some(BUCKETS - 1),
    }
}

fn refuse(hold: Hold, until: Timestamp) -> Result<(), Refused> {
    Err(Refused::new(hold, until))
}

/// Whoever cannot be told apart is out, never in by chance.
pub(super) fn rollout(asked: &Match<'_>) -> Result<(), Refused> {
    let Arms { rollout, by, .. } = asked.rule.arms;
    if rollout == Share::EVERYBODY && by != Unit::Account {
        return Ok(());
    }
    let bucket = bucket(asked, Draw::Rollout, &asked.rule.id, by);
    if bucket.is_some_and(|bucket| rollout.holds(bucket)) {
        return Ok(());
    }
    refuse(Hold::RolloutOut, Timestamp::FOREVER)
}

/// The last of all gates, so that whom it holds would really have been offered something. A shadow
/// is offered to nobody anyway.
pub(super) fn holdout(asked: &Match<'_>) -> Result<(), Refused> {
    if asked.is_shadow() {
        return Ok(());
    }
    let held = |share: Share, trigger: &str, by: Unit| {
        share != Share::NOBODY
            && bucket(asked, Draw::Holdout, trigger, by).is_some_and(|bucket| share.holds(bucket))
    };
    let product = asked.product.settings.holdout;
    let ends = product.until.unwrap_or(Timestamp::FOREVER);
    if asked.facts.now < ends && held(product.percent, "", Unit::User) {
        return refuse(Hold::HoldoutGlobal, ends);
    }
    if held(asked.rule.arms.holdout, &asked.rule.id, asked.rule.arms.by) {
        return refuse(Hold::HoldoutTrigger, Timestamp::FOREVER);
    }
    Ok(())
}

/// The variant that this person sees; `None` where the rule has none.
pub fn variant<'r>(
    rule: &'r Rule,
    (session, around): (&Session, &Around),
    session_id: &str,
) -> Option<&'r Variant> {
    let variants = &rule.offer.variants;
    if variants.is_empty() {
        return None;
    }
    let bucket = drawn(around.lot, Draw::Variant, || {
        let unit = unit(rule.arms.by, &session.identity, Some(session_id))?;
        Some(Draw::Variant.bucket(&rule.id, &unit))
    });
    Variant::of(variants, bucket?)
}

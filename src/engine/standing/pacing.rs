//! A rule's pacing as gates: what an answer led to, frequency caps and exclusive groups.

use crate::domain::decision::Hold;
use crate::domain::tally::{Capped, Per, Tallies};
use crate::domain::time::Timestamp;
use crate::engine::charge::counted;
use crate::engine::gates::{Facts, Refused};
use crate::engine::ghosts::counts;
use crate::engine::memory::backs_off_until;
use crate::engine::standing::{Match, refuse};

/// The person turned the trigger down, took it or finished it not long ago: here, or anywhere.
pub(super) fn backoff(asked: &Match<'_>) -> Result<(), Refused> {
    let Facts { session, around, now, .. } = *asked.facts;
    let (id, backoff) = (&asked.rule.id, &asked.rule.pacing.backoff);
    if backoff.is_none() {
        return Ok(());
    }
    let elsewhere = around.user.as_ref().and_then(|user| user.triggers.get(id));
    let memories = [session.triggers.get(id), elsewhere].into_iter().flatten();
    let until = memories.filter_map(|memory| backs_off_until(backoff, memory, now)).max();
    until.map_or(Ok(()), |until| refuse(Hold::Backoff, until))
}

/// A cap that is reached; of several, the one that refuses longest is named.
pub(super) fn frequency(asked: &Match<'_>) -> Result<(), Refused> {
    let Facts { session, around, now, .. } = *asked.facts;
    let mut strictest: Option<(Timestamp, Capped)> = None;
    for place in asked.rule.pacing.caps.iter().copied() {
        let Some(cap) = asked.product.caps.get(place) else { continue };
        let counted = counted(cap.per, &session.identity);
        let tallies = match counted {
            Per::Session => Some(&session.tallies),
            Per::User => around.user.as_ref().map(|user| &user.tallies),
            Per::Account => around.account.as_ref().map(|account| &account.tallies),
            Per::Product => around.tallies.as_ref(),
        };
        let mut ghosts = counts(asked, counted).peekable();
        let full = match ghosts.peek() {
            None => tallies.and_then(|tallies| tallies.full_until(cap.bound(), now)),
            Some(_) => {
                let all: Vec<_> = tallies.into_iter().chain(ghosts).collect();
                Tallies::full_until_together(&all, cap.bound(), now)
            }
        };
        if let Some(until) = full
            && strictest.is_none_or(|(longest, _)| longest < until)
        {
            strictest = Some((until, Capped { place, counted }));
        }
    }
    strictest.map_or(Ok(()), |(until, cap)| {
        Err(Refused { hold: Hold::Frequency, until, cap: Some(cap) })
    })
}

/// Another offer of the rule's group is live: in this session, or in another of the person's.
pub(super) fn group(asked: &Match<'_>) -> Result<(), Refused> {
    let Facts { session, around, now, .. } = *asked.facts;
    let Some(group) = &asked.rule.pacing.group else { return Ok(()) };
    let elsewhere = around.user.as_ref().map(|user| &user.groups);
    let groups = [Some(&session.groups), elsewhere].into_iter().flatten();
    let until = groups.filter_map(|groups| groups.busy_until(group, now)).max();
    until.map_or(Ok(()), |until| refuse(Hold::GroupBusy, until))
}

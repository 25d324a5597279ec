//! Replay: recorded sessions lived through under a rulebook, with the recorded times. The same
//! `advance`, `decide`, claims and `commit` as at run time; pure, so that the caller may spread
//! groups of sessions over threads.

pub mod answers;
pub mod compare;
pub mod figures;
pub mod recording;
mod seat;
mod stage;

use std::sync::Arc;

use crate::domain::offer::Offer;
use crate::domain::time::{Span, Timestamp};
use crate::engine::replay::answers::Assume;
use crate::engine::replay::recording::Recorded;
use crate::engine::replay::stage::Stage;
use crate::rulebook::Product;
use crate::rulebook::settings::Limits;

/// How recordings are lived through.
#[derive(Clone, Copy, Debug)]
pub struct Play<'a> {
    /// The rules.
    pub product: &'a Product,
    /// How long activity and ledgers live, and how many actions of a batch count.
    pub limits: &'a Limits,
    /// What becomes of offers.
    pub assume: Assume,
    /// A front end whose polls are not recorded polls after each batch, and this often …
    pub poll_every: Span,
    /// … until so long after a batch.
    pub linger: Span,
}

/// What one session came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Played {
    /// Offers made, oldest first; without those to testers.
    pub firings: Vec<Firing>,
    /// Rules that would have made an offer, were they live or the person in no control group.
    pub ghosts: Vec<Arc<str>>,
    /// What kept rules back that matched; each spell of silence once.
    pub held: Vec<Held>,
}

/// An offer that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Firing {
    /// When.
    pub at: Timestamp,
    /// By which rule.
    pub trigger: Arc<str>,
    /// What it offers.
    pub copy: Said,
}

/// What an offer says and does.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The toast's words.
    pub body: Arc<str>,
    /// Its buttons.
    pub labels: Vec<Arc<str>>,
    /// The tour behind the first.
    pub tour: Option<Arc<str>>,
    /// Which variant it is.
    pub variant: Option<Arc<str>>,
}

impl Firing {
    fn of(offer: &Offer) -> Self {
        let Offer { body, labels, tour, variant, .. } = offer.clone();
        let copy = Said { body, labels, tour, variant };
        Self { at: offer.made_at, trigger: Arc::clone(&offer.trigger), copy }
    }
}

/// A rule that matched and was kept back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The rule.
    pub trigger: Arc<str>,
    /// The skip reason.
    pub reason: Arc<str>,
}

/// Lives through sessions that may bear on each other, in time order; what each came to, in the
/// order given.
pub fn replay(play: Play<'_>, group: &[&Recorded]) -> Vec<Played> {
    Stage::run(play, group)
}

//! Gates: may anything be offered at all? They look at the session, its surroundings and the time,
//! never at rules. The first that refuses names the hold.

use crate::domain::consent::Consent;
use crate::domain::decision::Hold;
use crate::domain::machine::{AgentState, Machine};
use crate::domain::session::Session;
use crate::domain::tally::Capped;
use crate::domain::time::{Span, Timestamp};
use crate::engine::around::{Around, Scope};
use crate::engine::ghosts::withheld;
use crate::rulebook::settings::Proactive;

/// The session quota's window.
pub const HOUR: Span = Span::from_seconds(3_600);
/// The product quota's window.
pub const MINUTE: Span = Span::from_seconds(60);
/// The user quota's window.
pub const DAY: Span = Span::from_seconds(86_400);

/// A refusal and until when it stands without new activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub hold: Hold,
    /// Lifts exactly then.
    pub until: Timestamp,
    /// The cap that refuses, where one does.
    pub cap: Option<Capped>,
}

impl Refused {
    /// A refusal that no cap is the reason of.
    pub const fn new(hold: Hold, until: Timestamp) -> Self {
        Self { hold, until, cap: None }
    }
}

/// What every gate looks at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The product's gate settings.
    pub settings: &'a Proactive,
    /// The session, settled.
    pub session: &'a Session,
    /// What lives outside it.
    pub around: &'a Around,
    /// The asked-about machine, settled.
    pub machine: &'a Machine,
    /// Whether this is a tester's session.
    pub tester: bool,
    /// The instant of the question.
    pub now: Timestamp,
}

/// A gate: passes, or refuses and says until when.
pub type Gate = fn(&Facts<'_>) -> Result<(), Refused>;

/// The gates in order, with their names.
pub const GATES: &[(&str, Gate)] = &[
    ("scope", scope),
    ("enabled", enabled),
    ("consent", consent),
    ("state", state),
    ("circuit", circuit),
    ("min_interval", min_interval),
    ("holdout", withheld),
    ("product_quota", product_quota),
    ("personal_quotas", personal_quotas),
];

fn refuse(hold: Hold, until: Timestamp) -> Result<(), Refused> {
    Err(Refused::new(hold, until))
}

fn refuse_until(hold: Hold, until: Option<Timestamp>) -> Result<(), Refused> {
    until.map_or(Ok(()), |until| refuse(hold, until))
}

fn scope(facts: &Facts<'_>) -> Result<(), Refused> {
    match facts.around.scope {
        Scope::Invalid => refuse(Hold::ScopeInvalid, Timestamp::FOREVER),
        Scope::Own | Scope::Foreign { .. } => Ok(()),
    }
}

fn enabled(facts: &Facts<'_>) -> Result<(), Refused> {
    if !facts.settings.enabled {
        return refuse(Hold::NotEnabled, Timestamp::FOREVER);
    }
    let paused = facts.around.paused_until.filter(|until| facts.now < *until);
    refuse_until(Hold::NotEnabled, paused)
}

fn consent(facts: &Facts<'_>) -> Result<(), Refused> {
    let Around { user, consent, .. } = facts.around;
    let person = user.as_ref().and_then(|user| user.consent).max(*consent);
    if Consent::is_denied(facts.session.consent, person) {
        return refuse(Hold::ConsentDenied, Timestamp::FOREVER);
    }
    Ok(())
}

fn state(facts: &Facts<'_>) -> Result<(), Refused> {
    let hold = match facts.machine.state {
        AgentState::Thinking => return Ok(()),
        AgentState::ConservativeAssistance => Hold::ConservativeCooldown,
        AgentState::ReactiveAssistance
        | AgentState::ProactiveAssistance
        | AgentState::GuidanceExecution => Hold::WrongState,
    };
    refuse(hold, facts.machine.until.unwrap_or(Timestamp::FOREVER))
}

fn circuit(facts: &Facts<'_>) -> Result<(), Refused> {
    let open = facts.around.circuit_until.filter(|until| facts.now < *until);
    refuse_until(Hold::CircuitOpen, open)
}

fn min_interval(facts: &Facts<'_>) -> Result<(), Refused> {
    let ready = facts.session.last_fired.map(|fired| fired.plus(facts.settings.min_interval));
    refuse_until(Hold::MinInterval, ready.filter(|ready| facts.now < *ready))
}

fn product_quota(facts: &Facts<'_>) -> Result<(), Refused> {
    let full = facts.around.product_full_until.filter(|until| facts.now < *until);
    refuse_until(Hold::ProductPerMinute, full)
}

fn personal_quotas(facts: &Facts<'_>) -> Result<(), Refused> {
    let quotas = facts.settings.quotas;
    let session = facts.session.fired.full_until(quotas.session_per_hour, HOUR, facts.now);
    refuse_until(Hold::SessionPerHour, session)?;
    let user = facts.around.user.as_ref();
    let user = user.and_then(|user| user.fired.full_until(quotas.user_per_day, DAY, facts.now));
    refuse_until(Hold::UserPerDay, user)
}

//! Testers: people of the product's own who see what is being written. What spaces offers out does
//! not hold them back, and they stay out of the figures; everything else is as for anybody, so that
//! what they see is true.

use crate::domain::decision::Hold;
use crate::domain::session::Identity;
use crate::domain::text::is_same_name;
use crate::engine::gates::Refused;
use crate::engine::pseudonym::{is_alike, is_pseudonym, of_email};
use crate::rulebook::Product;
use crate::rulebook::rule::Mode;

/// Whether this session is a tester's. E-mail and user id count only when somebody vouched for
/// them; a session's id is a secret of its browser and counts as it is.
pub fn is_tester(product: &Product, session: Option<&str>, identity: &Identity) -> bool {
    let (user, email) = (identity.user_id.as_deref(), identity.email.as_deref());
    let vouched = |name: &str| {
        let is_theirs = |email: &str| {
            is_same_name(name, email)
                || (is_pseudonym(email) && email.eq_ignore_ascii_case(&of_email(name)))
        };
        user.is_some_and(|user| is_alike(name, user)) || email.is_some_and(is_theirs)
    };
    let named = |name: &str| {
        session.is_some_and(|session| is_alike(name, session))
            || (identity.vouched && vouched(name))
    };
    product.settings.testers.iter().any(|name| named(name))
}

/// Whether a rule in this mode is asked.
pub const fn is_asked(mode: Mode, tester: bool) -> bool {
    match mode {
        Mode::Live | Mode::Shadow => true,
        Mode::Draft => tester,
        Mode::Paused => false,
    }
}

/// What a gate said, as it counts for this person.
pub fn heard(tester: bool, outcome: Result<(), Refused>) -> Result<(), Refused> {
    outcome.or_else(|refused| if tester && spaces(refused.hold) { Ok(()) } else { Err(refused) })
}

/// Whether a hold is there to space offers out, or to choose who gets them.
const fn spaces(hold: Hold) -> bool {
    match hold {
        Hold::ConservativeCooldown
        | Hold::MinInterval
        | Hold::ProductPerMinute
        | Hold::SessionPerHour
        | Hold::UserPerDay
        | Hold::TriggerCooldown
        | Hold::Backoff
        | Hold::Frequency
        | Hold::RolloutOut
        | Hold::HoldoutTrigger
        | Hold::HoldoutGlobal => true,
        Hold::ScopeInvalid
        | Hold::NotEnabled
        | Hold::ConsentDenied
        | Hold::WrongState
        | Hold::CircuitOpen
        | Hold::NoTrigger
        | Hold::ScheduleNotStarted
        | Hold::ScheduleEnded
        | Hold::ScheduleClosed
        | Hold::QuietHours
        | Hold::GroupBusy
        | Hold::TargetUnhealthy
        | Hold::MissingVariable
        | Hold::JudgePending
        | Hold::JudgeRejected
        | Hold::EvaluationError => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::Sources;
    use crate::rulebook::compile::compile;

    #[test]
    fn a_name_counts_once_somebody_vouched_for_it() {
        let text = "version: 1\nproducts: { acme: { testers: [ann@acme.test, u_17, ps_demo] } }\n";
        let files = [("docent.yaml".to_owned(), text.as_bytes().to_vec())].into();
        let rulebook = compile(&Sources { files }, &|_| None).0.unwrap();
        let identity = |user: &str, email: &str, vouched| Identity {
            user_id: Some(user.into()),
            email: Some(email.into()),
            vouched,
            ..Identity::default()
        };
        for (session, user, email, vouched, expected) in [
            ("ps_1", "u_17", "", true, true),
            ("ps_1", "u_17", "", false, false),
            ("ps_1", "U_17", "", true, false),
            ("ps_1", "", "Ann@Acme.test", true, true),
            ("ps_1", "", "ann@acme.test", false, false),
            ("ps_1", "ps_demo", "ps_demo", false, false),
            ("ps_demo", "u_1", "bob@acme.test", false, true),
            ("ps_1", "u_1", "bob@acme.test", true, false),
        ] {
            let identity = identity(user, email, vouched);
            let found = is_tester(&rulebook.products["acme"], Some(session), &identity);
            assert_eq!(found, expected, "{session} {user} {email} {vouched}");
        }
    }
}

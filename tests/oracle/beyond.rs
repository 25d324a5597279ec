//! What is remembered beyond the session: counted across sessions, of accounts, of offers.

use docent::domain::offer::Outcome;
use docent::domain::session::TriggerMemory;
use docent::domain::time::{Span, Timestamp};
use rhai::{Dynamic, Engine};

use crate::oracle::{Oracle, typed};

impl Oracle {
    fn is_known(&self) -> bool {
        self.0.identity.user_id.is_some()
    }

    fn happened(&self, what: &str, after: Timestamp) -> i64 {
        let known = self.2.0.happened.get(what).into_iter().flatten();
        known.filter(|one| after < one.at && one.at <= self.1).count() as i64
    }

    fn user_count(&self, kind: &str, window: &str, default: i64) -> i64 {
        let start = self.1.minus(Span::parse(window).unwrap());
        if self.is_known() { self.happened(kind, start) } else { default }
    }

    fn user_first_time(&self, step: &str, default: bool) -> bool {
        if !self.is_known() {
            return default;
        }
        if !self.first_time(step, true) {
            return false;
        }
        match self.happened(step, Timestamp::default()) {
            0 => default,
            count => count == 1,
        }
    }

    fn was_seen(&self, trigger: &str, outcome: &str, window: Option<&str>) -> bool {
        let when = |memory: &TriggerMemory| match outcome {
            "offered" => memory.fired,
            name => memory.outcomes.get(&Outcome::named(name).unwrap()).copied(),
        };
        let start = window.map(|window| self.1.minus(Span::parse(window).unwrap()));
        let memories = [self.0.triggers.get(trigger), self.2.0.triggers.get(trigger)];
        let mut times = memories.into_iter().flatten().filter_map(when);
        times.any(|at| start.is_none_or(|start| at > start))
    }
}

pub(crate) fn register(engine: &mut Engine) {
    engine.register_fn("user_count", |o: &mut Oracle, kind: &str, window: &str, default: i64| {
        o.user_count(kind, window, default)
    });
    engine.register_fn("user_first_time", |o: &mut Oracle, step: &str, default: bool| {
        o.user_first_time(step, default)
    });
    engine.register_fn("has_trait", |o: &mut Oracle, name: &str| o.0.traits.contains_key(name));
    engine.register_fn("has_account_trait", |o: &mut Oracle, name: &str| {
        o.2.1.traits.contains_key(name)
    });
    engine.register_fn("account_trait", |o: &mut Oracle, name: &str, default: Dynamic| {
        typed(o.2.1.traits.get(name), default)
    });
    engine
        .register_fn("seen", |o: &mut Oracle, trigger: &str| o.was_seen(trigger, "offered", None));
    engine.register_fn("seen", |o: &mut Oracle, trigger: &str, outcome: &str| {
        o.was_seen(trigger, outcome, None)
    });
    engine.register_fn("seen", |o: &mut Oracle, trigger: &str, outcome: &str, window: &str| {
        o.was_seen(trigger, outcome, Some(window))
    });
}

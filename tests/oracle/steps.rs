//! Sequences, by trying every action as every step.

use docent::domain::action::Action;
use docent::domain::page::PagePattern;
use docent::domain::time::{Span, Timestamp};
use rhai::{Array, Engine};

use crate::oracle::Oracle;

impl Oracle {
    /// Whether the action of this number is what the step asks for.
    pub(crate) fn meets(&self, number: usize, step: &str) -> bool {
        let all = self.seen();
        let action: &Action = all[number];
        if !step.starts_with('/') {
            return *step == *action.kind;
        }
        let before = all[..number].iter().rev().find(|action| !action.page.is_empty());
        let arrives = before.is_none_or(|before| before.page != action.page);
        !action.page.is_empty() && arrives && PagePattern::new(step).matches(&action.page)
    }

    /// Numbers of the actions in the window and after the newest void, oldest first.
    fn candidates(&self, window: &str, until: Option<&str>) -> Vec<usize> {
        let start = self.1.minus(Span::parse(window).unwrap());
        let all = self.seen();
        let numbers = 0..all.len();
        let void = until.and_then(|until| numbers.clone().rfind(|n| self.meets(*n, until)));
        let counts = |n: &usize| all[*n].at > start && void.is_none_or(|void| *n > void);
        numbers.filter(counts).collect()
    }

    /// Numbers of the actions that may be the last of these steps.
    fn ends(&self, steps: &[String], candidates: &[usize]) -> Vec<usize> {
        let mut ends: Option<Vec<usize>> = None;
        for step in steps {
            let after =
                |n: &usize| ends.as_ref().is_none_or(|ends| ends.iter().any(|before| before < n));
            let next =
                candidates.iter().filter(|n| after(n) && self.meets(**n, step)).copied().collect();
            ends = Some(next);
        }
        ends.unwrap_or_default()
    }

    fn followed(&self, number: usize, step: &str, by: Timestamp) -> bool {
        let all = self.seen();
        (number + 1..all.len()).any(|n| self.meets(n, step) && all[n].at <= by)
    }

    fn sequence(&self, steps: Array, window: &str, until: Option<&str>) -> bool {
        !self.ends(&texts(steps), &self.candidates(window, until)).is_empty()
    }

    fn absent(
        &self,
        steps: Array,
        (step, wait): (&str, &str),
        window: &str,
        until: Option<&str>,
    ) -> bool {
        let wait = Span::parse(wait).unwrap();
        let ends = self.ends(&texts(steps), &self.candidates(window, until));
        ends.into_iter().any(|number| {
            let due = self.seen()[number].at.plus(wait);
            due <= self.1 && !self.followed(number, step, due)
        })
    }
}

fn texts(steps: Array) -> Vec<String> {
    steps.into_iter().map(|step| step.into_string().unwrap()).collect()
}

pub(crate) fn register(engine: &mut Engine) {
    engine.register_fn("sequence", |o: &mut Oracle, steps: Array, window: &str| {
        o.sequence(steps, window, None)
    });
    engine.register_fn("sequence", |o: &mut Oracle, steps: Array, window: &str, until: &str| {
        o.sequence(steps, window, Some(until))
    });
    engine.register_fn(
        "absent",
        |o: &mut Oracle, steps: Array, step: &str, wait: &str, window: &str| {
            o.absent(steps, (step, wait), window, None)
        },
    );
    engine.register_fn(
        "absent",
        |o: &mut Oracle, steps: Array, step: &str, wait: &str, window: &str, until: &str| {
            o.absent(steps, (step, wait), window, Some(until))
        },
    );
}

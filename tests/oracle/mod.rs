//! Rhai itself, with the vocabulary's functions written naively over a session.

mod beyond;
mod properties;
mod signs;
mod steps;

use std::sync::{Arc, LazyLock};

use docent::domain::action::Action;
use docent::domain::page::PagePattern;
use docent::domain::records::{Account, User};
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use rhai::{Dynamic, Engine, EvalAltResult, OptimizationLevel, Position, Scope};
use serde_json::Value;

/// What the interpreter calls `session`.
#[derive(Clone)]
pub(crate) struct Oracle(Arc<Session>, Timestamp, Arc<(User, Account)>);

impl Oracle {
    fn seen(&self) -> Vec<&Action> {
        self.0.actions.iter().filter(|action| action.at <= self.1).collect()
    }

    fn within(&self, window: &str) -> Vec<&Action> {
        let start = self.1.minus(Span::parse(window).unwrap());
        self.seen().into_iter().filter(|action| action.at > start).collect()
    }

    fn here(&self) -> &str {
        self.0.page()
    }

    fn seconds_since(&self, at: Option<Timestamp>) -> i64 {
        at.map_or(0, |at| (self.1.as_millis() - at.as_millis()).max(0) / 1_000)
    }

    /// Pages of runs among these actions, oldest first, with each run's first instant.
    fn runs<'a>(actions: &[&'a Action]) -> Vec<(&'a str, Timestamp)> {
        let mut runs: Vec<(&str, Timestamp)> = Vec::new();
        for action in actions.iter().filter(|action| !action.page.is_empty()) {
            if runs.last().is_none_or(|(page, _)| *page != &*action.page) {
                runs.push((&action.page, action.at));
            }
        }
        runs
    }

    /// Visits with an action in the window, and the one under way.
    fn visited(&self, window: &str) -> Vec<String> {
        let start = self.1.minus(Span::parse(window).unwrap());
        let mut visits: Vec<(&str, Timestamp)> = Vec::new();
        for action in self.seen().into_iter().filter(|action| !action.page.is_empty()) {
            match visits.last_mut() {
                Some((page, end)) if *page == &*action.page => *end = action.at,
                _ => visits.push((&action.page, action.at)),
            }
        }
        if self.0.place.is_some() {
            visits.pop_if(|(page, _)| *page == self.here());
            visits.push((self.here(), Timestamp::FOREVER));
        }
        let inside = visits.into_iter().filter(|(_, end)| *end > start);
        inside.map(|(page, _)| page.to_owned()).collect()
    }

    fn returns(&self, window: &str) -> i64 {
        let start = self.1.minus(Span::parse(window).unwrap());
        let all = self.seen();
        let runs = Self::runs(&all);
        let triples = runs.windows(3).filter(|triple| {
            triple[0].0 == self.here() && triple[2].0 == self.here() && triple[2].1 > start
        });
        triples.count() as i64
    }

    fn rage_clicks(&self, window: &str) -> i64 {
        let is_signal = |action: &&Action| ["rage_click", "$rageclick"].contains(&&*action.kind);
        let all: Vec<&Action> = self.0.actions.iter().collect();
        if all.iter().any(is_signal) {
            return self.within(window).iter().filter(|action| is_signal(action)).count() as i64;
        }
        let clicks: Vec<_> =
            self.within(window).into_iter().filter(|action| &*action.kind == "click").collect();
        let mut bursts: Vec<Vec<&Action>> = Vec::new();
        for click in clicks {
            match bursts.last_mut() {
                Some(burst) if joins(burst[burst.len() - 1], click) => burst.push(click),
                _ => bursts.push(vec![click]),
            }
        }
        bursts.iter().filter(|burst| burst.len() >= 3).count() as i64
    }

    fn known(&self, name: &str, default: Dynamic) -> Dynamic {
        typed(self.0.traits.get(name), default)
    }
}

fn typed(value: Option<&Value>, default: Dynamic) -> Dynamic {
    match value {
        Some(Value::String(text)) if default.is_string() => text.clone().into(),
        Some(Value::Bool(truth)) if default.is_bool() => (*truth).into(),
        Some(Value::Number(number)) if default.is_int() || default.is_float() => {
            number.as_i64().map_or_else(|| number.as_f64().unwrap().into(), Dynamic::from)
        }
        _ => default,
    }
}

fn joins(earlier: &Action, later: &Action) -> bool {
    earlier.title == later.title
        && earlier.page == later.page
        && later.at.as_millis() - earlier.at.as_millis() < 1_000
}

fn text_of<T: ToString>(text: Option<&T>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

fn register_fields(engine: &mut Engine) {
    engine.register_get("path", |o: &mut Oracle| o.here().to_owned());
    engine.register_get("url", |o: &mut Oracle| text_of(o.0.place.as_ref().map(|p| &p.url)));
    engine.register_get("title", |o: &mut Oracle| text_of(o.0.place.as_ref().map(|p| &p.title)));
    engine.register_get("user_id", |o: &mut Oracle| text_of(o.0.identity.user_id.as_ref()));
    engine.register_get("summary", |o: &mut Oracle| text_of(o.0.summary.as_ref()));
    engine.register_get("email_domain", |o: &mut Oracle| {
        let email = text_of(o.0.identity.email.as_ref());
        email.rsplit_once('@').map(|(_, domain)| domain.to_lowercase()).unwrap_or_default()
    });
    engine.register_get("action_count", |o: &mut Oracle| o.0.action_count as i64);
    engine.register_get("dwell_s", |o: &mut Oracle| {
        o.seconds_since(o.0.place.as_ref().map(|place| place.since))
    });
    engine.register_get("idle_s", |o: &mut Oracle| o.seconds_since(o.0.last_action));
    engine.register_get("age_s", |o: &mut Oracle| {
        o.seconds_since(o.0.last_action.map(|_| o.0.first_seen))
    });
}

fn register_functions(engine: &mut Engine) {
    engine.register_fn("trait", |o: &mut Oracle, name: &str, default: Dynamic| {
        o.known(name, default)
    });
    engine.register_fn("count", |o: &mut Oracle, kind: &str, window: &str| {
        o.within(window).iter().filter(|action| &*action.kind == kind).count() as i64
    });
    engine.register_fn("count", |o: &mut Oracle, kind: &str, text: &str, window: &str| {
        let text = text.to_lowercase();
        let said = |action: &&&Action| action.title.to_lowercase().contains(&text);
        let recent = o.within(window);
        recent.iter().filter(|action| &*action.kind == kind).filter(said).count() as i64
    });
    properties::register(engine);
    engine.register_fn("visits", |o: &mut Oracle, page: &str, window: &str| {
        let page = PagePattern::new(page);
        o.visited(window).iter().filter(|visited| page.matches(visited)).count() as i64
    });
    engine.register_fn("visits", |o: &mut Oracle, window: &str| {
        o.visited(window).iter().filter(|visited| **visited == o.here()).count() as i64
    });
    engine.register_fn("distinct_pages", |o: &mut Oracle, window: &str| {
        let mut pages = o.visited(window);
        pages.sort();
        pages.dedup();
        pages.len() as i64
    });
    engine.register_fn("ping_pong", |o: &mut Oracle, times: i64| o.returns("2m") >= times);
    engine.register_fn("ping_pong", |o: &mut Oracle, times: i64, window: &str| {
        o.returns(window) >= times
    });
    engine.register_fn("since", |o: &mut Oracle, kind: &str| {
        let newest = o.seen().into_iter().rfind(|action| &*action.kind == kind);
        newest.map_or(1_000_000_000, |action| o.seconds_since(Some(action.at)))
    });
    engine.register_fn("rage_clicks", |o: &mut Oracle, window: &str| o.rage_clicks(window));
    engine.register_fn("errors", |o: &mut Oracle, window: &str| {
        let kinds = ["error", "form_error", "exception", "$exception"];
        o.within(window).iter().filter(|action| kinds.contains(&&*action.kind)).count() as i64
    });
    engine.register_fn("matches", |o: &mut Oracle, page: &str| {
        PagePattern::new(page).matches(o.here())
    });
    beyond::register(engine);
}

/// Rhai's own arithmetic, except that a fraction which is no finite number is an error.
fn register_arithmetic(engine: &mut Engine) {
    type Compute = fn(f64, f64) -> f64;
    let operators: [(&str, Compute); 5] = [
        ("+", |left, right| left + right),
        ("-", |left, right| left - right),
        ("*", |left, right| left * right),
        ("/", |left, right| left / right),
        ("%", |left, right| left % right),
    ];
    for (name, compute) in operators {
        let checked = move |left: f64, right: f64| {
            let result = compute(left, right);
            let error = || EvalAltResult::ErrorArithmetic(name.to_owned(), Position::NONE);
            if result.is_finite() { Ok(result) } else { Err(Box::new(error())) }
        };
        engine.register_fn(name, checked);
        engine.register_fn(name, move |left: i64, right: f64| checked(left as f64, right));
        engine.register_fn(name, move |left: f64, right: i64| checked(left, right as f64));
    }
}

static INTERPRETER: LazyLock<Engine> = LazyLock::new(|| {
    let mut engine = Engine::new();
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_max_expr_depths(256, 256)
        .set_fast_operators(false);
    register_arithmetic(&mut engine);
    register_fields(&mut engine);
    register_functions(&mut engine);
    signs::register(&mut engine);
    engine
});

/// The interpreter's answer; `None` when arithmetic fails. Any other failure is the test's fault.
pub(crate) fn interpreted(
    source: &str,
    session: &Session,
    beyond: &(User, Account),
    now: Timestamp,
) -> Option<bool> {
    let mut scope = Scope::new();
    scope.push("session", Oracle(Arc::new(session.clone()), now, Arc::new(beyond.clone())));
    match INTERPRETER.eval_expression_with_scope::<bool>(&mut scope, source) {
        Ok(truth) => Some(truth),
        Err(error) => match *error {
            EvalAltResult::ErrorArithmetic(..) => None,
            other => panic!("{source}: {other}"),
        },
    }
}

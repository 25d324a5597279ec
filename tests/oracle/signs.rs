//! Detectors and parameters, each from what it is said to mean.

use std::collections::BTreeMap;

use docent::domain::action::Action;
use docent::domain::page::PagePattern;
use docent::domain::time::{Span, Timestamp};
use rhai::Engine;

use crate::oracle::{Oracle, steps};

const ERRORS: [&str; 4] = ["error", "form_error", "exception", "$exception"];

impl Oracle {
    fn of_kinds(&self, kinds: &[&str], window: &str) -> i64 {
        let recent = self.within(window);
        recent.iter().filter(|action| kinds.contains(&&*action.kind)).count() as i64
    }

    fn here_of(&self, kind: &str, text: &str, window: &str) -> i64 {
        let recent = self.within(window);
        let said = |a: &&&Action| a.title.to_lowercase().contains(&text.to_lowercase());
        let here = |a: &&&Action| !self.here().is_empty() && &*a.page == self.here();
        recent.iter().filter(|a| &*a.kind == kind).filter(said).filter(here).count() as i64
    }

    fn page_loop(&self, window: &str) -> i64 {
        let start = self.1.minus(Span::parse(window).unwrap());
        let runs = Self::runs(&self.seen()).into_iter();
        runs.filter(|(page, at)| *page == self.here() && *at > start).count() as i64
    }

    fn quick_back(&self, stay: &str, window: &str) -> i64 {
        let start = self.1.minus(Span::parse(window).unwrap());
        let stay = Span::parse(stay).unwrap().as_millis();
        let runs = Self::runs(&self.seen());
        let triples = runs.windows(3).filter(|triple| {
            let stayed = triple[2].1.as_millis() - triple[1].1.as_millis();
            let there_and_back = triple[0].0 == self.here() && triple[2].0 == self.here();
            there_and_back && stayed <= stay && triple[2].1 > start
        });
        triples.count() as i64
    }

    fn error_click(&self, gap: &str, window: &str) -> i64 {
        let start = self.1.minus(Span::parse(window).unwrap());
        let gap = Span::parse(gap).unwrap().as_millis();
        let is_error = |action: &Action| ERRORS.contains(&&*action.kind);
        let kept = self.seen().into_iter().filter(|a| is_error(a) || &*a.kind == "click");
        let kept: Vec<&Action> = kept.collect();
        let pairs = kept.windows(2).filter(|pair| {
            let apart = pair[1].at.as_millis() - pair[0].at.as_millis();
            !is_error(pair[0]) && is_error(pair[1]) && apart <= gap && pair[0].at > start
        });
        pairs.count() as i64
    }

    fn exit_intent(&self, after: &str, window: &str) -> i64 {
        let Some(place) = &self.0.place else { return 0 };
        let due = place.since.plus(Span::parse(after).unwrap());
        let told = |a: &&&Action| ["exit_intent", "$exit_intent"].contains(&&*a.kind);
        let recent = self.within(window);
        recent.iter().filter(told).filter(|a| a.page == place.page && a.at >= due).count() as i64
    }

    fn repeated_failure(&self, failure: &str, success: &str, window: &str) -> i64 {
        let mut failures: Vec<Timestamp> = Vec::new();
        for action in self.seen() {
            if &*action.kind == success {
                failures.clear();
            } else if &*action.kind == failure {
                failures.push(action.at);
            }
        }
        let start = self.1.minus(Span::parse(window).unwrap());
        failures.into_iter().filter(|at| *at > start).count() as i64
    }

    fn form_struggle(&self, refocused: i64, errors: i64, window: &str) -> bool {
        let mut fields: BTreeMap<(&str, &str), (i64, i64)> = BTreeMap::new();
        for action in self.within(window).into_iter().filter(|action| !action.title.is_empty()) {
            let (focused, wrong) = fields.entry((&*action.title, &*action.page)).or_default();
            match &*action.kind {
                "focus" | "field_focus" => *focused += 1,
                "form_error" | "validation_error" => *wrong += 1,
                _ => {}
            }
        }
        fields.into_values().any(|(focused, wrong)| focused > refocused || wrong >= errors)
    }

    fn scroll_depth(&self) -> i64 {
        let Some(place) = &self.0.place else { return 0 };
        let told = |a: &&&Action| ["scroll", "$scroll", "scroll_depth"].contains(&&*a.kind);
        let all = self.seen();
        let visit = all.iter().filter(|a| a.at >= place.since && a.page == place.page);
        // The titles of generated sessions that have a percentage.
        let depth = |a: &&Action| match &*a.title {
            "to 62.5 %" => Some(62),
            "80%" => Some(80),
            _ => None,
        };
        visit.filter(told).filter_map(depth).max().unwrap_or(0)
    }

    pub(crate) fn first_time(&self, step: &str, default: bool) -> bool {
        let lost = self.0.action_count as usize > self.0.actions.len();
        let told = if step.starts_with('/') {
            let pattern = PagePattern::new(step);
            let runs = Self::runs(&self.seen());
            let mut visits: Vec<&str> = runs.into_iter().map(|(page, _)| page).collect();
            visits.pop_if(|page| *page == self.here());
            let before = visits.into_iter().any(|page| pattern.matches(page));
            let on_it = self.0.place.is_some() && pattern.matches(self.here());
            (on_it && !before)
                .then_some(())
                .filter(|()| !lost)
                .map(|()| true)
                .or_else(|| (!on_it || before).then_some(false))
        } else {
            match self.seen().iter().filter(|action| *action.kind == *step).count() {
                0 if !lost => Some(false),
                1 if !lost => Some(true),
                0 | 1 => None,
                _ => Some(false),
            }
        };
        told.unwrap_or(default)
    }

    /// Parameters of the generated URLs, by hand.
    fn parameter(&self, name: &str) -> Option<&'static str> {
        let newest = self.seen().into_iter().rfind(|action| !action.page.is_empty())?;
        match (&*newest.url, name) {
            _ if *newest.page != *self.here() => None,
            ("/a?x=1", "x") => Some("1"),
            ("https://app.test/b/?x=a%20b&y", "x") => Some("a b"),
            ("https://app.test/b/?x=a%20b&y", "y") => Some(""),
            _ => None,
        }
    }
}

pub(crate) fn register(engine: &mut Engine) {
    steps::register(engine);
    register_counts(engine);
    engine.register_get("scroll_depth", |o: &mut Oracle| o.scroll_depth());
    engine.register_fn("query", |o: &mut Oracle, name: &str| {
        o.parameter(name).unwrap_or_default().to_owned()
    });
    engine.register_fn("has_query", |o: &mut Oracle, name: &str| o.parameter(name).is_some());
    engine.register_fn("first_time", |o: &mut Oracle, step: &str, default: bool| {
        o.first_time(step, default)
    });
    engine.register_fn("form_struggle", |o: &mut Oracle| o.form_struggle(3, 2, "3m"));
    engine.register_fn("form_struggle", |o: &mut Oracle, w: &str| o.form_struggle(3, 2, w));
    engine.register_fn("form_struggle", |o: &mut Oracle, times: i64, errors: i64, w: &str| {
        o.form_struggle(times, errors, w)
    });
    engine.register_fn("count_here", |o: &mut Oracle, kind: &str, w: &str| o.here_of(kind, "", w));
    engine.register_fn("count_here", |o: &mut Oracle, kind: &str, text: &str, w: &str| {
        o.here_of(kind, text, w)
    });
    engine.register_fn("repeated_failure", |o: &mut Oracle, failure: &str, success: &str| {
        o.repeated_failure(failure, success, "5m")
    });
    engine.register_fn("repeated_failure", |o: &mut Oracle, f: &str, success: &str, w: &str| {
        o.repeated_failure(f, success, w)
    });
}

fn register_counts(engine: &mut Engine) {
    type Count = fn(&Oracle, &str) -> i64;
    let counts: [(&str, &str, Count); 3] = [
        ("page_loop", "15s", |o, w| o.page_loop(w)),
        ("dead_click", "10m", |o, w| o.of_kinds(&["dead_click", "$dead_click"], w)),
        ("no_results", "2m", |o, w| o.of_kinds(&["no_results", "search_no_results"], w)),
    ];
    for (name, window, count) in counts {
        engine.register_fn(name, move |o: &mut Oracle| count(o, window));
        engine.register_fn(name, move |o: &mut Oracle, window: &str| count(o, window));
    }
    type Measured = fn(&Oracle, &str, &str) -> i64;
    let measured: [(&str, &str, Measured); 3] = [
        ("quick_back", "7s", |o, span, w| o.quick_back(span, w)),
        ("error_click", "1s", |o, span, w| o.error_click(span, w)),
        ("exit_intent", "5s", |o, span, w| o.exit_intent(span, w)),
    ];
    for (name, span, count) in measured {
        engine.register_fn(name, move |o: &mut Oracle| count(o, span, "10m"));
        engine.register_fn(name, move |o: &mut Oracle, window: &str| count(o, span, window));
        engine.register_fn(name, move |o: &mut Oracle, span: &str, window: &str| {
            count(o, span, window)
        });
    }
}

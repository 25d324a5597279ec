//! Every test of a rulebook, one after the other: a rule's own with that rule alone, those of the
//! whole rulebook with all of its product's rules, under the product's gates either way.

use std::sync::Arc;

use crate::engine::case::{Decided, Failure, Played, play};
use crate::rulebook::case::Case;
use crate::rulebook::index::PageIndex;
use crate::rulebook::rule::{Mode, Rule, Written};
use crate::rulebook::triggers::clauses;
use crate::rulebook::{Product, Rulebook};

/// What one test came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// Whose gates it ran under.
    pub product: Arc<str>,
    /// Where it is written.
    pub written: Written,
    /// Whose test it is; absent for one of the whole rulebook.
    pub trigger: Option<Arc<str>>,
    /// Its name.
    pub name: String,
    /// What was expected and did not come.
    pub failure: Option<Failure>,
}

/// What the tests have shown of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Its product.
    pub product: Arc<str>,
    /// Its id.
    pub trigger: Arc<str>,
    /// Where it is written.
    pub written: Written,
    /// It made an offer.
    pub fired: bool,
    /// It was asked, with every gate open, and had nothing to offer.
    pub silent: bool,
    /// Its clauses, in the order written; none for a builtin.
    pub clauses: Vec<ClauseCovered>,
}

/// What the tests have shown of one clause of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseCovered {
    /// As an explanation writes it.
    pub text: String,
    /// Where it stands in its rule's file.
    pub line: usize,
    /// What it was seen deciding by itself.
    pub decided: Decided,
}

/// Every test that was run, by product, file and line, and what they have shown of every rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The tests.
    pub tests: Vec<Tested>,
    /// The rules.
    pub rules: Vec<Covered>,
}

/// Runs the tests of a rulebook whose title, as [`title`] writes it, is wanted.
pub fn run(rulebook: &Rulebook, wanted: &dyn Fn(&str) -> bool) -> Report {
    let mut products: Vec<_> = rulebook.products.values().collect();
    products.sort_by(|one, other| one.id.cmp(&other.id));
    let mut report = Report::default();
    for product in products {
        run_product(product, wanted, &mut report);
    }
    report
}

/// A test in one line: `rules/a.yaml: trigger: name`.
pub fn title(file: &str, trigger: Option<&str>, name: &str) -> String {
    match trigger {
        Some(trigger) => format!("{file}: {trigger}: {name}"),
        None => format!("{file}: {name}"),
    }
}

fn run_product(product: &Product, wanted: &dyn Fn(&str) -> bool, report: &mut Report) {
    let (mut tests, mut rules) = (Vec::new(), Vec::new());
    let mut alone = Product {
        id: Arc::clone(&product.id),
        digest: Arc::clone(&product.digest),
        settings: product.settings.clone(),
        rules: Vec::new(),
        tours: product.tours.clone(),
        segments: Vec::new(),
        caps: product.caps.clone(),
        index: PageIndex::default(),
        asks: product.asks.clone(),
        asks_of_session: product.asks_of_session,
        suites: Vec::new(),
        locales: product.locales.clone(),
    };
    for rule in &product.rules {
        isolate(&mut alone, rule);
        let (file, id) = (&rule.written.file, Some(&rule.id));
        let mut covered = nothing_seen(product, rule);
        for (test, played) in each(&alone, file, id, &rule.cases, wanted) {
            covered.fired |= !played.fired.is_empty();
            covered.silent |= played.quiet;
            covered.note(&played, 0);
            tests.push(test);
        }
        rules.push(covered);
    }
    for suite in &product.suites {
        for (test, played) in each(product, &suite.file, None, &suite.cases, wanted) {
            for (place, covered) in rules.iter_mut().enumerate() {
                covered.fired |= played.fired.contains(&place);
                covered.silent |= played.silent.contains(&place);
                covered.note(&played, place);
            }
            tests.push(test);
        }
    }
    let place = |written: &Written| (Arc::clone(&written.file), written.line);
    tests.sort_by_key(|test| place(&test.written));
    rules.sort_by_key(|rule| place(&rule.written));
    report.tests.extend(tests);
    report.rules.extend(rules);
}

/// The rule alone, taking part whatever its mode.
fn isolate(alone: &mut Product, rule: &Rule) {
    alone.rules = vec![Rule { mode: Mode::Live, ..rule.clone() }];
    alone.index = PageIndex::of(&alone.rules);
}

fn nothing_seen(product: &Product, rule: &Rule) -> Covered {
    let (product, trigger) = (Arc::clone(&product.id), Arc::clone(&rule.id));
    let clauses = clauses(&rule.when).into_iter().zip(rule.spelling.lines());
    let unseen = |(text, line)| ClauseCovered { text, line, decided: Decided::default() };
    let clauses = clauses.map(unseen).collect();
    Covered {
        product,
        trigger,
        written: rule.written.clone(),
        fired: false,
        silent: false,
        clauses,
    }
}

impl Covered {
    fn note(&mut self, played: &Played, place: usize) {
        let Some(seen) = played.deciding.get(&place) else { return };
        for (clause, decided) in self.clauses.iter_mut().zip(seen) {
            clause.decided.let_match |= decided.let_match;
            clause.decided.kept_silent |= decided.kept_silent;
        }
    }
}

fn each<'r>(
    product: &'r Product,
    file: &'r Arc<str>,
    trigger: Option<&'r Arc<str>>,
    cases: &'r [Case],
    wanted: &'r dyn Fn(&str) -> bool,
) -> impl Iterator<Item = (Tested, Played)> + 'r {
    let id = trigger.map(|trigger| &**trigger);
    cases.iter().filter(move |case| wanted(&title(file, id, &case.name))).map(move |case| {
        let mut played = play(product, case);
        let test = Tested {
            product: Arc::clone(&product.id),
            written: Written { file: Arc::clone(file), line: case.line },
            trigger: trigger.cloned(),
            name: case.name.clone(),
            failure: played.failure.take(),
        };
        (test, played)
    })
}

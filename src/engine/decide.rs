//! The one decision: gates in order, then rules in priority order. Total and deterministic; it
//! changes nothing but what time alone has already changed ([`settle`]). What the same rulebook
//! decided of the same state is said again while it stands, so that a poll between two actions
//! costs the same with any number of rules.

use crate::domain::decision::{Decision, Hold, Shadow, Verdict};
use crate::domain::machine::{AgentState, Machine};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::engine::around::{Around, Scope};
use crate::engine::gates::{Facts, GATES, Refused};
use crate::engine::observe::{Heard, Observer};
use crate::engine::settle::settle;
use crate::engine::standing::{Match, RULE_GATES, pass_until};
use crate::engine::testers::{heard, is_asked, is_tester};
use crate::rulebook::Product;
use crate::rulebook::condition::{Answer, EvalError, Truth, View};
use crate::rulebook::rule::{Mode, Rule, When};

/// Decides whether now is the moment. The verdict stands until [`Decision::until`] unless
/// something happens. A session that has not acted is offered nothing.
pub fn decide<O: Observer>(
    product: &Product,
    session: &mut Session,
    around: &Around,
    now: Timestamp,
    observer: &mut O,
) -> Decision {
    settle(session, now);
    let plain = !O::RECORDS && around.is_plain();
    let user = around.user.as_ref().map_or(0, |user| user.seq);
    let account = around.account.as_ref().map_or(0, |account| account.seq);
    let seq = [session.seq, user, account];
    if let Some(decision) = session.last_answer.recall(&product.digest, seq, now)
        && plain
    {
        return decision;
    }
    let decision = afresh(product, session, around, now, observer);
    if plain {
        session.last_answer.keep(&product.digest, seq, now, decision);
    }
    decision
}

/// The decision without a look at what was decided before.
fn afresh<O: Observer>(
    product: &Product,
    session: &Session,
    around: &Around,
    now: Timestamp,
    observer: &mut O,
) -> Decision {
    let foreign = foreign_machine(around, now);
    let machine = foreign.as_ref().unwrap_or(&session.machine);
    let settings = &product.settings.proactive;
    let tester = is_tester(product, around.session.as_deref(), &session.identity);
    let facts = Facts { settings, session, around, machine, tester, now };
    let refused = gates(&facts, observer);
    if let Some(refused) = refused
        && !O::RECORDS
    {
        return held(&facts, refused);
    }
    let decision = rules(product, &facts, observer);
    refused.map_or(decision, |refused| held(&facts, refused))
}

fn foreign_machine(around: &Around, now: Timestamp) -> Option<Machine> {
    let Scope::Foreign { machine, .. } = &around.scope else { return None };
    let mut machine = machine.clone();
    machine.settle(now);
    Some(machine)
}

fn gates<O: Observer>(facts: &Facts<'_>, observer: &mut O) -> Option<Refused> {
    let mut first = None;
    for (name, gate) in GATES {
        let outcome = heard(facts.tester, gate(facts));
        observer.gate(name, outcome);
        first = first.or(outcome.err());
        if first.is_some() && !O::RECORDS {
            break;
        }
    }
    first
}

/// A refusal as a verdict; the pending offer is said again where the product wants that.
fn held(facts: &Facts<'_>, refused: Refused) -> Decision {
    let offer = facts.around.scope.offer(facts.session, facts.now);
    let pending = facts.machine.state == AgentState::ProactiveAssistance && offer.is_some();
    let again = refused.hold == Hold::WrongState && facts.settings.redeliver && pending;
    let verdict = if again { Verdict::Redeliver } else { Verdict::Hold(refused.hold) };
    let shadow = Shadow::NONE;
    Decision { verdict, rule: None, cap: refused.cap, until: refused.until, shadow }
}

/// What the rules have come to so far.
struct Tally {
    /// The first that nothing keeps back, and what became of it: it fires, or is withheld from a
    /// control group until then.
    winner: Option<(usize, Option<Refused>)>,
    held: Option<(Refused, usize)>,
    failed: Option<usize>,
    until: Timestamp,
    shadow: Shadow,
}

fn rules<O: Observer>(product: &Product, facts: &Facts<'_>, observer: &mut O) -> Decision {
    let (session, now) = (facts.session, facts.now);
    let (winner, held, failed, until) = (None, None, None, Timestamp::FOREVER);
    let mut tally = Tally { winner, held, failed, until, shadow: Shadow::NONE };
    if session.last_action.is_some() {
        let around = facts.around;
        let (user, account) = (around.user.as_ref(), around.account.as_ref());
        let view = View { session, user, account, now };
        for (place, rule) in candidates::<O>(product, session.page()) {
            let outcome = ask(product, rule, facts, &view, observer);
            let shadow = rule.mode == Mode::Shadow && !facts.tester;
            observer.rule(place, rule, &view, &outcome.heard(shadow));
            match shadow {
                true => tally.note_shadow(place, &outcome, now),
                false => tally.note(place, &outcome),
            }
            if tally.winner.is_some() && !O::RECORDS {
                break;
            }
        }
    }
    tally.decision(now)
}

/// The rules to ask: those for this page, or all of them when everything is recorded.
fn candidates<'a, O: Observer>(
    product: &'a Product,
    page: &'a str,
) -> impl Iterator<Item = (usize, &'a Rule)> {
    let all = 0..if O::RECORDS { product.rules.len() } else { 0 };
    let some = (!O::RECORDS).then(|| product.candidates(page)).into_iter().flatten();
    all.chain(some).filter_map(|place| product.rules.get(place).map(|rule| (place, rule)))
}

enum Asked {
    Skipped(&'static str),
    Failed(EvalError),
    Silent(Answer),
    Matched(Answer),
    Held(Refused),
    /// It would fire, and the person is in a control group.
    Withheld(Refused),
}

impl Asked {
    fn heard(&self, shadow: bool) -> Heard<'_> {
        match self {
            Self::Skipped(why) => Heard::Skipped(why),
            Self::Failed(error) => Heard::Failed(error),
            Self::Silent(answer) => Heard::Silent(*answer),
            Self::Matched(answer) if shadow => Heard::Shadowed(*answer),
            Self::Matched(answer) => Heard::Matched(*answer),
            Self::Held(refused) | Self::Withheld(refused) => Heard::Held(*refused),
        }
    }
}

fn ask<O: Observer>(
    product: &Product,
    rule: &Rule,
    facts: &Facts<'_>,
    view: &View<'_>,
    observer: &mut O,
) -> Asked {
    if !is_asked(rule.mode, facts.tester) {
        return Asked::Skipped("not live");
    }
    if !rule.is_for(facts.session.page()) {
        return Asked::Skipped("not on this page");
    }
    let answer = match answer(product, rule, view) {
        Ok(answer) => answer,
        Err(error) => return Asked::Failed(error),
    };
    let matches = answer.truth == Truth::True;
    let asked = Match { product, rule, facts, view };
    let refused = (matches || O::RECORDS).then(|| stands_back(&asked, observer)).flatten();
    let Some(refused) = refused.filter(|_| matches) else {
        return if matches { Asked::Matched(answer) } else { Asked::Silent(answer) };
    };
    let until = refused.until.min(answer.until).min(pass_until(&asked, refused.hold));
    let refused = Refused { until, ..refused };
    match refused.hold {
        Hold::HoldoutTrigger | Hold::HoldoutGlobal => Asked::Withheld(refused),
        _ => Asked::Held(refused),
    }
}

/// What keeps a rule back that matches: the first of its gates that refuses.
fn stands_back<O: Observer>(asked: &Match<'_>, observer: &mut O) -> Option<Refused> {
    let mut first = None;
    for (name, gate) in RULE_GATES {
        let outcome = heard(asked.facts.tester, gate(asked));
        observer.rule_gate(name, outcome, asked);
        first = first.or(outcome.err());
        if first.is_some() && !O::RECORDS {
            break;
        }
    }
    first
}

fn answer(product: &Product, rule: &Rule, view: &View<'_>) -> Result<Answer, EvalError> {
    match &rule.when {
        When::Condition(condition) => condition.answer(view),
        When::Builtin(builtin) => Ok(builtin.answer(view, &product.settings.builtins)),
    }
}

impl Tally {
    fn note(&mut self, place: usize, asked: &Asked) {
        match asked {
            Asked::Skipped(_) => {}
            Asked::Failed(_) => {
                self.failed.get_or_insert(place);
            }
            Asked::Silent(answer) => self.until = self.until.min(answer.until),
            Asked::Matched(_) => {
                self.winner.get_or_insert((place, None));
            }
            Asked::Withheld(refused) => {
                self.winner.get_or_insert((place, Some(*refused)));
            }
            Asked::Held(refused) => {
                self.until = self.until.min(refused.until);
                self.held.get_or_insert((*refused, place));
            }
        }
    }

    /// A shadow before the winner would have been offered in its place; of several the first.
    fn note_shadow(&mut self, place: usize, asked: &Asked, now: Timestamp) {
        let until = match asked {
            Asked::Skipped(_) => return,
            Asked::Failed(_) => now,
            Asked::Silent(answer) => answer.until,
            Asked::Held(refused) | Asked::Withheld(refused) => refused.until,
            Asked::Matched(answer) => {
                if self.winner.is_none() {
                    self.shadow.would.get_or_insert(place);
                }
                answer.until
            }
        };
        self.shadow.until = self.shadow.until.min(until);
    }

    /// A winner fires, or is withheld; else what kept matches back is named, else what failed, else
    /// nothing matched.
    fn decision(&self, now: Timestamp) -> Decision {
        let shadow = self.shadow;
        let (refused, rule) = match (self.winner, self.held, self.failed) {
            (Some((place, None)), ..) => {
                let verdict = Verdict::Fire(place);
                return Decision { verdict, rule: Some(place), cap: None, until: now, shadow };
            }
            (Some((place, Some(refused))), ..) => (refused, Some(place)),
            (None, Some((first, place)), _) => {
                (Refused { until: self.until, ..first }, Some(place))
            }
            (None, None, Some(place)) => {
                (Refused::new(Hold::EvaluationError, self.until), Some(place))
            }
            (None, None, None) => (Refused::new(Hold::NoTrigger, self.until), None),
        };
        let Refused { hold, until, cap } = refused;
        // A failing rule may stop failing at any instant; its horizon is not known.
        let until = if self.failed.is_some() { now } else { until };
        Decision { verdict: Verdict::Hold(hold), rule, cap, until, shadow }
    }
}

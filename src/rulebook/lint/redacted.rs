//! Parameters of URLs that a rule asks for, and that its product drops before any rule sees them.

use crate::rulebook::Product;
use crate::rulebook::condition::{Condition, Term};
use crate::rulebook::lint::Desk;
use crate::rulebook::rule::{Rule, When};

pub(super) fn check(product: &Product, rule: &Rule, desk: &mut Desk<'_>) {
    let When::Condition(condition) = &rule.when else { return };
    if product.settings.redact.query.is_none() {
        return;
    }
    let mut names = Vec::new();
    of_condition(condition, &mut names);
    names.sort_unstable();
    names.dedup();
    for name in names.into_iter().filter(|name| product.settings.redact.drops(name)) {
        let message = format!("`redact` drops the parameter `{name}` before any rule sees it");
        let help = format!("add `{name}` to the product's `redact: {{ query: […] }}`");
        desk.warn(rule, "when", "never-delivered", message, &help);
    }
}

fn of_condition<'c>(condition: &'c Condition, names: &mut Vec<&'c str>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| of_condition(part, names));
        }
        Condition::Not(part) => of_condition(part, names),
        Condition::Segment(segment) => of_condition(&segment.when, names),
        Condition::Query(name) => names.push(name),
        Condition::Compare(parts) => {
            of_term(&parts.0, names);
            of_term(&parts.2, names);
        }
        Condition::Text(parts) => {
            of_term(&parts.0, names);
            of_term(&parts.2, names);
        }
        Condition::Holds(term) => of_term(term, names),
        _ => {}
    }
}

fn of_term<'c>(term: &'c Term, names: &mut Vec<&'c str>) {
    match term {
        Term::Query(name) => names.push(name),
        Term::Truth(condition) => of_condition(condition, names),
        Term::Length(term) | Term::Negate(term) => of_term(term, names),
        Term::Arithmetic(parts) => {
            of_term(&parts.0, names);
            of_term(&parts.2, names);
        }
        _ => {}
    }
}

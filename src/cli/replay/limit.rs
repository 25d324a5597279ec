//! `--max-increase`: by how much offers may become more frequent, in all and of each trigger that the
//! base had already.

use std::sync::Arc;

use crate::cli::replay::drive::Outcome;
use crate::cli::replay::rulebooks::Loaded;

/// A share of what was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cli) struct Limit {
    percent: f64,
}

/// What became more frequent than is allowed.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) struct Exceeded {
    pub(in crate::cli) product: Arc<str>,
    /// `None` for all offers together.
    pub(in crate::cli) trigger: Option<Arc<str>>,
    pub(in crate::cli) base: u64,
    pub(in crate::cli) head: u64,
}

/// Reads `20%`.
pub(in crate::cli) fn read(text: &str) -> Result<Limit, String> {
    let number = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
    match number {
        Some(percent) if (0.0..=1e9).contains(&percent) => Ok(Limit { percent }),
        _ => Err(format!("`{text}` is no percentage; write for example `20%`")),
    }
}

impl Limit {
    /// What is beyond it. Both figures are of the same sessions, so that their counts compare as their
    /// rates do. A trigger that is new counts in the sum alone.
    pub(in crate::cli) fn exceeded(self, outcomes: &[Outcome], base: &Loaded) -> Vec<Exceeded> {
        let mut found = Vec::new();
        for outcome in outcomes {
            let Some(before) = &outcome.base else { continue };
            let product = Arc::clone(&outcome.product);
            let all =
                Exceeded { product, trigger: None, base: before.fires, head: outcome.head.fires };
            let rules = base.rulebook.products.get(&outcome.product);
            let rules = rules.iter().flat_map(|product| &product.rules);
            let each = rules.map(|rule| Exceeded {
                product: Arc::clone(&outcome.product),
                trigger: Some(Arc::clone(&rule.id)),
                base: before.fires_of(&rule.id),
                head: outcome.head.fires_of(&rule.id),
            });
            found.extend(std::iter::once(all).chain(each).filter(|found| self.is_beyond(found)));
        }
        found
    }

    fn is_beyond(self, figures: &Exceeded) -> bool {
        let allowed = figures.base as f64 * (1.0 + self.percent / 100.0);
        figures.head as f64 > allowed + 1e-9
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%", self.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_percentage() {
        for (text, percent) in [
            ("20%", Some(20.0)),
            (" 12.5 % ", Some(12.5)),
            ("0%", Some(0.0)),
            ("20", None),
            ("-1%", None),
            ("NaN%", None),
            ("", None),
        ] {
            assert_eq!(read(text).ok().map(|limit| limit.percent), percent, "{text}");
        }
    }

    #[test]
    fn beyond_is_more_than_that_and_anything_where_nothing_was() {
        for (base, head, beyond) in
            [(10, 12, false), (10, 13, true), (0, 0, false), (0, 1, true), (5, 6, false)]
        {
            let figures = Exceeded { product: "acme".into(), trigger: None, base, head };
            assert_eq!(Limit { percent: 20.0 }.is_beyond(&figures), beyond, "{base} {head}");
        }
    }
}

//! The skip reason: a hold as it is written on the wire, in explanations and in tests.

use crate::domain::decision::{Decision, Hold, Verdict};
use crate::domain::tally::{Capped, Per};
use crate::engine::gates::Refused;
use crate::rulebook::Product;

/// Why a decision offers nothing; `None` when it does.
pub fn skip_reason<'p>(product: &'p Product, decision: &Decision) -> Option<&'p str> {
    match decision.verdict {
        Verdict::Hold(hold) => Some(named(product, hold, decision.cap)),
        Verdict::Fire(_) | Verdict::Redeliver => None,
    }
}

/// Why a gate refuses.
pub fn refusal<'p>(product: &'p Product, refused: &Refused) -> &'p str {
    named(product, refused.hold, refused.cap)
}

/// The reason of a hold by a cap, which names it: `frequency:three-a-day`.
pub fn capped(product: &Product, cap: Option<Capped>) -> Option<&str> {
    product.caps.get(cap?.place).map(|cap| &*cap.reason)
}

/// Where a cap counted, when that is narrower than it says: its person or account is not known.
pub fn narrowed(product: &Product, cap: Option<Capped>) -> Option<Per> {
    let Capped { place, counted } = cap?;
    let said = product.caps.get(place)?.per;
    Some(counted).filter(|counted| *counted != said)
}

fn named(product: &Product, hold: Hold, cap: Option<Capped>) -> &str {
    capped(product, cap).unwrap_or(hold.as_str())
}

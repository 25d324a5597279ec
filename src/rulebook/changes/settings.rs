//! A product's settings in words, and what of them is another.

use crate::rulebook::changes::{Facet, differences, rule};
use crate::rulebook::settings::ProductSettings;

/// A line for each thing that is another.
pub(super) fn changes(before: &ProductSettings, after: &ProductSettings) -> Vec<String> {
    let mut lines = differences(&facets(before), &facets(after));
    if lines.is_empty() && before != after {
        lines.push("other settings of `docent.yaml`".to_owned());
    }
    lines
}

/// What bears on whom is offered what.
fn facets(settings: &ProductSettings) -> Vec<Facet> {
    let ProductSettings { proactive, timezone, quiet_hours, frequency, holdout, .. } = settings;
    let (quotas, machine) = (&proactive.quotas, &proactive.machine);
    let limit = |number: u32| if number == 0 { "no limit".to_owned() } else { number.to_string() };
    let caps = frequency.iter().map(|cap| {
        format!(
            "`{}` {} ({:?})",
            cap.id,
            rule::caps(std::slice::from_ref(cap)),
            (&cap.of, &cap.exempt)
        )
    });
    let lasting = match machine.silent_after {
        0 => "never".to_owned(),
        times => format!("{times} times “no thanks”"),
    };
    vec![
        Facet::words("offers anything", if proactive.enabled { "yes" } else { "no" }),
        Facet::words("between two offers of a session", proactive.min_interval),
        Facet::words("offers of the product in a minute", limit(quotas.product_per_minute)),
        Facet::words("offers of a session in an hour", limit(quotas.session_per_hour)),
        Facet::words("offers to a person in a day", limit(quotas.user_per_day)),
        Facet::words("frequency caps", caps.collect::<Vec<_>>().join(", ")),
        Facet::words("silence after “no thanks”", machine.conservative_base),
        Facet::words("and longer each time by", machine.conservative_step),
        Facet::words("silence for the session after", lasting),
        Facet::opaque("quiet hours", quiet_hours),
        Facet::opaque("time zone", timezone),
        Facet::words("withheld for comparison from", holdout.percent),
    ]
}

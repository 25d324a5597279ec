//! Time zones as authors write them. A zone is a place: abbreviations and offsets know nothing of
//! summer time, or mean several places.

use crate::rulebook::reader::{Findings, words};
use crate::rulebook::suggest::nearest;
use crate::rulebook::yaml::Node;
use crate::rulebook::zone::{Zone, ZoneChoice};

/// Abbreviations, and a place where clocks show it.
const ABBREVIATIONS: [(&str, &str); 36] = [
    ("ACST", "Australia/Adelaide"),
    ("AEDT", "Australia/Sydney"),
    ("AEST", "Australia/Sydney"),
    ("AKST", "America/Anchorage"),
    ("AST", "America/Halifax"),
    ("AWST", "Australia/Perth"),
    ("BRT", "America/Sao_Paulo"),
    ("BST", "Europe/London"),
    ("CDT", "America/Chicago"),
    ("CEST", "Europe/Berlin"),
    ("CET", "Europe/Berlin"),
    ("CST", "America/Chicago"),
    ("CST6CDT", "America/Chicago"),
    ("EDT", "America/New_York"),
    ("EEST", "Europe/Helsinki"),
    ("EET", "Europe/Helsinki"),
    ("EST", "America/New_York"),
    ("EST5EDT", "America/New_York"),
    ("GMT", "Europe/London"),
    ("HKT", "Asia/Hong_Kong"),
    ("HST", "Pacific/Honolulu"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("KST", "Asia/Seoul"),
    ("MDT", "America/Denver"),
    ("MET", "Europe/Berlin"),
    ("MSK", "Europe/Moscow"),
    ("MST", "America/Denver"),
    ("MST7MDT", "America/Denver"),
    ("NZST", "Pacific/Auckland"),
    ("PDT", "America/Los_Angeles"),
    ("PST", "America/Los_Angeles"),
    ("PST8PDT", "America/Los_Angeles"),
    ("SAST", "Africa/Johannesburg"),
    ("SGT", "Asia/Singapore"),
    ("WET", "Europe/Lisbon"),
];

/// A place's zone, or `UTC`; anything else is a finding.
pub(in crate::rulebook) fn read(node: &Node, findings: &mut Findings<'_>) -> Option<Zone> {
    let name = words(node, findings)?;
    match trouble(name, &[]) {
        Ok(zone) => Some(zone),
        Err(trouble) => {
            note(node, trouble, findings);
            None
        }
    }
}

/// A place's zone, `UTC`, `user` or `product`; anything else is a finding.
pub(in crate::rulebook) fn choice(node: &Node, findings: &mut Findings<'_>) -> Option<ZoneChoice> {
    let name = words(node, findings)?;
    match (name, trouble(name, &["user", "product"])) {
        ("user", _) => Some(ZoneChoice::User),
        ("product", _) => Some(ZoneChoice::Product),
        (_, Ok(zone)) => Some(ZoneChoice::Fixed(zone)),
        (_, Err(trouble)) => {
            note(node, trouble, findings);
            None
        }
    }
}

fn note(node: &Node, (message, help): (String, String), findings: &mut Findings<'_>) {
    findings.error(node, "unknown-timezone", message, Some(help));
    if let Some(name) = node.as_str()
        && let Some(zone) = Zone::named(name).filter(|_| is_place(name))
    {
        findings.repair(name, zone.name());
    }
}

/// Whether a name is one of a place, and no abbreviation.
fn is_place(name: &str) -> bool {
    name.contains('/') || name.eq_ignore_ascii_case("UTC")
}

/// The zone, or what is wrong and what to write instead. `others` may be meant, too.
fn trouble(name: &str, others: &[&str]) -> Result<Zone, (String, String)> {
    let unknown = || format!("no time zone is called `{name}`");
    let short = |known: &&(&str, &str)| known.0.eq_ignore_ascii_case(name);
    if let Some((short, place)) = ABBREVIATIONS.iter().find(short) {
        let message = format!("`{short}` is an abbreviation, which no place follows all year");
        let exact = if *short == "GMT" { ", or `UTC`" } else { "" };
        return Err((message, format!("write a place, `{place}`{exact}")));
    }
    if name.contains(|c: char| c.is_ascii_digit()) && !name.contains('/') {
        let help = "write a place, `Europe/Oslo`; an offset knows no summer time".to_owned();
        return Err((unknown(), help));
    }
    match Zone::named(name) {
        Some(zone) if zone.name() == name => Ok(zone),
        Some(zone) => Err((unknown(), format!("did you mean `{}`?", zone.name()))),
        None => {
            let names = Zone::names();
            let places = names.iter().map(String::as_str).filter(|name| is_place(name));
            let known = others.iter().copied().chain(places);
            let help = match nearest(name, known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "write an IANA name, `Europe/Oslo`, or `UTC`".to_owned(),
            };
            Err((unknown(), help))
        }
    }
}

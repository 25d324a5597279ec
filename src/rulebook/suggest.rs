//! "Did you mean": the known name nearest to one that is not known.

/// The nearest of `known`, as a sentence to print, when one is near enough to be meant.
pub fn did_you_mean<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    nearest(name, known).map(|found| format!("did you mean `{found}`?"))
}

/// The nearest of `known`: at most a third of its characters (and always two, in names of four and
/// more) are wrong, swapped, missing or too many, or at least four of its characters and no others
/// are there; ties go to the first.
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let wanted = plain(name);
    let (mut best, mut longer): (Option<(usize, &str)>, _) = (None, None);
    for candidate in known {
        let distance = strsim::damerau_levenshtein(&wanted, &plain(candidate));
        if distance <= limit(candidate) && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
        if longer.is_none() && wanted.len() >= 4 && plain(candidate).contains(&wanted) {
            longer = Some(candidate);
        }
    }
    best.map(|(_, found)| found).or(longer)
}

/// The one of `known` that is meant beyond doubt: near enough, and nearer than every other.
pub fn surely<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let wanted = plain(name);
    let (mut best, mut second): (Option<(usize, &str)>, usize) = (None, usize::MAX);
    for candidate in known {
        let distance = strsim::damerau_levenshtein(&wanted, &plain(candidate));
        if let Some((least, _)) = best.filter(|(least, _)| distance >= *least) {
            second = second.min(distance.max(least));
        } else {
            second = best.map_or(second, |(least, _)| least);
            best = Some((distance, candidate));
        }
    }
    let found = best.filter(|(least, found)| *least <= limit(found) && *least < second);
    found.map(|(_, found)| found)
}

/// The one of `known` that differs in capitals, hyphens and underscores alone: of names that
/// authors give, a nearer look is only a guess.
pub fn same_letters<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let wanted = plain(name);
    let mut alike = known.into_iter().filter(|candidate| plain(candidate) == wanted);
    alike.next().filter(|_| alike.next().is_none())
}

/// A duration whose unit is spelled out, has a space before it or a capital letter: `1w` for
/// `1 week`. A capital `M` may be a month.
pub fn spelled_out(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).filter(|(number, _)| !number.is_empty())?;
    let unit = match unit.trim_start() {
        "M" => return None,
        unit => unit.to_lowercase(),
    };
    let unit = match &*unit {
        "ms" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        "w" | "week" | "weeks" => "w",
        _ => return None,
    };
    Some(format!("{number}{unit}"))
}

fn plain(text: &str) -> String {
    text.to_lowercase().replace(['-', ' '], "_")
}

/// Characters that may be wrong.
fn limit(candidate: &str) -> usize {
    let length = candidate.chars().count();
    if length < 4 { 1 } else { (length / 3).max(2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant_if_any() {
        let known = ["dwell", "dwell_s", "ping_pong", "page", "any", "not"];
        for (name, meant) in [
            ("dwel", Some("dwell")),
            ("pingpong", Some("ping_pong")),
            ("Ping-Pong", Some("ping_pong")),
            ("apge", Some("page")),
            ("nto", Some("not")),
            ("ping", Some("ping_pong")),
            ("frobnicate", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
    }
    #[test]
    fn a_name_is_surely_meant_when_it_is_nearer_than_every_other() {
        for (name, known, meant) in [
            ("lve", &["live", "paused"][..], Some("live")),
            ("lve", &["live", "love"], None),
            ("live", &["love", "live"], Some("live")),
            ("ping", &["ping_pong"], None),
            ("eror", &["errors", "query"], Some("errors")),
        ] {
            assert_eq!(surely(name, known.iter().copied()), meant, "{name}");
            let turned = known.iter().rev().copied();
            assert_eq!(surely(name, turned), meant, "{name}");
        }
        assert_eq!(same_letters("a_b", ["a-b", "c"]), Some("a-b"));
        assert_eq!(same_letters("a_b", ["a-b", "A-B"]), None);
        assert_eq!(same_letters("a_b", ["ab"]), None);
    }

    #[test]
    fn a_duration_that_is_spelled_out_is_understood() {
        for (text, meant) in [
            ("7 d", Some("7d")),
            ("7D", Some("7d")),
            ("1 week", Some("1w")),
            ("30 Seconds", Some("30s")),
            ("5 M", None),
            ("30", None),
            ("30 parsecs", None),
            ("-1 s", None),
            ("soon", None),
        ] {
            assert_eq!(spelled_out(text).as_deref(), meant, "{text}");
        }
    }
}

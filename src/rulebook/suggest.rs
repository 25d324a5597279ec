//! "Did you mean": the known name nearest to one that is not known.

/// The nearest of `known`, as a sentence to print, when one is near enough to be meant.
pub fn did_you_mean<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    nearest(name, known).map(|found| format!("did you mean `{found}`?"))
}

/// The nearest of `known`: at most a third of its characters (and always two, in names of four and
/// more) are wrong, swapped, missing or too many, or at least four of its characters and no others
/// are there; ties go to the first.
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = plain(name);
    let (mut best, mut longer): (Option<(usize, &str)>, _) = (None, None);
    for candidate in known {
        let distance = strsim::damerau_levenshtein(&wanted, &plain(candidate));
        let length = candidate.chars().count();
        let limit = if length < 4 { 1 } else { (length / 3).max(2) };
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
        if longer.is_none() && wanted.len() >= 4 && plain(candidate).contains(&wanted) {
            longer = Some(candidate);
        }
    }
    best.map(|(_, found)| found).or(longer)
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
}

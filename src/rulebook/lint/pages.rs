//! Which pages patterns have in common.

use crate::domain::page::PagePattern;

/// Whether some page matches both.
pub(super) fn overlap(one: &PagePattern, other: &PagePattern) -> bool {
    segments(one, other, |one, other| one == other || fits(one, other) || fits(other, one))
}

/// Whether every page of `narrow` is one of `wide`.
pub(super) fn covers(wide: &PagePattern, narrow: &PagePattern) -> bool {
    segments(wide, narrow, |wide, narrow| wide == narrow || fits(wide, narrow))
}

/// Whether some page matches one of each.
pub(super) fn any_overlap(some: &[PagePattern], others: &[PagePattern]) -> bool {
    some.iter().any(|one| others.iter().any(|other| overlap(one, other)))
}

/// Whether every page of `narrow` is one of `wide`, pattern by pattern.
pub(super) fn all_covered(wide: &[PagePattern], narrow: &[PagePattern]) -> bool {
    narrow.iter().all(|narrow| wide.iter().any(|wide| covers(wide, narrow)))
}

/// `:name` stands for any text but none.
fn fits(name: &str, text: &str) -> bool {
    name.starts_with(':') && !text.is_empty()
}

fn segments(one: &PagePattern, other: &PagePattern, meet: impl Fn(&str, &str) -> bool) -> bool {
    let (mut one, mut other) = (one.as_str().split('/'), other.as_str().split('/'));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if meet(one, other) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_pages_in_common_or_not() {
        for (one, other, common, first_is_wider) in [
            ("/a", "/a", true, true),
            ("/a", "/b", false, false),
            ("/:x", "/a", true, true),
            ("/a", "/:x", true, false),
            ("/:x", "/:y", true, true),
            ("/:x", "/a/b", false, false),
            ("/a/:x", "/:y/b", true, false),
            ("/:x", "/", false, false),
        ] {
            let (one, other) = (PagePattern::new(one), PagePattern::new(other));
            assert_eq!(overlap(&one, &other), common, "{one} {other}");
            assert_eq!(covers(&one, &other), first_is_wider, "{one} {other}");
        }
    }
}

//! Text as the published SDK treats it: `strip` as Python strips, lengths in Unicode scalar values.

use std::borrow::Cow;

/// A text that equal places of a session share; a pointer of one word.
pub type Shared = arcstr::ArcStr;

/// The longest body a toast may carry, in Unicode scalar values (the SDK's `PROACTIVE_BODY_MAX_CHARS`).
pub const BODY_MAX_CHARS: usize = 150;

/// Removes from both ends what Python's `str.strip()` removes: Unicode white space and U+001C to U+001F.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// An e-mail address as it is kept and looked up: trimmed and in lower case, so that it is one name
/// however somebody writes it.
pub fn address(written: &str) -> Cow<'_, str> {
    let bare = strip(written);
    match bare.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        true => Cow::Borrowed(bare),
        false => Cow::Owned(bare.to_lowercase()),
    }
}

/// Whether two names are one: the same text, or the same address.
pub fn is_same_name(one: &str, other: &str) -> bool {
    one == other || (one.contains('@') && address(one) == address(other))
}

/// Removes trailing white space as Python's `str.rstrip()` does.
pub fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// Strips and cuts to [`BODY_MAX_CHARS`] scalar values, without trailing white space.
pub fn cap_body(text: &str) -> &str {
    let text = strip(text);
    match text.char_indices().nth(BODY_MAX_CHARS) {
        Some((end, _)) => strip_end(text.get(..end).unwrap_or(text)),
        None => text,
    }
}

/// The first `limit` Unicode scalar values.
pub fn first_chars(text: &str, limit: usize) -> &str {
    match text.char_indices().nth(limit) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// At most `limit` Unicode scalar values: a longer text ends after a whole word, with an ellipsis.
pub fn shorten(text: &str, limit: usize) -> Cow<'_, str> {
    if text.chars().nth(limit).is_none() {
        return text.into();
    }
    let head = first_chars(text, limit.saturating_sub(1));
    let next = text.get(head.len()..).and_then(|rest| rest.chars().next());
    let broken = next.is_some_and(|next| !next.is_whitespace());
    let whole = head.rfind(char::is_whitespace).filter(|_| broken).and_then(|end| head.get(..end));
    format!("{}…", whole.unwrap_or(head).trim_end()).into()
}

/// The longest prefix of at most `limit` bytes that ends between characters.
pub fn first_bytes(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or("")
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_like_python() {
        assert_eq!(strip("\u{1c} a\u{a0}\u{3000}"), "a");
        assert_eq!(strip("\u{200b}a\u{feff}"), "\u{200b}a\u{feff}");
    }

    #[test]
    fn an_address_is_one_name_whatever_its_case() {
        for (written, kept) in [
            ("ann@acme.test", "ann@acme.test"),
            (" Ann@ACME.test\n", "ann@acme.test"),
            ("Åse@acme.test", "åse@acme.test"),
            ("  ", ""),
        ] {
            assert_eq!(address(written), kept, "{written}");
            assert_eq!(address(kept), kept, "twice is once");
        }
        assert!(is_same_name("Ann@acme.test", "ann@acme.test") && !is_same_name("U_1", "u_1"));
    }

    #[test]
    fn what_is_shortened_ends_after_a_word() {
        for (text, limit, expected) in [
            ("a hand", 6, "a hand"),
            ("a hand or two", 12, "a hand or…"),
            ("a hand or two", 10, "a hand or…"),
            ("a hand or two", 9, "a hand…"),
            ("ååååå", 3, "åå…"),
        ] {
            assert_eq!(shorten(text, limit), expected, "{text} {limit}");
        }
    }

    #[test]
    fn caps_at_scalar_values_and_drops_the_space_before_the_cut() {
        let long = format!("{} b", "é".repeat(149));
        assert_eq!(cap_body(&long).chars().count(), 149);
        assert_eq!(first_bytes("aé", 2), "a");
    }
}

//! Pseudonyms of e-mail addresses, for what is written down of people: the same address is the same
//! pseudonym everywhere, keeps its domain, and does not tell its owner's name. The engine takes a
//! pseudonym for the address it stands for where it looks who somebody is, so that a recording is
//! decided as life was.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

/// What a pseudonym begins with.
const PREFIX: &str = "e_";
/// Hex digits of the hash that follow.
const DIGITS: usize = 16;
/// The sign of an address, plain and as URLs write it.
const SIGNS: [&str; 2] = ["@", "%40"];

/// The pseudonym of an address, whatever its form: `e_` and 16 hex digits of the SHA-256 of the
/// whole in lower case, then its domain.
pub fn of_email(email: &str) -> String {
    let (name, domain) = email.rsplit_once('@').map_or((email, None), |(n, d)| (n, Some(d)));
    if is_pseudonym(name) {
        return email.to_owned();
    }
    let digest = Sha256::digest(email.to_lowercase().as_bytes());
    let mut pseudonym = PREFIX.to_owned();
    for byte in digest.iter().take(DIGITS / 2) {
        pseudonym.push_str(&format!("{byte:02x}"));
    }
    if let Some(domain) = domain {
        pseudonym.push('@');
        pseudonym.push_str(domain);
    }
    pseudonym
}

/// A text with each e-mail address in it replaced by its pseudonym.
pub fn in_text(text: &str) -> Cow<'_, str> {
    if !SIGNS.iter().any(|sign| text.contains(sign)) {
        return Cow::Borrowed(text);
    }
    let (mut told, mut rest, mut changed) = (String::with_capacity(text.len()), text, false);
    while let Some((at, sign)) = next_sign(rest) {
        let (before, tail) = rest.split_at(at);
        let after = tail.split_at(sign.len()).1;
        let domain = domain_of(after);
        let name = name_of(before);
        if name.is_empty() || !is_domain(domain) || is_pseudonym(name) {
            told.push_str(before);
            told.push_str(sign);
            rest = after;
            continue;
        }
        told.push_str(before.split_at(before.len() - name.len()).0);
        let pseudonym = of_email(&format!("{name}@{domain}"));
        told.push_str(pseudonym.split('@').next().unwrap_or_default());
        told.push_str(sign);
        told.push_str(domain);
        rest = after.split_at(domain.len()).1;
        changed = true;
    }
    if !changed {
        return Cow::Borrowed(text);
    }
    told.push_str(rest);
    Cow::Owned(told)
}

/// Whether a name somebody wrote down is this one, or the one that this pseudonym stands for.
pub fn is_alike(written: &str, known: &str) -> bool {
    written == known || (known.contains(PREFIX) && in_text(written) == known)
}

/// Whether this is a pseudonym, with its domain or without.
pub fn is_pseudonym(name: &str) -> bool {
    let name = name.split('@').next().unwrap_or_default();
    let hex =
        |digits: &str| digits.len() == DIGITS && digits.chars().all(|c| c.is_ascii_hexdigit());
    name.strip_prefix(PREFIX).is_some_and(hex)
}

fn next_sign(text: &str) -> Option<(usize, &'static str)> {
    SIGNS.iter().filter_map(|sign| Some((text.find(sign)?, *sign))).min()
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%')
}

fn name_of(before: &str) -> &str {
    let start = before
        .rfind(|c| !is_part(c))
        .map_or(0, |at| at + before.split_at(at).1.chars().next().map_or(0, char::len_utf8));
    before.split_at(start).1
}

/// As much of a text as can be a domain; not the full stop of a sentence.
fn domain_of(after: &str) -> &str {
    let end = after.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')));
    after.split_at(end.unwrap_or(after.len())).0.trim_end_matches('.')
}

fn is_domain(domain: &str) -> bool {
    domain.split_once('.').is_some_and(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_replaced_wherever_it_stands_and_a_domain_stays() {
        let ann = of_email("ann@acme.test");
        assert!(is_pseudonym(&ann) && ann.ends_with("@acme.test"), "{ann}");
        assert_eq!(of_email("Ann@acme.test"), ann);
        assert_eq!(of_email(&ann), ann, "twice is once");
        let at = ann.replace('@', "%40");
        for (text, told) in [
            ("ann@acme.test", ann.clone()),
            ("Edit Ann <ann@acme.test>.", format!("Edit Ann <{ann}>.")),
            ("mail ann@acme.test. Then", format!("mail {ann}. Then")),
            ("/users/ann%40acme.test/edit", format!("/users/{at}/edit")),
            ("ann@acme.test,ann@acme.test", format!("{ann},{ann}")),
            ("@ann, a@b, ü@ and %40", "@ann, a@b, ü@ and %40".to_owned()),
            (&*ann, ann.clone()),
        ] {
            assert_eq!(in_text(text), told, "{text}");
        }
        assert!(!of_email("ann").contains("ann"), "what is no address, either");
        assert!(is_alike("ann@acme.test", &ann) && is_alike("u_1", "u_1"));
        assert!(!is_alike("bob@acme.test", &ann) && !is_alike("ann", "Ann"));
    }
}

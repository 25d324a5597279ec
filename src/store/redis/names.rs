//! The names of keys, readable for operators: `docent:{acme/ps_1}:session`. The braces are a hash
//! tag, so all that a cluster keeps of one session is in one place.

use crate::store::Key;

/// Where the layout's number is kept.
pub(super) const FORMAT: &str = "docent:format";

/// Where instances announce what has changed.
pub(super) const ANNOUNCEMENTS: &str = "docent:announcements";

/// The name of a row. What would end the tag or cannot be typed is written `%XX`, and so is a `/`
/// in a product, so that two keys never share a name.
pub(super) fn name(kind: &str, key: Key<'_>) -> String {
    let length = key.product.len() + key.id.len() + kind.len();
    let mut name = String::with_capacity(length + "docent:{/}:".len());
    name.push_str("docent:{");
    escape(key.product, &mut name, true);
    name.push('/');
    escape(key.id, &mut name, false);
    name.push_str("}:");
    name.push_str(kind);
    name
}

fn escape(text: &str, name: &mut String, slash: bool) {
    for letter in text.chars() {
        if letter.is_ascii_control() || matches!(letter, '%' | '{' | '}') || slash && letter == '/'
        {
            name.push_str(&format!("%{:02X}", u32::from(letter)));
        } else {
            name.push(letter);
        }
    }
}

/// The product, the id and the kind that a name was made of.
pub(super) fn parts(name: &str) -> Option<(String, String, &str)> {
    let (tag, kind) = name.strip_prefix("docent:{")?.split_once("}:")?;
    let (product, id) = tag.split_once('/')?;
    Some((plain(product)?, plain(id)?, kind))
}

fn plain(escaped: &str) -> Option<String> {
    let mut pieces = escaped.split('%');
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        text.push(char::from(u8::from_str_radix(code, 16).ok()?));
        text.push_str(rest);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_read_and_belongs_to_one_key() {
        for (product, id, expected) in [
            ("acme", "ps_1", "docent:{acme/ps_1}:session"),
            ("acme", "", "docent:{acme/}:session"),
            ("", "", "docent:{/}:session"),
            ("acme", "a/b c", "docent:{acme/a/b c}:session"),
            ("a/b", "c", "docent:{a%2Fb/c}:session"),
            ("acme", "{x}:session", "docent:{acme/%7Bx%7D:session}:session"),
            ("acme", "50%\r\n\0", "docent:{acme/50%25%0D%0A%00}:session"),
            ("acme", "ü", "docent:{acme/ü}:session"),
        ] {
            assert_eq!(name("session", Key { product, id }), expected);
            let back = parts(expected).unwrap();
            assert_eq!(back, (product.to_owned(), id.to_owned(), "session"));
        }
        for foreign in
            [FORMAT, ANNOUNCEMENTS, "docent:{acme}:session", "docent:{a/%}:user", "other"]
        {
            assert_eq!(parts(foreign), None, "{foreign}");
        }
    }
}

//! Where it is kept that somebody is to be left alone, once nothing else of them is: under a hash.
//! What an erasure leaves behind, so that copies of what was erased can be told, is hashes, too.

use sha2::{Digest, Sha256};

/// Hex digits of a trace: more than enough that no two meet.
const DIGITS: usize = 32;

/// What a trace stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// A session's id.
    Session,
    /// A user id or an e-mail address.
    Name,
}

/// The id of a person's grave: a hash of salt, product and person's key, which nobody can read the
/// person's key from.
pub fn grave(salt: &str, product: &str, person: &str) -> String {
    format!("grave:{}", hashed(&[salt, product, person]))
}

/// A hash of salt, product, and a session or a name of a product, in 32 hex digits.
pub fn trace(salt: &str, product: &str, kind: Trace, id: &str) -> String {
    let kind = match kind {
        Trace::Session => "session",
        Trace::Name => "name",
    };
    let mut hex = hashed(&[salt, product, kind, id]);
    hex.truncate(DIGITS);
    hex
}

fn hashed(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_salt_product_and_person_has_its_own_and_none_is_told() {
        let ada = grave("s", "acme", "ada");
        assert_eq!(ada, grave("s", "acme", "ada"));
        for other in
            [grave("t", "acme", "ada"), grave("s", "other", "ada"), grave("s", "acmea", "da")]
        {
            assert_ne!(ada, other);
        }
        assert!(ada.len() == 70 && !ada.contains("ada"), "{ada}");
        let session = trace("s", "acme", Trace::Session, "ada");
        assert!(session.len() == 32 && session != trace("s", "acme", Trace::Name, "ada"));
    }
}

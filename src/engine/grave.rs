//! Where it is kept that somebody is to be left alone, once nothing else of them is: under a hash.

use sha2::{Digest, Sha256};

/// The id of a person's grave: a hash of salt, product and person's key, which nobody can read the
/// person's key from.
pub fn grave(salt: &str, product: &str, person: &str) -> String {
    let mut hash = Sha256::new();
    for part in [salt, product, person] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("grave:{hex}")
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
    }
}

//! Salts: texts that nobody can know beforehand. They make equal hashes differ from store to store;
//! they are no keys.

use std::hash::{BuildHasher as _, RandomState};

/// 128 bits as hex digits. Each state of the standard library starts from the system's randomness.
pub fn salt() -> String {
    let half = || RandomState::new().hash_one("docent");
    format!("{:016x}{:016x}", half(), half())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        let (one, other) = (salt(), salt());
        assert!(one != other && one.len() == 32, "{one} {other}");
    }
}

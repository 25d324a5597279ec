//! Whether a push may be believed: pure functions of secrets, header and raw body. Several
//! secrets may be in force at once, for rotation; comparisons take the same time whatever differs.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::rulebook::settings::Secret;

/// Header of a signed push (contract 2.6).
pub const CONNECTOR_HEADER: &str = "x-connector-signature";
/// Header of a PostHog destination (contract 2.12).
pub const POSTHOG_HEADER: &str = "x-posthog-secret";

/// Whether `header` is `sha256=` and the lower-case hex HMAC-SHA256 of the body under one of the
/// secrets. Without secrets nothing is signed; an empty secret signs nothing.
pub fn is_signed(secrets: &[Secret], header: &[u8], body: &[u8]) -> bool {
    let Some(claimed) = header.strip_prefix(b"sha256=").and_then(digest_of_hex) else {
        return false;
    };
    any(secrets, |secret| {
        Hmac::<Sha256>::new_from_slice(secret)
            .is_ok_and(|mac| mac.chain_update(body).verify_slice(&claimed).is_ok())
    })
}

/// Whether a PostHog destination's header is one of the secrets itself, or a signature of the body.
pub fn is_from_posthog(secrets: &[Secret], header: &[u8], body: &[u8]) -> bool {
    any(secrets, |secret| secret.ct_eq(header).into()) || is_signed(secrets, header, body)
}

/// Tries every secret, so that the time does not tell which one it was.
fn any(secrets: &[Secret], holds: impl Fn(&[u8]) -> bool) -> bool {
    let keys = secrets.iter().map(|secret| secret.0.as_bytes()).filter(|key| !key.is_empty());
    keys.fold(false, |found, key| holds(key) | found)
}

/// 64 lower-case hex digits.
fn digest_of_hex(hex: &[u8]) -> Option<[u8; 32]> {
    let (pairs, rest) = hex.as_chunks::<2>();
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some((nibble(*high)? << 4) | nibble(*low)?)).collect();
    if rest.is_empty() { bytes?.try_into().ok() } else { None }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2: a text key.
    const KEY: &str = "Jefe";
    const BODY: &[u8] = b"what do ya want for nothing?";
    const SIGNATURE: &str =
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    fn secrets(keys: &[&str]) -> Vec<Secret> {
        keys.iter().map(|key| Secret((*key).into())).collect()
    }

    #[test]
    fn published_signatures_hold() {
        // RFC 4231, test case 1: twenty bytes of 0x0b.
        let case_1 = "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        let key_1 = "\u{b}".repeat(20);
        assert!(is_signed(&secrets(&[&key_1]), case_1.as_bytes(), b"Hi There"));
        assert!(is_signed(&secrets(&[KEY]), SIGNATURE.as_bytes(), BODY));
        // The well-known pangram of many libraries' documentation.
        let fox = "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
        let text = b"The quick brown fox jumps over the lazy dog";
        assert!(is_signed(&secrets(&["key"]), fox.as_bytes(), text));
    }

    #[test]
    fn any_secret_in_force_will_do() {
        for keys in [&["old", KEY][..], &[KEY, "new"], &["", KEY]] {
            assert!(is_signed(&secrets(keys), SIGNATURE.as_bytes(), BODY), "{keys:?}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let hex = SIGNATURE.strip_prefix("sha256=").unwrap();
        let cases = [
            String::new(),
            "sha256=".into(),
            hex.into(),
            format!("SHA256={hex}"),
            format!("sha1={hex}"),
            format!("sha256={}", hex.to_uppercase()),
            format!("sha256={}", hex.split_at(62).0),
            format!("sha256={hex}0"),
            format!("sha256={hex}00"),
            format!("sha256= {hex}"),
            format!("sha256={}", hex.replace('5', "6")),
            format!("sha256={}", "g".repeat(64)),
            KEY.into(),
        ];
        for header in cases {
            assert!(!is_signed(&secrets(&[KEY]), header.as_bytes(), BODY), "{header}");
        }
        assert!(!is_signed(&secrets(&[KEY]), SIGNATURE.as_bytes(), b"another body"));
        assert!(!is_signed(&secrets(&["other"]), SIGNATURE.as_bytes(), BODY));
        assert!(!is_signed(&[], SIGNATURE.as_bytes(), BODY));
    }

    #[test]
    fn an_empty_secret_opens_nothing() {
        // HMAC-SHA256 of the empty text under the empty key.
        let empty = "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
        assert!(!is_signed(&secrets(&[""]), empty.as_bytes(), b""));
        assert!(!is_from_posthog(&secrets(&[""]), b"", b""));
    }

    #[test]
    fn posthog_may_send_the_secret_itself_or_a_signature() {
        let both = secrets(&["new", KEY]);
        for (header, accepted) in [
            (KEY, true),
            ("new", true),
            (SIGNATURE, true),
            ("jefe", false),
            ("Jefe ", false),
            ("", false),
        ] {
            assert_eq!(is_from_posthog(&both, header.as_bytes(), BODY), accepted, "{header}");
        }
    }
}

//! Session tokens: `user.exp.hex(HMAC-SHA256(key, product\nsession\nuser\nexp))`, made by the
//! product's own server, so that a browser can speak for one user in one session.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::time::{Span, Timestamp};
use crate::rulebook::settings::Secret;

/// A token lives at most this long (DESIGN.md, section 10).
pub const LONGEST: Span = Span::from_seconds(24 * 3_600);

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not `user.exp.signature`.
    #[error("the session token is malformed")]
    Malformed,
    /// Signed by nobody we know, or for another session or product.
    #[error("the session token's signature does not match")]
    Forged,
    /// Its time is over.
    #[error("the session token has expired")]
    Expired,
    /// It would live longer than [`LONGEST`].
    #[error("the session token lives longer than 24 hours")]
    TooLong,
}

/// Makes a token that ends at `expires`, in whole Unix seconds. `None` when a text holds a line
/// break, which would blur where one ends, or the user is empty.
pub fn mint(
    key: &Secret,
    product: &str,
    session: &str,
    user: &str,
    expires: i64,
) -> Option<String> {
    let mac = signed(key, product, session, user, &expires.to_string())?;
    let hex: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{user}.{expires}.{hex}"))
}

/// The user whom the token vouches for in this session, if one of the keys made it and `now` is
/// within its time.
pub fn verify<'t>(
    keys: &[Secret],
    product: &str,
    session: &str,
    token: &'t str,
    now: Timestamp,
) -> Result<&'t str, TokenError> {
    let mut parts = token.rsplitn(3, '.');
    let (Some(signature), Some(expires), Some(user)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Malformed);
    };
    let claimed = unhex(signature).ok_or(TokenError::Malformed)?;
    let end = expires.parse().ok().filter(|_| !expires.starts_with('+'));
    let end =
        end.and_then(|seconds: i64| seconds.checked_mul(1_000)).ok_or(TokenError::Malformed)?;
    let made_by = |key: &Secret| {
        signed(key, product, session, user, expires)
            .is_some_and(|mac| mac.verify_slice(&claimed).is_ok())
    };
    if !keys.iter().fold(false, |found, key| found | made_by(key)) {
        return Err(TokenError::Forged);
    }
    let end = Timestamp::from_millis(end);
    if end <= now {
        return Err(TokenError::Expired);
    }
    if end.since(now) > LONGEST {
        return Err(TokenError::TooLong);
    }
    Ok(user)
}

fn signed(
    key: &Secret,
    product: &str,
    session: &str,
    user: &str,
    expires: &str,
) -> Option<Hmac<Sha256>> {
    let parts = [product, session, user];
    if key.0.is_empty() || user.is_empty() || parts.iter().any(|part| part.contains('\n')) {
        return None;
    }
    let mac = Hmac::<Sha256>::new_from_slice(key.0.as_bytes()).ok()?;
    Some(mac.chain_update(format!("{product}\n{session}\n{user}\n{expires}")))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
    if rest.is_empty() { bytes } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_760_000_000_000);

    fn keys() -> [Secret; 2] {
        [Secret("old".into()), Secret("new".into())]
    }

    fn token(session: &str, user: &str, expires: i64) -> String {
        mint(&keys()[1], "acme", session, user, expires).unwrap()
    }

    /// The signature was made with Python's `hmac`, so that our reading of the format is not only ours.
    #[test]
    fn a_token_is_made_as_other_languages_make_it() {
        assert_eq!(
            token("ps_1", "ann@example.com", 1_760_003_600),
            "ann@example.com.1760003600.c8b8341c209cbf3be19f01c4e3db77682920c3c6d5f83c6229a60286999d61d6"
        );
    }

    #[test]
    fn a_token_vouches_for_its_user_in_its_session_alone() {
        let good = token("ps_1", "ann@example.com", 1_760_003_600);
        let ask = |product: &str, session: &str, token: &str| {
            verify(&keys(), product, session, token, NOW).map(str::to_owned)
        };
        assert_eq!(ask("acme", "ps_1", &good), Ok("ann@example.com".into()));
        assert_eq!(ask("acme", "ps_2", &good), Err(TokenError::Forged));
        assert_eq!(ask("other", "ps_1", &good), Err(TokenError::Forged));
        assert_eq!(ask("acme", "ps_1", &good.replace("ann", "bob")), Err(TokenError::Forged));
        assert_eq!(ask("acme", "ps_1", &good.replace("3600", "3601")), Err(TokenError::Forged));
        assert_eq!(verify(&[], "acme", "ps_1", &good, NOW), Err(TokenError::Forged));
        for bad in
            ["", "a.b", "a.b.c", "a.1760003600.zz", "a.1760003600.abc", "a.99999999999999999999.ab"]
        {
            assert_eq!(ask("acme", "ps_1", bad), Err(TokenError::Malformed), "{bad}");
        }
        assert_eq!(ask("acme", "ps_1", &good.to_uppercase()), Err(TokenError::Malformed));
    }

    #[test]
    fn a_token_lives_until_its_last_second_and_a_day_at_most() {
        let ask = |expires| verify(&keys(), "acme", "s", &token("s", "u", expires), NOW).err();
        assert_eq!(ask(1_760_000_000), Some(TokenError::Expired));
        assert_eq!(ask(1_760_000_001), None);
        assert_eq!(ask(1_760_086_400), None);
        assert_eq!(ask(1_760_086_401), Some(TokenError::TooLong));
    }

    #[test]
    fn a_line_break_cannot_shift_what_was_signed() {
        assert_eq!(mint(&keys()[0], "acme", "s\nu", "x", 1), None);
        assert_eq!(mint(&keys()[0], "acme", "s", "u\nx", 1), None);
        assert_eq!(mint(&Secret("".into()), "acme", "s", "u", 1), None);
    }
}

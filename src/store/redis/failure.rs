//! Why Redis does not do as asked, in words for people. They never hold an address or a password:
//! they travel to whoever asked.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) reason: String,
    /// Waiting does not help: the settings of docent or of Redis must change.
    pub(super) lasting: bool,
    /// Whether the command was refused, so that nothing of it has happened.
    pub(super) refused: bool,
    /// Whether another connection may be better.
    pub(super) reconnect: bool,
}

impl Failure {
    /// No answer in time. What was asked may have happened.
    pub(super) fn silent() -> Self {
        Self {
            reason: "Redis does not answer in time".to_owned(),
            lasting: false,
            refused: false,
            reconnect: true,
        }
    }

    /// An answer that means that docent cannot work with this Redis.
    pub(super) fn lasting(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), lasting: true, refused: true, reconnect: true }
    }

    /// An answer that means that it does not work now.
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), lasting: false, refused: true, reconnect: true }
    }

    /// What an error of the client means.
    pub(super) fn of(error: &RedisError) -> Self {
        if error.is_timeout() {
            return Self::silent();
        }
        match error.kind() {
            ErrorKind::Io => Self::unreached(error),
            ErrorKind::AuthenticationFailed => Self::lasting(denied(error)),
            ErrorKind::MasterNameNotFoundBySentinel => {
                Self::passing("the sentinels know no master of that name that is up")
            }
            ErrorKind::InvalidClientConfig => Self::lasting(error.to_string()),
            _ => Self::answered(error),
        }
    }

    /// The network's word.
    fn unreached(error: &RedisError) -> Self {
        let said = error.to_string();
        // A certificate that does not fit today will not fit in a second.
        let lasting = said.contains("certificate");
        let reason = if lasting {
            format!("the TLS certificate of Redis is not accepted: {said}")
        } else {
            format!("Redis cannot be reached: {}", said.to_lowercase())
        };
        Self { reason, lasting, refused: error.is_connection_refusal(), reconnect: true }
    }

    /// The server's word.
    fn answered(error: &RedisError) -> Self {
        let said = error.detail().unwrap_or_default();
        let is = |code: &str| error.code() == Some(code) || said.contains(code);
        let stays = |reason: &str| Self { reconnect: false, ..Self::passing(reason) };
        if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) {
            let reason = format!("the Redis user of `store` lacks a permission: {said}");
            return Self { reconnect: false, ..Self::lasting(reason) };
        }
        if is("NOAUTH") || is("WRONGPASS") || is("invalid password") {
            return Self::lasting(denied(error));
        }
        if is("cluster support disabled") {
            return Self::lasting("this Redis is no cluster; write `redis://HOST:PORT`");
        }
        if is("OOM") {
            return stays("Redis has no memory left for it; raise its `maxmemory`");
        }
        if is("MISCONF") {
            return stays("Redis cannot save to its disk and takes no writes; see its log");
        }
        if is("NOREPLICAS") {
            return stays("Redis has fewer replicas than it wants for a write");
        }
        if is("READONLY") {
            return Self::passing(READ_ONLY);
        }
        if is("LOADING") {
            return Self::passing("Redis is still loading its data");
        }
        if is("BUSY") {
            return stays("Redis is busy with somebody's script");
        }
        if is("CLUSTERDOWN") {
            return stays("the Redis cluster is down: a part of it has no master");
        }
        if is("WRONGTYPE") {
            return stays("something else than docent has written to its keys in Redis");
        }
        if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) {
            return stays(&format!("Redis refuses: {error}"));
        }
        // No answer that can be understood: it may have happened.
        let reason = format!("Redis gives no proper answer: {error}");
        Self { reason, lasting: false, refused: false, reconnect: true }
    }
}

/// What a server that only copies another says.
pub(super) const READ_ONLY: &str = "this Redis is a read-only replica; name its master in `store`, \
     or let sentinels find it: `redis+sentinel://HOST:26379/NAME`";

fn denied(error: &RedisError) -> String {
    let said = format!("{error} {}", error.detail().unwrap_or_default());
    if said.contains("NOAUTH") || said.contains("Authentication required") {
        return "Redis asks for a password and `store` has none; write \
                `redis://:${REDIS_PASSWORD}@HOST:PORT`"
            .to_owned();
    }
    "Redis does not accept the user or password of `store`".to_owned()
}

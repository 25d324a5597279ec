//! The HTTP client: one for the process, so that connections and timeouts are shared.

use std::time::Duration;

/// Until an upstream answers the telephone (contract 2.1: connect timeout).
const CONNECT: Duration = Duration::from_secs(10);
/// Idle connections are kept this long.
const IDLE: Duration = Duration::from_secs(90);

/// The shared client; clones share connections.
pub type HttpClient = reqwest::Client;

/// Builds the shared client. There is no read timeout: a stream may rest as long as it likes, and
/// whoever expects a prompt answer sets a timeout on the request. Fails only when the TLS set-up
/// of the machine is broken.
pub fn shared() -> Result<HttpClient, reqwest::Error> {
    install_tls();
    reqwest::Client::builder()
        .user_agent(concat!("docent/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .build()
}

/// Makes ring the process's TLS provider; whoever was first stays.
fn install_tls() {
    let _first_stays = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_can_be_built_more_than_once() {
        assert!(shared().is_ok());
        assert!(shared().is_ok());
    }
}

//! Origins, hosts and addresses: where a request says it comes from, whom it says it asks, and
//! whether docent listens to the machine alone.

use std::net::{IpAddr, SocketAddr};

/// Whom a listener can be reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// This machine alone.
    Loopback,
    /// Others too.
    Public,
}

impl Address {
    /// Of a bound listener.
    pub fn of_socket(socket: SocketAddr) -> Self {
        if socket.ip().to_canonical().is_loopback() { Self::Loopback } else { Self::Public }
    }

    /// Of `host:port` as written in the settings; a name counts as public unless it is `localhost`.
    pub fn of_setting(listen: &str) -> Self {
        if is_loopback_host(listen) { Self::Loopback } else { Self::Public }
    }
}

/// Whether a `Host` (`name`, `name:port`, `[v6]:port`) means this machine.
pub fn is_loopback_host(host: &str) -> bool {
    let name = without_port(host);
    if let Ok(ip) = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return ip.to_canonical().is_loopback();
    }
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether a page of this origin may ask: it is on the list (or `*` is), or both it and docent
/// live on this machine. `null`, the origin of sandboxes and files, is nobody's: only `*` lets it in.
pub fn is_allowed(allowed: &[String], origin: &str, address: Address) -> bool {
    let listed =
        |entry: &String| entry == "*" || entry.trim_end_matches('/').eq_ignore_ascii_case(origin);
    allowed.iter().any(listed) || (address == Address::Loopback && is_local(origin))
}

fn is_local(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(is_loopback_host)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_several_names_and_no_others() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "app.localhost:1",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]:80",
            "::1",
            "localhost.",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "127.0.0.1.evil.test",
            "localhost.evil.test",
            "0.0.0.0:8080",
            "[::]:80",
            "10.0.0.1",
            "notlocalhost",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
        assert_eq!(Address::of_setting("0.0.0.0:8080"), Address::Public);
        assert_eq!(Address::of_setting("localhost:8080"), Address::Loopback);
        assert_eq!(Address::of_socket(([127, 0, 0, 1], 80).into()), Address::Loopback);
        assert_eq!(Address::of_socket("[::ffff:127.0.0.1]:80".parse().unwrap()), Address::Loopback);
    }

    #[test]
    fn an_origin_is_listed_or_local() {
        let list = ["https://app.example.com/".to_owned()];
        let any = ["*".to_owned()];
        let table: [(&[String], &str, Address, bool); 12] = [
            (&list, "https://app.example.com", Address::Public, true),
            (&list, "https://APP.example.com", Address::Public, true),
            (&list, "http://app.example.com", Address::Public, false),
            (&list, "https://app.example.com.evil.test", Address::Public, false),
            (&list, "https://app.example.com:8443", Address::Public, false),
            (&list, "http://localhost:5173", Address::Public, false),
            (&list, "http://localhost:5173", Address::Loopback, true),
            (&[], "http://localhost:5173", Address::Loopback, true),
            (&[], "https://evil.test", Address::Loopback, false),
            (&[], "null", Address::Loopback, false),
            (&any, "null", Address::Public, true),
            (&any, "https://evil.test", Address::Public, true),
        ];
        for (allowed, origin, address, expected) in table {
            assert_eq!(is_allowed(allowed, origin, address), expected, "{origin} {address:?}");
        }
    }
}

//! The address of a Redis store as `docent.yaml` names it. It may hold a password, so it is never
//! shown but for its hosts.

use std::fmt;

use url::Url;

/// The schemes of a Redis store, with TLS and without.
pub const SCHEMES: [&str; 6] =
    ["redis", "rediss", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"];

/// Whether a store's setting names a Redis, well or badly.
pub fn is_redis(setting: &str) -> bool {
    setting.split_once(':').is_some_and(|(scheme, _)| SCHEMES.contains(&scheme))
}

/// Where Redis is and how its servers work together.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Whether connections are encrypted.
    pub tls: bool,
    /// How the servers work together.
    pub topology: Topology,
    /// `host:port` of each server, or of each sentinel; at least one.
    pub hosts: Vec<String>,
    /// `user:password@` as written, or nothing.
    credentials: String,
    /// The number of the database.
    database: u32,
    /// What sentinels themselves ask for, as written.
    sentinel_password: Option<String>,
}

/// How several servers work together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One server.
    Single,
    /// A Redis Cluster; the hosts are where to begin.
    Cluster,
    /// A master and its replicas, which sentinels know by this name.
    Sentinel(String),
}

/// What is wrong with an address. Tells nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Another scheme, or none.
    #[error("it does not begin with `redis://`, `redis+cluster://` or `redis+sentinel://`")]
    Scheme,
    /// A host is missing or cannot be one.
    #[error(
        "it needs a host, as in `redis://localhost:6379`; `@ : / ? # ,` in a password are written `%40 %3A %2F %3F %23 %2C`"
    )]
    Host,
    /// A port that is none.
    #[error("behind the host stands a port from 1 to 65535, as in `redis://localhost:6379`")]
    Port,
    /// Several hosts for one server.
    #[error("several hosts are a cluster, `redis+cluster://`, or sentinels, `redis+sentinel://`")]
    Several,
    /// No master is named.
    #[error(
        "it needs the master's name, as in `redis+sentinel://sentinel-1:26379,sentinel-2:26379/main`"
    )]
    Master,
    /// No number, or a cluster's.
    #[error(
        "behind the host stands the number of a database, as in `redis://localhost:6379/1`; a cluster has none"
    )]
    Database,
    /// Something behind `?` or `#`.
    #[error("nothing can stand behind `?` but `sentinel_password=`, and nothing behind `#`")]
    Option,
}

impl Address {
    /// Reads an address.
    pub fn parse(written: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = written.split_once("://").ok_or(AddressError::Scheme)?;
        if !SCHEMES.contains(&scheme) {
            return Err(AddressError::Scheme);
        }
        if rest.contains('#') {
            return Err(AddressError::Option);
        }
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(a, b)| (a, Some(b)));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rfind('@') {
            Some(at) => authority.split_at_checked(at + 1).unwrap_or_default(),
            None => ("", authority),
        };
        let path = path.trim_end_matches('/');
        let (topology, database) = match scheme.split_once('+') {
            None => (Topology::Single, path),
            Some((_, "cluster")) => (Topology::Cluster, path),
            Some(_) => {
                let (name, database) = path.split_once('/').unwrap_or((path, ""));
                (Topology::Sentinel(name.to_owned()), database)
            }
        };
        let default = if matches!(topology, Topology::Sentinel(_)) { 26_379 } else { 6_379 };
        let address = Self {
            tls: scheme.starts_with("rediss"),
            hosts: hosts
                .split(',')
                .map(|host| with_port(credentials, host, default))
                .collect::<Result<_, _>>()?,
            database: number(database).ok_or(AddressError::Database)?,
            sentinel_password: option(query)?,
            credentials: credentials.to_owned(),
            topology,
        };
        address.checked()
    }

    fn checked(self) -> Result<Self, AddressError> {
        match &self.topology {
            Topology::Single if self.hosts.len() > 1 => Err(AddressError::Several),
            Topology::Cluster if self.database > 0 => Err(AddressError::Database),
            Topology::Sentinel(name) if name.trim().is_empty() => Err(AddressError::Master),
            Topology::Single | Topology::Cluster if self.sentinel_password.is_some() => {
                Err(AddressError::Option)
            }
            _ => Ok(self),
        }
    }

    /// Whether both lead to the same records, whoever asks.
    pub fn is_same_place(&self, other: &Self) -> bool {
        let place = |address: &Self| (address.topology.clone(), address.database);
        place(self) == place(other) && self.hosts == other.hosts
    }

    /// The URL of each server with its credentials. Not for any eyes.
    pub fn servers(&self) -> Vec<String> {
        let url = |host: &String| self.url(&self.credentials, host, self.database);
        self.hosts.iter().map(url).collect()
    }

    /// The URL of each sentinel with its own password. Not for any eyes.
    pub fn sentinels(&self) -> Vec<String> {
        let credentials = self.sentinel_password.as_ref();
        let credentials = credentials.map_or(String::new(), |password| format!(":{password}@"));
        self.hosts.iter().map(|host| self.url(&credentials, host, 0)).collect()
    }

    fn url(&self, credentials: &str, host: &str, database: u32) -> String {
        let scheme = if self.tls { "rediss" } else { "redis" };
        format!("{scheme}://{credentials}{host}/{database}")
    }
}

/// Where it is, without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hosts.join(","))?;
        match &self.topology {
            Topology::Sentinel(name) => write!(f, "/{name}"),
            Topology::Single | Topology::Cluster => Ok(()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// `host:port`, if a URL can hold it.
fn with_port(credentials: &str, host: &str, default: u16) -> Result<String, AddressError> {
    let url = Url::parse(&format!("redis://{credentials}{host}"));
    let url = url.map_err(|error| wrong(host, error))?;
    let name = url.host_str().filter(|name| !name.is_empty()).ok_or(AddressError::Host)?;
    let plain = name.starts_with('[') || !name.contains([':', '@', '%']);
    if !plain || url.path().len() > 1 {
        return Err(AddressError::Host);
    }
    Ok(format!("{name}:{}", url.port().unwrap_or(default)))
}

/// What of `host:port` no URL can hold. What is no number may be a part of a password.
fn wrong(host: &str, error: url::ParseError) -> AddressError {
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    let counts = !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
    match error {
        url::ParseError::InvalidPort if counts => AddressError::Port,
        _ => AddressError::Host,
    }
}

fn number(database: &str) -> Option<u32> {
    if database.is_empty() { Some(0) } else { database.parse().ok() }
}

fn option(query: Option<&str>) -> Result<Option<String>, AddressError> {
    let Some(query) = query else { return Ok(None) };
    match query.split_once('=') {
        Some(("sentinel_password", password)) if !password.is_empty() => {
            Ok(Some(password.to_owned()))
        }
        _ => Err(AddressError::Option),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_to_go_and_never_shows_its_password() {
        for (written, servers, shown) in [
            ("redis://db", vec!["redis://db:6379/0"], "db:6379"),
            ("redis://db:7000/3", vec!["redis://db:7000/3"], "db:7000"),
            ("rediss://me:s%40cret@db/", vec!["rediss://me:s%40cret@db:6379/0"], "db:6379"),
            ("redis://:hunter2@[::1]:7000", vec!["redis://:hunter2@[::1]:7000/0"], "[::1]:7000"),
            (
                "redis+cluster://:hunter2@a:1,b",
                vec!["redis://:hunter2@a:1/0", "redis://:hunter2@b:6379/0"],
                "a:1,b:6379",
            ),
            (
                "rediss+sentinel://:hunter2@a,b:1/main/2",
                vec!["rediss://:hunter2@a:26379/2", "rediss://:hunter2@b:1/2"],
                "a:26379,b:1/main",
            ),
        ] {
            let address = Address::parse(written).unwrap();
            assert_eq!(address.servers(), servers, "{written}");
            assert_eq!(address.to_string(), shown, "{written}");
            assert_eq!(format!("{address:?}"), format!("Address({shown})"), "{written}");
        }
        let sentinel = Address::parse("redis+sentinel://:a@s/main?sentinel_password=b").unwrap();
        assert_eq!(sentinel.sentinels(), ["redis://:b@s:26379/0"]);
        assert_eq!(sentinel.topology, Topology::Sentinel("main".into()));
    }

    #[test]
    fn what_cannot_be_an_address_is_refused_without_telling_it() {
        for (written, expected) in [
            ("redis:db", AddressError::Scheme),
            ("valkey://db", AddressError::Scheme),
            ("redis://", AddressError::Host),
            ("redis://:6379", AddressError::Host),
            ("redis://:hun/ter2@db", AddressError::Host),
            ("redis://db:port", AddressError::Host),
            ("redis://db:70000", AddressError::Port),
            ("redis+cluster://a,,b", AddressError::Host),
            ("redis://a,b", AddressError::Several),
            ("redis+sentinel://a:1", AddressError::Master),
            ("redis+sentinel://a:1/", AddressError::Master),
            ("redis://db/one", AddressError::Database),
            ("redis://db/-1", AddressError::Database),
            ("redis+cluster://a/1", AddressError::Database),
            ("rediss://db#insecure", AddressError::Option),
            ("redis://db?protocol=3", AddressError::Option),
            ("redis://db?sentinel_password=x", AddressError::Option),
        ] {
            assert_eq!(Address::parse(written), Err(expected), "{written}");
            assert!(!expected.to_string().contains("ter2"));
        }
    }
}

//! Limits: how often a client and a session may ask, and who the client is behind a proxy.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, HeaderName};

use crate::rulebook::settings::{Limits, Rate};

/// How much more than its rate a client may ask in one breath.
const BURST: u32 = 10;
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The limits of one revision of the settings, with what was asked so far.
#[derive(Debug)]
pub struct Limiters {
    limits: Limits,
    clients: Option<DefaultKeyedRateLimiter<IpAddr>>,
    sessions: Option<DefaultKeyedRateLimiter<u64>>,
    proxies: Vec<Block>,
    hasher: RandomState,
    clock: DefaultClock,
}

impl Limiters {
    /// Nothing asked yet. A rate of zero means no limit; what is no address is no proxy.
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            clients: quota(limits.per_client).map(RateLimiter::keyed),
            sessions: quota(limits.per_session).map(RateLimiter::keyed),
            proxies: limits.trusted_proxies.iter().filter_map(|text| Block::read(text)).collect(),
            hasher: RandomState::new(),
            clock: DefaultClock::default(),
        }
    }

    /// Whether these are the limits that the settings now ask for.
    pub fn are_of(&self, limits: &Limits) -> bool {
        self.limits == *limits
    }

    /// Who is asking: the peer, or, when the peer is a trusted proxy, the nearest address of
    /// `X-Forwarded-For` that is not one. An IPv6 client counts by its /64.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines = headers.get_all(FORWARDED).iter().filter_map(|line| line.to_str().ok());
        let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        for hop in hops.iter().rev() {
            if !self.proxies.iter().any(|proxy| proxy.holds(client)) {
                break;
            }
            let Some(address) = address_of(hop) else { break };
            client = address;
        }
        network(client)
    }

    /// One more request of a client; the error says after how many seconds to come back.
    pub fn client_asks(&self, client: IpAddr) -> Result<(), u64> {
        let Some(limiter) = &self.clients else { return Ok(()) };
        limiter.check_key(&client).map_err(|until| seconds(until.wait_time_from(self.clock.now())))
    }

    /// One more request about a session; the error says after how many seconds to come back.
    pub fn session_asks(&self, product: &str, session: &str) -> Result<(), u64> {
        let Some(limiter) = &self.sessions else { return Ok(()) };
        let key = self.hasher.hash_one((product, session));
        limiter.check_key(&key).map_err(|until| seconds(until.wait_time_from(self.clock.now())))
    }

    /// Forgets who has long been quiet; to be called now and then, or memory grows for ever.
    pub fn tidy(&self) {
        if let Some(limiter) = &self.clients {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        if let Some(limiter) = &self.sessions {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    /// How many clients and sessions are remembered.
    pub fn remembered(&self) -> usize {
        self.clients.as_ref().map_or(0, DefaultKeyedRateLimiter::len)
            + self.sessions.as_ref().map_or(0, DefaultKeyedRateLimiter::len)
    }
}

fn quota(rate: Rate) -> Option<Quota> {
    let requests = NonZeroU32::new(rate.requests)?;
    let per = Duration::from_millis(u64::try_from(rate.per.as_millis()).ok()?);
    let burst = requests.saturating_mul(NonZeroU32::new(BURST)?);
    Some(Quota::with_period(per.checked_div(requests.get())?)?.allow_burst(burst))
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// One address of `X-Forwarded-For`: bare, `v4:port` or `[v6]:port`.
fn address_of(hop: &str) -> Option<IpAddr> {
    if let Ok(address) = hop.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(socket) = hop.parse::<std::net::SocketAddr>() {
        return Some(socket.ip().to_canonical());
    }
    hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

fn network(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
    }
}

/// An address or a CIDR block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    first: IpAddr,
    bits: u32,
}

impl Block {
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.trim().parse().ok()?)),
            None => (text, None),
        };
        let first: IpAddr = address.trim().parse().ok()?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { first, bits })
    }

    fn holds(&self, address: IpAddr) -> bool {
        let same = |one: u128, other: u128, width: u32| {
            one.checked_shr(width - self.bits) == other.checked_shr(width - self.bits)
                || self.bits == 0
        };
        match (self.first, address) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                same(u32::from(one).into(), u32::from(other).into(), 32)
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => same(one.into(), other.into(), 128),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Span;

    fn limiters(change: impl FnOnce(&mut Limits)) -> Limiters {
        let mut limits = Limits::default();
        change(&mut limits);
        Limiters::new(&limits)
    }

    fn rate(requests: u32, per: i64) -> Rate {
        Rate { requests, per: Span::from_seconds(per) }
    }

    #[test]
    fn a_burst_of_ten_times_the_rate_passes_and_then_one_waits() {
        let limiters = limiters(|limits| limits.per_session = rate(2, 3_600));
        for _ in 0..20 {
            assert_eq!(limiters.session_asks("acme", "ps_1"), Ok(()));
        }
        let wait = limiters.session_asks("acme", "ps_1").unwrap_err();
        assert!((1_790..=1_800).contains(&wait), "half an hour a piece: {wait}");
        assert_eq!(limiters.session_asks("acme", "ps_2"), Ok(()), "another session");
        assert_eq!(limiters.session_asks("other", "ps_1"), Ok(()), "another product");
        assert_eq!(limiters.remembered(), 3);
        limiters.tidy();
        assert_eq!(limiters.remembered(), 3, "still in debt");
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        let limiters = limiters(|limits| limits.per_client = rate(0, 1));
        let client = IpAddr::from([10, 0, 0, 1]);
        assert!((0..100_000).all(|_| limiters.client_asks(client).is_ok()));
    }

    #[test]
    fn only_a_trusted_proxy_may_say_who_asks() {
        let limiters = limiters(|limits| {
            limits.trusted_proxies =
                ["10.0.0.0/8", "192.168.1.1", "fd00::/8", "nonsense", "1.2.3.4/99"]
                    .map(str::to_owned)
                    .to_vec();
        });
        let table = [
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.1.2.3", "", "10.1.2.3"),
            ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
            ("10.1.2.3", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
            ("10.1.2.3", "6.6.6.6, 198.51.100.1, 192.168.1.1", "198.51.100.1"),
            ("10.1.2.3", "198.51.100.1:4711", "198.51.100.1"),
            ("10.1.2.3", "6.6.6.6, unknown", "10.1.2.3"),
            ("192.168.1.2", "198.51.100.1", "192.168.1.2"),
            ("::ffff:10.1.2.3", "198.51.100.1", "198.51.100.1"),
            ("fd12::1", "[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::"),
            ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        ];
        for (peer, forwarded, client) in table {
            let mut headers = HeaderMap::new();
            if !forwarded.is_empty() {
                headers.insert(FORWARDED, forwarded.parse().unwrap());
            }
            let found = limiters.client(peer.parse().unwrap(), &headers);
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{peer} {forwarded}");
        }
    }

    #[test]
    fn a_block_of_zero_bits_holds_every_address_of_its_kind() {
        let all = Block::read("0.0.0.0/0").unwrap();
        assert!(all.holds([8, 8, 8, 8].into()));
        assert!(!all.holds("::1".parse().unwrap()));
        assert!(Block::read("::/0").unwrap().holds("2001::1".parse().unwrap()));
    }
}

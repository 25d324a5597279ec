//! Where a person falls: the same in every session, process and program, so that who is in, who is
//! held out and who sees which variant never changes by itself. `docs/buckets.md` is the contract.

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

/// So many buckets there are; each is a hundredth of a percent.
pub const BUCKETS: u16 = 10_000;

/// What a bucket is drawn for. The draws are independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// Who a trigger is rolled out to.
    Rollout,
    /// Who sees which variant.
    Variant,
    /// Who is in a control group.
    Holdout,
}

impl Draw {
    /// The salt, which is also the name.
    pub const fn salt(self) -> &'static str {
        match self {
            Self::Rollout => "rollout",
            Self::Variant => "variant",
            Self::Holdout => "holdout",
        }
    }

    /// The bucket of a unit, from 0 to 9999. A product's own control group has an empty trigger.
    pub fn bucket(self, trigger: &str, unit: &str) -> u16 {
        let key = [self.salt().as_bytes(), trigger.as_bytes(), unit.as_bytes()].join(&0);
        place(&key)
    }
}

/// Where a session falls when some of them are recorded whole.
pub fn sample(product: &str, session: &str) -> u16 {
    place(&[b"journal", product.as_bytes(), session.as_bytes()].join(&0))
}

fn place(key: &[u8]) -> u16 {
    let bucket = xxh3_64(key) % u64::from(BUCKETS);
    u16::try_from(bucket).unwrap_or_default()
}

/// A share of people, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u16);

impl Share {
    /// 0%.
    pub const NOBODY: Self = Self(0);
    /// 100%.
    pub const EVERYBODY: Self = Self(BUCKETS);

    /// So many hundredths of a percent, at most 10,000.
    pub const fn of(hundredths: u16) -> Self {
        if hundredths > BUCKETS { Self::EVERYBODY } else { Self(hundredths) }
    }

    /// Whether a bucket is inside. A larger share holds every bucket of a smaller one.
    pub const fn holds(self, bucket: u16) -> bool {
        bucket < self.0
    }
}

/// `12.5%`
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / 100.0)
    }
}

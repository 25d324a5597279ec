//! Tidying up: a slow walk that drops activity past its time from rows whose ledgers stay. Nobody
//! would see it any more, but it would lie in Redis, and in its backups, for as long as they do.

use redis::{Value, cmd, pipe};
use tokio::time::timeout;

use crate::domain::records::EmailIndex;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::memory::marks::EVERY_SLOT;
use crate::store::memory::row::{Row, SessionRow};
use crate::store::raw::Place;
use crate::store::record::Record;
use crate::store::redis::failure::Failure;
use crate::store::redis::names::parts;
use crate::store::redis::stored::Stored;
use crate::store::redis::walk::{Ways, ask_all};
use crate::store::redis::wire::PATIENCE;
use crate::store::redis::{Asked, Redis, Stamp};
use crate::store::{Key, Step, StoreError};

/// Every row of docent's.
const ALL: [&str; 1] = ["docent:{*}:*"];

impl Redis {
    /// Strips some rows from a place on, see [`crate::store::Store::tidy`].
    pub(crate) async fn tidy(
        &self,
        from: &Place,
        now: Timestamp,
    ) -> Result<Option<Place>, StoreError> {
        let (old, next) = match timeout(PATIENCE, self.old(from, now)).await {
            Ok(found) => found?,
            Err(_) => return Err(StoreError::Slow),
        };
        for name in old {
            let Some((product, id, kind)) = parts(&name) else { continue };
            let key = Key { product: &product, id: &id };
            let stripped = match kind {
                Session::KIND => self.strip::<SessionRow>(key, now).await,
                EmailIndex::KIND => self.strip::<Option<EmailIndex>>(key, now).await,
                _ => Ok(()),
            };
            match stripped {
                // A newer docent's, perhaps; it is not for this one to change.
                Err(StoreError::Unread { reason }) => {
                    tracing::debug!(reason, "Passed over a row that cannot be read");
                }
                other => other?,
            }
        }
        Ok(next)
    }

    /// The names of rows with activity that may be past its time.
    async fn old(
        &self,
        from: &Place,
        now: Timestamp,
    ) -> Result<(Vec<String>, Option<Place>), StoreError> {
        let failed = |error| StoreError::Unread { reason: Failure::of(&error).reason };
        let wire = self.link.up().await;
        let wire = wire.map_err(|failure| StoreError::Unread { reason: failure.reason })?.wire;
        let mut ways = Ways::through(wire).await.map_err(failed)?;
        let Some((mut names, next)) = ways.scan(from, &ALL).await? else {
            return Ok((Vec::new(), None));
        };
        names.retain(|name| name.ends_with("}:session") || name.ends_with("}:email"));
        let mut asks = pipe();
        for name in &names {
            asks.add_command(cmd("HGET").arg(name).arg("written").take());
        }
        let node = ways.node(from);
        let told = match names.is_empty() {
            true => Vec::new(),
            false => ask_all(&mut ways.wire, &node, asks).await.map_err(failed)?,
        };
        let past = |value: Value| {
            let text = redis::from_redis_value::<Option<i64>>(value).ok().flatten();
            text.is_some_and(|at| now.since(Timestamp::from_millis(at)) >= self.lives.session)
        };
        let old = names.into_iter().zip(told);
        Ok((old.filter_map(|(name, told)| past(told).then_some(name)).collect(), next))
    }

    /// Writes a row as everybody sees it, unless that is how it is. When it was written stays.
    async fn strip<W: Row>(&self, key: Key<'_>, now: Timestamp) -> Result<(), StoreError> {
        let asked = Asked::new::<W>(key, EVERY_SLOT, self.lives);
        let asked = Asked { stamp: Stamp::Unmoved, ..asked };
        let step = |row: &mut W, stored: &Stored| {
            if stored.differs(row) { Step::Write(()) } else { Step::Keep(()) }
        };
        self.bounded(asked, now, step).await
    }
}

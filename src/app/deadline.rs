//! Nobody waits forever: a verb asks the store several times, each time for so long at most, and all
//! of them together for so long at most.

use std::time::Duration;

use tokio::time::timeout;

use crate::app::{App, Denied};
use crate::store::StoreError;

/// As long as one commit to disk may take.
const DEADLINE: Duration = Duration::from_secs(5);

impl App {
    /// Runs to its end even if nobody waits for that any more; whoever does is told in time that the
    /// store is slow, and asks again.
    pub async fn see_through<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Denied> + Send + 'static,
    {
        in_time(self.tasks.see_through(work)).await
    }
}

/// What changes nothing may be given up.
pub async fn in_time<T, E: From<Denied>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let slow = |_| Err(Denied::Store(StoreError::Slow).into());
    timeout(DEADLINE, work).await.unwrap_or_else(slow)
}

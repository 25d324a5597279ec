//! Bursts of changes: a save is several events, and a checkout hundreds.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

/// Silence after which a burst of events is over.
pub(super) const QUIET: Duration = Duration::from_millis(150);
/// A burst is looked at after this long even if it is not over.
const BURST: Duration = Duration::from_secs(2);

/// Until the burst of changes is over, or has lasted too long.
pub(super) async fn calm(changes: &mut mpsc::Receiver<()>) {
    let quiet = async { while let Ok(Some(())) = timeout(QUIET, changes.recv()).await {} };
    let _ = timeout(BURST, quiet).await;
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_ends_with_silence_or_after_two_seconds() {
        for (changes, millis) in [(1, 150), (4, 450), (19, 1_950), (20, 2_000), (90, 2_000)] {
            let (sender, mut receiver) = mpsc::channel(1);
            let pulse = async {
                for _ in 0..changes {
                    let _ = sender.try_send(());
                    sleep(Duration::from_millis(100)).await;
                }
                std::future::pending::<()>().await;
            };
            let start = Instant::now();
            tokio::select! {
                biased;
                () = pulse => {}
                () = calm(&mut receiver) => {}
            }
            let took = start.elapsed().as_millis().abs_diff(millis);
            assert!(took < 10, "{changes} changes: {:?}", start.elapsed());
        }
    }
}

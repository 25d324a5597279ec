//! The batches that benchmarks of stores write.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use docent::domain::action::Action;
use docent::domain::records::{Chunk, Context};
use docent::domain::session::Session;
use docent::domain::text::Shared;
use docent::domain::time::Timestamp;
use docent::store::{Key, Step, Store};
use tokio::task::JoinSet;
use tokio::time::Instant;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_760_000_000_000);
/// How long each figure is measured.
pub(crate) const LONG: Duration = Duration::from_secs(5);
/// Sessions that the batches are for.
pub(crate) const SESSIONS: u64 = 20_000;
/// Actions that each session has.
pub(crate) const ACTIONS: u64 = 20;

fn action(session: u64, number: u64) -> Action {
    let page: Shared = format!("/page-{}", (session + number) % 50).into();
    Action {
        at: NOW,
        kind: if number.is_multiple_of(3) { "pageview" } else { "click" }.into(),
        title: format!("Button {}", number % 7).into(),
        url: page.clone(),
        page,
        started: 1_760_000_000.5,
        ended: 1_760_000_001.5,
        forwarded: 1_760_000_002.5,
        properties: None,
    }
}

/// A session with its actions, one more batch of four, and the chunk of that.
pub(crate) fn batch(
    state: &mut Option<Session>,
    context: &mut Option<Context>,
    session: u64,
) -> Step<()> {
    let state = state.get_or_insert_default();
    let from = if state.actions.is_empty() { 0 } else { ACTIONS - 4 };
    state.seq += 1;
    state.actions.extend((from..ACTIONS).map(|number| action(session, number)));
    while state.actions.len() as u64 > ACTIONS {
        state.actions.pop_front();
    }
    let context = context.get_or_insert_default();
    let text = format!("Session {session}: 4 actions\n{}", "[0] click: Pressed save\n".repeat(4));
    let chunk = Chunk { number: context.next, at: NOW, text: text.into(), summary: false };
    context.next += 1;
    context.chunks.push_back(chunk);
    while context.chunks.len() > 5 {
        context.chunks.pop_front();
    }
    Step::Write(())
}

/// Neighbours in time are no neighbours in a file.
pub(crate) fn scattered(number: u64) -> u64 {
    number.wrapping_mul(7_919) % SESSIONS
}

/// What so many clients get done in a second, each its next job as soon as its last is done.
pub(crate) async fn throughput<J>(
    clients: usize,
    job: impl Fn(u64) -> J + Clone + Send + 'static,
) -> f64
where
    J: Future<Output = ()> + Send,
{
    let (next, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        let (job, next) = (job.clone(), Arc::clone(&next));
        tasks.spawn(async move {
            while begun.elapsed() < LONG {
                job(next.fetch_add(1, Ordering::Relaxed)).await;
            }
        });
    }
    tasks.join_all().await;
    next.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

/// Batches a second that so many clients have acknowledged.
pub(crate) async fn acknowledged(store: &Arc<Store>, clients: usize) -> f64 {
    let store = Arc::clone(store);
    let job = move |number| {
        let (store, session) = (Arc::clone(&store), scattered(number));
        async move {
            let id = format!("ps_{session}");
            let key = Key { product: "acme", id: &id };
            let step = |state: &mut _, context: &mut _| batch(state, context, session);
            store.update_session(key, NOW, step).await.expect("a commit");
        }
    };
    throughput(clients, job).await
}

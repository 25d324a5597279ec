//! A store beside its model: a map that forgets.

use std::collections::HashMap;

use docent::domain::records::Context;
use docent::domain::session::Session;
use docent::domain::time::{Span, Timestamp};
use docent::rulebook::settings::{Durability, Limits};
use docent::store::{Key, Step, Store};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::given::{DAY, START, action, round, said};

#[derive(Clone, Debug)]
enum Operation {
    /// A batch: activity, and a chunk.
    Act {
        key: usize,
    },
    /// A dismissal: a ledger.
    Dismiss {
        key: usize,
    },
    /// A poll: looks, and leaves traces that are not kept.
    Poll {
        key: usize,
    },
    Forget {
        key: usize,
    },
    Wait {
        hours: i64,
    },
    Sweep,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let key = 0..KEYS.len();
    let operation = prop_oneof![
        4 => key.clone().prop_map(|key| Operation::Act { key }),
        2 => key.clone().prop_map(|key| Operation::Dismiss { key }),
        4 => key.clone().prop_map(|key| Operation::Poll { key }),
        1 => key.prop_map(|key| Operation::Forget { key }),
        2 => (0_i64..30).prop_map(|hours| Operation::Wait { hours }),
        1 => (0_i64..800).prop_map(|hours| Operation::Wait { hours }),
        1 => Just(Operation::Sweep),
    ];
    prop::collection::vec(operation, 1..120)
}

const KEYS: [Key<'static>; 5] = [
    Key { product: "acme", id: "1" },
    Key { product: "acme", id: "2" },
    Key { product: "acm", id: "e1" },
    Key { product: "rival", id: "1" },
    Key { product: "rival", id: "" },
];

/// What a session is known to hold: actions, dismissals, last write.
type Known = (usize, u32, Timestamp);

/// The model's whole idea of time.
fn aged((actions, dismissals, written): Known, now: Timestamp) -> Option<Known> {
    let age = now.since(written);
    let actions = if age >= DAY { 0 } else { actions };
    let remains = age < DAY || dismissals > 0;
    (remains && age < DAY.times(30)).then_some((actions, dismissals, written))
}

proptest! {
    #[test]
    fn a_store_is_a_map_that_forgets(operations in operations()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = Store::open("memory", &Limits::default()).unwrap();
        runtime.block_on(live(store, &operations, async |store| store))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// A durable store is that map, too, and it is opened anew in the middle of it all.
    #[test]
    fn a_durable_store_is_a_map_that_forgets(operations in operations()) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let (durability, limits) = (Durability::Immediate, Limits::default());
            Store::open_in(folder.path(), "embedded:data", durability, &limits).unwrap()
        };
        let reopen = async |store: Store| {
            store.close().await.unwrap();
            open()
        };
        runtime.block_on(live(open(), &operations, reopen))?;
    }
}

/// So is one on a server, where two stores take turns.
#[test]
#[ignore = "needs redis-server; `make test` installs it"]
fn a_shared_store_is_a_map_that_forgets() {
    let server = crate::server::Server::start(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config =
        ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let lived = TestRunner::new(config).run(&operations(), |operations| {
        runtime.block_on(async {
            let () = server.ask(&["FLUSHALL"]);
            let other = crate::server::open(&server.url()).await;
            let other = std::cell::Cell::new(Some(other));
            let turn = async |store| other.replace(Some(store)).unwrap();
            lived(crate::server::open(&server.url()).await, &operations, turn).await.map(drop)
        })
    });
    lived.unwrap();
}

/// Performs it all on a store, which `reopen` may exchange, and on the model; then counts.
async fn live(
    store: Store,
    operations: &[Operation],
    reopen: impl AsyncFn(Store) -> Store,
) -> Result<(), TestCaseError> {
    let (store, mut model, now) = lived(store, operations, &reopen).await?;
    round(&store, now);
    model = model.into_iter().filter_map(|(key, known)| Some((key, aged(known, now)?))).collect();
    let figures = store.figures();
    prop_assert_eq!(figures.records[0], ("session", model.len() as u64));
    let active = model.values().filter(|(actions, ..)| *actions > 0).count();
    prop_assert_eq!(figures.sessions, active as u64);
    round(&store, Timestamp::FOREVER);
    let store = reopen(store).await;
    let figures = store.figures();
    prop_assert_eq!((figures.sessions, figures.bytes, figures.ledger_bytes), (0, 0, 0));
    Ok(())
}

/// Performs it all; the store and the model as they are at the end.
async fn lived(
    mut store: Store,
    operations: &[Operation],
    reopen: impl AsyncFn(Store) -> Store,
) -> Result<(Store, HashMap<Key<'static>, Known>, Timestamp), TestCaseError> {
    let (mut model, mut now) = (HashMap::<Key<'_>, Known>::new(), START);
    for (number, operation) in operations.iter().enumerate() {
        perform(&store, &mut model, &mut now, operation).await?;
        if number % 20 == 19 {
            store = reopen(store).await;
        }
    }
    Ok((store, model, now))
}

async fn perform(
    store: &Store,
    model: &mut HashMap<Key<'static>, Known>,
    now: &mut Timestamp,
    operation: &Operation,
) -> Result<(), TestCaseError> {
    let at = *now;
    match *operation {
        Operation::Wait { hours } => *now = at.plus(Span::from_seconds(hours * 3_600)),
        Operation::Sweep => drop(store.sweep(at)),
        Operation::Act { key } => {
            let known = model.get(&KEYS[key]).and_then(|known| aged(*known, at));
            let (actions, dismissals, _) = known.unwrap_or((0, 0, at));
            let act = |state: &mut Option<Session>, context: &mut Option<Context>| {
                state.get_or_insert_default().actions.push_back(action("/a"));
                context.get_or_insert_default().chunks.extend(said("hello").chunks);
                Step::Write(())
            };
            store.update_session(KEYS[key], at, act).await.unwrap();
            model.insert(KEYS[key], (actions + 1, dismissals, at));
        }
        Operation::Dismiss { key } => {
            let known = model.get(&KEYS[key]).and_then(|known| aged(*known, at));
            let (actions, dismissals, _) = known.unwrap_or((0, 0, at));
            let dismiss = |state: &mut Option<Session>| {
                state.get_or_insert_default().machine.dismissals += 1;
                Step::Write(())
            };
            store.update(KEYS[key], at, dismiss).await.unwrap();
            model.insert(KEYS[key], (actions, dismissals + 1, at));
        }
        Operation::Poll { key } => {
            let known = model.get(&KEYS[key]).and_then(|known| aged(*known, at));
            let look = |state: &mut Option<Session>, context: &mut Option<Context>| {
                let chunks = context.as_ref().map_or(0, |context| context.chunks.len());
                let seen = state.as_ref().map(|s| (s.actions.len(), s.machine.dismissals, chunks));
                state.get_or_insert_default();
                Step::Keep(seen)
            };
            let seen = store.update_session(KEYS[key], at, look).await.unwrap();
            let expected = known.map(|(actions, dismissals, _)| (actions, dismissals, actions));
            prop_assert_eq!(seen, expected, "{:?}", KEYS[key]);
        }
        Operation::Forget { key } => {
            let forget = |state: &mut Option<Session>, context: &mut Option<Context>| {
                (*state, *context) = (None, None);
                Step::Write(())
            };
            store.update_session(KEYS[key], at, forget).await.unwrap();
            model.remove(&KEYS[key]);
        }
    }
    Ok(())
}

//! What a store on disk must do beyond the story of every store: outlive its process, take damage
//! without guessing, and say what is wrong.
#![cfg(test)]

#[path = "durable/damage.rs"]
mod damage;
#[expect(dead_code, reason = "the story of every store uses the rest")]
#[path = "store/given.rs"]
mod given;

use std::fs;
use std::path::Path;

use docent::domain::records::{Account, Context, Conversation, EmailIndex, Product, User};
use docent::domain::session::Session;
use docent::domain::time::Span;
use docent::rulebook::settings::{Durability, Limits};
use docent::store::figures::Reason;
use docent::store::{Key, Step, Store, StoreError};
use redb::{Database, TableDefinition};
use tempfile::{TempDir, tempdir};
use tokio::task::JoinSet;

use given::{DAY, START, active, an_offer, count, dismissed, fired_once, get, put, round, said};

fn try_open(folder: &Path, limits: &Limits) -> Result<Store, StoreError> {
    Store::open_in(folder, "embedded:data", Durability::Immediate, limits)
}

fn open(folder: &TempDir) -> Store {
    try_open(folder.path(), &Limits::default()).unwrap()
}

fn key(id: &str) -> Key<'_> {
    Key { product: "acme", id }
}

async fn forget(store: &Store, id: &str) {
    let gone = |state: &mut Option<Session>, context: &mut Option<Context>| {
        (*state, *context) = (None, None);
        Step::Write(())
    };
    store.update_session(key(id), START, gone).await.unwrap();
}

fn sessions(store: &Store) -> u64 {
    store.figures().records[0].1
}

#[tokio::test]
async fn every_kind_of_record_outlives_the_process() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    let mut session = active("/a");
    session.offer = Some(an_offer("of_1").into());
    let mut product = Product::default();
    product.fired.charge(&"of_1".into(), START, DAY);
    let account =
        Account { seq: 3, traits: [("plan".into(), "pro".into())].into(), ..Account::default() };
    let conversation = Conversation { machine: dismissed(1).machine, ..Conversation::default() };
    let email = EmailIndex { session: Some("ps_1".into()), as_of: 0.1 + 0.2 };
    put(&store, key("ps_1"), START, session.clone()).await;
    put(&store, key("ps_1"), START, said("hello")).await;
    put(&store, key("u_1"), START, fired_once("of_1")).await;
    put(&store, key("big"), START, account.clone()).await;
    put(&store, key(""), START, product.clone()).await;
    put(&store, key("dify-7"), START, conversation.clone()).await;
    put(&store, key("a@acme.test"), START, email.clone()).await;
    // Not closed: what was acknowledged is on disk, and the lock goes with the process.
    let copy = tempdir().unwrap();
    fs::create_dir(copy.path().join("data")).unwrap();
    fs::copy(file(&folder), file(&copy)).unwrap();
    for folder in [&copy, &folder] {
        store.close().await.unwrap();
        let store = open(folder);
        assert_eq!(get(&store, key("ps_1"), START).await, Some(session.clone()));
        assert_eq!(get(&store, key("ps_1"), START).await, Some(said("hello")));
        assert_eq!(get(&store, key("u_1"), START).await, Some(fired_once("of_1")));
        assert_eq!(get(&store, key("big"), START).await, Some(account.clone()));
        assert_eq!(get(&store, key(""), START).await, Some(product.clone()));
        assert_eq!(get(&store, key("dify-7"), START).await, Some(conversation.clone()));
        assert_eq!(get(&store, key("a@acme.test"), START).await, Some(email.clone()));
        store.close().await.unwrap();
    }
}

fn file(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("data/docent.redb")
}

#[tokio::test]
async fn what_is_forgotten_is_forgotten_on_disk_too() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    for id in ["kept", "forgotten", "anew"] {
        put(&store, key(id), START, active("/a")).await;
        put(&store, key(id), START, said("secret words")).await;
    }
    forget(&store, "forgotten").await;
    forget(&store, "anew").await;
    put(&store, key("anew"), START, active("/b")).await;
    store.close().await.unwrap();
    let store = open(&folder);
    assert_eq!(sessions(&store), 2);
    assert_eq!(get::<Session>(&store, key("forgotten"), START).await, None);
    assert_eq!(get(&store, key("anew"), START).await, Some(active("/b")));
    assert_eq!(get::<Context>(&store, key("anew"), START).await, None, "of its former life");
    assert_eq!(get(&store, key("kept"), START).await, Some(said("secret words")));
}

#[tokio::test]
async fn time_to_live_counts_across_restarts_and_frees_the_disk() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    put(&store, key("ps_1"), START, Session { machine: dismissed(2).machine, ..active("/a") })
        .await;
    put(&store, key("ps_1"), START, said("hello")).await;
    store.close().await.unwrap();

    let day = START.plus(DAY);
    let store = open(&folder);
    let before = day.minus(Span::from_millis(1));
    assert!(get::<Session>(&store, key("ps_1"), before).await.unwrap().has_activity());
    round(&store, day);
    store.close().await.unwrap();
    // The clock goes back, but what went with its time stays gone.
    let store = open(&folder);
    let session = get::<Session>(&store, key("ps_1"), START).await.unwrap();
    assert!(!session.has_activity());
    assert_eq!(session.machine, dismissed(2).machine);
    assert_eq!(get::<Context>(&store, key("ps_1"), START).await, None);
    round(&store, START.plus(Limits::default().ledger_ttl));
    store.close().await.unwrap();
    assert_eq!(sessions(&open(&folder)), 0);
}

/// Three sessions in memory at most; all of ten are remembered, also by the next process.
#[tokio::test]
async fn activity_that_made_room_comes_back_with_its_session() {
    let folder = tempdir().unwrap();
    let limits = Limits { max_sessions: 3, ..Limits::default() };
    let mut store = try_open(folder.path(), &limits).unwrap();
    let page = |number: i64| format!("/{number}");
    let at = |number| START.plus(Span::from_seconds(number));
    for number in 0..10 {
        let id = page(number);
        put(&store, key(&id), at(number), active(&id)).await;
        put(&store, key(&id), at(number), said(&id)).await;
        assert!(store.figures().sessions <= 3);
    }
    assert_eq!(count(&store, Reason::MaxSessions), 7);
    for _ in 0..2 {
        for number in 0..10 {
            let id = page(number);
            assert_eq!(get(&store, key(&id), at(10)).await, Some(active(&id)));
            assert_eq!(get(&store, key(&id), at(10)).await, Some(said(&id)));
            assert!(store.figures().sessions <= 3);
        }
        store.close().await.unwrap();
        store = try_open(folder.path(), &limits).unwrap();
        assert!(store.figures().sessions <= 3, "at start, too");
    }
    let act = |state: &mut Option<Session>, _: &mut Option<Context>| {
        state.as_mut().unwrap().seq += 1;
        Step::Write(())
    };
    for number in 0..10 {
        store.update_session(key(&page(number)), at(11), act).await.unwrap();
    }
    forget(&store, "/0").await;
    round(&store, at(0).plus(DAY));
    store.close().await.unwrap();
    store = try_open(folder.path(), &limits).unwrap();
    assert_eq!(get::<Session>(&store, key("/0"), at(12)).await, None);
    for number in 1..10 {
        let id = page(number);
        let session = Session { seq: 2, ..active(&id) };
        assert_eq!(get(&store, key(&id), at(12)).await, Some(session), "{id}");
        assert_eq!(get(&store, key(&id), at(12)).await, Some(said(&id)));
    }
    round(&store, at(11).plus(DAY));
    store.close().await.unwrap();
    assert_eq!(sessions(&open(&folder)), 0, "activity alone leaves nothing");
}

#[tokio::test]
async fn what_cannot_be_opened_says_why_and_what_to_do() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    put(&store, key("ps_1"), START, active("/a")).await;
    let told = |folder: &Path| try_open(folder, &Limits::default()).unwrap_err().to_string();
    let data = folder.path().join("data").display().to_string();

    assert_eq!(
        told(folder.path()),
        format!(
            "the records in `{data}` are in use by another docent; stop it, or give this one a \
             folder of its own: `store: embedded:PATH`"
        )
    );
    store.close().await.unwrap();
    drop(store);

    let about: TableDefinition<'_, &str, u64> = TableDefinition::new("docent");
    let database = Database::open(file(&folder)).unwrap();
    let newer = database.begin_write().unwrap();
    newer.open_table(about).unwrap().insert("format", 2).unwrap();
    newer.commit().unwrap();
    drop(database);
    assert_eq!(
        told(folder.path()),
        format!(
            "`{data}/docent.redb` was written by a newer docent (format 2; this version knows 1); \
             run that version, or start with a folder of its own"
        )
    );

    fs::write(file(&folder), "hello\n".repeat(1_000)).unwrap();
    let message = told(folder.path());
    assert!(message.starts_with(&format!("`{data}/docent.redb` is damaged: ")), "{message}");
    assert!(message.contains("put a copy of it back, or move it away"), "{message}");

    let other = tempdir().unwrap();
    fs::write(other.path().join("data"), "a file where the folder should be").unwrap();
    let message = told(other.path());
    assert!(message.starts_with("cannot keep records in `"), "{message}");
    assert!(message.ends_with("docent must be able to write there"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_folder_without_permission_is_named_and_ours_is_for_nobody_else() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempdir().unwrap();
    drop(open(&folder));
    let data = folder.path().join("data");
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_to_string(data.join(".gitignore")).unwrap(), "*\n");
    let closed = tempdir().unwrap();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o500)).unwrap();
    // Nothing is closed to root.
    if fs::write(closed.path().join("probe"), "").is_err() {
        let message = try_open(closed.path(), &Limits::default()).unwrap_err().to_string();
        assert!(message.contains("ermission denied"), "{message}");
        assert!(message.ends_with("docent must be able to write there"), "{message}");
    }
}

/// Somebody who looks at what another is about to keep hears of it only when it is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_seen_is_on_disk() {
    let folder = tempdir().unwrap();
    let store = std::sync::Arc::new(open(&folder));
    let looking = std::sync::Arc::clone(&store);
    let count = |slot: &mut Option<User>| {
        slot.get_or_insert_default().seq += 1;
        Step::Write(())
    };
    let mut images = Vec::new();
    let mut writing = JoinSet::new();
    writing.spawn(async move {
        for _ in 0..200 {
            store.update(key("u_1"), START, count).await.unwrap();
        }
    });
    while writing.try_join_next().is_none() {
        let seen = get::<User>(&looking, key("u_1"), START).await.map_or(0, |user| user.seq);
        if images.len() < 10 {
            images.push((seen, fs::read(file(&folder)).unwrap()));
        }
    }
    looking.close().await.unwrap();
    for (seen, image) in images {
        let copy = tempdir().unwrap();
        fs::create_dir(copy.path().join("data")).unwrap();
        fs::write(file(&copy), image).unwrap();
        // A copy of a file that is being written may be no file at all; a crash leaves none such.
        let Ok(store) = try_open(copy.path(), &Limits::default()) else { continue };
        let kept = get::<User>(&store, key("u_1"), START).await.map_or(0, |user| user.seq);
        assert!(kept >= seen, "{kept} {seen}");
    }
}

#[tokio::test]
async fn a_closed_store_refuses_instead_of_forgetting() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    put(&store, key("ps_1"), START, active("/a")).await;
    store.close().await.unwrap();
    let step = |slot: &mut Option<Session>| {
        slot.get_or_insert_default().seq = 9;
        Step::Write(())
    };
    let refused = store.update(key("ps_1"), START, step).await;
    let reason = "docent is shutting down".to_owned();
    assert_eq!(refused, Err(StoreError::Unwritten { reason }));
}

/// With an interval, closing writes what no commit has written yet.
#[tokio::test]
async fn an_interval_is_written_at_the_end() {
    let folder = tempdir().unwrap();
    let long = Durability::Interval(Span::from_seconds(10));
    let limits = Limits::default();
    let store = Store::open_in(folder.path(), "embedded:data", long, &limits).unwrap();
    put(&store, key("ps_1"), START, active("/a")).await;
    store.close().await.unwrap();
    assert_eq!(get(&open(&folder), key("ps_1"), START).await, Some(active("/a")));
}

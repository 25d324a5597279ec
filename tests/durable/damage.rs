//! Files as a crash or a bad disk leaves them.

use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use docent::domain::records::Context;
use docent::domain::session::Session;
use docent::rulebook::settings::Limits;
use docent::store::{Step, StoreError};
use tempfile::tempdir;

use crate::given::{START, active, get, put, said};
use crate::{file, key, open, sessions, try_open};

const PAGE: usize = 4_096;

/// A crash may leave any part of the last commit on disk. When the file had to grow, that is on disk
/// before the first page, which knows its length. The store is then as it was before that commit,
/// or after it.
#[tokio::test]
async fn any_part_of_a_torn_commit_recovers() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    for number in 0..200 {
        put(&store, key(&number.to_string()), START, active("/before")).await;
    }
    let before = fs::read(file(&folder)).unwrap();
    let change = |state: &mut Option<Session>, context: &mut Option<Context>| {
        *state = Some(active("/after"));
        *context = Some(said(&"x".repeat(200_000)));
        Step::Write(())
    };
    store.update_session(key("7"), START, change).await.unwrap();
    let after = fs::read(file(&folder)).unwrap();
    let random = RandomState::new();
    let changed = |page: &usize| page_of(&before, *page) != page_of(&after, *page);
    let changed: Vec<usize> = (0..after.len() / PAGE).filter(changed).collect();
    assert!(changed.len() > 20, "{}", changed.len());
    for round in 0..64_usize {
        let mut torn = before.clone();
        if round % 2 == 0 {
            torn.resize(after.len(), 0);
        }
        for page in &changed {
            let start = page * PAGE;
            let chosen = random.hash_one((round, page)) % 64 >= round as u64;
            let chosen = chosen && (torn.len() == after.len() || *page > 0);
            if let Some(place) = torn.get_mut(start..start + PAGE).filter(|_| chosen) {
                place.copy_from_slice(&after[start..start + PAGE]);
            }
        }
        let crashed = tempdir().unwrap();
        fs::create_dir(crashed.path().join("data")).unwrap();
        fs::write(file(&crashed), &torn).unwrap();
        let store = open(&crashed);
        assert_eq!(sessions(&store), 200);
        let session = get::<Session>(&store, key("7"), START).await.unwrap();
        let context = get::<Context>(&store, key("7"), START).await;
        let whole = (session == active("/after"), context.is_some());
        assert!(whole == (true, true) || session == active("/before") && !whole.1, "{whole:?}");
        put(&store, key("7"), START, active("/later")).await;
        assert_eq!(get(&store, key("8"), START).await, Some(active("/before")));
    }
}

fn page_of(file: &[u8], page: usize) -> Option<&[u8]> {
    file.get(page * PAGE..(page + 1) * PAGE)
}

/// Whatever byte is wrong, the store says so or has every record as it was; it never guesses.
#[tokio::test]
async fn damage_is_reported_and_never_served() {
    let folder = tempdir().unwrap();
    let store = open(&folder);
    let words = "words that take room ".repeat(50);
    for number in 0..60 {
        put(&store, key(&number.to_string()), START, said(&words)).await;
    }
    store.close().await.unwrap();
    drop(store);
    let sound = fs::read(file(&folder)).unwrap();
    let random = RandomState::new();
    let mut reported = 0;
    for round in 0..96_u64 {
        let mut hurt = sound.clone();
        let mut place = random.build_hasher();
        place.write_u64(round);
        if round % 8 == 0 {
            hurt.truncate((place.finish() % sound.len() as u64) as usize);
        } else {
            // Among the first pages, where something is.
            let used = sound.len().min(60 * PAGE) as u64;
            hurt[(place.finish() % used) as usize] ^= 0x10;
        }
        fs::write(file(&folder), &hurt).unwrap();
        match try_open(folder.path(), &Limits::default()) {
            Ok(store) => {
                if hurt.is_empty() {
                    continue;
                }
                assert_eq!(sessions(&store), 60, "round {round}");
                for number in 0..60 {
                    let context = get::<Context>(&store, key(&number.to_string()), START).await;
                    assert_eq!(context, Some(said(&words)), "round {round}");
                }
            }
            Err(StoreError::Damaged { .. }) => reported += 1,
            Err(other) => panic!("round {round}: {other}"),
        }
    }
    assert!(reported > 10, "{reported}");
}

//! Clients that close their connection right after they have asked: what was begun is finished.

use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::common::Docent;
use crate::server::until;
use crate::{files, view};

/// How often somebody hangs up.
const TIMES: u64 = 120;

/// Asks, waits for a random moment of up to a few milliseconds, and is gone.
async fn hang_up(docent: &Docent, request: &str, random: u64) {
    let address = docent.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    tokio::time::sleep(Duration::from_micros(random % 3_000)).await;
    drop(stream);
}

async fn export(docent: &Docent, user: &str) -> Value {
    docent.get(&format!("/admin/users/acme/{user}/export")).await.1
}

fn count(all: &Value, pointer: &str) -> usize {
    all.pointer(pointer).and_then(Value::as_array).map_or(0, Vec::len)
}

/// "Don't show me help again", and the tab is closed: heard in all sessions, for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_word_whose_tab_is_closed_is_heard_everywhere_or_nowhere() {
    let (docent, random) = (Docent::serve(&files()), RandomState::new());
    let mut heard = 0;
    for number in 0..TIMES {
        let user = format!("u_{number}");
        let batch = view(&format!("s_{number}"), Some(&user), 0);
        assert_eq!(docent.post("/events/acme", batch).await.0, 200);
        let body = "{\"event\":\"proactive_opted_out\"}";
        let request = format!(
            "POST /agent_state/acme/proactive%3As_{number} HTTP/1.1\r\nhost: localhost\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        hang_up(&docent, &request, random.hash_one(number)).await;
    }
    for number in 0..TIMES {
        let user = format!("u_{number}");
        until("a word to be whole", async || {
            let all = export(&docent, &user).await;
            let in_session = all.pointer("/sessions/0/state/consent").is_some_and(Value::is_object);
            let of_person = all.pointer("/users/0/record/consent").is_some_and(Value::is_object);
            let for_good = all.pointer("/kept/0/record/consent").is_some_and(Value::is_object);
            heard += usize::from(in_session);
            in_session == of_person && of_person == for_good
        })
        .await;
    }
    assert!(heard > 10, "{heard} were read at all");
}

/// A poll that is aborted, as by leaving a page: the person's day is charged for an offer that was
/// made, and for no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_that_is_aborted_charges_nobody_for_nothing() {
    let (docent, random) = (Docent::serve(&files()), RandomState::new());
    for number in 0..TIMES {
        let user = format!("u_{number}");
        let batch = view(&format!("s_{number}"), Some(&user), 0);
        assert_eq!(docent.post("/events/acme", batch).await.0, 200);
        let request = format!(
            "GET /context/acme/s_{number}?conversation_id=proactive%3As_{number} HTTP/1.1\r\n\
             host: localhost\r\n\r\n"
        );
        hang_up(&docent, &request, random.hash_one(number)).await;
    }
    let mut made = 0;
    for number in 0..TIMES {
        let user = format!("u_{number}");
        until("a firing to be whole", async || {
            let all = export(&docent, &user).await;
            let offered = count(&all, "/sessions/0/state/fired/entries");
            made += offered;
            offered == count(&all, "/users/0/record/fired/entries")
        })
        .await;
    }
    assert!(made > 10, "{made} were made at all");
}

//! A door between docent and a server that slams at random: what went in has arrived, and the
//! answer does not come out.

use std::hash::{BuildHasher as _, RandomState};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The door; it stays open to the end of the process.
pub(crate) struct Door {
    pub(crate) port: u16,
    hinges: Arc<Hinges>,
}

#[derive(Default)]
struct Hinges {
    /// One answer in so many is swallowed, with the connection; none when 0.
    one_in: AtomicU64,
    answers: AtomicU64,
    slammed: AtomicU64,
    random: RandomState,
}

impl Door {
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, hinges) = (listener.local_addr().unwrap().port(), Arc::<Hinges>::default());
        let shared = Arc::clone(&hinges);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let (to_server, to_client) =
                    (server.try_clone().unwrap(), client.try_clone().unwrap());
                let hinges = Arc::clone(&shared);
                thread::spawn(move || pass(client, to_server, || false));
                thread::spawn(move || pass(server, to_client, || hinges.slam()));
            }
        });
        Self { port, hinges }
    }

    /// From now on one answer in so many is swallowed; with 0, none.
    pub(crate) fn slams(&self, one_in: u64) {
        self.hinges.one_in.store(one_in, Ordering::Relaxed);
    }

    pub(crate) fn slammed(&self) -> u64 {
        self.hinges.slammed.load(Ordering::Relaxed)
    }
}

impl Hinges {
    fn slam(&self) -> bool {
        let one_in = self.one_in.load(Ordering::Relaxed);
        let answer = self.answers.fetch_add(1, Ordering::Relaxed);
        let slams = one_in > 0 && self.random.hash_one(answer).is_multiple_of(one_in);
        self.slammed.fetch_add(slams.into(), Ordering::Relaxed);
        slams
    }
}

/// Passes bytes on until either side ends or the door slams.
fn pass(mut from: TcpStream, mut to: TcpStream, slams: impl Fn() -> bool) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        if slams() || to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _closed = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

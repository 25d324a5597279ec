//! A workspace in a temporary folder, served and watched.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use docent::domain::time::Timestamp;
use docent::library::live::Live;
use docent::library::status::{Mode, Status};
use docent::library::{disk, watch::watch};
use docent::rulebook::Rulebook;
use docent::rulebook::template::Text;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// One product, all defaults.
pub(crate) const PRODUCT: &str = "version: 1\nproducts:\n  acme: {}\n";
/// Longer than anything takes, the five seconds between two polls included.
const DEADLINE: Duration = Duration::from_secs(20);

/// Removed, and no longer watched, when it is dropped.
pub(crate) struct Served {
    dir: TempDir,
    root: PathBuf,
    pub(crate) live: Arc<Live>,
    _task: JoinSet<()>,
}

impl Served {
    /// A workspace of one product, the rule `base` and these files.
    pub(crate) async fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let base = rule("base", "base");
        for (path, text) in
            [("docent.yaml", PRODUCT), ("rules/base.yaml", &base)].iter().chain(files)
        {
            write(&dir.path().join(path), text);
        }
        Self::at(dir, "").await
    }

    /// The workspace in this part of a folder.
    pub(crate) async fn at(dir: TempDir, root: &str) -> Self {
        let root = dir.path().join(root);
        let sources = disk::settled(&root, Duration::from_millis(1)).await.unwrap();
        let start = Instant::now();
        let now = move || Timestamp::from_millis(start.elapsed().as_millis() as i64);
        let live = Arc::new(Live::start(sources, |_| None, now()).unwrap());
        let mut task = JoinSet::new();
        task.spawn(watch(root.clone(), Arc::clone(&live), now, CancellationToken::new()));
        let served = Self { dir, root, live, _task: task };
        served.until("somebody watches", |status| status.watcher.mode != Mode::Off).await;
        served.rest().await;
        served
    }

    /// Waits until nobody is reading, so that what follows must be noticed.
    pub(crate) async fn rest(&self) {
        let mut last = (None, Instant::now());
        self.until("the watcher rests", |status| {
            let checked = status.watcher.last_check_at;
            if checked != last.0 {
                last = (checked, Instant::now());
            }
            checked.is_some() && last.1.elapsed() > Duration::from_millis(300)
        })
        .await;
    }

    /// Waits until the status is as wanted.
    pub(crate) async fn until(
        &self,
        what: &str,
        mut is_so: impl FnMut(&Status) -> bool,
    ) -> Arc<Status> {
        let start = Instant::now();
        loop {
            // A rulebook is in force a moment before the status tells of it.
            let so = is_so(&self.live.status());
            let status = self.live.status();
            if so && status.active.digest == self.live.current().digest {
                return status;
            }
            assert!(start.elapsed() < DEADLINE, "waited in vain: {what}: {status:#?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// What the rule in force says.
    pub(crate) fn body(&self, rule: &str) -> Option<String> {
        body_in(&self.live.current(), rule)
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// In the temporary folder, which may be more than the workspace.
    pub(crate) fn beside(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }
}

pub(crate) fn body_in(book: &Rulebook, rule: &str) -> Option<String> {
    let rules = book.products.get("acme").map(|product| product.rules.iter())?;
    rules.filter(|one| &*one.id == rule).find_map(|one| match &one.offer.body {
        Some(Text::Plain(body)) => Some(body.to_string()),
        _ => None,
    })
}

/// A file with one rule; no part of it is well-formed.
pub(crate) fn rule(id: &str, body: &str) -> String {
    format!("{{ version: 1, triggers: [{}] }}\n", trigger(id, body))
}

/// One rule in flow style, and a comma.
pub(crate) fn trigger(id: &str, body: &str) -> String {
    format!(
        "{{ id: {id}, when: [dwell: 20s], \
         offer: {{ body: \"{body}\", accept: \"Yes\", dismiss: \"No\" }} }},\n"
    )
}

/// Writes a file in place, and the folders it needs.
pub(crate) fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Puts a file there at once, as careful tools do.
pub(crate) fn save(path: &Path, text: &str) {
    let next = path.with_file_name(".next");
    write(&next, text);
    fs::rename(next, path).unwrap();
}

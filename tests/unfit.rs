//! Stores that cannot be opened, as whoever starts docent meets them: an exit code and a sentence.
#![cfg(test)]

mod common;
#[expect(dead_code, reason = "another test uses the rest")]
#[path = "full/disk.rs"]
mod disk;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{EAGER, PLAIN, workspace};
use disk::SmallDisk;
use redb::{Database, TableDefinition};

/// Starts by way of a shell's words; the exit code and what was said.
fn start(shell: &str, workspace: &Path) -> (Option<i32>, String) {
    let output = Command::new("sh")
        .args(["-c", &format!("{shell} exec \"$@\""), "sh", "timeout", "20"])
        .args([env!("CARGO_BIN_EXE_docent"), "serve", "--listen", "127.0.0.1:0", "--workspace"])
        .arg(workspace)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn files() -> [(&'static str, &'static str); 2] {
    [("docent.yaml", PLAIN), ("rules/eager.yaml", EAGER)]
}

/// Nothing is closed to root, so root becomes somebody else for this.
#[test]
fn a_folder_that_is_closed_to_docent_is_named() {
    let workspace = workspace(&files());
    let data = workspace.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(workspace.path(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o500)).unwrap();
    let is_root = fs::write(data.join("probe"), "").is_ok();
    let shell = if is_root {
        "exec setpriv --reuid=65534 --regid=65534 --clear-groups -- \"$@\";"
    } else {
        ""
    };
    let (code, said) = start(shell, workspace.path());
    let binary_is_closed = said.contains("docent: Permission denied") || code == Some(126);
    if is_root && binary_is_closed {
        return;
    }
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("ermission denied"), "{said}");
    assert!(said.contains("docent must be able to write there"), "{said}");
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let workspace = workspace(&files());
    fs::create_dir(workspace.path().join("data")).unwrap();
    let file = workspace.path().join("data/docent.redb");
    let about: TableDefinition<'_, &str, u64> = TableDefinition::new("docent");
    let database = Database::create(&file).unwrap();
    let newer = database.begin_write().unwrap();
    newer.open_table(about).unwrap().insert("format", 99).unwrap();
    newer.commit().unwrap();
    drop(database);
    let before = fs::read(&file).unwrap();
    let (code, said) = start("", workspace.path());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("was written by a newer docent (format 99;"), "{said}");
    assert!(said.contains("run that version, or start with a folder of its own"), "{said}");
    assert_eq!(fs::read(&file).unwrap().len(), before.len());
}

#[test]
fn a_start_on_a_full_disk_says_so() {
    let workspace = workspace(&files());
    let disk = SmallDisk::at(&workspace.path().join("data"), 8);
    let shell = if disk.is_some() { "" } else { "trap '' XFSZ; ulimit -f 8;" };
    let (code, said) = start(shell, workspace.path());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cannot keep records in `"), "{said}");
    if let Some(disk) = &disk {
        disk.grow(64 << 10);
    }
    // With room again it starts, whatever the failed start left behind.
    let (code, said) =
        start("set -- timeout 2 \"$3\" \"$4\" \"$5\" \"$6\" \"$7\" \"$8\";", workspace.path());
    assert_ne!(code, Some(1), "{said}");
    assert!(said.contains("docent listens on"), "{said}");
}

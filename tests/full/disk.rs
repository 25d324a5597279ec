//! A small disk of its own: a file system in memory, where the system lets a test mount one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What stands in for a full disk where nothing can be mounted: no file grows beyond a few MiB. The
/// signal would end the process; ignored, the write fails with an error instead.
pub(crate) const FILE_LIMIT: &str = "trap '' XFSZ; ulimit -S -f 8192;";

/// A mounted disk, gone with the test.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// In this folder, so many KiB; `None`, and says so, when nothing may be mounted here.
    pub(crate) fn at(folder: &Path, kib: u32) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let disk = Self(folder.to_owned());
        if mount(&["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"], folder) {
            return Some(disk);
        }
        std::mem::forget(disk);
        eprintln!("nothing may be mounted here: a limit on files' sizes stands in for a full disk");
        None
    }

    /// There is room again.
    pub(crate) fn grow(&self, kib: u32) {
        assert!(mount(&["-o", &format!("remount,size={kib}k")], &self.0));
    }
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    let mut mount = Command::new("mount");
    let mount = mount.args(arguments).arg(folder).stderr(Stdio::null()).status();
    mount.is_ok_and(|status| status.success())
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

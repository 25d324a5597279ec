//! What the instances recorded, side by side.

use std::process::{Command, Stdio};

use serde_json::Value;
use tokio::task::block_in_place;

use crate::common::Docent;

/// Stops them; the decisions of their journals are made again.
pub(crate) fn decided_again(docents: &mut [Docent]) -> Value {
    block_in_place(|| {
        docents.iter_mut().for_each(Docent::stop);
        let output = Command::new(env!("CARGO_BIN_EXE_docent"))
            .args(["replay", "--verify", "--format", "json"])
            .args(docents.iter().map(|docent| docent.workspace.path().join("journal")))
            .current_dir(docents[0].workspace.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"))
    })
}

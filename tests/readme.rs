//! The README's commands, as a newcomer would paste them: run in order against a fresh server of
//! the shipped workspace, each answering as shown beneath it.
#![cfg(test)]

mod common;
mod shown;

use crate::common::{Docent, repository, shipped};

#[test]
#[ignore = "needs curl; `make test` has it"]
fn the_readmes_commands_answer_as_it_says() {
    let docent = Docent::start_in(shipped(), &["--listen", "127.0.0.1:0"], &[]);
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let mut answers = 0;
    for block in blocks(&readme) {
        let script = block.replace("http://127.0.0.1:8080", &docent.base);
        for example in shown::examples(&script) {
            assert!(example.shown.is_some(), "no answer is shown for:\n{}", example.commands);
            example.run();
            answers += 1;
        }
    }
    assert!(answers >= 5, "the README shows {answers} commands with their answers");
}

/// The fenced blocks marked `sh`.
fn blocks(markdown: &str) -> impl Iterator<Item = &str> {
    markdown.split("\n```sh\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0)
}

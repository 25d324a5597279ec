//! Documentation comments of the sources: what the code says of its own names is what a page says.

use std::fs;
use std::path::Path;

/// A file of the repository.
pub(crate) fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The first sentence that a file says of itself.
pub(crate) fn opening(file: &str) -> String {
    let text = read(file);
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    let whole = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    tidy(whole.split(". ").next().unwrap())
}

/// Every field or variant of a type with what is said of it, in the order written.
pub(crate) fn members(file: &str, item: &str) -> Vec<(String, String)> {
    let text = read(file);
    let heads = [format!("pub struct {item} {{"), format!("pub enum {item} {{")];
    let mut lines = text.lines().skip_while(|line| !heads.iter().any(|head| head == line));
    assert!(lines.next().is_some(), "{file} has no `{item}`");
    let (mut members, mut said) = (Vec::new(), Vec::new());
    for line in lines.take_while(|line| *line != "}").map(str::trim) {
        if let Some(doc) = line.strip_prefix("///") {
            said.push(doc.trim());
        } else if !line.starts_with('#') {
            let name = line.trim_start_matches("pub ").split([':', ',', '(']).next().unwrap();
            members.push((name.to_owned(), tidy(&said.join(" "))));
            said.clear();
        }
    }
    members
}

/// What is said of one member.
pub(crate) fn said(file: &str, item: &str, member: &str) -> String {
    let found = members(file, item).into_iter().find(|(name, _)| name == member);
    found.unwrap_or_else(|| panic!("{file}: `{item}` has no `{member}`")).1
}

/// Without the full stop, and without references to the texts the code was built from.
fn tidy(doc: &str) -> String {
    let mut text = doc.to_owned();
    while let Some((before, rest)) = text.split_once(" (contract") {
        text = format!("{before}{}", rest.split_once(')').unwrap().1);
    }
    assert!(!text.is_empty(), "nothing is said");
    text.trim_end_matches('.').to_owned()
}

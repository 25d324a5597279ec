//! Repairs that a machine can make: only where exactly what is wrong stands in the file, so that a
//! variable, an escape or an alias is never written over.

use crate::rulebook::finding::Fix;
use crate::rulebook::reader::Findings;
use crate::rulebook::suggest::surely;
use crate::rulebook::yaml::{Node, Spot, Style};

impl Findings<'_> {
    /// The finding noted last is gone once `right` stands where `wrong` does; its quotes stay.
    pub fn repair(&mut self, wrong: &str, right: &str) {
        self.put(wrong, right, false);
    }

    /// The same, and what quotes `wrong` goes too.
    pub fn replace(&mut self, wrong: &str, right: &str) {
        self.put(wrong, right, true);
    }

    /// The finding noted last is of a name that is misspelt, if one of `known` is surely meant.
    pub fn respell<'k>(&mut self, wrong: &str, known: impl IntoIterator<Item = &'k str>) {
        if let Some(right) = surely(wrong, known) {
            self.repair(wrong, right);
        }
    }

    /// The finding noted last is gone once a list or mapping in brackets, on one line, is this.
    pub fn rephrase(&mut self, node: &Node, replacement: String) {
        let written = self.source.get(node.bytes.0..node.bytes.1).unwrap_or("");
        if node.style == Style::Flow && !written.contains('\n') && written.ends_with(']') {
            let Spot { line, column, .. } = node.at;
            let end_column = column + written.chars().count();
            self.rewrite(Some(Fix { line, column, end_line: line, end_column, replacement }));
        }
    }

    /// A repair of several lines, for the finding noted last.
    pub fn rewrite(&mut self, fix: Option<Fix>) {
        if let Some(finding) = self.latest.and_then(|at| self.list.get_mut(at)) {
            finding.fix = fix;
        }
    }

    fn put(&mut self, wrong: &str, right: &str, quotes_too: bool) {
        let Some(finding) = self.latest.and_then(|at| self.list.get_mut(at)) else { return };
        let written = finding.extent(self.source).and_then(|at| self.source.get(at)).unwrap_or("");
        if written == right || right.is_empty() {
            return;
        }
        let inside = ['"', '\'', '`'].into_iter().find_map(|quote| {
            written.strip_prefix(quote)?.strip_suffix(quote).filter(|inside| *inside == wrong)
        });
        let margin = match inside {
            None if written == wrong => 0,
            Some(_) if quotes_too => 0,
            Some(_) => 1,
            None => return,
        };
        let (line, column) = (finding.line, finding.column);
        let (column, end_column) = (column + margin, column + written.chars().count() - margin);
        let replacement = right.to_owned();
        finding.fix = Some(Fix { line, column, end_line: line, end_column, replacement });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the one finding at `length` characters of line 1 is repaired to.
    fn repaired(source: &str, length: usize, act: impl FnOnce(&mut Findings<'_>)) -> String {
        let mut findings = Findings::new("a.yaml", source);
        let spot = Spot { line: 1, column: 4, length };
        findings.error_at(spot, "unknown-name", "no", None);
        act(&mut findings);
        let fix = findings.into_list().pop().unwrap().fix;
        let Some(fix) = fix else { return "-".into() };
        let at = fix.extent(source).unwrap();
        let mut text = source.to_owned();
        text.replace_range(at, &fix.replacement);
        text
    }

    #[test]
    fn only_what_stands_there_is_replaced() {
        assert_eq!(repaired("é: lve # a", 3, |f| f.repair("lve", "live")), "é: live # a");
        assert_eq!(repaired("k: 'lve'\n", 5, |f| f.repair("lve", "live")), "k: 'live'\n");
        assert_eq!(repaired("k: \"70\"\n", 4, |f| f.replace("70", "70")), "k: 70\n");
        assert_eq!(repaired("k: ${M}\n", 4, |f| f.repair("lve", "live")), "-");
        assert_eq!(repaired("k: lve", 3, |f| f.respell("lve", ["live", "love"])), "-");
        assert_eq!(repaired("k: lve", 3, |f| f.respell("lve", ["live", "draft"])), "k: live");
    }
}

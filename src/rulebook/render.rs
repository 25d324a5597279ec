//! A finding as people read it: what is wrong, the line with a caret under it, and what to write.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::rulebook::finding::{Finding, Severity};

/// The finding with its source line, several lines of plain text without a line break at the end.
/// `source` is the file's text; when it has no such line, the place is named without it.
pub fn render(finding: &Finding, source: &str) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(finding.message.as_str()).id(finding.code);
    let group = match finding.extent(source) {
        Some(extent) => Group::with_title(title).element(
            Snippet::source(source)
                .path(&*finding.file)
                .annotation(AnnotationKind::Primary.span(extent)),
        ),
        None => Group::with_title(title).element(annotate_snippets::Origin::path(&*finding.file)),
    };
    let help = finding.help.as_deref().map(|help| Level::HELP.message(help));
    let group = help.into_iter().fold(group, |group, help| group.element(help));
    Renderer::plain().render(&[group])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(line: usize, column: usize, length: usize) -> Finding {
        Finding {
            file: "rules/a.yaml".into(),
            line,
            column,
            length,
            severity: Severity::Error,
            code: "unknown-key",
            message: "a trigger has no key `pge`".into(),
            help: Some("did you mean `page`?".into()),
            fix: None,
        }
    }

    #[test]
    fn a_caret_stands_under_what_is_meant() {
        let shown = render(&finding(2, 3, 3), "é: 1\n  pge: /x\n");
        let expected = "error[unknown-key]: a trigger has no key `pge`\n --> rules/a.yaml:2:3\n  \
                        |\n2 |   pge: /x\n  |   ^^^\n  |\n  = help: did you mean `page`?";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_place_that_is_not_there_is_named_all_the_same() {
        for (line, column) in [(0, 0), (9, 1), (1, 99), (1, 0)] {
            let shown = render(&finding(line, column, 50), "a: 1");
            assert!(shown.contains("rules/a.yaml"), "{shown}");
            assert!(shown.ends_with("did you mean `page`?"), "{shown}");
        }
    }
}

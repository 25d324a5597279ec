//! Test results as JUnit XML, as continuous integration reads it.

use crate::cli::test::{Shown, human};
use crate::engine::suite::Tested;

/// The whole document.
pub(super) fn document(shown: &Shown<'_>) -> String {
    let (run, failed) = (shown.report.tests.len(), shown.failed());
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"docent\" tests=\"{run}\" failures=\"{failed}\">\n"
    );
    for file in shown.files() {
        let Some(first) = file.first() else { continue };
        let failed = file.iter().filter(|test| test.failure.is_some()).count();
        let (name, run) = (escaped(&shown.heading(first)), file.len());
        text.push_str(&format!(
            "  <testsuite name=\"{name}\" tests=\"{run}\" failures=\"{failed}\">\n"
        ));
        file.iter().for_each(|test| text.push_str(&case(test)));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn case(test: &Tested) -> String {
    let class = test.trigger.as_deref().unwrap_or(&test.product);
    let (class, name, file) = (escaped(class), escaped(&test.name), escaped(&test.written.file));
    let line = test.written.line;
    let open = format!(
        "    <testcase classname=\"{class}\" name=\"{name}\" file=\"{file}\" line=\"{line}\""
    );
    let Some(failure) = &test.failure else { return format!("{open}/>\n") };
    let message = format!("expected {}, found {}", failure.expected, failure.found);
    let at = format!("{}:{}, at {}", test.written.file, failure.line, failure.at);
    let (message, told) = (escaped(&message), escaped(&human::reasons(failure)));
    format!(
        "{open}>\n      <failure message=\"{message}\">{}\n{told}</failure>\n    </testcase>\n",
        escaped(&at)
    )
}

/// Text for an attribute or an element. What XML 1.0 cannot carry becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\n' | '\t' => safe.push(c),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_carry_is_replaced_and_the_rest_escaped() {
        assert_eq!(escaped("a<b> & \"c\" 'd'"), "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;");
        assert_eq!(escaped("\u{0}\u{1b}[1m\u{ffff} é"), "\u{fffd}\u{fffd}[1m\u{fffd} é");
    }
}

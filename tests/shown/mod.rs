//! Commands as a document shows them, run by a shell, and the answers shown beneath them.

use std::process::Command;

/// Commands up to the answer shown for them: the lines after `# → `, where `…` or `...` stands
/// for anything.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Example {
    pub(crate) commands: String,
    pub(crate) shown: Option<String>,
}

/// The examples of a script, in order.
pub(crate) fn examples(script: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut commands = String::new();
    for line in script.lines() {
        if let Some(shown) = line.strip_prefix("# → ") {
            let commands = std::mem::take(&mut commands);
            examples.push(Example { commands, shown: Some(shown.to_owned()) });
        } else {
            commands.push_str(line);
            commands.push('\n');
        }
    }
    if !commands.trim().is_empty() {
        examples.push(Example { commands, shown: None });
    }
    examples
}

impl Example {
    /// Runs the commands and holds the answer against the one shown; gives the answer.
    pub(crate) fn run(&self) -> String {
        let run = Command::new("sh").args(["-ec", &self.commands]).output().unwrap();
        let answer = String::from_utf8(run.stdout).unwrap();
        let noise = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{}\n{answer}\n{noise}", self.commands);
        if let Some(shown) = &self.shown {
            assert!(agrees(shown, &answer), "{}\nshown: {shown}\ngot: {answer}", self.commands);
        }
        answer
    }
}

/// Whether the answer is the one shown; spaces do not count.
fn agrees(shown: &str, answer: &str) -> bool {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let (shown, answer) = (squeezed(shown).replace("...", "…"), squeezed(answer));
    let mut pieces = shown.split('…');
    let Some(mut rest) = pieces.next().and_then(|head| answer.strip_prefix(head)) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    true
}

#[test]
fn an_answer_agrees_with_what_is_shown_only_where_nothing_is_left_out() {
    let shown = r#"{"records": [{"content": "…", "score": 1.0}], ...}"#;
    for (answer, expected) in [
        (r#"{"records":[{"content":"a b","score":1.0}],"more":1}"#, true),
        (r#"{"records":[{"content":"a b","score":1}],"more":1}"#, false),
        (r#"{"records":[],"more":1}"#, false),
        (r#"x{"records":[{"content":"","score":1.0}],}"#, false),
        (r#"{"records":[{"content":"","score":1.0}],}x"#, false),
    ] {
        assert_eq!(agrees(shown, answer), expected, "{answer}");
    }
    assert!(agrees(r#"{"records": []}"#, r#"{"records":[]}"#));
    assert!(!agrees(r#"{"records": []}"#, r#"{"records":[]} "#.repeat(2).as_str()));
}

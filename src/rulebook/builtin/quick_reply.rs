//! Which label a message answers with (contract 4.9).

use caseless::default_case_fold_str as fold;

use crate::domain::text::strip;

/// The first label equal to the message, white space around them and case aside (full Unicode case
/// folding: `STRASSE` is `Straße`); a blank message equals none.
pub fn matching_label<T: AsRef<str>>(message: &str, labels: &[T]) -> Option<usize> {
    let message = fold(strip(message));
    if message.is_empty() {
        return None;
    }
    labels.iter().position(|label| fold(strip(label.as_ref())) == message)
}

//! Which actions are meant: by a text in their title, and by where they happened.

use std::sync::Arc;

use crate::domain::action::Action;
use crate::rulebook::condition::View;

/// Where actions are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Anywhere in the session.
    #[default]
    Session,
    /// On the current page, whichever visit to it; none when no page is known.
    Page,
}

/// A text looked for in titles, whatever its case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    written: Arc<str>,
    folded: String,
}

impl Needle {
    /// Looks for `text`.
    pub fn new(text: &str) -> Self {
        Self { written: text.into(), folded: text.to_lowercase() }
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    pub(in crate::rulebook::condition) fn is_in(&self, title: &str) -> bool {
        let (title_bytes, wanted) = (title.as_bytes(), self.folded.as_bytes());
        if wanted.is_empty() {
            return true;
        }
        if title.is_ascii() {
            return title_bytes.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted));
        }
        title.to_lowercase().contains(&self.folded)
    }

    pub(in crate::rulebook::condition) fn begins(&self, text: &str) -> bool {
        if text.is_ascii() {
            let start = text.as_bytes().get(..self.folded.len());
            return start.is_some_and(|start| start.eq_ignore_ascii_case(self.folded.as_bytes()));
        }
        text.to_lowercase().starts_with(&self.folded)
    }

    pub(in crate::rulebook::condition) fn ends(&self, text: &str) -> bool {
        if text.is_ascii() {
            let wanted = self.folded.as_bytes();
            let from = text.len().checked_sub(wanted.len());
            let end = from.and_then(|from| text.as_bytes().get(from..));
            return end.is_some_and(|end| end.eq_ignore_ascii_case(wanted));
        }
        text.to_lowercase().ends_with(&self.folded)
    }
}

impl Scope {
    pub(in crate::rulebook::condition) fn holds(self, action: &Action, view: &View<'_>) -> bool {
        self == Self::Session || !action.page.is_empty() && *action.page == *view.session.page()
    }
}

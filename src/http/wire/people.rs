//! All that is kept of one person, as JSON, and what of it was removed.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::app::{Erased, Exported, JournalOf};
use crate::domain::time::Timestamp;

/// Every record of a person, as the store has it; `docs/privacy.md` says what each field is.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Exported)]
pub struct ExportedBody {
    /// The product.
    pub product_id: String,
    /// When it was read, Unix seconds.
    pub exported_at: f64,
    /// What is remembered across sessions, each with its `id`, a user id or e-mail address.
    pub users: Vec<Value>,
    /// Sessions: `id`, `state`, and `context`, which a chatbot may read.
    pub sessions: Vec<Value>,
    /// Chat threads of these sessions.
    pub conversations: Vec<Value>,
    /// E-mail addresses that lead to these sessions.
    pub emails: Vec<Value>,
    /// What stays under a hash of the name when all else is erased.
    pub kept: Vec<Value>,
    /// Lines of the journal of the instance that answers; `docs/journal.md` says what they are.
    pub journal: Vec<Value>,
    /// Whether it has more of them than are here.
    pub journal_has_more: bool,
    /// Instances whose journals are not in here: ask each of them.
    pub journals_elsewhere: Vec<String>,
}

impl ExportedBody {
    /// Of what was found.
    pub fn of(product: &str, now: Timestamp, all: &Exported) -> Self {
        let Exported { users, sessions, conversations, emails, graves, recorded } = all;
        let lines = recorded.lines.iter().filter_map(|line| serde_json::from_str(line).ok());
        let sessions = sessions
            .iter()
            .map(|(id, state, context)| json!({ "id": &**id, "state": state, "context": context }));
        Self {
            product_id: product.to_owned(),
            exported_at: now.as_seconds(),
            users: records(users),
            sessions: sessions.collect(),
            conversations: records(conversations),
            emails: records(emails),
            kept: records(graves),
            journal: lines.collect(),
            journal_has_more: recorded.more,
            journals_elsewhere: recorded.elsewhere.iter().map(ToString::to_string).collect(),
        }
    }
}

fn records<R: Serialize>(found: &[(Arc<str>, R)]) -> Vec<Value> {
    found.iter().map(|(id, record)| json!({ "id": &**id, "record": record })).collect()
}

/// How many records were removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Erased)]
pub struct ErasedBody {
    /// The user ids and e-mail addresses that the person was remembered by.
    pub names: Vec<String>,
    /// What was remembered across sessions.
    pub users: usize,
    /// Sessions.
    pub sessions: usize,
    /// What a chatbot could read of them.
    pub contexts: usize,
    /// Chat threads.
    pub conversations: usize,
    /// E-mail addresses that led to a session.
    pub emails: usize,
    /// Whether it stays remembered, under hashes of the names, that the person wants no offers.
    pub opted_out: bool,
    /// Lines that left the journal of the instance that answers.
    pub journal_lines: u64,
    /// The running instances that keep a journal, and whether the person's lines have left it.
    pub journals: Vec<SweptBody>,
}

/// The journal of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Swept)]
pub struct SweptBody {
    /// Its name.
    pub instance: String,
    /// Whether the person's lines have left it; if not, they will within seconds, or once it runs.
    pub swept: bool,
}

impl ErasedBody {
    /// Of what was removed.
    pub fn of(erased: &Erased) -> Self {
        let Erased { names, users, sessions, contexts, conversations, emails, .. } = erased;
        let journal = |journal: &JournalOf| {
            let JournalOf { instance, swept } = journal;
            SweptBody { instance: instance.to_string(), swept: *swept }
        };
        Self {
            names: names.iter().map(ToString::to_string).collect(),
            users: *users,
            sessions: *sessions,
            contexts: *contexts,
            conversations: *conversations,
            emails: *emails,
            opted_out: erased.opted_out,
            journal_lines: erased.lines,
            journals: erased.journals.iter().map(journal).collect(),
        }
    }
}

//! What is kept, type by type: which fields can name a person, and which cannot. Each field's own
//! words stand beside it in the code; `docs/privacy.md` is made of both, and a test follows every
//! record and every line of a journal through all that is in it, so that no field is without its word.

mod journal;

pub use journal::JOURNAL;

/// A type that is written to a store or a journal, as a whole or as a part of another.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Its name in the code.
    pub item: &'static str,
    /// Its file.
    pub file: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Fields, as they are written, that can name a person or tell what they said or did in words:
    /// ids and addresses of people, texts that may contain them, and what holds such fields.
    names: &'static str,
    /// The other ones.
    silent: &'static str,
}

const fn kept(
    (item, file): (&'static str, &'static str),
    title: &'static str,
    names: &'static str,
    silent: &'static str,
) -> Kept {
    Kept { item, file, title, names, silent }
}

impl Kept {
    /// The fields that can name a person.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.split_whitespace()
    }

    /// The fields that cannot.
    pub fn silent(&self) -> impl Iterator<Item = &'static str> {
        self.silent.split_whitespace()
    }
}

/// What a store keeps: each record, followed by what stands in it first.
pub const RECORDS: &[Kept] = &[
    kept(
        ("Session", "src/domain/session.rs"),
        "A session",
        "offer identity traits place actions summary",
        "seq first_seen last_action machine last_fired fired triggers tallies groups \
         goals ghosts consent batches locale timezone action_count",
    ),
    kept(
        ("Identity", "src/domain/session.rs"),
        "Whose session it is",
        "user_id email account",
        "vouched bound",
    ),
    kept(("Place", "src/domain/session.rs"), "The page they are on", "page url title", "since"),
    kept(
        ("Action", "src/domain/action.rs"),
        "One thing they did",
        "title url page properties",
        "at kind started ended forwarded",
    ),
    kept(
        ("Machine", "src/domain/machine.rs"),
        "The agent state of a conversation",
        "",
        "state since until dismissals",
    ),
    kept(
        ("Offer", "src/domain/offer.rs"),
        "An offer",
        "body labels metadata",
        "id trigger locale tour conversation made_at expires_at cooldown goal variant \
         tester terms",
    ),
    kept(
        ("Terms", "src/domain/offer.rs"),
        "What a rule says of its offer's life",
        "",
        "group snooze most_snoozes",
    ),
    kept(("Goal", "src/domain/goal.rs"), "What an offer hopes for", "", "event within"),
    kept(
        ("OpenGoal", "src/domain/goal.rs"),
        "A goal that is not reached yet",
        "",
        "offer trigger goal since tester",
    ),
    kept(
        ("TriggerMemory", "src/domain/session.rs"),
        "What one trigger has done",
        "",
        "fired rests_until outcomes dismissed snoozed reset",
    ),
    kept(("Ledger", "src/domain/ledger.rs"), "What was counted", "", "entries"),
    kept(
        ("Ghosts", "src/domain/ghosts.rs"),
        "What was not offered and would have been",
        "",
        "shadow withheld by_product",
    ),
    kept(("Track", "src/domain/ghosts.rs"), "When that was", "", "last triggers tallies"),
    kept(("Live", "src/domain/group.rs"), "The live offer of a group", "", "until offer"),
    kept(("Consent", "src/domain/consent.rs"), "A word on being offered anything", "", "at denied"),
    kept(
        ("Context", "src/domain/records.rs"),
        "A session's context, which a chatbot may read",
        "chunks pending",
        "next",
    ),
    kept(("Chunk", "src/domain/records.rs"), "One text of it", "text", "number at summary"),
    kept(("Pending", "src/domain/records.rs"), "What is not a text yet", "batch", "last"),
    kept(
        ("Batch", "src/domain/action.rs"),
        "Batches of it",
        "user_id email actions traits account_id account_traits",
        "session_id conversation_id locale timezone forwarded_at",
    ),
    kept(
        ("RawAction", "src/domain/action.rs"),
        "One action of a batch",
        "title description canonical_url raw_url properties",
        "index type timestamp_start timestamp_end",
    ),
    kept(
        ("User", "src/domain/records.rs"),
        "A person, under the user id, else the e-mail address",
        "traits",
        "seq fired triggers tallies groups happened ghosts consent holders",
    ),
    kept(
        ("Happened", "src/domain/happened.rs"),
        "Something that rules count across sessions",
        "",
        "at mark",
    ),
    kept(
        ("Account", "src/domain/records.rs"),
        "An account, under its id",
        "traits",
        "seq tallies holders",
    ),
    kept(
        ("Conversation", "src/domain/records.rs"),
        "A chat thread, under its id",
        "",
        "machine session offer holders",
    ),
    kept(
        ("EmailIndex", "src/domain/records.rs"),
        "An e-mail address, under itself",
        "",
        "session as_of",
    ),
    kept(
        ("Product", "src/domain/records.rs"),
        "A product, under its id",
        "",
        "circuit fired tallies tours holders",
    ),
    kept(("Circuit", "src/domain/circuit.rs"), "Its circuit", "", "streak open_until"),
    kept(("Attempts", "src/domain/health.rs"), "How a tour went", "", "version hours"),
    kept(("Hour", "src/domain/health.rs"), "How it went in one hour", "", "start started failed"),
    kept(
        ("Bulletin", "src/domain/bulletin.rs"),
        "What operators say, and what stays for good",
        "pauses rulebook",
        "instances leases salt salts grave erasure",
    ),
    kept(
        ("Grave", "src/domain/bulletin.rs"),
        "What stays of a person, under a hash",
        "",
        "consent erased",
    ),
    kept(
        ("Erasure", "src/domain/bulletin.rs"),
        "That somebody was erased",
        "",
        "at salt traces addresses",
    ),
    kept(("Pause", "src/domain/bulletin.rs"), "A product's pause", "reason", "since until"),
    kept(
        ("Kept", "src/domain/bulletin.rs"),
        "The last good workspace",
        "files",
        "sources digest revision at",
    ),
    kept(
        ("Instance", "src/domain/bulletin.rs"),
        "An instance",
        "",
        "address version revision digest since stale refused seen swept",
    ),
    kept(
        ("Lease", "src/domain/bulletin.rs"),
        "Who reads an upstream",
        "",
        "holder beat at_work leaving",
    ),
];

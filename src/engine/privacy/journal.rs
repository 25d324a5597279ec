//! What a journal keeps. Addresses in it are pseudonyms, see `engine/tape/redact.rs`.

use crate::engine::privacy::{Kept, kept};

/// What a line of a journal has, beside what it takes from a record.
pub const JOURNAL: &[Kept] = &[
    kept(
        ("Written", "src/engine/tape/wire.rs"),
        "A line of the journal",
        "state batch event settle decision",
        "v at p s q l d erase reload gap",
    ),
    kept(
        ("Message", "src/engine/tape/wire/batch.rs"),
        "`batch` of a line",
        "who user email traits account account_traits acts summary",
        "browser id dup chat locale zone fwd replaces",
    ),
    kept(("Act", "src/engine/tape/wire/batch.rs"), "One action of `batch`", "t u raw p", "k s e"),
    kept(("Heard", "src/engine/tape.rs"), "`event` of a line", "is who", "conv offer came"),
    kept(("Reacted", "src/engine/tape.rs"), "What an event came to", "", "from to goes_on unheard"),
    kept(("Settled", "src/engine/tape.rs"), "`settle` of a line", "who", ""),
    kept(
        ("Polled", "src/engine/tape.rs"),
        "`decision` of a line",
        "who around came",
        "conv as_of made claims",
    ),
    kept(
        ("Around", "src/engine/around.rs"),
        "What was known beyond the session",
        "user account",
        "scope paused_until circuit_until product_full_until session tallies unhealthy \
         lot consent judge",
    ),
    kept(
        ("Scope", "src/engine/around.rs"),
        "Another conversation than the toast's own",
        "",
        "conversation machine",
    ),
    kept(
        ("Unhealthy", "src/domain/health.rs"),
        "A tour that keeps failing",
        "",
        "tour failed started until",
    ),
    kept(("Opinion", "src/engine/around.rs"), "A judge's word", "", "trigger send until"),
    kept(
        ("Came", "src/engine/tape.rs"),
        "What a poll came to",
        "offer",
        "verdict rule cap until shadow shadow_until failed",
    ),
    kept(("Capping", "src/engine/tape.rs"), "A cap that refused", "", "id per"),
    kept(("Reloaded", "src/engine/tape/wire.rs"), "`reload` of a line", "", "revision"),
    kept(("Missing", "src/engine/tape/wire.rs"), "`gap` of a line", "", "lines"),
];

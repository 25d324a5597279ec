//! The plan of the house: floors, the crates they own, the crates with one home.

/// A floor, its height, and the crates its code may name. Floors of one height do not see each other.
pub(crate) const FLOORS: [(&str, u8, &str); 13] = [
    ("domain", 0, "arcstr serde serde_json thiserror xxhash_rust"),
    (
        "rulebook",
        1,
        "annotate_snippets caseless jiff minijinja regex rhai serde serde_json serde_saphyr sha2 strsim \
         thiserror url",
    ),
    ("engine", 2, "serde serde_json sha2"),
    ("library", 3, "arc_swap notify sha2 thiserror tokio tokio_util tracing"),
    (
        "store",
        3,
        "futures_util hashbrown redb redis rmp_serde serde serde_json sha2 thiserror tokio tracing zstd",
    ),
    (
        "ingest",
        3,
        "bytes csv eventsource_stream futures_util hmac reqwest serde serde_json sha2 subtle thiserror \
         tokio tokio_util tracing url",
    ),
    ("llm", 3, ""),
    ("sink", 3, ""),
    ("journal", 3, "serde serde_json thiserror tokio tracing zstd"),
    ("runtime", 3, "prometheus_client reqwest rustls tokio tokio_util tracing tracing_subscriber"),
    ("app", 4, "serde_json thiserror tokio tokio_util tracing"),
    (
        "http",
        5,
        "axum bytes futures_util governor hmac http http_body_util hyper hyper_util \
         prometheus_client serde serde_json sha2 subtle thiserror tokio tokio_util tower tracing \
         url utoipa",
    ),
    ("cli", 6, "anyhow clap url serde serde_json tokio tokio_util tracing"),
];

/// Up to this height a floor is a function of its arguments.
pub(crate) const PURE: u8 = 2;
/// What a pure floor cannot touch.
pub(crate) const SYSTEM: [&str; 5] = ["env", "fs", "net", "process", "thread"];
/// Crates with one home, so that exchanging them is a matter of one file.
pub(crate) const HOMES: [(&str, &str); 3] = [
    ("jiff", "src/rulebook/zone.rs"),
    ("rhai", "src/rulebook/condition/expression.rs"),
    ("notify", "src/library/watch.rs"),
];

pub(crate) fn height(floor: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, ..)| *name == floor).map(|(_, height, _)| *height)
}

/// The crates a floor may name; none for what is no floor.
pub(crate) fn owned(floor: &str) -> impl Iterator<Item = &'static str> {
    let row = FLOORS.iter().find(|(name, ..)| *name == floor);
    row.map_or("", |(_, _, owned)| owned).split_whitespace()
}

/// `src/engine/decide.rs` is on the floor `engine`; `src/main.rs` and `src/lib.rs` are their own.
pub(crate) fn floor_of(file: &str) -> &str {
    let inside = file.strip_prefix("src/").unwrap_or(file);
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
}

/// Lines of a section of the manifest that declare something, numbered from one.
pub(crate) fn dependency_lines<'a>(
    manifest: &'a str,
    section: &str,
) -> impl Iterator<Item = (usize, &'a str)> {
    let header = format!("[{section}]");
    manifest
        .lines()
        .enumerate()
        .skip_while(move |(_, line)| line.trim() != header)
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['))
        .filter(|(_, line)| line.contains('=') && !line.starts_with('#'))
        .map(|(at, line)| (at + 1, line))
}

pub(crate) fn dependencies(manifest: &str) -> Vec<String> {
    dependency_lines(manifest, "dependencies")
        .filter_map(|(_, line)| Some(line.split_once('=')?.0.trim().replace('-', "_")))
        .collect()
}

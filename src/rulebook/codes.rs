//! Every code a finding can have, and what it is about: for editors and code-scanning services,
//! which list rules by themselves.

/// Code and one sentence, by code.
pub const CODES: [(&str, &str); 87] = [
    ("always-true", "A condition holds whatever the person does."),
    ("bad-address", "An address to listen on is host and port."),
    ("bad-date", "A date is written 2026-12-31, with a time of day 2026-12-31T09:00."),
    ("bad-duration", "A duration is a number with its unit, such as 30s, 5m or 7d."),
    ("bad-folder", "A folder lies inside the workspace."),
    ("bad-hours", "Hours are written from and until, such as 09:00-17:00."),
    ("bad-id", "An id has letters, digits, - and _."),
    ("bad-key", "A key of a mapping is a text."),
    ("bad-origin", "An origin is scheme and host, without a path."),
    ("bad-page", "A page begins with / and has neither host, query nor trailing slash."),
    ("bad-placeholder", "A placeholder is written {user.NAME}, with a default or without."),
    ("bad-proxy", "A trusted proxy is an address or a network."),
    ("bad-rate", "A rate is a number for a unit of time, such as 5/s."),
    ("bad-size", "A size is a number with its unit, such as 4GiB."),
    ("bad-store", "A store is one of those that exist."),
    ("bad-template", "A prompt's placeholders are written {{ name }}."),
    ("bad-url", "A URL begins with https:// or http:// and has a host."),
    ("bad-variable", "A variable is written ${NAME} or ${NAME:-default}."),
    ("bad-version", "Files of a workspace are of version 1."),
    ("beyond-memory", "Caps and rests are no longer than people are remembered."),
    ("blank", "A text says something."),
    ("blank-label", "A label says what its button does."),
    ("body-too-long", "A builtin's own text fits a toast."),
    ("cap-starved", "A cap lets every rule have its turn."),
    ("cap-without-effect", "A cap counts something, and can be reached."),
    ("checks-nothing", "A test expects something."),
    ("conflict", "Two keys exclude each other."),
    ("cooldown-without-effect", "A cooldown is shorter than the spacing of all offers."),
    ("duplicate-id", "An id is used once."),
    ("duplicate-key", "A key is written once."),
    ("empty-file", "A file has content."),
    ("empty-key", "A key that is empty would let everybody in."),
    ("empty-list", "A list has items."),
    ("empty-window", "A window lasts longer than nothing."),
    ("expression-argument", "An argument of a function has its type, and is written out."),
    ("expression-arity", "A function is called with as many arguments as it takes."),
    (
        "expression-not-allowed",
        "An expression compares and combines; it has no loops or variables.",
    ),
    ("expression-syntax", "An expression can be parsed."),
    ("expression-too-long", "An expression is of a length that people can read."),
    ("expression-type", "Both sides of an operator have its type."),
    ("long-body", "An offer's text fits a toast: 150 characters."),
    ("lost-text", "Text after a space and # is a comment; quoted, it is text."),
    ("missing-key", "A key that is needed is written."),
    ("never-delivered", "A rule needs what no configured source delivers."),
    ("never-open", "A schedule opens at some time, and quiet hours end."),
    ("never-true", "A condition can never hold."),
    ("no-firing-test", "A live rule has a test that sees it fire."),
    ("no-front-matter", "A prompt begins with its front matter."),
    ("no-products", "A workspace has a product."),
    ("no-silent-test", "A live rule has a test that sees it stay silent."),
    ("no-timezone", "Hours are by a clock that somebody chose."),
    ("no-workspace", "A workspace has its docent.yaml."),
    ("not-an-expression", "An expression is one value, not statements."),
    ("not-available", "This version does not have it."),
    ("not-utf8", "A file is UTF-8 text."),
    ("out-of-range", "A value is within its range."),
    ("priority-tie", "Two rules of one page differ in priority."),
    ("schedule-ends-soon", "A schedule has two weeks left."),
    ("schedule-over", "A schedule has time left."),
    ("several-documents", "A file is one YAML document."),
    ("shadowed", "A rule gets its turn."),
    ("short-interval", "Offers are as far apart as clients expect."),
    ("syntax", "A file can be parsed as YAML."),
    ("tab", "YAML is indented with spaces."),
    ("tag", "A text that begins with ! is quoted."),
    ("time-goes-back", "A timeline is in order of time."),
    ("too-deep", "Nesting is bounded."),
    ("too-large", "A file is smaller than 1 MiB."),
    ("too-many", "Aliases and nodes of a file are bounded."),
    ("tour-elsewhere", "A tour can start where it is offered."),
    ("unknown-condition", "A condition is one of those that exist."),
    ("unknown-field", "A field of the session is one of those that exist."),
    ("unknown-filter", "A filter of a placeholder is one of those that exist."),
    ("unknown-function", "A function is one of those that exist."),
    ("unknown-key", "A key is one of those that exist."),
    ("unknown-name", "A name is one of those that exist."),
    ("unknown-outcome", "An outcome is one of those that exist."),
    ("unknown-placeholder", "A placeholder is one of those that exist."),
    ("unknown-tag", "A tag that settings name is one of a trigger."),
    ("unknown-timezone", "A time zone is a place that IANA names, or UTC."),
    ("unknown-tour", "An offered tour is in the catalogue."),
    ("unknown-trigger", "A trigger that is asked about is there."),
    ("unknown-type", "A type of action is one that something delivers."),
    ("unset-variable", "A variable of the environment is set, or has a default."),
    ("window-too-long", "A window is no longer than activity is kept."),
    ("wrong-type", "A value has the type of its key."),
    ("zero-means-no-limit", "A quota of 0 is no quota."),
];

/// What a code is about; empty for one that is not in the table.
pub fn about(code: &str) -> &'static str {
    CODES.iter().find(|(known, _)| *known == code).map_or("", |(_, about)| about)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_listed_once_in_order_and_explained() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(CODES.iter().all(|(_, about)| about.ends_with('.')));
    }
}

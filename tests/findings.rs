//! What is wrong with a workspace is found, all of it at once, each at its place and with what to
//! write instead.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use docent::rulebook::compile::{compile, folders};
use docent::rulebook::finding::Finding;
use docent::rulebook::reader::Findings;
use docent::rulebook::render::render;
use docent::rulebook::{Rulebook, Sources, yaml};
use proptest::prelude::*;

const FILES: [&str; 4] =
    ["docent.yaml", "rules/billing.yaml", "tours/tours.yaml", "prompts/reply.md"];

/// A workspace that uses nearly everything and has no mistake.
fn good() -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/findings/good");
    let files = FILES.map(|path| (path.to_owned(), fs::read(root.join(path)).unwrap()));
    Sources { files: BTreeMap::from(files) }
}

fn env(name: &str) -> Option<String> {
    match name {
        "SECRET" => Some("sk_1".into()),
        "HOST" => Some("connector.example.com".into()),
        "EMPTY" => Some(String::new()),
        "NUMBER" => Some("7".into()),
        _ => None,
    }
}

fn check(sources: &Sources) -> (Option<Rulebook>, Vec<Finding>) {
    compile(sources, &env)
}

/// The good workspace with a text of one file replaced.
fn changed(file: &str, from: &str, to: &str) -> Sources {
    let mut sources = good();
    let bytes = sources.files.get_mut(file).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert_eq!(text.matches(from).count(), 1, "`{from}` must occur once in {file}");
    *bytes = text.replace(from, to).into_bytes();
    sources
}

fn brief(findings: &[Finding]) -> Vec<(&str, &str, usize, usize)> {
    findings.iter().map(|f| (&*f.file, f.code, f.line, f.column)).collect()
}

/// (text, its replacement, code, line, column, part of the help)
type Mistake = (&'static str, &'static str, &'static str, usize, usize, &'static str);

fn each_is_the_only_finding(file: &str, mistakes: &[Mistake]) {
    let mut wrong = Vec::new();
    for (from, to, code, line, column, help) in mistakes {
        let sources = changed(file, from, to);
        let (rulebook, findings) = check(&sources);
        assert!(rulebook.is_none(), "{to}");
        if brief(&findings) != [(file, *code, *line, *column)] {
            wrong.push(format!("{to}\n    {:?}", findings.iter().map(short).collect::<Vec<_>>()));
            continue;
        }
        let found = &findings[0];
        let text = String::from_utf8_lossy(&sources.files[file]);
        let shown = render(found, &text).contains(&format!("{file}:{line}:{column}"));
        let helps = found.help.as_deref().unwrap_or("").contains(help);
        if !shown || !helps || found.message.ends_with('.') || found.message.is_empty() {
            wrong.push(format!("{to}\n    {} (shown: {shown})", short(found)));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        mistakes.len(),
        wrong.join("\n")
    );
}

fn short(finding: &Finding) -> String {
    let Finding { code, line, column, length, message, help, .. } = finding;
    format!("{code} {line}:{column}+{length} {message} | {}", help.as_deref().unwrap_or("-"))
}

#[test]
fn a_good_workspace_has_no_findings() {
    let (rulebook, findings) = check(&good());
    assert_eq!(findings, []);
    let rulebook = rulebook.unwrap();
    let product = &rulebook.products["acme"];
    assert_eq!(product.rules.iter().map(|r| &*r.id).collect::<Vec<_>>(), ["stuck", "errors"]);
    assert_eq!(product.rules[0].cases[0].timeline.len(), 6);
    assert_eq!(product.settings.sources[0].url, "https://connector.example.com/events");
    assert_eq!((product.tours.len(), rulebook.prompts.len()), (1, 1));
    assert_eq!(rulebook.digest.len(), 16);
}

#[test]
fn mistakes_in_rules() {
    const FILE: &str = "rules/billing.yaml";
    each_is_the_only_finding(
        FILE,
        &[
            // --- YAML itself
            ("    name: Stuck", "\tname: Stuck", "tab", 4, 1, "spaces"),
            ("body: Need a hand?", "body: Need help: now", "syntax", 13, 22, "quotes"),
            ("body: Need a hand?", "body: \"Need", "syntax", 14, 7, ""),
            ("body: Need a hand?", "body: Need help with #1?", "lost-text", 13, 13, "quote it"),
            ("body: Need a hand?", "body: !help me", "tag", 13, 13, "quote it"),
            ("body: Need a hand?", "body: *help", "syntax", 13, 13, ""),
            ("    judge: false", "    priority: 3", "duplicate-key", 20, 5, "line 6"),
            ("version: 1\n", "version: 1\n---\n", "several-documents", 2, 1, "one document"),
            // --- keys and types
            ("version: 1", "version: 2", "bad-version", 1, 10, "version: 1"),
            ("version: 1\n", "", "missing-key", 1, 1, "version:"),
            ("triggers:\n", "trigers:\n", "unknown-key", 2, 1, "`triggers`"),
            ("    page: [", "    pge: [", "unknown-key", 8, 5, "did you mean `page`?"),
            ("tour: create-project", "toor: create-project", "unknown-key", 16, 7, "`tour`"),
            ("priority: 70", "priority: 101", "out-of-range", 6, 15, "0 to 100"),
            ("priority: 70", "priority: high", "wrong-type", 6, 15, ""),
            ("priority: 70", "priority: 7.5", "wrong-type", 6, 15, ""),
            ("mode: live", "mode: lve", "unknown-name", 7, 11, "did you mean `live`?"),
            ("judge: false", "judge: no", "wrong-type", 20, 12, "`true` or `false`"),
            ("owner: growth@example.com", "owner: 7", "wrong-type", 5, 12, "\"7\""),
            ("name: Stuck on billing", "name: \" \"", "blank", 4, 11, ""),
            ("name: Stuck on billing", "name: # why", "wrong-type", 4, 9, "quotes"),
            // --- ids
            ("id: stuck", "id: stuck here", "bad-id", 3, 9, "letters"),
            ("  - id: errors", "  - id: stuck", "duplicate-id", 30, 9, "line 3"),
            ("  - id: stuck\n    name", "  - name", "missing-key", 3, 5, "id:"),
            // --- pages
            ("page: [/billing", "page: [/billing/", "bad-page", 8, 12, "`/billing`"),
            ("page: [/billing", "page: [/billing?a=1", "bad-page", 8, 12, "`/billing`"),
            ("page: [/billing", "page: [billing", "bad-page", 8, 12, "`/billing`"),
            ("page: [/billing", "page: [https://x.test/b", "bad-page", 8, 12, "`/b`"),
            ("page: [/billing", "page: [/b/*", "bad-page", 8, 12, ":name"),
            ("page: [/billing", "page: [/b//c", "bad-page", 8, 12, "one `/`"),
            ("page: [/billing, \"/projects/:slug\"]", "page: []", "empty-list", 8, 11, "anywhere"),
            // --- durations
            ("cooldown: 30s", "cooldown: 30", "bad-duration", 18, 15, "unit"),
            ("cooldown: 30s", "cooldown: 30 parsecs", "bad-duration", 18, 15, "unit"),
            ("cooldown: 30s", "cooldown: -1s", "bad-duration", 18, 15, "unit"),
            ("cooldown: 30s", "cooldown: [30s]", "wrong-type", 18, 15, "20s"),
            ("again_after: 7d", "again_after: 0s", "out-of-range", 19, 18, "1s"),
            ("timeout: 60s", "timeout: 2d", "out-of-range", 17, 16, "1d"),
            // --- offers
            (
                "tour: create-project",
                "tour: create-projekt",
                "unknown-tour",
                16,
                13,
                "`create-project`",
            ),
            ("accept: Show me how", "accept: \" \"", "blank-label", 14, 15, "button"),
            ("      accept: Show me how\n", "", "missing-key", 13, 7, "accept:"),
            ("      body: Need a hand?\n", "", "missing-key", 13, 7, "body:"),
            (
                "labels: [\"Yes\", \"No\"]",
                "labels: [\"Yes\", \"\"]",
                "blank-label",
                32,
                47,
                "button",
            ),
            ("labels: [\"Yes\", \"No\"]", "labels: []", "out-of-range", 32, 39, ""),
            ("labels: [\"Yes\", \"No\"]", "labels: Yes", "wrong-type", 32, 39, ""),
            (
                "labels: [\"Yes\", \"No\"]",
                "labels: [Y, N], accept: Y",
                "conflict",
                32,
                55,
                "accept",
            ),
            (
                "    offer: { body: \"Errors?\", labels: [\"Yes\", \"No\"] }\n",
                "",
                "missing-key",
                30,
                5,
                "offer:",
            ),
            // --- conditions
            ("- dwell: 20s", "- dwel: 20s", "unknown-condition", 10, 9, "`dwell`"),
            ("- dwell: 20s", "- dwell: 20", "bad-duration", 10, 16, "unit"),
            (
                "session.errors(\"5m\")",
                "session.erors(\"5m\")",
                "unknown-function",
                31,
                19,
                "`errors`",
            ),
            (
                "session.errors(\"5m\")",
                "session.errors(\"5h\")",
                "window-too-long",
                31,
                26,
                "activity.keep",
            ),
            ("    when: session.errors(\"5m\") >= 2\n", "", "missing-key", 30, 5, "when"),
            ("    judge: false", "    builtin: user_page_dwell", "conflict", 20, 14, ""),
            ("    judge: false", "    params: {}", "conflict", 20, 13, "builtin"),
            // --- tests
            ("fires: stuck", "fires: stck", "unknown-name", 27, 31, "`stuck`"),
            ("fires: stuck", "fires: errors", "unknown-name", 27, 31, "alone"),
            ("at: 2s,", "at: 0s,", "time-goes-back", 26, 19, "order"),
            ("at: 2s,", "at: 2,", "bad-duration", 26, 19, "unit"),
            ("at: 2s, ", "", "missing-key", 26, 13, "at:"),
            (
                "event: proactive_dismissed",
                "event: proactive_dismised",
                "unknown-name",
                28,
                31,
                "`proactive_dismissed`",
            ),
            (
                "\"fsm:conservative_cooldown\"",
                "fsm:conservativ",
                "unknown-name",
                29,
                32,
                "`fsm:conservative_cooldown`",
            ),
            ("\"fsm:conservative_cooldown\"", "no_triger", "unknown-name", 29, 32, "`no_trigger`"),
            ("\"fsm:conservative_cooldown\"", "false", "wrong-type", 29, 32, "silent: true"),
            ("title: Pay, repeat: 3", "title: Pay, repeat: 0", "out-of-range", 25, 58, "1 to 1000"),
            (
                "{ at: 0s, page: /billing }",
                "{ at: 0s, page: billing }",
                "bad-page",
                24,
                29,
                "`/billing`",
            ),
            (
                "{ at: 0s, page: /billing }",
                "{ at: 0s, page: /b, repeat: 2 }",
                "conflict",
                24,
                41,
                "repeat",
            ),
            ("{ at: 0s, page: /billing }", "{ at: 0s }", "missing-key", 24, 13, "`page`"),
            (
                "{ at: 0s, page: /billing }",
                "{ at: 0s, page: /b, fires: stuck }",
                "conflict",
                24,
                13,
                "two entries",
            ),
            ("trait: { plan: pro }", "trait: plan", "wrong-type", 26, 30, "{ plan: pro }"),
            ("trait: { plan: pro }", "trait: { plan: [pro] }", "wrong-type", 26, 38, ""),
        ],
    );
}

#[test]
fn mistakes_in_docent_yaml() {
    each_is_the_only_finding(
        "docent.yaml",
        &[
            ("listen: 127.0.0.1:8080", "listen: \"8080\"", "bad-address", 2, 9, "host and port"),
            ("listen: 127", "lisen: 127", "unknown-key", 2, 1, "`listen`"),
            ("store: memory", "store: embedded:./data", "not-available", 4, 8, "store: memory"),
            ("store: memory", "store: floppy", "bad-store", 4, 8, "store: memory"),
            ("max_sessions: 1000", "max_sessions: 0", "out-of-range", 6, 17, "1 or more"),
            ("max_memory: 512MiB", "max_memory: lots", "bad-size", 7, 15, "MiB"),
            ("per_session: 5/s", "per_session: 5", "wrong-type", 10, 16, "quote"),
            ("per_session: 5/s", "per_session: 5/day", "bad-rate", 10, 16, "5/s"),
            ("10.0.0.0/8", "10.0.0.0/33", "bad-proxy", 12, 21, "10.0.0.0/8"),
            ("rules: rules/", "rules: ../rules", "bad-folder", 16, 12, "rules/"),
            (
                "https://app.example.com",
                "https://app.example.com/",
                "bad-origin",
                18,
                23,
                "`https://app.example.com`",
            ),
            ("https://app.example.com", "app.example.com", "bad-origin", 18, 23, "https://"),
            ("publishable: pk_1", "publishable: \"\"", "empty-key", 20, 20, "variable"),
            ("publishable: pk_1", "publishable: ${EMPTY}", "empty-key", 20, 20, "variable"),
            ("${SECRET}", "${SECRIT}", "unset-variable", 21, 17, "${SECRIT:-default}"),
            ("max_sessions: 1000", "max_sessions: ${MANY}", "unset-variable", 6, 17, "${MANY:-"),
            ("${SECRET}", "${SECRET", "bad-variable", 21, 17, "${NAME}"),
            ("min_interval: 300s", "min_interval: 300", "bad-duration", 24, 21, "unit"),
            ("enabled: true", "enabled: yes", "wrong-type", 23, 16, "`true`"),
            ("pause: 120s", "puase: 120s", "unknown-key", 25, 31, "`pause`"),
            ("user_per_day: 3", "user_per_day: -1", "out-of-range", 26, 31, "0 to"),
            ("keep: 30m", "keep: 3d", "out-of-range", 28, 23, "1d"),
            ("title: \"events @ {time}\"", "title: \"\"", "blank", 29, 55, ""),
            ("https://${HOST}/events", "${HOST}/events", "bad-url", 31, 21, "https://"),
            ("- sse: {", "- sae: {", "unknown-key", 31, 9, "`sse`"),
            ("sinks: []", "sinks: [x]", "not-available", 32, 12, "sinks: []"),
            ("sinks: []", "sinks: []\nllm: { model: x }", "not-available", 33, 6, "remove"),
            ("  acme:", "  a/b:", "bad-id", 15, 3, "letters"),
        ],
    );
}

#[test]
fn mistakes_in_tours_and_prompts() {
    each_is_the_only_finding(
        "tours/tours.yaml",
        &[
            ("placement: bottom", "placement: botom", "unknown-name", 12, 20, "`bottom`"),
            ("not_for: Editing one", "description: Editing", "conflict", 6, 18, "use_when"),
            ("    use_when: Asked how to create a project\n", "", "missing-key", 3, 5, "use_when"),
            ("route: /projects", "route: projects", "bad-page", 7, 12, "`/projects`"),
            ("        title: Create a project\n", "", "missing-key", 9, 9, "title:"),
            ("cooldown: 10m", "cooldown: soon", "bad-duration", 14, 15, "unit"),
        ],
    );
    each_is_the_only_finding(
        "prompts/reply.md",
        &[
            ("question | trim", "question | trm", "unknown-filter", 6, 22, "`trim`"),
            ("{{ question", "{{ ? question", "bad-template", 6, 11, "{{ name }}"),
            ("version: 1\n", "", "missing-key", 2, 1, "version:"),
            ("name: reply", "name: none", "bad-id", 2, 7, "none"),
            ("name: reply", "nam: reply\nname: reply", "unknown-key", 2, 1, "`name`"),
        ],
    );
    let (_, findings) = check(&changed("prompts/reply.md", "---\nname", "name"));
    assert_eq!(brief(&findings), [("prompts/reply.md", "no-front-matter", 1, 1)]);
}

#[test]
fn a_body_may_have_150_characters_and_no_more() {
    let long = format!("body: {}", "é".repeat(153));
    let (_, findings) = check(&changed("rules/billing.yaml", "body: Need a hand?", &long));
    assert_eq!(brief(&findings), [("rules/billing.yaml", "long-body", 13, 13 + 150)]);
    let fits = format!("body: {}", "é".repeat(150));
    assert_eq!(check(&changed("rules/billing.yaml", "body: Need a hand?", &fits)).1, []);
}

#[test]
fn a_file_that_cannot_be_read_is_its_own_finding_and_the_others_are_read() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (from, to) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        bomb += &format!("{to}: &{to} [{}]\n", vec![format!("*{from}"); 9].join(", "));
    }
    for (content, expected) in [
        (bomb.into_bytes(), ("too-many", 5, true)),
        (vec![b'a'; 50 << 20], ("too-large", 0, false)),
        (b"version: 1\ntriggers: \xff\n".to_vec(), ("not-utf8", 2, true)),
        (b"version: 1\n\ttriggers: []\n".to_vec(), ("tab", 2, true)),
        (b"# nothing\n".to_vec(), ("empty-file", 0, false)),
        ("[".repeat(1 << 19).into_bytes(), ("syntax", 1, true)),
    ] {
        let mut sources = changed("tours/tours.yaml", "route: /projects", "route: x");
        sources.files.insert("rules/bad.yaml".into(), content);
        let (rulebook, findings) = check(&sources);
        let (code, line, column) = expected;
        assert!(rulebook.is_none());
        assert_eq!(findings.len(), 2, "{findings:#?}");
        assert_eq!((findings[0].code, findings[0].line), (code, line));
        assert_eq!(findings[0].column > 0, column);
        assert_eq!(findings[1].code, "bad-page");
    }
}

#[test]
fn a_workspace_needs_its_docent_yaml_and_a_product() {
    let mut sources = good();
    sources.files.remove("docent.yaml");
    assert_eq!(brief(&check(&sources).1), [("docent.yaml", "no-workspace", 0, 0)]);
    let files =
        BTreeMap::from([("docent.yaml".to_owned(), b"version: 1\nproducts: {}\n".to_vec())]);
    assert_eq!(brief(&check(&Sources { files }).1), [("docent.yaml", "no-products", 2, 11)]);
}

#[test]
fn ten_mistakes_are_ten_findings() {
    let text = "version: 1
triggers:
  - id: stuck on it
    priorty: 5
    mode: lve
    page: billing
    when: [{ dwel: 3s }]
    offer: { body: \"\", accept: \"\", dismiss: No, tour: nope, timeout: 5 }
    cooldown: never
";
    let mut sources = good();
    sources.files.insert("rules/ten.yaml".into(), text.as_bytes().to_vec());
    let (_, findings) = check(&sources);
    let found: Vec<_> = findings.iter().map(|f| (f.code, f.line)).collect();
    let expected = [
        ("bad-id", 3),
        ("unknown-key", 4),
        ("unknown-name", 5),
        ("bad-page", 6),
        ("unknown-condition", 7),
        ("blank", 8),
        ("blank-label", 8),
        ("unknown-tour", 8),
        ("bad-duration", 8),
        ("bad-duration", 9),
    ];
    assert_eq!(found, expected, "{findings:#?}");
}

#[test]
fn variables_are_given_their_type_after_they_are_replaced() {
    let sources = changed("docent.yaml", "max_sessions: 1000", "max_sessions: ${NUMBER}");
    let book = check(&sources).0.unwrap();
    assert_eq!(book.settings.limits.max_sessions, 7);
    let sources = changed("docent.yaml", "publishable: pk_1", "publishable: ${NUMBER}");
    let book = check(&sources).0.unwrap();
    assert_eq!(&*book.products["acme"].settings.keys.publishable[0].0, "7");
}

#[test]
fn the_digest_is_of_what_was_used() {
    let digest = |sources: &Sources| check(sources).0.unwrap().digest;
    let first = digest(&good());
    assert_eq!(first, digest(&good()));
    assert_ne!(first, digest(&changed("rules/billing.yaml", "Need a hand?", "A hand?")));
    let mut sources = good();
    sources.files.insert("README.md".into(), b"words".to_vec());
    assert_eq!(first, digest(&sources), "a file that is not read does not count");
    let other = |name: &str| if name == "TOKEN" { Some("t".to_owned()) } else { env(name) };
    assert_ne!(first, compile(&good(), &other).0.unwrap().digest);
}

#[test]
fn rules_come_by_priority_then_file_then_position() {
    let rule = |id: &str, priority: u8| {
        format!(
            "  - {{ id: {id}, priority: {priority}, when: [{{ dwell: 1s }}], offer: {{ body: B, accept: A, dismiss: D }} }}\n"
        )
    };
    let file = |rules: &[String]| format!("version: 1\ntriggers:\n{}", rules.concat()).into_bytes();
    let mut sources = good();
    sources.files.insert("rules/b.yaml".into(), file(&[rule("b1", 50), rule("b2", 99)]));
    sources.files.insert("rules/a.yaml".into(), file(&[rule("a1", 50), rule("a2", 50)]));
    sources.files.insert("rules/deeper/c.yaml".into(), b"not: read".to_vec());
    sources.files.insert("rules/all.test.yaml".into(), b"not: read".to_vec());
    let book = check(&sources).0.unwrap();
    let ids: Vec<_> = book.products["acme"].rules.iter().map(|r| r.id.to_string()).collect();
    assert_eq!(ids, ["b2", "stuck", "a1", "a2", "b1", "errors"]);
}

#[test]
fn candidates_are_the_rules_of_a_page_in_order() {
    let pages = ["/a", "/a/:x", "[/a, /b]", "/:y", "/b/1", "/a/"];
    let mut text = String::from("version: 1\ntriggers:\n");
    for (number, page) in pages.iter().take(5).enumerate() {
        text += &format!(
            "  - {{ id: r{number}, page: {page}, when: [{{ dwell: 1s }}], offer: {{ body: B, accept: A, dismiss: D }} }}\n"
        );
    }
    text +=
        "  - { id: anywhere, when: [{ dwell: 1s }], offer: { body: B, accept: A, dismiss: D } }\n";
    let files = BTreeMap::from([
        ("docent.yaml".to_owned(), b"version: 1\nproducts: { acme: }\n".to_vec()),
        ("rules/r.yaml".to_owned(), text.into_bytes()),
    ]);
    let (book, findings) = check(&Sources { files });
    let book = book.unwrap_or_else(|| panic!("{findings:#?}"));
    let product = &book.products["acme"];
    for page in ["/a", "/a/", "/b", "/b/1", "/a/7", "/zzz", "", "/", "/b/1/2"] {
        let slow: Vec<_> =
            (0..product.rules.len()).filter(|place| product.rules[*place].is_for(page)).collect();
        assert_eq!(product.candidates(page).collect::<Vec<_>>(), slow, "{page}");
    }
    assert_eq!(product.candidates("/a").collect::<Vec<_>>(), [0, 2, 3, 5]);
}

#[test]
fn folders_are_known_even_when_docent_yaml_has_mistakes() {
    let named = |text: &str| {
        let files = BTreeMap::from([("docent.yaml".to_owned(), text.as_bytes().to_vec())]);
        folders(&Sources { files }).into_iter().collect::<Vec<_>>()
    };
    let text = "nonsense: 1\nproducts:\n  a: { rules: ./my/rules, lisen: 3 }\n  b:\n";
    assert_eq!(named(text), ["my/rules/", "prompts/", "rules/", "tours/"]);
    assert_eq!(named("a: b: c"), ["prompts/", "rules/", "tours/"]);
}

#[test]
fn two_products_may_share_a_folder_and_its_mistakes() {
    let mut sources = changed("rules/billing.yaml", "mode: live", "mode: lve");
    let two = b"version: 1\nproducts: { a: {}, b: {} }\n".to_vec();
    sources.files.insert("docent.yaml".into(), two);
    assert_eq!(brief(&check(&sources).1), [("rules/billing.yaml", "unknown-name", 7, 11)]);
}

proptest! {
    #[test]
    fn no_bytes_can_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400), file in 0..4_usize) {
        let mut sources = good();
        sources.files.insert(FILES[file].into(), bytes);
        let _ = check(&sources);
    }

    #[test]
    fn no_change_to_a_good_file_can_stop_the_reader(
        file in 0..4_usize,
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0..12_usize, "[-\\[\\]{}:&*!|>'\"#%@`,? \\n\\ta-z0-9é$]{0,6}"), 1..4),
    ) {
        let mut sources = good();
        let bytes = sources.files.get_mut(FILES[file]).unwrap();
        let mut text: Vec<char> = String::from_utf8(bytes.clone()).unwrap().chars().collect();
        for (at, removed, added) in cuts {
            let at = at.index(text.len() + 1);
            let end = (at + removed).min(text.len());
            text.splice(at..end, added.chars());
        }
        *bytes = text.iter().collect::<String>().into_bytes();
        let (rulebook, findings) = check(&sources);
        let lines = text.iter().filter(|c| **c == '\n').count() + 1;
        for finding in findings.iter().filter(|found| *found.file == *FILES[file]) {
            prop_assert!(finding.line <= lines, "{finding:?}");
            let _ = render(finding, &text.iter().collect::<String>());
        }
        prop_assert!(rulebook.is_some() || !findings.is_empty());
    }
}

/// Every YAML file that this repository ships means the same to another reader.
#[test]
fn shipped_files_mean_the_same_to_another_reader() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in [
        "",
        "rules",
        "tours",
        "tests/data/findings/good",
        "tests/data/findings/good/rules",
        "tests/data/findings/good/tours",
    ] {
        paths.extend(yaml_files(&root.join(folder)));
    }
    assert!(paths.len() >= 3, "{paths:?}");
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let mut findings = Findings::new("", &text);
        let ours = yaml::read(&mut findings);
        assert_eq!(findings.count(), 0, "{}: {findings:?}", path.display());
        let theirs: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(ours.unwrap().to_json(), theirs, "{}", path.display());
    }
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect()
}

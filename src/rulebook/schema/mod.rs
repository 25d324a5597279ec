//! What each kind of file may say, as JSON Schema (draft 7, the newest that editors check in full):
//! completion, hover texts and squiggles from the words of the readers. What only a whole workspace
//! can tell, such as whether a tour exists, is left to `docent check`.

mod arms;
mod calendar;
mod conditions;
mod locales;
mod pacing;
mod segments;
mod server;
mod settings;
mod shape;
mod timelines;
mod tours;
mod triggers;

use serde_json::{Value as Json, json};

use crate::rulebook::schema::shape::{Mapping, VARIABLE, Writer};

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `docent.yaml`.
    Docent,
    /// The rules folder's files, tests of the whole rulebook included: an editor maps a folder to
    /// one schema.
    Rules,
    /// `tours/*.yaml`.
    Tours,
    /// `locales/*.yaml`.
    Locales,
    /// `segments/*.yaml`.
    Segments,
    /// The front matter of `prompts/*.md`.
    Prompts,
    /// `rules/*.test.yaml`.
    Tests,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Docent,
        Self::Rules,
        Self::Tours,
        Self::Locales,
        Self::Segments,
        Self::Prompts,
        Self::Tests,
    ];

    /// The name on the command line, and of the schema's file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Docent => "docent",
            Self::Rules => "rules",
            Self::Tours => "tours",
            Self::Locales => "locales",
            Self::Segments => "segments",
            Self::Prompts => "prompts",
            Self::Tests => "tests",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Docent => "The settings of a docent workspace",
            Self::Rules => "Triggers of a docent workspace, or tests of all of them",
            Self::Tours => "Tours of a docent workspace",
            Self::Locales => "Translations of a docent workspace",
            Self::Segments => "Segments of a docent workspace",
            Self::Prompts => "The front matter of a prompt of a docent workspace",
            Self::Tests => "Tests of all triggers of a docent workspace",
        }
    }

    const fn mapping(self) -> &'static Mapping {
        match self {
            Self::Docent => &settings::WORKSPACE,
            Self::Rules => &triggers::FILE,
            Self::Tours => &tours::FILE,
            Self::Locales => &locales::FILE,
            Self::Segments => &segments::FILE,
            Self::Prompts => &tours::PROMPT,
            Self::Tests => &timelines::FILE,
        }
    }
}

/// The schema of a kind of file.
pub fn schema(kind: Kind) -> Json {
    let writer = Writer { variables: (kind == Kind::Docent).then_some(VARIABLE), alone: false };
    let file = writer.mapping(kind.mapping());
    let mut schema = match kind {
        // Told apart by the key that only one of the two has.
        Kind::Rules => json!({
            "type": "object",
            "if": { "required": ["tests"] },
            "then": writer.mapping(&timelines::FILE),
            "else": file,
            "definitions": conditions::definitions(&writer),
        }),
        _ => file,
    };
    // A reload in a test may write a condition.
    if let (Kind::Tests | Kind::Segments, Json::Object(members)) = (kind, &mut schema) {
        members.insert("definitions".into(), conditions::definitions(&writer));
    }
    if let Json::Object(members) = &mut schema {
        members.insert("$schema".into(), "http://json-schema.org/draft-07/schema#".into());
        members.insert("title".into(), kind.title().into());
    }
    schema
}

/// The schema as it is printed and committed: indented, with a line end.
pub fn text(kind: Kind) -> String {
    format!("{:#}\n", schema(kind))
}

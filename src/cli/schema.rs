//! `docent schema`: what an editor needs to complete and check the files of a workspace.

use crate::cli::report::say;
use crate::cli::{Exit, SchemaArguments, SchemaKind};
use crate::rulebook::schema::{Kind, text};

/// Prints the schema of one kind of file.
pub(crate) fn run(arguments: &SchemaArguments) -> Exit {
    let kind = match arguments.kind {
        SchemaKind::Docent => Kind::Docent,
        SchemaKind::Rules => Kind::Rules,
        SchemaKind::Tours => Kind::Tours,
        SchemaKind::Locales => Kind::Locales,
        SchemaKind::Segments => Kind::Segments,
        SchemaKind::Prompts => Kind::Prompts,
        SchemaKind::Tests => Kind::Tests,
    };
    say(text(kind).trim_end());
    Exit::Fine
}

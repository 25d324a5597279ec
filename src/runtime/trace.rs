//! Logs: lines for people on a terminal, JSON for machines everywhere else. They go to standard
//! error; what is worth saying is chosen by `DOCENT_LOG`, else `RUST_LOG`, else `info`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;
use tracing_subscriber::fmt::format::{DefaultFields, Format};

use crate::runtime::environment;

/// How a line of log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Human on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Starts logging; the first call counts, later ones change nothing.
pub fn install(style: Style) {
    let wanted = environment::variable("DOCENT_LOG").or_else(|| environment::variable("RUST_LOG"));
    let lines = lines(wanted.as_deref().unwrap_or("info"));
    let terminal = std::io::stderr().is_terminal();
    let _installed = match resolved(style, terminal) {
        Style::Json => tracing::subscriber::set_global_default(lines.json().finish()),
        Style::Auto | Style::Human => {
            tracing::subscriber::set_global_default(lines.with_ansi(terminal).finish())
        }
    };
}

type Lines = SubscriberBuilder<DefaultFields, Format, EnvFilter, fn() -> std::io::Stderr>;

fn lines(wanted: &str) -> Lines {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(wanted))
        .with_writer(std::io::stderr as fn() -> std::io::Stderr)
}

const fn resolved(style: Style, terminal: bool) -> Style {
    match (style, terminal) {
        (Style::Auto, true) => Style::Human,
        (Style::Auto, false) => Style::Json,
        (chosen, _) => chosen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_gets_json_unless_a_person_asked_for_lines() {
        assert_eq!(resolved(Style::Auto, false), Style::Json);
        assert_eq!(resolved(Style::Auto, true), Style::Human);
        assert_eq!(resolved(Style::Human, false), Style::Human);
        assert_eq!(resolved(Style::Json, true), Style::Json);
    }
}

//! What a reload may not do although every file is well written, and how that is said.

use std::mem;
use std::sync::Arc;

use crate::library::disk::DiskError;
use crate::rulebook::Rulebook;
use crate::rulebook::finding::{Finding, Severity};
use crate::rulebook::settings::Settings;
use crate::rulebook::workspace::FILE;

type Member = fn(&mut Settings) -> &mut String;

/// Settings that are read once, at start.
const AT_START: [(&str, Member); 3] = [
    ("listen", |settings| &mut settings.listen),
    ("admin.listen", |settings| &mut settings.admin.listen),
    ("store", |settings| &mut settings.store),
];

/// The values the process was started with.
pub(crate) struct Pinned([String; AT_START.len()]);

impl Pinned {
    pub(crate) fn of(settings: &Settings) -> Self {
        let mut settings = settings.clone();
        Self(AT_START.map(|(_, member)| mem::take(member(&mut settings))))
    }

    /// Sets `settings` back to what the process runs with; a warning for each that differed.
    pub(crate) fn keep(&self, settings: &mut Settings) -> Vec<Finding> {
        let differ = AT_START.iter().zip(&self.0).filter(|((_, member), running)| {
            let wanted = member(settings);
            // Not said what it was: a store's address may hold a password.
            mem::replace(wanted, (*running).clone()) != **running
        });
        let warn = |((name, _), _): (&(&str, Member), _)| {
            let message = format!("`{name}` has changed and takes effect at the next start");
            let help = Some("restart docent".to_owned());
            about(FILE, Severity::Warning, "needs-restart", message, help)
        };
        differ.map(warn).collect()
    }
}

/// Products that have rules and would have none: an unmounted volume or a checkout half done looks
/// like that, an intention hardly ever. A product that is itself removed is no such case.
pub(crate) fn bereft(running: &Rulebook, candidate: &Rulebook) -> Vec<Finding> {
    let mut products: Vec<_> = running
        .products
        .values()
        .filter(|product| !product.rules.is_empty())
        .filter(|product| candidate.products.get(&product.id).is_some_and(|to| to.rules.is_empty()))
        .collect();
    products.sort_by(|a, b| a.id.cmp(&b.id));
    let lost = products.into_iter().map(|product| {
        let count = product.rules.len();
        let rules = if count == 1 { "the rule" } else { "every one of the rules" };
        let message = format!("product `{}` would lose {rules} it has ({count})", product.id);
        let help = "put the rules back; to silence a product, set `proactive: { enabled: false }`";
        about(FILE, Severity::Error, "rules-lost", message, Some(help.to_owned()))
    });
    lost.collect()
}

/// A workspace that cannot be read, as a finding.
pub(crate) fn unreadable(error: &DiskError) -> Finding {
    about(error.path(), Severity::Error, "unreadable", error.to_string(), None)
}

fn about(
    file: &str,
    severity: Severity,
    code: &'static str,
    message: String,
    help: Option<String>,
) -> Finding {
    let (line, column, length) = (0, 0, 0);
    Finding {
        file: Arc::from(file),
        line,
        column,
        length,
        severity,
        code,
        message,
        help,
        fix: None,
    }
}

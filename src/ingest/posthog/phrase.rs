//! What an event says, in the words a person would write: `Clicked "Add project"`.

use crate::domain::page::page_of;
use crate::domain::text::first_chars;
use crate::ingest::posthog::address;
use crate::ingest::posthog::element::{self, Element};
use crate::ingest::posthog::event::Event;

/// Longest name of a button, link or field within a phrase, in Unicode scalar values.
const NAME_CHARS: usize = 80;

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deed {
    /// The action's type.
    pub(super) kind: String,
    pub(super) title: String,
    pub(super) description: String,
}

/// What an event says that somebody did; `None` when it says nothing of the kind.
pub(super) fn deed(event: &Event<'_>) -> Option<Deed> {
    let chain = element::chain(&event.text("elements_chain"));
    let (kind, title) = match event.name() {
        "$pageview" => return Some(visit(event)),
        "$autocapture" => interaction(event, &chain)?,
        "$rageclick" => {
            ("rage_click", format!("Clicked {} again and again", clicked(event, &chain)))
        }
        "$dead_click" => {
            ("dead_click", format!("Clicked {} and nothing happened", clicked(event, &chain)))
        }
        "$exception" => ("exception", "Ran into an error".to_owned()),
        "$copy_autocapture" => ("copy", "Copied some text".to_owned()),
        own if own.starts_with('$') => return None,
        own => return Some(report(event, own)),
    };
    let description = format!("{title}{}{}", towards(event, &chain), on_page(event));
    Some(Deed { kind: kind.to_owned(), title, description })
}

/// An event of the product's own, by the name the product gave it.
fn report(event: &Event<'_>, name: &str) -> Deed {
    let description = format!("The app reported {}{}", quote(name), on_page(event));
    Deed { kind: name.to_owned(), title: name.to_owned(), description }
}

fn visit(event: &Event<'_>) -> Deed {
    let page = page(event).unwrap_or_else(|| "an unknown page".to_owned());
    let from = address::host(&event.text("referrer"))
        .filter(|from| Some(from) != address::host(&event.text("current_url")).as_ref())
        .map_or_else(String::new, |from| format!(", coming from {from}"));
    Deed {
        kind: "pageview".to_owned(),
        title: format!("Page view: {page}"),
        description: format!("Opened {page}{from}"),
    }
}

fn interaction(event: &Event<'_>, chain: &[Element]) -> Option<(&'static str, String)> {
    match event.text("event_type").as_str() {
        "click" | "touch" | "" => Some(("click", format!("Clicked {}", clicked(event, chain)))),
        "submit" => Some(("submit", format!("Submitted the form{}", form(event, chain)))),
        "change" => Some(changed(event, chain)),
        _ => None,
    }
}

/// ` "Create project"`, or nothing for a form without a name.
fn form(event: &Event<'_>, chain: &[Element]) -> String {
    let own = chain.first().and_then(Element::label).unwrap_or("");
    first_named([&event.text("button_or_link_text"), own, &id(event, chain)])
        .map_or_else(String::new, |name| format!(" {name}"))
}

/// A field by its label, never by what is in it.
fn changed(event: &Event<'_>, chain: &[Element]) -> (&'static str, String) {
    let field = element::meant(chain);
    let attribute = |name| field.and_then(|field| field.attribute(name)).unwrap_or("");
    let (kind, verb, unnamed) =
        match (field.map(|field| field.tag.as_str()), attribute("attr__type")) {
            (Some("select"), _) => ("select", "Chose from", "a list"),
            (_, "checkbox" | "radio") => ("change", "Changed", "an option"),
            _ => ("input", "Filled in", "a field"),
        };
    let label = field.and_then(Element::label).unwrap_or("");
    let name = first_named([&event.text("input_field_name"), label, &id(event, chain)]);
    let name = name.unwrap_or_else(|| unnamed.to_owned());
    (kind, format!("{verb} {name}"))
}

/// `"Add project"`, else what kind of thing it was.
fn clicked(event: &Event<'_>, chain: &[Element]) -> String {
    let meant = element::meant(chain);
    let text = event.text("button_or_link_text");
    let text = if meant.is_some_and(Element::is_field) { "" } else { &text };
    let (near, field) = (element::name(chain).unwrap_or(""), event.text("input_field_name"));
    first_named([text, near, &field, &id(event, chain)]).unwrap_or_else(|| {
        match meant.map(|element| element.tag.as_str()) {
            Some("button") => "a button",
            Some("a") => "a link",
            Some("input" | "textarea" | "select") => "a field",
            Some("img" | "svg" | "path") => "an image",
            _ => "something",
        }
        .to_owned()
    })
}

fn id(event: &Event<'_>, chain: &[Element]) -> String {
    said_or_read(event, "element_id", chain, "attr__id")
}

/// A member, else the attribute of the element that was meant.
fn said_or_read(event: &Event<'_>, member: &str, chain: &[Element], attribute: &str) -> String {
    let said = event.text(member);
    let read = || element::meant(chain).and_then(|element| element.attribute(attribute));
    if said.is_empty() { read().unwrap_or("").to_owned() } else { said }
}

fn first_named<const N: usize>(names: [&str; N]) -> Option<String> {
    names.into_iter().find(|name| !name.trim().is_empty()).map(quote)
}

/// On one line, not too long, in quotation marks.
fn quote(name: &str) -> String {
    let line = name.split_whitespace().collect::<Vec<_>>().join(" ");
    match first_chars(&line, NAME_CHARS) {
        whole if whole.len() == line.len() => format!("\"{line}\""),
        cut => format!("\"{}\u{2026}\"", cut.trim_end()),
    }
}

/// `, a link to docs.test/start`; a page of the same host is named by its path.
fn towards(event: &Event<'_>, chain: &[Element]) -> String {
    let link = said_or_read(event, "link_destination", chain, "attr__href");
    let target = address::canonical(&link);
    let here = address::host(&event.text("current_url"));
    let target = match address::host(&link) {
        Some(there) if Some(&there) != here.as_ref() => format!("{there}{}", page_of(&target)),
        Some(_) => page_of(&target).to_owned(),
        None if target.starts_with('/') => target,
        None => return String::new(),
    };
    format!(", a link to {target}")
}

fn on_page(event: &Event<'_>) -> String {
    page(event).map_or_else(String::new, |page| format!(" on {page}"))
}

fn page(event: &Event<'_>) -> Option<String> {
    let url = address::canonical(&event.text("current_url"));
    Some(page_of(&url).to_owned()).filter(|page| !page.is_empty())
}

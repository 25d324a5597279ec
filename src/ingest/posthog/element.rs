//! PostHog's `elements_chain`: the element a person acted on, then the ones around it, as
//! `button.primary:attr__id="add"text="Add project";div:nth-child="2"`. Quotes inside values are
//! written `\"`.

use serde_json::Value;

/// How far around the element itself its name is looked for: an icon in a span in a button.
const NEAR: usize = 4;

/// What may name an element beside its text, best first.
const LABELS: [&str; 5] =
    ["attr__aria-label", "attr__title", "attr__alt", "attr__placeholder", "attr__name"];

/// One element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// `button`, `a`, `input`, …, in lower case.
    pub(super) tag: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// The value of an attribute, unless it is blank.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// What a person would call the element: its text, else its label. The text of a field is no
    /// name, for it may be what was typed.
    pub(super) fn name(&self) -> Option<&str> {
        self.attribute("text").filter(|_| !self.is_field()).or_else(|| self.label())
    }

    /// What the page calls the element.
    pub(super) fn label(&self) -> Option<&str> {
        LABELS.iter().find_map(|label| self.attribute(label))
    }

    /// Whether people type or choose something here.
    pub(super) fn is_field(&self) -> bool {
        matches!(self.tag.as_str(), "input" | "select" | "textarea" | "form")
    }

    fn is_control(&self) -> bool {
        self.is_field() || matches!(self.tag.as_str(), "a" | "button")
    }
}

/// The elements of a chain, innermost first; whatever is no chain has few or none.
pub(super) fn chain(text: &str) -> Vec<Element> {
    let mut elements = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && elements.len() < NEAR {
        let (element, after) = element(rest);
        elements.push(element);
        rest = after;
    }
    elements
}

/// The element that was meant: the nearest control, else the innermost.
pub(super) fn meant(chain: &[Element]) -> Option<&Element> {
    chain.iter().find(|element| element.is_control()).or(chain.first())
}

/// The name of the element that was meant: its own, or that of something inside it.
pub(super) fn name(chain: &[Element]) -> Option<&str> {
    let meant = chain.iter().position(Element::is_control).unwrap_or(0);
    chain.get(..=meant)?.iter().rev().find_map(Element::name)
}

/// Elements as PostHog's JSON lists them, written as a chain.
pub(super) fn written(elements: &[Value]) -> String {
    let text = |element: &Value, name: &str| {
        element.get(name).and_then(Value::as_str).map(str::to_owned).unwrap_or_default()
    };
    let one = |element: &Value| {
        let mut written = format!("{}:", text(element, "tag_name"));
        let mut put = |key: &str, value: &str| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            if !value.is_empty() {
                written.push_str(&format!("{key}=\"{value}\""));
            }
        };
        put("attr__id", &text(element, "attr_id"));
        for (key, value) in
            element.get("attributes").and_then(Value::as_object).into_iter().flatten()
        {
            put(key, value.as_str().unwrap_or(""));
        }
        put("text", &text(element, "text"));
        written
    };
    elements.iter().map(one).collect::<Vec<_>>().join(";")
}

fn element(text: &str) -> (Element, &str) {
    let end = text.find([';', '.', ':']).unwrap_or(text.len());
    let (tag, mut rest) = text.split_at(end);
    let mut element = Element { tag: tag.trim().to_ascii_lowercase(), attributes: Vec::new() };
    loop {
        let Some(at) = rest.find([';', '"']) else { return (element, "") };
        let (before, from) = rest.split_at(at);
        if let Some(after) = from.strip_prefix(';') {
            return (element, after);
        }
        let (value, after) = quoted(from);
        if let Some(key) = before.strip_suffix('=').and_then(key) {
            element.attributes.push((key.to_owned(), value));
        }
        rest = after;
    }
}

/// The last word: `.btn:hover:attr__id` gives `attr__id`.
fn key(text: &str) -> Option<&str> {
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.rsplit(|c| !is_key(c)).next().filter(|key| !key.is_empty())
}

/// What a quotation holds, and what follows it.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, text.split_at(at).1.strip_prefix('"').unwrap_or("")),
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_with_their_attributes() {
        let text = r#"BUTTON.btn.hover:bg-blue:attr__class="btn hover:bg-blue"attr__id="add"nth-child="1"text="Say \"hi; you\"";div.x;body:nth-of-type="1""#;
        let chain = chain(text);
        let tags: Vec<_> = chain.iter().map(|element| element.tag.as_str()).collect();
        assert_eq!(tags, ["button", "div", "body"]);
        assert_eq!(chain[0].attribute("attr__id"), Some("add"));
        assert_eq!(chain[0].attribute("text"), Some("Say \"hi; you\""));
        assert_eq!(chain[0].attribute("attr__href"), None);
    }

    #[test]
    fn the_name_is_the_nearest_controls() {
        for (text, expected) in [
            (r#"button:text="Add project""#, Some("Add project")),
            (r#"svg:nth-child="1";button:attr__aria-label="Close";div:text="Much""#, Some("Close")),
            (r#"span:text="Go";a:attr__href="/x";div"#, Some("Go")),
            (r#"span:text="In";a:text="Out""#, Some("Out")),
            (r#"input:attr__name="q"attr__placeholder="Search""#, Some("Search")),
            (r#"textarea:text="typed"attr__name="notes""#, Some("notes")),
            (r#"button:text=" ""#, None),
            (r#"div:text="A card";div:text="Much""#, Some("A card")),
            ("div;div;div;div;button:text=\"Too far\"", None),
        ] {
            assert_eq!(name(&chain(text)), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_chain_says_nothing() {
        for text in
            ["", ";", ";;;;;;;;", "\"", "=\"", "a:text=\"", "a:=\"x\"", "é\\\"é;", "a:text=\"\\"]
        {
            assert_eq!(name(&chain(text)), None, "{text}");
        }
        assert_eq!(meant(&chain("")), None);
    }
}

//! Translations: the words of a product's offers in other languages than the rules', and which of
//! them somebody is spoken to in.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::rulebook::template::Text;

/// The trait that says which language a person reads.
pub const TRAIT: &str = "locale";

/// A product's languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locales {
    /// The language its rules are written in, as BCP 47.
    pub source: Arc<str>,
    /// The others, one per file.
    pub list: Arc<[Locale]>,
}

/// One file of translations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale {
    /// Its language, as BCP 47: `nb-NO`.
    pub tag: Arc<str>,
    /// By trigger.
    pub triggers: BTreeMap<Arc<str>, Translation>,
}

/// The words of one trigger; what is absent is said in a wider language, else in the rule's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Translation {
    /// What the toast says.
    pub body: Option<Text>,
    /// The buttons, in the rule's order.
    pub labels: Vec<Option<Text>>,
}

/// The language in which one trigger speaks to one person.
#[derive(Clone, Copy, Debug)]
pub struct Voice<'a> {
    locales: &'a Locales,
    trigger: &'a str,
    /// Nothing for the rule's own language.
    wanted: Option<&'a str>,
}

impl Locales {
    /// Whether every offer is made in the rules' own language.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The language for somebody who reads these, best first: the first that this trigger is
    /// written in.
    pub fn voice<'a>(
        &'a self,
        trigger: &'a str,
        reads: impl IntoIterator<Item = &'a str>,
    ) -> Voice<'a> {
        let own = Voice { locales: self, trigger, wanted: None };
        for wanted in reads {
            for tag in wider(wanted) {
                if self.translation(trigger, tag).is_some() {
                    return Voice { wanted: Some(wanted), ..own };
                }
                if is_same(tag, &self.source) {
                    return own;
                }
            }
        }
        own
    }

    fn translation(&self, trigger: &str, tag: &str) -> Option<(&Locale, &Translation)> {
        let locale = self.list.iter().find(|locale| is_same(&locale.tag, tag))?;
        locale.triggers.get(trigger).map(|translation| (locale, translation))
    }
}

impl<'a> Voice<'a> {
    /// The translations to take words from, narrowest first.
    fn translations(&self) -> impl Iterator<Item = (&'a Locale, &'a Translation)> + use<'a> {
        let Voice { locales, trigger, wanted } = *self;
        let tags = wanted.into_iter().flat_map(wider);
        tags.filter_map(move |tag| locales.translation(trigger, tag))
    }

    /// What the toast says, if that is translated, and the language.
    pub fn body(&self) -> Option<(&'a Arc<str>, &'a Text)> {
        self.translations().find_map(|(locale, words)| Some((&locale.tag, words.body.as_ref()?)))
    }

    /// What the button at this place says, if that is translated.
    pub fn label(&self, place: usize) -> Option<&'a Text> {
        self.translations().find_map(|(_, words)| words.labels.get(place)?.as_ref())
    }
}

/// The tag, then ever wider ones: `nb-NO`, `nb`. Norwegian goes by two names.
fn wider(tag: &str) -> impl Iterator<Item = &str> {
    let tag = tag.split('.').next().unwrap_or(tag);
    let primary = tag.split(['-', '_']).next().unwrap_or(tag);
    let names = [("nb", "no"), ("no", "nb")];
    let other = names.into_iter().find(|(name, _)| is_same(primary, name)).map(|(_, other)| other);
    std::iter::successors(Some(tag), |tag| shorter(tag)).chain(other)
}

fn shorter(tag: &str) -> Option<&str> {
    tag.get(..tag.rfind(['-', '_'])?)
}

fn is_same(one: &str, other: &str) -> bool {
    let plain = |c: u8| if c == b'_' { b'-' } else { c.to_ascii_lowercase() };
    one.bytes().map(plain).eq(other.bytes().map(plain))
}

/// Whether a text can be a language tag: `nb`, `pt-BR`, `zh-Hant-TW`.
pub fn is_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or("");
    (2..=3).contains(&language.len())
        && language.bytes().all(|c| c.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locales() -> Locales {
        let file = |tag: &str, body: Option<&str>, label: Option<&str>| {
            let text = |text: &str| Text::Plain(text.into());
            let words = Translation { body: body.map(text), labels: vec![label.map(text)] };
            Locale { tag: tag.into(), triggers: [("t".into(), words)].into() }
        };
        let list = [
            file("de", Some("Hallo"), Some("Ja")),
            file("nb", Some("Hei"), Some("Ja")),
            file("nb-NO", Some("Heisann"), None),
        ];
        Locales { source: "en".into(), list: list.into() }
    }

    #[test]
    fn the_first_language_that_is_there_is_spoken_each_text_from_its_narrowest_file() {
        let locales = locales();
        for (reads, body, label) in [
            (vec!["nb-NO"], Some(("nb-NO", "Heisann")), Some("Ja")),
            (vec!["nb_no.UTF-8"], Some(("nb-NO", "Heisann")), Some("Ja")),
            (vec!["nb-SJ"], Some(("nb", "Hei")), Some("Ja")),
            (vec!["no"], Some(("nb", "Hei")), Some("Ja")),
            (vec!["sv", "de-AT"], Some(("de", "Hallo")), Some("Ja")),
            (vec!["en-GB", "de"], None, None),
            (vec!["sv"], None, None),
            (vec![], None, None),
        ] {
            let voice = locales.voice("t", reads.clone());
            let said = |text: &Text| match text {
                Text::Plain(words) => words.to_string(),
                Text::Pieces(_) => String::new(),
            };
            let found = voice.body().map(|(tag, text)| (tag.to_string(), said(text)));
            let expected = body.map(|(tag, text)| (tag.to_owned(), text.to_owned()));
            assert_eq!(found, expected, "{reads:?}");
            assert_eq!(voice.label(0).map(said).as_deref(), label, "{reads:?}");
            assert!(locales.voice("other", reads).body().is_none());
        }
    }

    #[test]
    fn a_tag_has_a_language_and_parts() {
        for (text, tag) in [
            ("nb", true),
            ("zh-Hant-TW", true),
            ("de-1996", true),
            ("nb_NO", false),
            ("norsk", false),
            ("n", false),
            ("nb-", false),
            ("", false),
        ] {
            assert_eq!(is_tag(text), tag, "{text}");
        }
    }
}

//! `docent new locale`: a file of translations that still says everything as the rules do, with the
//! hash of what is to be translated.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};

use crate::library::disk;
use crate::rulebook::Product;
use crate::rulebook::compile::compile;
use crate::rulebook::locale::is_tag;
use crate::rulebook::locales::source_hash;
use crate::rulebook::rule::Rule;
use crate::rulebook::template::Text;
use crate::runtime::environment;

/// Path and text for this language.
pub(super) fn scaffold(root: &Path, product: Option<&str>, tag: &str) -> Result<(String, String)> {
    if !is_tag(tag) {
        bail!("`{tag}` is no language; write a tag such as `nb-NO`");
    }
    let sources = disk::read(root)?;
    let (rulebook, findings) = compile(&sources, &environment::variable);
    let Some(rulebook) = rulebook else {
        bail!("the workspace has {} findings; see `docent check`", findings.len())
    };
    let mut products = rulebook.products.values();
    let product = match product {
        Some(id) => rulebook.products.get(id),
        None => products.next().filter(|_| products.next().is_none()),
    };
    let Some(product) = product else { bail!("name one of the products with `--product`") };
    Ok((format!("{}{tag}.yaml", product.settings.locales), text(product, tag)))
}

fn text(product: &Product, tag: &str) -> String {
    let mut text = format!("version: 1\nlocale: {}\ntriggers:\n", quoted(tag));
    let spoken: Vec<&Rule> =
        product.rules.iter().filter(|rule| rule.offer.body.is_some()).collect();
    for rule in &spoken {
        entry(&mut text, rule);
    }
    if spoken.is_empty() { text.replace("triggers:\n", "triggers: {}\n") } else { text }
}

fn entry(text: &mut String, rule: &Rule) {
    let said = |said: &Text| quoted(&said.to_string());
    let labels: Vec<String> = rule.offer.labels.iter().map(said).collect();
    let mut lines = vec![("body", rule.offer.body.iter().map(said).collect())];
    match labels.as_slice() {
        [accept, dismiss] => {
            lines.extend([("accept", accept.clone()), ("dismiss", dismiss.clone())]);
        }
        [] => {}
        labels => lines.push(("labels", format!("[{}]", labels.join(", ")))),
    }
    lines.push(("of", quoted(&source_hash(rule))));
    let _written = writeln!(text, "  {}:", quoted(&rule.id));
    for (key, value) in lines {
        let _written = writeln!(text, "    {key}: {value}");
    }
}

/// A text as YAML, and JSON, write it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

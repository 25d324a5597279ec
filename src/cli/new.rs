//! `docent new`: files to start from. What is there already is never touched.

mod locale;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::cli::report::{complain, say};
use crate::cli::{Exit, NewArguments, NewKind};
use crate::rulebook::reader::Findings;
use crate::rulebook::schema::{self, Kind};
use crate::rulebook::yaml::{self, Value};
use crate::rulebook::{compile, workspace};

const WORKSPACE: &str = include_str!("new/docent.yaml");
const RULE: &str = include_str!("new/rule.yaml");
const TOUR: &str = include_str!("new/tour.yaml");
const SEGMENT: &str = include_str!("new/segment.yaml");
const PROMPT: &str = include_str!("new/prompt.md");
const EDITOR: &str = include_str!("new/editor.json");
const EXTENSIONS: &str = include_str!("new/extensions.json");
/// Where a workspace keeps its schemas.
const SCHEMAS: &str = "schemas/";
/// Stands for the name in a scaffold.
const NAME: &str = "NAME";

/// A file to be made: where, relative to the folder, and what it says.
type Scaffold = (String, String);

/// Makes the files and names them. Exits 1 when one is there already or cannot be written.
pub(crate) fn run(arguments: &NewArguments) -> Exit {
    match make(arguments) {
        Ok(made) => {
            made.iter().for_each(|path| say(&format!("made {}", path.display())));
            Exit::Fine
        }
        Err(error) => {
            complain(&format!("error: {error:#}"));
            Exit::Failed
        }
    }
}

fn make(arguments: &NewArguments) -> Result<Vec<PathBuf>> {
    let NewArguments { kind, name, folder, product } = arguments;
    if !good(name) {
        bail!(
            "`{name}` cannot be a name; use at most 128 letters, digits and `_ -`, a letter first"
        );
    }
    if *kind == NewKind::Workspace {
        return write(&folder.join(name), &workspace(name));
    }
    if *kind == NewKind::Locale {
        return write(folder, &[locale::scaffold(folder, product.as_deref(), name)?]);
    }
    let product = product.as_deref();
    let in_folder = |which: &str, text: &str, kind: Kind| {
        self::folder(folder, product, which).map(|path| in_yaml(folder, &path, name, text, kind))
    };
    let scaffold = match kind {
        NewKind::Tour => in_folder("tours", TOUR, Kind::Tours)?,
        NewKind::Segment => in_folder("segments", SEGMENT, Kind::Segments)?,
        NewKind::Prompt => (format!("{}{name}.md", compile::PROMPTS), named(PROMPT, name)),
        _ => in_folder("rules", RULE, Kind::Rules)?,
    };
    write(folder, &[scaffold])
}

/// A name is an id in one file, a file's name, and plain text to YAML.
fn good(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let plain = matches!(yaml::resolve(name), Value::Str(_));
    first && plain && name != "none" && name.len() <= 128 && name.chars().all(legal)
}

fn named(scaffold: &str, name: &str) -> String {
    scaffold.replace(NAME, name)
}

/// A workspace that serves, with one of each.
fn workspace(name: &str) -> Vec<Scaffold> {
    let file = |path: &str, text: &str| (path.to_owned(), named(text, name));
    let yaml = |path: &str, text: &str, kind: Kind| {
        let ups = path.matches('/').count();
        (path.to_owned(), format!("{}{}", modeline(ups, kind), named(text, name)))
    };
    let mut files = vec![
        yaml(workspace::FILE, WORKSPACE, Kind::Docent),
        yaml("rules/welcome.yaml", &RULE.replace(NAME, "welcome"), Kind::Rules),
        yaml("tours/welcome.yaml", &TOUR.replace(NAME, "welcome"), Kind::Tours),
        file("prompts/welcome.md", &PROMPT.replace(NAME, "welcome")),
        file(".vscode/settings.json", EDITOR),
        file(".vscode/extensions.json", EXTENSIONS),
    ];
    files.extend(Kind::ALL.map(|kind| (schema_file(kind), schema::text(kind))));
    files
}

fn schema_file(kind: Kind) -> String {
    format!("{SCHEMAS}{}.json", kind.as_str())
}

/// Tells the YAML language server, in whatever editor, which schema a file follows.
fn modeline(ups: usize, kind: Kind) -> String {
    format!("# yaml-language-server: $schema={}{}\n", "../".repeat(ups), schema_file(kind))
}

fn in_yaml(root: &Path, folder: &str, name: &str, text: &str, kind: Kind) -> Scaffold {
    let text = named(text, name);
    let schema = root.join(schema_file(kind)).exists();
    let modeline = if schema { modeline(folder.matches('/').count(), kind) } else { String::new() };
    (format!("{folder}{name}.yaml"), format!("{modeline}{text}"))
}

/// One of a product's folders, even when the workspace has mistakes.
fn folder(root: &Path, product: Option<&str>, which: &str) -> Result<String> {
    let text = fs::read_to_string(root.join(workspace::FILE));
    let text = text.with_context(|| {
        format!(
            "cannot read `docent.yaml` in `{}`; `docent new workspace NAME` makes one",
            root.display()
        )
    })?;
    let tree = yaml::read(&mut Findings::new(workspace::FILE, &text));
    let usual = || format!("{which}/");
    let Some(tree) = tree else { return Ok(usual()) };
    let ids: Vec<&str> = match tree.get("products").map(|node| &node.value) {
        Some(Value::Map(products)) => {
            products.iter().map(|(id, _)| id.as_str().unwrap_or_default()).collect()
        }
        _ => Vec::new(),
    };
    let place = match (product, ids.as_slice()) {
        (Some(product), ids) => ids.iter().position(|id| *id == product),
        (None, [first, _, ..]) => {
            bail!("the workspace has several products; add `--product {first}`, or another")
        }
        (None, _) => Some(0),
    };
    let place = place.with_context(|| {
        format!("`docent.yaml` has no product `{}`", product.unwrap_or_default())
    })?;
    let column = workspace::FOLDERS.iter().position(|folder| *folder == which);
    let place = workspace::FOLDERS.len() * place + column.unwrap_or_default();
    Ok(workspace::folders(&tree).into_iter().nth(place).unwrap_or_else(usual))
}

/// Writes all the files, or none when one of them is there.
fn write(root: &Path, files: &[Scaffold]) -> Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = files.iter().map(|(path, _)| root.join(path)).collect();
    if let Some(taken) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        bail!("`{}` is there already", taken.display());
    }
    for (path, (_, text)) in paths.iter().zip(files) {
        write_one(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(paths)
}

fn write_one(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

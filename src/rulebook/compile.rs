//! A workspace's files to a rulebook, and everything that is wrong with any of them. Start, reload
//! and `docent check` all come here; there is no second reader.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::domain::bucket::Share;
use crate::domain::tour::Catalogue;
use crate::rulebook::case::Suite;
use crate::rulebook::condition::seen::Offering;
use crate::rulebook::condition::{Asks, Ground, Segments};
use crate::rulebook::digest::{Meanings, whole};
use crate::rulebook::environment::{Lookup, expand, stand_in};
use crate::rulebook::finding::{Finding, Severity};
use crate::rulebook::ids::Ids;
use crate::rulebook::index::PageIndex;
use crate::rulebook::locale::{Locale, Locales};
use crate::rulebook::pacing::caps::{self, reasons};
use crate::rulebook::prompts::{self, Prompt};
use crate::rulebook::reader::Findings;
use crate::rulebook::rule::{Rule, When};
use crate::rulebook::segments::Segment;
use crate::rulebook::settings::{Proactive, ProductSettings, Settings};
use crate::rulebook::triggers::{self, Around};
use crate::rulebook::yaml::{self, Node, Spot};
use crate::rulebook::{Product, Rulebook, Sources, locales, segments, suites, tours, workspace};

/// The folder of a workspace's prompts.
pub const PROMPTS: &str = "prompts/";
/// Both endings: a file that is passed over in silence helps nobody.
const YAML: [&str; 2] = [".yaml", ".yml"];

/// Reads the whole workspace. The rulebook is there exactly when no finding is an error; findings
/// come by file, line and column.
pub fn compile(sources: &Sources, env: &Lookup<'_>) -> (Option<Rulebook>, Vec<Finding>) {
    compiled(Reading::new(sources), env)
}

/// The same for whoever serves nobody: a variable that is not set is no mistake where its value
/// bears on no decision, and so not on the digest.
pub fn rehearse(sources: &Sources, env: &Lookup<'_>) -> (Option<Rulebook>, Vec<Finding>) {
    compiled(Reading { rehearsal: true, ..Reading::new(sources) }, env)
}

fn compiled(mut reading: Reading<'_>, env: &Lookup<'_>) -> (Option<Rulebook>, Vec<Finding>) {
    let (sources, settings) = (reading.sources, reading.workspace(env));
    let prompts = reading.prompts();
    let ids = settings.products.keys();
    let parts: Vec<_> = ids.map(|id| (id, reading.product(id, &settings))).collect();
    let locales = reading.locales(&settings.products, &parts);
    let mut findings = reading.findings;
    findings.sort();
    // Two products may share a folder.
    findings.dedup();
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return (None, findings);
    }
    let digest = reading.meanings.digest();
    let whole = whole(sources, reading.meanings.paths(), &reading.variables);
    let ledger_ttl = settings.limits.ledger_ttl;
    let products =
        parts.into_iter().map(|(id, Part { mut rules, tours, segments, suites, .. })| {
            let settings = settings.products.get(id).cloned().unwrap_or_default();
            let list = locales.get(&settings.locales).cloned().unwrap_or_default();
            let locales = Locales { source: Arc::clone(&settings.locale), list };
            let (id, digest) = (Arc::clone(id), Arc::clone(&digest));
            let caps = caps::table(&settings.frequency, &mut rules);
            let index = PageIndex::of(&rules);
            let held = settings.holdout.percent != Share::NOBODY;
            let mut asks = Asks::of(&rules, ledger_ttl);
            asks.of_person |= held || settings.asks_of_person() || !locales.is_empty();
            let asks_of_session =
                held || !settings.testers.is_empty() || rules.iter().any(Rule::asks_of_session);
            let product = Product {
                id: Arc::clone(&id),
                digest,
                settings,
                rules,
                tours,
                segments,
                caps,
                index,
                asks,
                asks_of_session,
                suites,
                locales,
            };
            (id, Arc::new(product))
        });
    let products: HashMap<_, _> = products.collect();
    (Some(Rulebook { digest, whole, settings, products, prompts }), findings)
}

/// The settings alone, when `docent.yaml` has no mistake, whatever the other files have.
pub fn settings(sources: &Sources, env: &Lookup<'_>) -> Option<Settings> {
    let mut reading = Reading::new(sources);
    let settings = reading.workspace(env);
    let sound = reading.findings.iter().all(|finding| finding.severity != Severity::Error);
    sound.then_some(settings)
}

/// The folders whose files matter, each ending in `/` (or empty for the workspace's root): what
/// `docent.yaml` names, or the usual ones when it cannot be read. Variables are not replaced in
/// a folder's name.
pub fn folders(sources: &Sources) -> BTreeSet<String> {
    let mut folders = BTreeSet::from([PROMPTS.to_owned()]);
    let text = sources.files.get(workspace::FILE);
    let text = text.and_then(|bytes| yaml::decode(bytes, workspace::FILE).ok()).unwrap_or("");
    let root = yaml::read(&mut Findings::new(workspace::FILE, text));
    let named = root.as_ref().map(workspace::folders).unwrap_or_default();
    folders.extend(named);
    if folders.len() == 1 {
        let usual = ProductSettings::default();
        folders.extend([usual.rules, usual.tours, usual.locales, usual.segments]);
    }
    folders
}

struct Reading<'s> {
    sources: &'s Sources,
    findings: Vec<Finding>,
    /// The files that count.
    meanings: Meanings<'s>,
    /// The variables that count, with their values.
    variables: BTreeMap<String, Option<String>>,
    /// Whether nobody is served.
    rehearsal: bool,
}

impl<'s> Reading<'s> {
    fn new(sources: &'s Sources) -> Self {
        let (findings, meanings, variables) = Default::default();
        Self { sources, findings, meanings, variables, rehearsal: false }
    }

    /// The files of a folder itself with one of these endings, by path.
    fn files(&self, folder: &str, endings: &[&str]) -> Vec<(&'s str, &'s [u8])> {
        let files = self.sources.files.iter();
        let here = |path: &str| {
            let name = path.strip_prefix(folder).unwrap_or("/");
            !name.contains('/')
                && !name.starts_with('.')
                && endings.iter().any(|ending| name.ends_with(ending))
        };
        let found = files.map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
        found.filter(|(path, _)| here(path) && *path != workspace::FILE).collect()
    }

    fn text(&mut self, (path, bytes): (&'s str, &'s [u8])) -> Option<&'s str> {
        match yaml::decode(bytes, path) {
            Ok(text) => {
                self.meanings.text(path, text);
                Some(text)
            }
            Err(found) => {
                self.findings.extend(found.into_list());
                None
            }
        }
    }

    /// Reads a YAML file, if it can be read, and keeps what is found.
    fn yaml<T>(
        &mut self,
        file: (&'s str, &'s [u8]),
        read: impl FnOnce(Node, &mut Findings<'_>) -> T,
    ) -> Option<T> {
        let mut findings = Findings::new(file.0, self.text(file)?);
        let before = findings.count();
        let root = yaml::read(&mut findings);
        if root.is_none() && findings.count() == before {
            let help = Some("write it, or remove the file".to_owned());
            findings.error_at(Spot::default(), "empty-file", "the file is empty", help);
        }
        root.iter().for_each(|root| self.meanings.tree(file.0, root));
        let read = root.map(|root| read(root, &mut findings));
        self.findings.extend(findings.into_list());
        read
    }

    fn workspace(&mut self, env: &Lookup<'_>) -> Settings {
        let Some((path, bytes)) = self.sources.files.get_key_value(workspace::FILE) else {
            let mut findings = Findings::new(workspace::FILE, "");
            let help = Some("write it; `version: 1` and one product are enough".to_owned());
            let message = "the workspace has no `docent.yaml`";
            findings.error_at(Spot::default(), "no-workspace", message, help);
            self.findings.extend(findings.into_list());
            return fallback();
        };
        let (mut variables, mut expanded) = (BTreeMap::new(), None);
        let rehearsal = self.rehearsal;
        let settings = self.yaml((path, bytes), |mut root, findings| {
            if rehearsal {
                stand_in(&mut root, env);
            }
            variables = expand(&mut root, env, findings);
            let settings = workspace::read(&root, findings);
            expanded = Some(root);
            settings
        });
        self.variables = variables;
        expanded.iter().for_each(|root| self.meanings.workspace(path, root));
        settings.filter(|settings| !settings.products.is_empty()).unwrap_or_else(fallback)
    }

    fn prompts(&mut self) -> BTreeMap<Arc<str>, Prompt> {
        let mut ids = Ids::default();
        let mut found = BTreeMap::new();
        for file in self.files(PROMPTS, &[".md"]) {
            let Some(text) = self.text(file) else { continue };
            let (prompt, findings) = prompts::read(file.0, text, &mut ids);
            self.findings.extend(findings.into_list());
            found.extend(prompt.map(|prompt| (Arc::clone(&prompt.name), prompt)));
        }
        found
    }

    fn product(&mut self, id: &str, workspace: &Settings) -> Part {
        let usual = ProductSettings::default();
        let (products, memory) = (&workspace.products, workspace.limits.ledger_ttl);
        let settings = products.get(id).unwrap_or(&usual);
        let (tours, tour_ids, all) = self.tours(&settings.tours);
        let (mut ids, mut rules, mut known) = (Ids::default(), Vec::new(), true);
        let tour_ids = all.then_some(&tour_ids);
        // What rules do is tested as ever while an operator keeps the product silent.
        let proactive = &Proactive { enabled: true, ..settings.proactive.clone() };
        let activity = &settings.activity;
        let caps = &settings.frequency;
        let ground = Ground { activity, memory, tours: tour_ids, segments: None };
        let (segment_list, known_segments) = self.segments(&settings.segments, ground);
        let (segments, testers) = (known_segments.as_ref(), &settings.testers[..]);
        let around = Around {
            tours: &tours,
            tour_ids,
            segments,
            activity,
            caps,
            memory,
            testers,
            proactive,
        };
        let files = self.files(&settings.rules, &YAML).into_iter();
        let (tests, files): (Vec<_>, Vec<_>) = files.partition(|(path, _)| tests_all(path));
        let mut roots = Vec::new();
        for file in files {
            let read = self.yaml(file, |root, findings| {
                let rules = triggers::read(&root, &around, &mut ids, findings);
                roots.push(root);
                rules
            });
            known &= read.is_some();
            rules.extend(read.unwrap_or_default());
        }
        resolve_tours(&mut rules);
        // Stable: by file, then by position, as they were read.
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
        let here = products.iter().filter(|(_, other)| other.rules == settings.rules);
        let sharing: Vec<&str> = here.map(|(id, _)| &**id).collect();
        let whole = known.then_some(&ids);
        let caps = reasons(&settings.frequency, rules.iter().flat_map(|r| &r.pacing.frequency));
        let caps = known.then_some(&*caps);
        let (sharing, triggers) = (&sharing[..], &around);
        let around = suites::Around {
            product: id,
            sharing,
            ids: whole,
            caps,
            proactive,
            triggers,
            roots: &roots,
            rules: &rules,
        };
        let suites = self.suites(tests, &around);
        Part { rules, tours, segments: segment_list, suites, ids, known }
    }

    /// The tours of a folder, their ids, and whether every file of them could be read.
    fn tours(&mut self, folder: &str) -> (Catalogue, Ids, bool) {
        let (mut ids, mut tours, mut all) = (Ids::default(), Catalogue::new(), true);
        for file in self.files(folder, &YAML) {
            let read = self.yaml(file, |root, findings| tours::read(&root, &mut ids, findings));
            all &= read.is_some();
            let read = read.unwrap_or_default().into_iter();
            tours.extend(read.map(|tour| (Arc::clone(&tour.id), tour)));
        }
        (tours, ids, all)
    }

    /// The segments of a folder, and what conditions can ask for; `None` when some could not be
    /// read.
    fn segments(&mut self, folder: &str, ground: Ground<'_>) -> (Vec<Segment>, Option<Segments>) {
        let (files, mut declared) = (self.files(folder, &YAML), Segments::new());
        for (path, bytes) in &files {
            let text = yaml::decode(bytes, path).ok();
            let root = text.and_then(|text| yaml::read(&mut Findings::new(path, text)));
            root.iter().for_each(|root| segments::declare(root, &mut declared));
        }
        let (mut ids, mut list, mut all) = (Ids::default(), Vec::new(), true);
        let ground = Ground { segments: Some(&declared), ..ground };
        for file in files {
            let read = self.yaml(file, |root, f| segments::read(&root, ground, &mut ids, f));
            all &= read.is_some();
            list.extend(read.unwrap_or_default());
        }
        self.findings.extend(segments::resolve(&mut list));
        let mut known = declared;
        known.extend(list.iter().map(|one| (Arc::clone(&one.id), Arc::clone(&one.when))));
        (list, all.then_some(known))
    }

    /// The translations of each folder; several products may share one.
    fn locales(
        &mut self,
        products: &BTreeMap<Arc<str>, ProductSettings>,
        parts: &[(&Arc<str>, Part)],
    ) -> BTreeMap<String, Arc<[Locale]>> {
        let mut folders: BTreeMap<&str, locales::Around<'_>> = BTreeMap::new();
        for (id, part) in parts {
            let Some(settings) = products.get(*id) else { continue };
            let start = locales::Around { known: true, ..locales::Around::default() };
            let around = folders.entry(&settings.locales).or_insert(start);
            around.rules.extend(&part.rules);
            around.ids.push(&part.ids);
            around.known &= part.known;
        }
        let mut found = BTreeMap::new();
        for (folder, around) in folders {
            let files = self.files(folder, &YAML).into_iter();
            let list = files.filter_map(|file| {
                self.yaml(file, |root, findings| locales::read(&root, &around, findings)).flatten()
            });
            found.insert(folder.to_owned(), list.collect());
        }
        found
    }

    fn suites(
        &mut self,
        files: Vec<(&'s str, &'s [u8])>,
        around: &suites::Around<'_>,
    ) -> Vec<Suite> {
        let mut found = Vec::new();
        for file in files {
            let cases = self.yaml(file, |root, findings| suites::read(&root, around, findings));
            self.meanings.none(file.0);
            let cases = cases.unwrap_or_default();
            if !cases.is_empty() {
                found.push(Suite { file: file.0.into(), cases: cases.into() });
            }
        }
        found
    }
}

/// Tells every condition about a tour which triggers offer it.
fn resolve_tours(rules: &mut [Rule]) {
    let mut offering = Offering::new();
    for rule in &*rules {
        if let Some(tour) = &rule.offer.tour {
            offering.entry(Arc::clone(tour)).or_default().push(Arc::clone(&rule.id));
        }
    }
    for rule in rules {
        if let When::Condition(condition) = &mut rule.when {
            condition.resolve_tours(&offering);
        }
    }
}

/// What is read of one product.
struct Part {
    rules: Vec<Rule>,
    tours: Catalogue,
    segments: Vec<Segment>,
    suites: Vec<Suite>,
    /// Its triggers, those with mistakes included.
    ids: Ids,
    /// Whether every file of them could be read.
    known: bool,
}

/// Whether a file of rules holds tests of all of them instead.
fn tests_all(path: &str) -> bool {
    YAML.iter().any(|ending| path.strip_suffix(ending).is_some_and(|name| name.ends_with(".test")))
}

/// When no product is known, the usual folders are checked all the same.
fn fallback() -> Settings {
    let products = BTreeMap::from([(Arc::from(""), ProductSettings::default())]);
    Settings { products, ..Settings::default() }
}

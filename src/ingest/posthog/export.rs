//! PostHog's event export: rows of a CSV file, or objects of a JSON file, with the event's properties
//! in a member of their own. Each becomes the thirteen flat members of a destination's event, so that
//! there is one mapping.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::action::Delivery;
use crate::domain::time::Timestamp;
use crate::engine::identity::identity;
use crate::ingest::archive::{LATEST, Taken, delivered};
use crate::ingest::posthog::event::Event;
use crate::ingest::posthog::{Fate, element, fate};

/// Properties that a destination's template names otherwise.
const NAMES: [(&str, &[&str]); 8] = [
    ("referrer", &["$referrer"]),
    ("element_id", &["$element_id"]),
    ("event_type", &["$event_type"]),
    ("session_id", &["$session_id"]),
    ("current_url", &["$current_url", "$pathname"]),
    ("input_field_name", &["$input_field_name"]),
    ("link_destination", &["$external_click_url"]),
    ("button_or_link_text", &["$el_text"]),
];

/// What a column of one property is called, before its name.
const PROPERTY: &str = "properties.";

/// What PostHog's own export of all columns puts before each of them, and what it calls the event
/// in a list of columns.
const WHOLE: &str = "*";

/// Columns that a CSV file must have, of each one of these.
const WANTED: [&[&str]; 3] = [
    &["event"],
    &["timestamp", "created_at"],
    &["properties", "properties.$session_id", "$session_id", "session_id"],
];

/// Why a CSV file is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// Its head line is not UTF-8, …
    #[error(transparent)]
    Unreadable(#[from] csv::Error),
    /// Its head line names other columns.
    #[error(
        "its first line names no column `{0}`; wanted are `event`, `timestamp`, `distinct_id` and \
         `properties` (or one column `properties.$session_id`, `properties.$current_url`, … each), \
         in small letters, with commas between them"
    )]
    Column(&'static str),
}

/// A CSV file with a head line.
pub fn csv(text: &[u8], product: Option<&Arc<str>>) -> Result<Taken, CsvError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let head = reader.headers()?.clone();
    let names: Vec<&str> = head.iter().map(bare).collect();
    for wanted in WANTED {
        if let (Some(first), false) =
            (wanted.first(), names.iter().any(|name| wanted.contains(name)))
        {
            return Err(CsvError::Column(first));
        }
    }
    let mut taken = Taken { lines: 1, ..Taken::default() };
    for row in reader.records() {
        match row {
            Ok(row) => {
                let line = row.position().map_or(0, |place| place.line());
                taken.lines = usize::try_from(line).unwrap_or(usize::MAX);
                let cells = head.iter().zip(&row).filter(|(_, cell)| !cell.is_empty());
                let row =
                    cells.map(|(name, cell)| (bare(name).to_owned(), typed(bare(name), cell)));
                note(&row.collect(), product, &mut taken);
            }
            Err(error) => {
                let line = error.position().map_or(0, |place| place.line());
                taken.refused.note(usize::try_from(line).unwrap_or(usize::MAX), error);
            }
        }
    }
    Ok(taken)
}

/// A column's name, without what PostHog's own export puts before it.
fn bare(name: &str) -> &str {
    let name = name.trim();
    name.strip_prefix("*.").unwrap_or(name)
}

/// A JSON file: a list of events, or an object with `results`, which are objects or, with `columns`,
/// lists. The number of an event stands for its line. `None` for anything else.
pub fn json(whole: &Value, product: Option<&Arc<str>>) -> Option<Taken> {
    let results = whole.get("results").unwrap_or(whole).as_array()?;
    let columns: Vec<&str> = match whole.get("columns").and_then(Value::as_array) {
        Some(columns) => columns.iter().map(|name| name.as_str().unwrap_or("")).collect(),
        None => Vec::new(),
    };
    let mut taken = Taken::default();
    for row in results {
        taken.lines += 1;
        match row {
            Value::Object(row) => note(row, product, &mut taken),
            Value::Array(cells) if !columns.is_empty() => {
                let cells = columns.iter().zip(cells);
                let mut row: Map<_, _> =
                    cells.map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect();
                if let Some(Value::Object(event)) = row.remove(WHOLE) {
                    row.extend(event);
                }
                note(&row, product, &mut taken);
            }
            _ => taken.refused.note(taken.lines, "this is no event"),
        }
    }
    Some(taken)
}

/// A cell of a product's own property: a column has lost whether `120` was a number, and numbers are
/// what rules compare. PostHog's own are texts.
fn typed(name: &str, cell: &str) -> Value {
    let own = name.strip_prefix(PROPERTY).is_some_and(|name| !name.starts_with('$'));
    match serde_json::from_str(cell) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) if own => value,
        _ => Value::from(cell),
    }
}

fn note(row: &Map<String, Value>, product: Option<&Arc<str>>, taken: &mut Taken) {
    if let Err(why) = take(row, product, taken) {
        let line = taken.lines;
        taken.refused.note(line, why);
    }
}

/// Takes one event, which was received when it happened.
pub fn take(
    row: &Map<String, Value>,
    product: Option<&Arc<str>>,
    taken: &mut Taken,
) -> Result<(), String> {
    let flat = flat(row)?;
    let event = Event { members: &flat };
    let batch = match fate(&event) {
        Fate::Batch(batch) => *batch,
        passed @ (Fate::LowSignal | Fate::NoSession) => {
            taken.passed += 1;
            taken.sessionless += usize::from(matches!(passed, Fate::NoSession));
            return Ok(());
        }
        Fate::Garbage => return Err("the event has no name".to_owned()),
    };
    let at = Timestamp::from_seconds(event.time()).filter(|at| *at > Timestamp::default());
    let at = at.ok_or("the event has no `timestamp` that can be read")?;
    if event.time() > LATEST {
        return Err("the `timestamp` of the event lies beyond the year 2100".to_owned());
    }
    let delivery = Delivery::Actions(batch);
    let known = identity(product.map_or("", |id| id), &delivery);
    taken.entries.extend(delivered(product.cloned(), delivery, known, at));
    Ok(())
}

/// The event as a destination would have sent it.
fn flat(row: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut properties = object(row, "properties")?;
    for (name, value) in row {
        if let Some(name) = name.strip_prefix(PROPERTY).or(name.starts_with('$').then_some(name)) {
            properties.entry(name).or_insert_with(|| value.clone());
        }
    }
    let member = |name: &str| row.get(name).filter(|value| !value.is_null()).cloned();
    let mut flat = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        flat.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("event", member("event"));
    put("timestamp", member("timestamp").or_else(|| member("created_at")));
    let said = properties.get("distinct_id").cloned();
    put("distinct_id", member("distinct_id").or(said));
    for (name, written) in NAMES {
        let said = written.iter().find_map(|name| properties.get(*name)).cloned();
        put(name, said.filter(|value| !value.is_null()).or_else(|| member(name)));
    }
    let elements = row.get("elements").and_then(Value::as_array);
    let chain = member("elements_chain").or_else(|| properties.get("$elements_chain").cloned());
    put("elements_chain", chain.or_else(|| Some(Value::from(element::written(elements?)))));
    put("email", email(row, &properties)?);
    put("properties", Some(Value::Object(properties)));
    Ok(flat)
}

/// The person's e-mail, wherever the export tells it.
fn email(
    row: &Map<String, Value>,
    properties: &Map<String, Value>,
) -> Result<Option<Value>, String> {
    if let Some(column) = row.get("person.properties.email") {
        return Ok(Some(column.clone()));
    }
    let person = object(row, "person").unwrap_or_default();
    let of_person = person.get("properties").and_then(Value::as_object);
    let more = object(row, "person_properties")?;
    let set = properties.get("$set").and_then(Value::as_object);
    let places = [of_person, Some(&person), Some(&more), set, Some(properties)];
    let mut told = places.into_iter().flatten().filter_map(|place| place.get("email"));
    Ok(told.find(|email| email.is_string()).cloned())
}

/// A member that is an object, or the JSON text of one; empty where it is missing.
fn object(row: &Map<String, Value>, name: &str) -> Result<Map<String, Value>, String> {
    match row.get(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members.clone()),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(Map::new()),
        Some(Value::String(text)) => serde_json::from_str(text)
            .map_err(|error| format!("`{name}` is no JSON object: {error}")),
        Some(_) => Err(format!("`{name}` is no JSON object")),
    }
}

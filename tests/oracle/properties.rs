//! Counting by properties, each test written out.

use docent::domain::action::Action;
use rhai::{Array, Dynamic, Engine, Map};
use serde_json::Value;

use crate::oracle::Oracle;

fn number(value: &Dynamic) -> f64 {
    value.as_float().unwrap_or_else(|_| value.as_int().unwrap() as f64)
}

fn equal(found: &Value, wanted: &Dynamic) -> bool {
    match found {
        Value::String(text) => wanted.clone().into_string().is_ok_and(|wanted| wanted == *text),
        Value::Bool(truth) => wanted.as_bool() == Ok(*truth),
        Value::Number(found) => {
            (wanted.is_int() || wanted.is_float()) && found.as_f64() == Some(number(wanted))
        }
        _ => false,
    }
}

fn holds(found: Option<&Value>, test: &str, wanted: &Dynamic) -> bool {
    let Some(found) = found else { return test == "exists" && wanted.as_bool() == Ok(false) };
    let compared = |holds: fn(f64, f64) -> bool| {
        found.as_f64().is_some_and(|found| holds(found, number(wanted)))
    };
    let among =
        |wanted: &Dynamic| wanted.clone().cast::<Array>().iter().any(|wanted| equal(found, wanted));
    match test {
        "eq" => equal(found, wanted),
        "is_not" => !equal(found, wanted),
        "in" => among(wanted),
        "not_in" => !among(wanted),
        "at_least" | "gte" => compared(|found, wanted| found >= wanted),
        "at_most" | "lte" => compared(|found, wanted| found <= wanted),
        "gt" => compared(|found, wanted| found > wanted),
        "lt" => compared(|found, wanted| found < wanted),
        "between" => {
            let range: Vec<_> = wanted.clone().cast::<Array>().iter().map(number).collect();
            found.as_f64().is_some_and(|found| range[0] <= found && found <= range[1])
        }
        "contains" | "starts_with" | "ends_with" => {
            let wanted = wanted.clone().into_string().unwrap().to_lowercase();
            let found = found.as_str().map(str::to_lowercase);
            found.is_some_and(|found| match test {
                "contains" => found.contains(&wanted),
                "starts_with" => found.starts_with(&wanted),
                _ => found.ends_with(&wanted),
            })
        }
        _ => wanted.as_bool() == Ok(true),
    }
}

fn meant(action: &Action, wanted: &Map) -> bool {
    wanted.iter().all(|(name, wanted)| {
        let found = action.properties.as_ref().and_then(|told| told.get(name));
        match wanted.clone().try_cast::<Map>() {
            Some(tests) => tests.iter().all(|(test, wanted)| holds(found, test, wanted)),
            None if wanted.is_array() => holds(found, "in", wanted),
            None => holds(found, "eq", wanted),
        }
    })
}

impl Oracle {
    fn filtered(&self, kind: &str, text: &str, wanted: &Map, window: &str, here: bool) -> i64 {
        let text = text.to_lowercase();
        let recent = self.within(window);
        let counts = |action: &&&Action| {
            let place = !here || !action.page.is_empty() && *action.page == *self.here();
            let said = action.title.to_lowercase().contains(&text);
            &*action.kind == kind && place && said && meant(action, wanted)
        };
        recent.iter().filter(counts).count() as i64
    }
}

pub(crate) fn register(engine: &mut Engine) {
    for (name, here) in [("count", false), ("count_here", true)] {
        engine.register_fn(name, move |o: &mut Oracle, kind: &str, wanted: Map, window: &str| {
            o.filtered(kind, "", &wanted, window, here)
        });
        engine.register_fn(
            name,
            move |o: &mut Oracle, kind: &str, text: &str, wanted: Map, window: &str| {
                o.filtered(kind, text, &wanted, window, here)
            },
        );
    }
}

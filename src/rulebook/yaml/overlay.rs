//! One tree laid over another: what is written above takes the place of what is beneath.

use crate::rulebook::yaml::{Node, Value};

impl Node {
    /// This value with another laid over it: mappings key by key, anything else whole. Each part
    /// stays where it is written.
    pub fn with(&self, over: &Self) -> Self {
        let (Value::Map(beneath), Value::Map(above)) = (&self.value, &over.value) else {
            return over.clone();
        };
        let laid = |key: &Self, value: &Self| match above.iter().find(|(k, _)| k.is_named(key)) {
            Some((key, over)) => (key.clone(), value.with(over)),
            None => (key.clone(), value.clone()),
        };
        let mut entries: Vec<_> = beneath.iter().map(|(key, value)| laid(key, value)).collect();
        let new = above.iter().filter(|(key, _)| !beneath.iter().any(|(k, _)| k.is_named(key)));
        entries.extend(new.cloned());
        Self { value: Value::Map(entries), ..over.clone() }
    }

    /// The mapping without these keys; anything else as it is.
    pub fn without(&self, keys: &[&str]) -> Self {
        let Value::Map(entries) = &self.value else { return self.clone() };
        let kept =
            entries.iter().filter(|(key, _)| !key.as_str().is_some_and(|k| keys.contains(&k)));
        Self { value: Value::Map(kept.cloned().collect()), ..self.clone() }
    }

    /// The same value, every part of it where `other` is: for what another file says.
    pub fn placed_at(&self, other: &Self) -> Self {
        let value = match &self.value {
            Value::Seq(items) => Value::Seq(items.iter().map(|i| i.placed_at(other)).collect()),
            Value::Map(entries) => {
                let placed =
                    |(key, value): &(Self, Self)| (key.placed_at(other), value.placed_at(other));
                Value::Map(entries.iter().map(placed).collect())
            }
            scalar => scalar.clone(),
        };
        Self { value, at: other.at, bytes: other.bytes, style: self.style }
    }

    fn is_named(&self, other: &Self) -> bool {
        self.as_str().is_some() && self.as_str() == other.as_str()
    }
}

//! Bodies that only the API's description needs as types: what is sent is built where it is known.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What every error says.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// One sentence.
    pub detail: String,
    /// With an unknown event: `unknown_event`.
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// On `/retrieval`: 1001 or 1002.
    #[schema(nullable = false)]
    pub error_code: Option<i64>,
    /// On `/retrieval`: the detail again.
    #[schema(nullable = false)]
    pub error_msg: Option<String>,
}

/// What is being served, and what was refused.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Rules)]
pub struct RulesBody {
    /// The revision being served: its number, digest, counts, paused rules and warnings.
    #[schema(value_type = Object)]
    pub active: Value,
    /// Where docent was started from a rulebook that its store kept: which; null otherwise.
    #[schema(value_type = Option<Object>)]
    pub stale: Option<Value>,
    /// The newest reading, where it was refused, with its findings; null when it is being served.
    #[schema(value_type = Option<Object>)]
    pub candidate: Option<Value>,
    /// How the workspace is watched.
    #[schema(value_type = Object)]
    pub watcher: Value,
    /// Every rule being served, by product.
    #[schema(value_type = Object)]
    pub products: Value,
    /// Every upstream and how it fares.
    #[schema(value_type = Vec<Object>)]
    pub sources: Value,
}

/// What an instance serves, and those that share its store.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Status)]
pub struct StatusBody {
    /// The name of the instance that answers.
    pub instance: String,
    /// Of docent.
    pub version: String,
    /// The number of the rulebook in force, counted by this instance.
    pub revision: u64,
    /// That rulebook's digest.
    pub digest: String,
    /// Since when it is in force, Unix seconds.
    pub since: f64,
    /// Where it was started from a kept rulebook: which; null otherwise.
    #[schema(value_type = Option<Object>)]
    pub stale: Option<Value>,
    /// What is on disk, where it was refused; null otherwise.
    #[schema(value_type = Option<Object>)]
    pub candidate: Option<Value>,
    /// Pauses by product.
    #[schema(value_type = Object)]
    pub paused: Value,
    /// Rules that were paused because they kept failing.
    #[schema(value_type = Vec<Object>)]
    pub paused_rules: Value,
    /// Its kind, and why it cannot write at present.
    #[schema(value_type = Object)]
    pub store: Value,
    /// Every upstream and how it fares.
    #[schema(value_type = Vec<Object>)]
    pub sources: Value,
    /// All instances that share the store, this one among them, and when they last said so.
    #[schema(value_type = Vec<Object>)]
    pub instances: Value,
}

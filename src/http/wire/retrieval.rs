//! `POST /retrieval`: Dify's External Knowledge API (contract 2.5), with the coercions of the
//! server that the seeds describe.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::records::Chunk;
use crate::http::body::json;
use crate::http::error::ApiError;
use crate::http::path::LONGEST_ID;
use crate::http::wire::isoformat::isoformat;

/// Records per answer unless the request says otherwise.
const TOP_K: usize = 5;
/// The score that a record must reach unless the request says otherwise.
const THRESHOLD: f64 = 0.5;
/// Every record's score: it is exactly this person's activity.
const SCORE: f64 = 1.0;

/// What a chatbot asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// A session id, taken literally, else an e-mail in whatever case.
    pub knowledge_id: String,
    /// So many records at most.
    pub most: usize,
}

/// The request as documented; it is read more leniently, see [`wanted`].
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Retrieval)]
pub struct RetrievalBody {
    /// A session id, else an e-mail.
    #[schema(example = "ps_1")]
    pub knowledge_id: String,
    /// Not looked at: the answer is what the person is doing.
    pub query: String,
    /// How many, how good.
    pub retrieval_setting: RetrievalSetting,
}

/// How many records, and how good.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RetrievalSetting {
    /// At most so many, newest first.
    #[schema(default = 5)]
    pub top_k: Option<i64>,
    /// Records score 1.0; above that, none is good enough.
    #[schema(default = 0.5)]
    pub score_threshold: Option<f64>,
}

/// The answer, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Records)]
pub struct RecordsBody {
    /// May be empty.
    pub records: Vec<RecordBody>,
}

/// One text.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Record)]
pub struct RecordBody {
    /// The text.
    pub content: String,
    /// Always 1.0.
    pub score: f64,
    /// Says when.
    #[schema(example = "events @ 2026-05-01T10:00:00+00:00")]
    pub title: String,
    /// Always empty.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}

impl RecordsBody {
    /// The answer for these chunks; `{time}` in the title becomes each chunk's instant.
    pub fn new(chunks: &[Chunk], title: &str) -> Self {
        let record = |chunk: &Chunk| RecordBody {
            content: chunk.text.to_string(),
            score: SCORE,
            title: title.replace("{time}", &isoformat(chunk.at)),
            metadata: Map::new(),
        };
        Self { records: chunks.iter().map(record).collect() }
    }
}

/// Reads a body, whatever content type it was sent as; 422 for everything that is wrong.
pub fn wanted(body: &[u8]) -> Result<Wanted, ApiError> {
    let Value::Object(members) = json(body)? else {
        return Err(ApiError::unprocessable("the body is not an object"));
    };
    let knowledge_id = string(&members, "knowledge_id")?;
    if knowledge_id.len() > LONGEST_ID {
        return Err(ApiError::unprocessable("`knowledge_id` is longer than 512 bytes"));
    }
    string(&members, "query")?;
    let Some(Value::Object(setting)) = members.get("retrieval_setting") else {
        return Err(ApiError::unprocessable("`retrieval_setting` is missing or not an object"));
    };
    let most = setting.get("top_k").map_or(Ok(TOP_K), top_k)?;
    let threshold = setting.get("score_threshold").map_or(Ok(THRESHOLD), score)?;
    let most = if SCORE >= threshold { most } else { 0 };
    Ok(Wanted { knowledge_id: knowledge_id.to_owned(), most })
}

fn string<'m>(members: &'m Map<String, Value>, name: &str) -> Result<&'m str, ApiError> {
    let found = members.get(name).and_then(Value::as_str);
    found.ok_or_else(|| ApiError::unprocessable(format!("`{name}` is missing or not a string")))
}

/// Whole numbers, also as text or with a zero fraction; below zero counts as zero.
fn top_k(value: &Value) -> Result<usize, ApiError> {
    let number = number(value).filter(|number| number.fract() == 0.0);
    // A cast from float saturates at both ends: -1 is none, 1e300 is all.
    number
        .map(|number| number as usize)
        .ok_or_else(|| ApiError::unprocessable("`top_k` is not a whole number"))
}

fn score(value: &Value) -> Result<f64, ApiError> {
    number(value).ok_or_else(|| ApiError::unprocessable("`score_threshold` is not a number"))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    fn with(setting: &str) -> Option<usize> {
        let body = format!(r#"{{"knowledge_id":"ps_7","query":"","retrieval_setting":{setting}}}"#);
        wanted(body.as_bytes()).ok().map(|wanted| wanted.most)
    }

    /// The rows of contract 2.5.
    #[test]
    fn settings_are_coerced_as_the_seeds_server_coerces_them() {
        for (setting, most) in [
            ("{}", Some(5)),
            (r#"{"top_k":"3"}"#, Some(3)),
            (r#"{"top_k":2.0}"#, Some(2)),
            (r#"{"top_k":2.5}"#, None),
            (r#"{"top_k":null}"#, None),
            (r#"{"top_k":"x"}"#, None),
            (r#"{"top_k":[1]}"#, None),
            (r#"{"top_k":0}"#, Some(0)),
            (r#"{"top_k":-1}"#, Some(0)),
            (r#"{"top_k":99999999999999999999}"#, Some(usize::MAX)),
            (r#"{"top_k":1e300}"#, Some(usize::MAX)),
            (r#"{"score_threshold":"0.3"}"#, Some(5)),
            (r#"{"score_threshold":null}"#, None),
            (r#"{"score_threshold":"nan"}"#, None),
            (r#"{"score_threshold":1.0}"#, Some(5)),
            (r#"{"score_threshold":1.0000001}"#, Some(0)),
            (r#"{"score_threshold":-5}"#, Some(5)),
            (r#"{"score_threshold":NaN}"#, None),
            ("null", None),
            ("[]", None),
        ] {
            assert_eq!(with(setting), most, "{setting}");
        }
    }

    #[test]
    fn what_is_missing_is_unprocessable_and_what_is_foreign_ignored() {
        let setting = r#""retrieval_setting":{}"#;
        for body in [
            String::new(),
            "[]".into(),
            "{".into(),
            format!(r#"{{"query":"q",{setting}}}"#),
            format!(r#"{{"knowledge_id":7,"query":"q",{setting}}}"#),
            format!(r#"{{"knowledge_id":null,"query":"q",{setting}}}"#),
            format!(r#"{{"knowledge_id":"ps",{setting}}}"#),
            format!(r#"{{"knowledge_id":"{}","query":"q",{setting}}}"#, "x".repeat(513)),
            r#"{"knowledge_id":"ps","query":"q"}"#.into(),
        ] {
            assert_eq!(wanted(body.as_bytes()).unwrap_err().status, 422, "{body}");
        }
        let body = format!(r#"{{"knowledge_id":"","query":"","metadata_condition":7,{setting}}}"#);
        assert_eq!(
            wanted(body.as_bytes()).unwrap(),
            Wanted { knowledge_id: String::new(), most: 5 }
        );
    }

    #[test]
    fn a_record_is_what_dify_expects() {
        let chunk = Chunk {
            number: 0,
            at: Timestamp::from_millis(1_777_629_600_000),
            text: "Session ps_7 — 0 actions".into(),
            summary: false,
        };
        let body = RecordsBody::new(&[chunk], "events @ {time}");
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            r#"{"records":[{"content":"Session ps_7 — 0 actions","score":1.0,"title":"events @ 2026-05-01T10:00:00+00:00","metadata":{}}]}"#
        );
    }
}

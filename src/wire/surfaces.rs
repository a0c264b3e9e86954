//! The small surfaces: model lists, health, embeddings. [`Exchange`] → what is in it, and what does not fit its shape.

use base64::Engine;
use serde::Deserialize;
use serde_json::Value;

use super::{ApiError, Exchange};

/// What `/v1/models` lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelsReply {
    /// Ids in order.
    pub ids: Vec<String>,
    /// What does not fit `{"object":"list","data":[{"id":…,"object":"model"}]}`, one line each.
    pub faults: Vec<String>,
    /// The server's error, where it answered with one.
    pub error: Option<ApiError>,
}

/// Reads a model list.
pub fn fold_models(exchange: &Exchange) -> ModelsReply {
    let mut reply = ModelsReply { error: error_of(exchange), ..ModelsReply::default() };
    let Some(body) = list_body(exchange, reply.error.is_some(), &mut reply.faults) else { return reply };
    let Some(items) = body.get("data").and_then(Value::as_array) else {
        reply.faults.push("`data` is not a list".to_owned());
        return reply;
    };
    for (place, item) in items.iter().enumerate() {
        match item.get("id").and_then(Value::as_str) {
            Some(id) if !id.is_empty() => reply.ids.push(id.to_owned()),
            _ => reply.faults.push(format!("`data[{place}].id` is not a text with something in it")),
        }
        if item.get("object").and_then(Value::as_str) != Some("model") {
            reply.faults.push(format!("`data[{place}].object` is not \"model\""));
        }
    }
    reply
}

/// What a health endpoint says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthReply {
    /// Whether the status is 2xx.
    pub up: bool,
    /// HTTP status, when a head came.
    pub status: Option<u16>,
    /// `status` of a JSON body, the server's error message, or why nothing came; may be empty.
    pub word: String,
}

/// Reads a health reply.
pub fn fold_health(exchange: &Exchange) -> HealthReply {
    let up = exchange.status.is_some_and(|status| (200..300).contains(&status));
    let word = match (exchange.failure(), error_of(exchange)) {
        (Some(failure), _) => failure.message.clone(),
        (None, Some(error)) => error.message,
        (None, None) => exchange.json().ok().and_then(|body| Some(body.get("status")?.as_str()?.to_owned())).unwrap_or_default(),
    };
    HealthReply { up, status: exchange.status, word }
}

/// What `/v1/embeddings` gives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmbeddingsReply {
    /// `model`.
    pub model: Option<String>,
    /// Vectors in the order they came.
    pub vectors: Vec<Embedding>,
    /// `usage` as it came.
    pub usage: Option<Value>,
    /// What does not fit the shape, one line each.
    pub faults: Vec<String>,
    /// The server's error, where it answered with one.
    pub error: Option<ApiError>,
}

/// One vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// `index`; the place in the list where it is missing.
    pub index: i64,
    /// Whether it came as base64 of little-endian 32-bit floats, not as a list of numbers.
    pub base64: bool,
    /// Values; their number is the dimension.
    pub values: Vec<f32>,
}

#[derive(Deserialize)]
struct EmbeddingsBody {
    object: Option<Value>,
    model: Option<Value>,
    data: Vec<EmbeddingItem>,
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct EmbeddingItem {
    index: Option<i64>,
    embedding: Vector,
}

/// Typed, since a list of numbers as values takes twenty times its memory.
#[derive(Deserialize)]
#[serde(untagged)]
enum Vector {
    Text(String),
    List(Vec<f32>),
}

/// Reads an embeddings reply.
pub fn fold_embeddings(exchange: &Exchange) -> EmbeddingsReply {
    let mut reply = EmbeddingsReply { error: error_of(exchange), ..EmbeddingsReply::default() };
    if reply.error.is_some() || exchange.status.is_none() {
        return reply;
    }
    let body: EmbeddingsBody = match serde_json::from_slice(&exchange.body) {
        Ok(body) => body,
        Err(error) => {
            reply.faults.push(format!("not a list of embeddings: {error}"));
            return reply;
        }
    };
    if body.object.as_ref().and_then(Value::as_str) != Some("list") {
        reply.faults.push("`object` is not \"list\"".to_owned());
    }
    reply.model = body.model.and_then(|model| model.as_str().map(str::to_owned));
    reply.usage = body.usage.filter(|usage| !usage.is_null());
    for (item, place) in body.data.into_iter().zip(0i64..) {
        if item.index.is_none() {
            reply.faults.push(format!("`data[{place}].index` is missing"));
        }
        let (base64, values) = match item.embedding {
            Vector::List(values) => (false, values),
            Vector::Text(text) => match floats_of_base64(&text) {
                Ok(values) => (true, values),
                Err(reason) => {
                    reply.faults.push(format!("`data[{place}].embedding` is {reason}"));
                    (true, Vec::new())
                }
            },
        };
        reply.vectors.push(Embedding { index: item.index.unwrap_or(place), base64, values });
    }
    reply
}

/// The numbers of an embedding that came as base64 of little-endian 32-bit floats. **Errors**: it is no such text.
pub fn floats_of_base64(text: &str) -> Result<Vec<f32>, String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).map_err(|error| format!("not base64: {error}"))?;
    let (floats, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(format!("{} bytes long, which is no number of 32-bit floats", bytes.len()));
    }
    Ok(floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// The server's error: by its status, or a truthy `error` in a good reply is left to the shape's own faults.
fn error_of(exchange: &Exchange) -> Option<ApiError> {
    let status = exchange.status.filter(|status| *status >= 400)?;
    Some(ApiError::read(Some(status), &exchange.body))
}

fn list_body(exchange: &Exchange, failed: bool, faults: &mut Vec<String>) -> Option<Value> {
    if failed || exchange.status.is_none() {
        return None;
    }
    let body = match exchange.json() {
        Ok(body) => body,
        Err(error) => {
            faults.push(format!("not JSON: {error}"));
            return None;
        }
    };
    if body.get("object").and_then(Value::as_str) != Some("list") {
        faults.push("`object` is not \"list\"".to_owned());
    }
    Some(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::exchange::reply_of;

    #[track_caller]
    fn models(status: u16, body: &str, ids: &[&str], faults: &[&str]) {
        let reply = fold_models(&reply_of(status, "application/json", body.as_bytes()));
        assert_eq!(
            (reply.ids.iter().map(String::as_str).collect::<Vec<_>>(), reply.error.is_some()),
            (ids.to_vec(), status >= 400)
        );
        assert_eq!(reply.faults, faults);
    }

    #[test]
    fn model_lists() {
        models(200, r#"{"object":"list","data":[{"id":"a","object":"model"},{"id":"b","object":"model"}]}"#, &["a", "b"], &[]);
        models(200, r#"{"object":"list","data":[]}"#, &[], &[]);
        models(
            200,
            r#"{"data":[{"id":"a"},{}]}"#,
            &["a"],
            &[
                "`object` is not \"list\"",
                "`data[0].object` is not \"model\"",
                "`data[1].id` is not a text with something in it",
                "`data[1].object` is not \"model\"",
            ],
        );
        models(200, r#"{"object":"list","data":null}"#, &[], &["`data` is not a list"]);
        models(200, "", &[], &["not JSON: EOF while parsing a value at line 1 column 0"]);
        models(404, "nothing here", &[], &[]);
    }

    #[test]
    fn health() {
        let read = |status, body: &str| fold_health(&reply_of(status, "application/json", body.as_bytes()));
        assert_eq!(read(200, r#"{"status":"ok"}"#), HealthReply { up: true, status: Some(200), word: "ok".to_owned() });
        assert_eq!(read(200, ""), HealthReply { up: true, status: Some(200), word: String::new() });
        let loading = r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#;
        assert_eq!(read(503, loading), HealthReply { up: false, status: Some(503), word: "Loading model".to_owned() });
    }

    #[test]
    fn embeddings_in_both_forms_are_the_same_numbers() {
        let body = r#"{"object":"list","model":"m","data":[{"index":0,"embedding":[1.0,-0.5]},{"index":1,"embedding":"AACAPwAAAL8="}],"usage":null}"#;
        let reply = fold_embeddings(&reply_of(200, "application/json", body.as_bytes()));
        assert_eq!(reply.faults, [""; 0]);
        assert_eq!(reply.vectors.iter().map(|vector| (vector.index, vector.base64)).collect::<Vec<_>>(), [(0, false), (1, true)]);
        assert!(reply.vectors.iter().all(|vector| vector.values == [1.0, -0.5]));
    }

    #[test]
    fn embeddings_that_do_not_fit() {
        let body = r#"{"data":[{"embedding":"AAA="},{"index":1,"embedding":"?"}]}"#;
        let reply = fold_embeddings(&reply_of(200, "application/json", body.as_bytes()));
        assert_eq!(reply.faults.len(), 4, "{:?}", reply.faults);
        let reply = fold_embeddings(&reply_of(200, "application/json", br#"{"data":[{"embedding":{}}]}"#));
        assert!(reply.faults[0].starts_with("not a list of embeddings"), "{:?}", reply.faults);
        assert!(fold_embeddings(&reply_of(501, "text/plain", b"no")).error.is_some());
    }
}

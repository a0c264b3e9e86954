//! What is asked of the Responses API: [`ResponsesRequest`] → JSON body, from what a chat request would say.

use std::fmt;

use serde_json::{Map, Value, json};

/// Something that a chat request says and this API cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsayable(pub &'static str);

impl fmt::Display for Unsayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Responses API has no `{}`", self.0)
    }
}

/// A request of `/v1/responses`. **Order** of the body's keys: `model`, `instructions`, `input`, parameters as given, `stream`,
/// `tools`; a parameter of the same name wins over what would be written here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResponsesRequest {
    /// Model id; left out where there is none.
    pub model: Option<String>,
    /// Messages as chat has them, and items as this API has them: an item has a `type`.
    pub messages: Vec<Value>,
    /// Parameters in order, by the names that chat has or by those of this API.
    pub params: Map<String, Value>,
    /// Whether the reply shall be streamed.
    pub stream: bool,
    /// Tools as chat has them (`{"type":"function","function":{…}}`).
    pub tools: Vec<Value>,
}

impl ResponsesRequest {
    /// The body. **Errors**: a parameter that this API does not have.
    pub fn to_value(&self) -> Result<Value, Unsayable> {
        let mut body = Map::new();
        if let Some(model) = &self.model {
            body.insert("model".to_owned(), model.as_str().into());
        }
        let (instructions, messages) = instructions(&self.messages);
        if let Some(text) = instructions {
            body.insert("instructions".to_owned(), text.clone());
        }
        body.insert("input".to_owned(), input(messages));
        for (key, value) in &self.params {
            parameter(key, value, &mut body)?;
        }
        if self.stream {
            body.entry("stream").or_insert(Value::Bool(true));
        }
        if !self.tools.is_empty() {
            body.entry("tools").or_insert_with(|| self.tools.iter().map(flat).collect());
        }
        Ok(Value::Object(body))
    }

    /// The name that a parameter of chat has here.
    pub fn name(chat: &str) -> &str {
        match chat {
            "max_tokens" | "max_completion_tokens" => "max_output_tokens",
            "messages" => "input",
            other => other,
        }
    }

    /// The result of a call, as an item.
    pub fn call_output(call_id: &str, output: &str) -> Value {
        json!({"type": "function_call_output", "call_id": call_id, "output": output})
    }
}

/// A system message at the beginning are the instructions.
fn instructions(messages: &[Value]) -> (Option<&Value>, &[Value]) {
    match messages {
        [first, rest @ ..] if first.get("role").and_then(Value::as_str) == Some("system") => (first.get("content"), rest),
        all => (None, all),
    }
}

/// One question is a text; anything more is a list of items.
fn input(messages: &[Value]) -> Value {
    if let [only] = messages
        && only.get("role").and_then(Value::as_str) == Some("user")
        && let Some(text @ Value::String(_)) = only.get("content")
    {
        return text.clone();
    }
    messages.iter().flat_map(items).collect()
}

/// The items of one message.
fn items(message: &Value) -> Vec<Value> {
    let text = |key: &str| message.get(key).and_then(Value::as_str).unwrap_or_default();
    if message.get("type").is_some() {
        return vec![message.clone()];
    }
    if text("role") == "tool" {
        return vec![ResponsesRequest::call_output(text("tool_call_id"), text("content"))];
    }
    let content = message.get("content").filter(|content| !content.is_null() && content.as_str() != Some(""));
    let calls = message.get("tool_calls").and_then(Value::as_array);
    let mut items = Vec::new();
    if let Some(content) = content.or_else(|| message.get("content").filter(|_| calls.is_none())) {
        items.push(json!({"role": text("role"), "content": parts(content)}));
    }
    items.extend(calls.into_iter().flatten().map(|call| {
        let function = call.get("function");
        let of = |key: &str| function.and_then(|function| function.get(key)).cloned().unwrap_or_default();
        json!({"type": "function_call", "call_id": call.get("id"), "name": of("name"), "arguments": of("arguments")})
    }));
    items
}

/// Content with its parts under the names of this API.
fn parts(content: &Value) -> Value {
    let Some(parts) = content.as_array() else { return content.clone() };
    let named = |part: &Value| match part.get("type").and_then(Value::as_str) {
        Some("text") => json!({"type": "input_text", "text": part["text"]}),
        Some("image_url") => {
            let image = &part["image_url"];
            let mut named = json!({"type": "input_image", "image_url": image.get("url").unwrap_or(image)});
            if let Some(detail) = image.get("detail") {
                named["detail"] = detail.clone();
            }
            named
        }
        _ => part.clone(),
    };
    parts.iter().map(named).collect()
}

/// Writes a parameter under the name that it has here. What only steers sampling on other surfaces is left out.
fn parameter(key: &str, value: &Value, body: &mut Map<String, Value>) -> Result<(), Unsayable> {
    let (key, value) = match key {
        "seed" | "stream_options" => return Ok(()),
        "response_format" => {
            text_format(value, body);
            return Ok(());
        }
        "reasoning_effort" => ("reasoning", json!({ "effort": value })),
        "tool_choice" => ("tool_choice", flat(value)),
        "logprobs" => {
            if value.as_bool() == Some(true) {
                body.insert("include".to_owned(), json!(["message.output_text.logprobs"]));
            }
            return Ok(());
        }
        "n" => return Err(Unsayable("n")),
        "stop" => return Err(Unsayable("stop")),
        "logit_bias" => return Err(Unsayable("logit_bias")),
        other => (ResponsesRequest::name(other), value.clone()),
    };
    body.insert(key.to_owned(), value);
    Ok(())
}

fn text_format(format: &Value, body: &mut Map<String, Value>) {
    let mut named = format.clone();
    if let Some(schema) = format.get("json_schema").and_then(Value::as_object) {
        named = json!({"type": "json_schema"});
        for (key, value) in schema {
            named[key] = value.clone();
        }
    }
    match body.entry("text").or_insert_with(|| json!({})) {
        Value::Object(text) => drop(text.insert("format".to_owned(), named)),
        other => *other = json!({ "format": named }),
    }
}

/// A tool or a choice of one, without the level that chat has: `{"type":"function","name":…}`.
fn flat(tool: &Value) -> Value {
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
    let Some(inner) = tool.get(kind).and_then(Value::as_object) else { return tool.clone() };
    let mut flat = Map::new();
    flat.insert("type".to_owned(), kind.into());
    flat.extend(inner.iter().map(|(key, value)| (key.clone(), value.clone())));
    Value::Object(flat)
}

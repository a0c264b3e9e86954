//! What is asked of the chat surface: [`ChatRequest`] → JSON body.

use serde_json::{Map, Value, json};

use crate::wire::Request;

/// A chat request. **Order** of the body's keys: `model`, `messages`, parameters as given, `stream`, `stream_options`,
/// `tools`, `tool_choice`, `response_format`; a parameter of the same name wins over what would be written here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChatRequest {
    /// Model id; left out where there is none.
    pub model: Option<String>,
    /// Messages, written by the caller.
    pub messages: Vec<Value>,
    /// Further parameters in order: `temperature`, `max_tokens`, ….
    pub params: Map<String, Value>,
    /// Whether the reply shall be streamed.
    pub stream: bool,
    /// Tools as on the wire (`{"type":"function",…}`).
    pub tools: Vec<Value>,
    /// `tool_choice`.
    pub tool_choice: Option<Value>,
    /// `response_format`.
    pub response_format: Option<Value>,
}

impl ChatRequest {
    /// A message of a role with plain text.
    pub fn message(role: &str, text: &str) -> Value {
        json!({"role": role, "content": text})
    }

    /// The result of a tool call.
    pub fn tool_result(call_id: &str, content: &str) -> Value {
        json!({"role": "tool", "tool_call_id": call_id, "content": content})
    }

    /// A function tool.
    pub fn function(name: &str, description: &str, parameters: Value) -> Value {
        let mut function = Map::new();
        function.insert("name".to_owned(), name.into());
        if !description.is_empty() {
            function.insert("description".to_owned(), description.into());
        }
        function.insert("parameters".to_owned(), parameters);
        json!({"type": "function", "function": function})
    }

    /// The body.
    pub fn to_value(&self) -> Value {
        let mut body = Map::new();
        if let Some(model) = &self.model {
            body.insert("model".to_owned(), model.as_str().into());
        }
        body.insert("messages".to_owned(), self.messages.clone().into());
        for (key, value) in &self.params {
            body.insert(key.clone(), value.clone());
        }
        let mut add = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.entry(key).or_insert(value);
            }
        };
        add("stream", self.stream.then_some(Value::Bool(true)));
        add("stream_options", self.stream.then(|| json!({"include_usage": true})));
        add("tools", (!self.tools.is_empty()).then(|| self.tools.clone().into()));
        add("tool_choice", self.tool_choice.clone());
        add("response_format", self.response_format.clone());
        Value::Object(body)
    }

    /// The request for the usual address.
    pub fn to_request(&self) -> Request {
        Request::post_json("/v1/chat/completions", &self.to_value())
    }
}

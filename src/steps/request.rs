//! From what is given to what is sent: bodies and headers of requests.

use serde_json::Value;

use super::world::{Draft, Key};
use super::{Failure, World};
use crate::spec::ToolSpec;
use crate::wire::{ChatRequest, Request};

/// Where chat requests go.
pub(super) const CHAT: &str = "/v1/chat/completions";

impl Draft {
    /// Sets a parameter over anything that was said of it before.
    pub fn set(&mut self, name: &str, value: Value) {
        self.left_out.retain(|left_out| left_out != name);
        self.params.insert(name.to_owned(), value);
    }

    /// Leaves a parameter out, whoever set it.
    pub fn leave_out(&mut self, name: &str) {
        self.params.shift_remove(name);
        self.left_out.push(name.to_owned());
    }

    /// The messages of a new conversation that ends with this question.
    pub fn messages(&self, question: &str) -> Vec<Value> {
        let mut messages = Vec::with_capacity(self.conversation.len() + 2);
        if let Some(system) = &self.system {
            messages.push(ChatRequest::message("system", system));
        }
        messages.extend(self.conversation.iter().cloned());
        messages.push(ChatRequest::message("user", question));
        messages
    }

    /// The body of a chat request; see [`ChatRequest`] for its order.
    pub fn chat_body(&self, messages: &[Value], streamed: bool) -> Value {
        let request = ChatRequest {
            model: self.model.clone(),
            messages: messages.to_vec(),
            params: self.params.clone(),
            stream: streamed,
            tools: self.tools.iter().map(|tool| offered(tool)).collect(),
            ..ChatRequest::default()
        };
        let mut body = request.to_value();
        if let Value::Object(body) = &mut body {
            if self.without_usage && !self.params.contains_key("stream_options") {
                body.shift_remove("stream_options");
            }
            for name in &self.left_out {
                body.shift_remove(name);
            }
        }
        body
    }
}

/// A tool as it is offered: its schema untouched, and none where it has none.
fn offered(tool: &ToolSpec) -> Value {
    let mut offered = ChatRequest::function(&tool.name, &tool.description, tool.input_schema.clone().unwrap_or_default());
    if tool.input_schema.is_none()
        && let Some(function) = offered.get_mut("function").and_then(Value::as_object_mut)
    {
        function.shift_remove("parameters");
    }
    offered
}

impl World {
    /// A chat request with these messages, as the draft says.
    pub fn chat_request(&self, messages: &[Value], streamed: bool) -> Result<Request, Failure> {
        let body = self.draft.chat_body(messages, streamed);
        self.dressed(Request::post_json(CHAT, &body))
    }

    /// A request with the scenario's headers and key; an author's header takes the place of one of ours.
    pub fn dressed(&self, mut request: Request) -> Result<Request, Failure> {
        // The stack's own key is for the stack: another host does not learn it.
        let elsewhere = request.target.contains("://") && !request.target.starts_with(self.cell()?.url.as_str());
        for (name, value) in self.headers()? {
            if elsewhere
                && self.draft.key == Key::Cell
                && name == "authorization"
                && !self.draft.headers.iter().any(|(own, _)| *own == name)
            {
                continue;
            }
            request.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(&name));
            request.headers.push((name, value));
        }
        Ok(request)
    }
}

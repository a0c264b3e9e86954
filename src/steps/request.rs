//! From what is given to what is sent: bodies and headers of requests.

use serde_json::Value;

use super::world::{Draft, Key, Surface};
use super::{Failure, World};
use crate::spec::ToolSpec;
use crate::wire::{ChatRequest, Request, ResponsesRequest};

/// Where chat requests go.
pub(super) const CHAT: &str = "/v1/chat/completions";

/// Where requests for responses go.
pub(super) const RESPONSES: &str = "/v1/responses";

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

    /// The request for these messages, to the API that is asked. **Errors**: what that API cannot say.
    pub fn request(&self, messages: &[Value], streamed: bool) -> Result<Request, Failure> {
        Ok(match self.surface {
            Surface::Chat => Request::post_json(CHAT, &self.chat_body(messages, streamed)),
            Surface::Responses => Request::post_json(RESPONSES, &self.responses_body(messages, streamed)?),
        })
    }

    /// The body of a request for a response; see [`ResponsesRequest`] for its order.
    fn responses_body(&self, messages: &[Value], streamed: bool) -> Result<Value, Failure> {
        let request = ResponsesRequest {
            model: self.model.clone(),
            messages: messages.to_vec(),
            params: self.params.clone(),
            stream: streamed,
            tools: self.tools.iter().map(|tool| offered(tool, self.strict_tools)).collect(),
        };
        let unsayable = |what| Failure::author(format!("{what}: leave it out, or ask with `Given the chat API`"));
        let mut body = request.to_value().map_err(unsayable)?;
        if let Value::Object(body) = &mut body {
            for name in &self.left_out {
                body.shift_remove(ResponsesRequest::name(name));
            }
        }
        Ok(body)
    }

    /// The body of a chat request; see [`ChatRequest`] for its order.
    pub fn chat_body(&self, messages: &[Value], streamed: bool) -> Value {
        let request = ChatRequest {
            model: self.model.clone(),
            messages: messages.to_vec(),
            params: self.params.clone(),
            stream: streamed,
            tools: self.tools.iter().map(|tool| offered(tool, self.strict_tools)).collect(),
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
fn offered(tool: &ToolSpec, strict: bool) -> Value {
    let mut offered = ChatRequest::function(&tool.name, &tool.description, tool.input_schema.clone().unwrap_or_default());
    if tool.input_schema.is_none()
        && let Some(function) = offered.get_mut("function").and_then(Value::as_object_mut)
    {
        function.shift_remove("parameters");
    }
    if (strict || tool.strict)
        && let Some(function) = offered.get_mut("function").and_then(Value::as_object_mut)
    {
        function.insert("strict".to_owned(), Value::Bool(true));
    }
    offered
}

impl World {
    /// A request with these messages, as the draft says, to the API that it asks.
    pub fn chat_request(&self, messages: &[Value], streamed: bool) -> Result<Request, Failure> {
        self.dressed(self.draft.request(messages, streamed)?)
    }

    /// A request with the scenario's headers and key; an author's header takes the place of one of ours.
    pub fn dressed(&self, mut request: Request) -> Result<Request, Failure> {
        // The stack's own key is for the stack: another host does not learn it.
        let elsewhere = request.target.contains("://") && !request.target.starts_with(self.cell()?.url.as_str());
        let service = self.service()?.filter(|_| !request.target.contains("://"));
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
        if let Some(service) = service {
            let slash = if request.target.starts_with('/') { "" } else { "/" };
            request.target = format!("{}{slash}{}", service.address.url, request.target);
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft() -> Draft {
        let mut draft = Draft { model: Some("m".to_owned()), system: Some("Be brief.".to_owned()), ..Draft::default() };
        draft.set("temperature", json!(0));
        draft.set("max_tokens", json!(8));
        draft
    }

    #[track_caller]
    fn check(draft: &Draft, streamed: bool, expect: &Value) {
        let body = draft.chat_body(&draft.messages("Hi"), streamed);
        assert_eq!(body.to_string(), expect.to_string());
    }

    #[test]
    fn the_body_is_written_in_order() {
        let messages = json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]);
        let whole = json!({"model": "m", "messages": messages, "temperature": 0, "max_tokens": 8});
        check(&draft(), false, &whole);
        let mut streamed = whole.clone();
        streamed["stream"] = json!(true);
        let without_usage = Draft { without_usage: true, ..draft() };
        check(&without_usage, true, &streamed);
        streamed["stream_options"] = json!({"include_usage": true});
        check(&draft(), true, &streamed);
    }

    #[test]
    fn what_is_left_out_stays_out_until_it_is_set_again() {
        let messages = json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]);
        let mut draft = draft();
        draft.leave_out("max_tokens");
        draft.leave_out("model");
        check(&draft, false, &json!({"messages": messages, "temperature": 0}));
        draft.set("max_tokens", json!(1));
        check(&draft, false, &json!({"messages": messages, "temperature": 0, "max_tokens": 1}));
    }

    #[test]
    fn the_same_draft_is_said_to_the_responses_api() {
        let mut draft = Draft { surface: Surface::Responses, ..draft() };
        draft.set("seed", json!(7));
        let check = |draft: &Draft, expect: &Value| {
            let request = draft.request(&draft.messages("Hi"), true).expect("it can be said");
            assert_eq!(request.target, "/v1/responses");
            assert_eq!(std::str::from_utf8(request.body.as_deref().expect("a body")).expect("text"), expect.to_string());
        };
        let mut expect = json!({"model": "m", "instructions": "Be brief.", "input": "Hi", "temperature": 0, "max_output_tokens": 8,
            "stream": true});
        check(&draft, &expect);
        draft.leave_out("max_tokens");
        expect.as_object_mut().expect("an object").shift_remove("max_output_tokens");
        check(&draft, &expect);
        draft.set("n", json!(2));
        assert!(matches!(draft.request(&[], false), Err(Failure::Trouble(trouble)) if trouble.message.contains("no `n`")));
    }

    #[test]
    fn a_parameter_wins_over_what_we_would_write() {
        let mut draft = Draft::default();
        draft.set("stream", json!("yes"));
        draft.set("messages", json!("none"));
        check(&draft, true, &json!({"messages": "none", "stream": "yes", "stream_options": {"include_usage": true}}));
    }

    #[test]
    fn a_tool_is_offered_with_its_schema_untouched() {
        let schema = json!({"$defs": {"a": {"const": 1}}, "$ref": "#/$defs/a"});
        let tool = ToolSpec { name: "t".to_owned(), input_schema: Some(schema.clone()), ..ToolSpec::default() };
        assert_eq!(offered(&tool, false), json!({"type": "function", "function": {"name": "t", "parameters": schema}}));
        let bare = ToolSpec { name: "t".to_owned(), ..ToolSpec::default() };
        assert_eq!(offered(&bare, false), json!({"type": "function", "function": {"name": "t"}}));
        assert_eq!(offered(&bare, true), json!({"type": "function", "function": {"name": "t", "strict": true}}));
    }
}

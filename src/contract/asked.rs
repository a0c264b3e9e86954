//! What did the request ask for? [`Exchange`] → [`Asked`]: the facts that rules about the reply depend on, and the mistakes in
//! the request itself, which a server must refuse.

use std::cell::OnceCell;

use serde_json::Value;

use crate::schema::{Schema, SchemaError};
use crate::wire::Exchange;

/// Which call of the API it is, by method and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `POST …/chat/completions`.
    Chat,
    /// `POST …/completions`.
    Completions,
    /// `POST …/responses`.
    Responses,
    /// `GET …/responses/{id}`.
    Response(String),
    /// `GET …/models`.
    Models,
    /// `GET …/models/{id}`.
    Model(String),
    /// `POST …/tokenize`, `…/input_tokens` or `…/count_tokens`.
    Tokenize,
    /// `GET …/health` and its likes.
    Health,
    /// `GET …/metrics`.
    Metrics,
    /// Anything else: only the rules of HTTP and of errors apply.
    Other,
}

/// Which tool must be called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ToolChoice {
    /// Nothing was said: `auto` with tools, `none` without.
    #[default]
    Unsaid,
    /// `auto`.
    Auto,
    /// `none`.
    None,
    /// `required`.
    Required,
    /// One by its name.
    Named(String),
    /// Some of those offered, and whether one of them must be called.
    Allowed {
        /// Their names.
        names: Vec<String>,
        /// `mode: required`.
        required: bool,
    },
    /// Something no specification knows.
    Other,
}

/// The form the content must have.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Format {
    /// Any text.
    #[default]
    Text,
    /// `json_object`.
    JsonObject,
    /// `json_schema`.
    JsonSchema {
        /// The schema as sent.
        schema: Value,
        /// `strict: true`.
        strict: bool,
    },
    /// Something no specification knows.
    Other,
}

/// Whether thinking was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thinking {
    /// Nothing was said.
    #[default]
    Unsaid,
    /// Off.
    Off,
    /// On.
    On,
}

/// One tool as it was offered.
#[derive(Debug, Default)]
pub struct Offered {
    /// Its name.
    pub name: String,
    /// Whether it is a custom tool, whose input is free text.
    pub custom: bool,
    /// `strict: true`.
    pub strict: bool,
    /// The schema of its arguments as sent.
    pub parameters: Option<Value>,
    compiled: OnceCell<Result<Schema, SchemaError>>,
}

impl Offered {
    /// Its compiled schema, compiled when first asked for; `None` where it has none or where it cannot be used.
    pub fn schema(&self) -> Option<&Schema> {
        let parameters = self.parameters.as_ref()?;
        self.compiled.get_or_init(|| Schema::compile(parameters)).as_ref().ok()
    }
}

/// Something in the request that a server must refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistake {
    /// The body is not JSON.
    NotJson,
    /// The body is JSON, but no object.
    NotAnObject,
    /// `messages` is missing.
    NoMessages,
    /// A value has a type that no server can take (its key).
    WrongType(String),
    /// No key was sent where one is needed.
    NoKey,
    /// Another key was sent.
    WrongKey,
    /// `tool_choice` names a tool that was not offered.
    UnknownTool(String),
    /// `tool_choice` asks for a call and no tools were offered.
    NoTools,
    /// A result in the history that belongs to no call before it (its id).
    LoneResult(String),
    /// A call in the history that has no result behind it (its id).
    UnansweredCall(String),
    /// The model is none of those that the stack has.
    UnknownModel(String),
    /// An effort or thinking value that no specification knows.
    BadEffort(String),
    /// Something else that cannot be answered as asked (what). A server may take it, but must not fail over it.
    Odd(&'static str),
}

/// What the request asked for.
#[derive(Debug, Default)]
pub struct Asked {
    /// The request body, where it is JSON.
    pub body: Option<Value>,
    /// `stream: true`.
    pub stream: bool,
    /// `n`, where it was sent.
    pub n: Option<u64>,
    /// The smallest bound on tokens, with its key.
    pub bound: Option<(&'static str, u64)>,
    /// Stop texts.
    pub stop: Vec<String>,
    /// Tools offered.
    pub tools: Vec<Offered>,
    /// `tool_choice`.
    pub tool_choice: ToolChoice,
    /// `parallel_tool_calls`, where it was sent.
    pub parallel: Option<bool>,
    /// `response_format`.
    pub format: Format,
    /// `stream_options.include_usage: true`.
    pub include_usage: bool,
    /// `stream_options.continuous_usage_stats: true`.
    pub continuous_usage: bool,
    /// `logprobs: true`.
    pub logprobs: bool,
    /// `top_logprobs`.
    pub top_logprobs: Option<u64>,
    /// Whether thinking was switched.
    pub thinking: Thinking,
    /// Whether it was asked to leave thinking in the content (`reasoning_format: none`).
    pub thinking_in_content: bool,
    /// Everything the prompt says, joined: what a reply may have copied from it.
    pub prompt: String,
    /// What a server must refuse.
    pub mistakes: Vec<Mistake>,
}

/// Which call an exchange is.
pub fn call(exchange: &Exchange) -> Call {
    let path = exchange.path();
    let post = exchange.request.method.eq_ignore_ascii_case("post");
    let get = exchange.request.method.eq_ignore_ascii_case("get");
    let last = path.rsplit('/').next().unwrap_or_default();
    match last {
        "completions" if post && path.ends_with("/chat/completions") => Call::Chat,
        "completions" if post => Call::Completions,
        "responses" if post => Call::Responses,
        id if get && path.strip_suffix(id).is_some_and(|rest| rest.ends_with("/responses/")) => Call::Response(id.to_owned()),
        "models" if get => Call::Models,
        "tokenize" | "input_tokens" | "count_tokens" if post => Call::Tokenize,
        "health" | "healthz" | "readiness" | "liveliness" | "ready" if get => Call::Health,
        "metrics" if get => Call::Metrics,
        id if get && path.contains("/v1/models/") => Call::Model(id.to_owned()),
        _ => Call::Other,
    }
}

impl Asked {
    /// Reads a request; `key` and `models` are what the stack has, where that is known.
    pub fn of(exchange: &Exchange, call: &Call, key: Option<&str>, models: &[String]) -> Self {
        let mut asked = Self::default();
        asked.key(exchange, key);
        if matches!(call, Call::Chat | Call::Completions | Call::Responses | Call::Tokenize) {
            asked.read(exchange, call);
            let model = asked.body.as_ref().and_then(|body| body.get("model")?.as_str());
            if let Some(model) = model.filter(|model| !models.is_empty() && !models.iter().any(|known| known == model)) {
                asked.mistakes.push(Mistake::UnknownModel(model.to_owned()));
            }
        }
        asked
    }

    /// An offered tool by name.
    pub fn tool(&self, name: &str) -> Option<&Offered> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// Whether the prompt itself holds a text, so that a reply may as well.
    pub fn prompt_has(&self, text: &str) -> bool {
        memchr::memmem::find(self.prompt.as_bytes(), text.as_bytes()).is_some()
    }

    fn key(&mut self, exchange: &Exchange, key: Option<&str>) {
        let Some(key) = key else { return };
        let sent = exchange.request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        match sent.map(|(_, value)| value.strip_prefix("Bearer ").unwrap_or(value)) {
            None | Some("") => self.mistakes.push(Mistake::NoKey),
            Some(sent) if sent != key => self.mistakes.push(Mistake::WrongKey),
            Some(_) => {}
        }
    }

    fn read(&mut self, exchange: &Exchange, call: &Call) {
        let bytes = exchange.request.body.as_deref().unwrap_or_default();
        let Ok(body) = serde_json::from_slice::<Value>(bytes) else {
            return self.mistakes.push(Mistake::NotJson);
        };
        if !body.is_object() {
            return self.mistakes.push(Mistake::NotAnObject);
        }
        self.scalars(&body);
        if *call == Call::Chat {
            match body.get("messages") {
                None | Some(Value::Null) => self.mistakes.push(Mistake::NoMessages),
                Some(Value::Array(messages)) => {
                    texts(&body["messages"], &mut self.prompt);
                    self.mistakes.extend(odd(messages).map(Mistake::Odd));
                    self.mistakes.extend(unpaired(messages));
                }
                Some(_) => self.mistakes.push(Mistake::WrongType("messages".to_owned())),
            }
        } else if *call == Call::Responses {
            self.input(&body);
        } else {
            body.get("prompt").into_iter().for_each(|prompt| texts(prompt, &mut self.prompt));
        }
        self.tools(&body);
        self.format(body.get("response_format").or_else(|| body.get("text")?.get("format")));
        self.thinking(&body);
        self.body = Some(body);
    }

    /// The input of a response: a text, or items.
    fn input(&mut self, body: &Value) {
        let there = |key: &str| body.get(key).filter(|value| !value.is_null());
        if let Some(text) = there("instructions") {
            texts(text, &mut self.prompt);
        }
        let goes_on = ["previous_response_id", "conversation", "prompt"].iter().any(|key| there(key).is_some());
        match there("input") {
            None if goes_on => {}
            None => self.mistakes.push(Mistake::NoMessages),
            Some(input @ (Value::String(_) | Value::Array(_))) => {
                texts(input, &mut self.prompt);
                let items = input.as_array().map(Vec::as_slice).unwrap_or_default();
                if !goes_on {
                    self.mistakes.extend(lone(items));
                }
            }
            Some(_) => self.mistakes.push(Mistake::WrongType("input".to_owned())),
        }
    }

    fn scalars(&mut self, body: &Value) {
        for (key, fits) in TYPES {
            if body.get(key).is_some_and(|value| !value.is_null() && !fits(value)) {
                self.mistakes.push(Mistake::WrongType((*key).to_owned()));
            }
        }
        let flag = |key: &str| body.get(key).and_then(Value::as_bool);
        self.stream = flag("stream") == Some(true);
        self.n = body.get("n").and_then(Value::as_u64);
        self.bound = ["max_tokens", "max_completion_tokens", "max_output_tokens"]
            .into_iter()
            .filter_map(|key| Some((key, body.get(key)?.as_u64()?)))
            .min_by_key(|(_, bound)| *bound);
        self.stop = match body.get("stop") {
            Some(Value::String(stop)) => vec![stop.clone()],
            Some(Value::Array(list)) => list.iter().filter_map(|stop| stop.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        };
        self.stop.retain(|stop| !stop.is_empty());
        self.parallel = flag("parallel_tool_calls");
        let option = |key: &str| body.get("stream_options").and_then(|options| options.get(key)).and_then(Value::as_bool);
        self.include_usage = option("include_usage") == Some(true);
        self.continuous_usage = option("continuous_usage_stats") == Some(true);
        self.logprobs = flag("logprobs") == Some(true);
        self.top_logprobs = body.get("top_logprobs").and_then(Value::as_u64);
    }

    fn tools(&mut self, body: &Value) {
        for tool in body.get("tools").and_then(Value::as_array).into_iter().flatten() {
            let custom = tool.get("type").and_then(Value::as_str) == Some("custom");
            // The Responses API has no level between: `{"type":"function","name":…}`.
            let flat = || tool.get("name").map(|_| tool);
            let Some(part) = tool.get(if custom { "custom" } else { "function" }).or_else(flat) else { continue };
            self.tools.push(Offered {
                name: part.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
                custom,
                strict: part.get("strict").and_then(Value::as_bool) == Some(true),
                parameters: part.get("parameters").filter(|value| !value.is_null()).cloned(),
                compiled: OnceCell::new(),
            });
        }
        self.tool_choice = body.get("tool_choice").map(tool_choice).unwrap_or_default();
        match &self.tool_choice {
            ToolChoice::Named(name) if self.tool(name).is_none() => self.mistakes.push(Mistake::UnknownTool(name.clone())),
            ToolChoice::Required if self.tools.is_empty() => self.mistakes.push(Mistake::NoTools),
            _ => {}
        }
    }

    fn format(&mut self, format: Option<&Value>) {
        let Some(format) = format.filter(|format| !format.is_null()) else { return };
        let schema = format.get("json_schema").or_else(|| format.get("schema").map(|_| format));
        self.format = match (format.get("type").and_then(Value::as_str), schema.and_then(|schema| schema.get("schema"))) {
            (Some("text"), _) => Format::Text,
            (Some("json_object"), _) => Format::JsonObject,
            (Some("json_schema"), Some(inner)) => Format::JsonSchema {
                schema: inner.clone(),
                strict: schema.and_then(|schema| schema.get("strict")).and_then(Value::as_bool) == Some(true),
            },
            _ => Format::Other,
        };
    }

    fn thinking(&mut self, body: &Value) {
        let template = body.get("chat_template_kwargs");
        let switches = [
            body.get("enable_thinking"),
            body.get("think"),
            template.and_then(|kwargs| kwargs.get("enable_thinking")),
            template.and_then(|kwargs| kwargs.get("thinking")),
        ];
        for switch in switches.into_iter().flatten().filter_map(Value::as_bool) {
            self.thinking = if switch { Thinking::On } else { Thinking::Off };
        }
        let effort = body.get("reasoning_effort").or_else(|| body.get("reasoning")?.get("effort"));
        match effort {
            Some(Value::String(word)) if word == "none" => self.thinking = Thinking::Off,
            Some(Value::String(word)) if EFFORTS.contains(&word.as_str()) => self.thinking = Thinking::On,
            None | Some(Value::Null) => {}
            Some(other) => self.mistakes.push(Mistake::BadEffort(other.to_string())),
        }
        self.thinking_in_content = body.get("reasoning_format").and_then(Value::as_str) == Some("none");
    }
}

const EFFORTS: &[&str] = &["minimal", "low", "medium", "high", "xhigh", "max", "auto"];

type Fits = fn(&Value) -> bool;

/// Keys whose type every specification and server agrees on. Numbers out of range are no wrong types.
const TYPES: &[(&str, Fits)] = &[
    ("temperature", Value::is_number),
    ("top_p", Value::is_number),
    ("max_tokens", Value::is_number),
    ("max_completion_tokens", Value::is_number),
    ("max_output_tokens", Value::is_number),
    ("n", Value::is_number),
    ("stream", Value::is_boolean),
    ("tools", Value::is_array),
];

/// What is odd about messages, where something is.
fn odd(messages: &[Value]) -> Option<&'static str> {
    const ROLES: &[&str] = &["system", "developer", "user", "assistant", "tool", "function"];
    let role = |message: &Value| message.get("role").and_then(Value::as_str).is_some_and(|role| ROLES.contains(&role));
    let empty = |message: &Value| {
        message.get("role").and_then(Value::as_str) == Some("user") && message.get("content").is_none_or(Value::is_null)
    };
    if messages.is_empty() {
        Some("no messages")
    } else if !messages.iter().all(role) {
        Some("a message without a role that is known")
    } else if messages.iter().any(empty) {
        Some("a message of the user without content")
    } else {
        None
    }
}

/// The first call of a history that has no result, or the first result that has no call. A result without an id is that of
/// the next call in order.
fn unpaired(messages: &[Value]) -> Option<Mistake> {
    let id = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut open: Vec<String> = Vec::new();
    for message in messages {
        if message.get("role").and_then(Value::as_str) == Some("tool") {
            let result = id(message, "tool_call_id");
            let Some(at) = open.iter().position(|call| *call == result || result.is_empty()) else {
                return Some(Mistake::LoneResult(result));
            };
            open.remove(at);
            continue;
        }
        if !open.is_empty() {
            break;
        }
        let calls = message.get("tool_calls").and_then(Value::as_array);
        open = calls.into_iter().flatten().map(|call| id(call, "id")).collect();
    }
    open.into_iter().next().map(Mistake::UnansweredCall)
}

/// The first result in the input of a response that has no call before it.
fn lone(items: &[Value]) -> Option<Mistake> {
    let kind = |item: &Value| item.get("type").and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
    let id = |item: &Value| item.get("call_id").and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
    let references = items.iter().any(|item| kind(item) == "item_reference");
    let mut called: Vec<String> = Vec::new();
    for item in items.iter().filter(|_| !references) {
        match kind(item).as_str() {
            "function_call" => called.push(id(item)),
            "function_call_output" if !called.contains(&id(item)) => return Some(Mistake::LoneResult(id(item))),
            _ => {}
        }
    }
    None
}

fn tool_choice(choice: &Value) -> ToolChoice {
    let name = |choice: &Value, kind: &str| choice.get(kind).unwrap_or(choice).get("name")?.as_str().map(str::to_owned);
    match choice {
        Value::Null => ToolChoice::Unsaid,
        Value::String(word) => match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            _ => ToolChoice::Other,
        },
        _ => match choice.get("type").and_then(Value::as_str) {
            Some(kind @ ("function" | "custom")) => name(choice, kind).map_or(ToolChoice::Other, ToolChoice::Named),
            Some("allowed_tools") => allowed(choice.get("allowed_tools").unwrap_or(choice)),
            _ => ToolChoice::Other,
        },
    }
}

fn allowed(choice: &Value) -> ToolChoice {
    let tools = choice.get("tools").and_then(Value::as_array);
    let name = |tool: &Value| {
        let part = tool.get("function").or_else(|| tool.get("custom")).unwrap_or(tool);
        part.get("name")?.as_str().map(str::to_owned)
    };
    ToolChoice::Allowed {
        names: tools.into_iter().flatten().filter_map(name).collect(),
        required: choice.get("mode").and_then(Value::as_str) == Some("required"),
    }
}

/// Collects the texts below a message: content, parts, names, arguments.
fn texts(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => {
            out.push_str(text);
            out.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
        // Pictures are long, and no reply copies them.
        Value::Object(object) => object.iter().filter(|(key, _)| *key != "image_url").for_each(|(_, item)| texts(item, out)),
        _ => {}
    }
}

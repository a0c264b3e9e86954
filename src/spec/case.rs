//! `cases/**.yaml`: data-heavy tests without Gherkin. A file is one case or a list of cases; each lowers to catalogue steps.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::yaml::Span;

/// A case file: a list of cases, or one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CaseFile {
    /// Several.
    Many(Vec<CaseSpec>),
    /// One.
    One(Box<CaseSpec>),
}

/// One case.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseSpec {
    /// Title; `<column>` and `<parameter>` are filled in.
    pub name: String,
    /// Tags, with or without `@`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Rows: a file (CSV, JSON, JSONL, YAML; relative to the case file) or an inline list of maps. Each row is one scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Each>,
    /// State before the first question.
    #[serde(default)]
    pub given: Given,
    /// The question, or use `turns`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// Answers tool calls with their scripted results until the model calls none, for at most so many rounds; goes with `ask`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_tools: Option<u32>,
    /// Questions in one conversation, each with its own claims.
    #[serde(default)]
    pub turns: Vec<Turn>,
    /// Claims on the last reply: each item is `claim: value` of the claim table (`fireassay steps --expect`).
    #[serde(default)]
    pub expect: Vec<Map<String, Value>>,
}

/// Rows of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Each {
    /// A data file.
    File(String),
    /// Inline rows.
    Rows(Vec<IndexMap<String, Value>>),
}

/// State before the first question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Role of the model (default `text`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Request parameters, sent as written (`max_tokens: 32`, `stop: [x]`).
    #[serde(default)]
    pub params: Map<String, Value>,
    /// System prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// `whole` or `streamed`; may be a `<parameter>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replies: Option<String>,
    /// Tools offered, by name (`tools/NAME.yaml`).
    #[serde(default)]
    pub tools: Vec<String>,
    /// Tools offered: all of this toolgroup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toolgroup: Option<String>,
    /// `auto`, `none`, `required`, or the name of the tool that must be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<String>,
    /// Whether a reply may hold several calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    /// Whether the model may think (`enable_thinking` for the chat template).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<bool>,
    /// How hard the model may think (`reasoning_effort`: `none`, `low`, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking_effort: Option<String>,
    /// Most tokens of a thought (`thinking_budget_tokens` and `thinking_token_budget`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking_budget: Option<u64>,
    /// JSON Schema that replies are asked to fit (`response_format`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// As `schema`, with `strict: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_schema: Option<Value>,
    /// Whether replies are asked for as JSON objects of any form.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub json: bool,
    /// Extra request headers.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// Time limit of each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

/// One question of a conversation with its claims.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// The question.
    pub ask: String,
    /// Claims on this turn's reply.
    #[serde(default)]
    pub expect: Vec<Map<String, Value>>,
}

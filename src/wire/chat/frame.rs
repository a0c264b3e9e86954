//! One frame of a chat stream, or one whole body, as typed text that borrows from the bytes.
//!
//! A whole body is one frame whose choices have `message` instead of `delta`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

/// Text that borrows where it holds no escapes; `Option<Cow<str>>` by itself would always copy.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Frame<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    pub(super) object: Option<Text<'a>>,
    pub(super) created: Option<i64>,
    pub(super) model: Option<Text<'a>>,
    pub(super) system_fingerprint: Option<Text<'a>>,
    pub(super) choices: Option<Vec<FrameChoice<'a>>>,
    pub(super) usage: Option<Value>,
    pub(super) error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct FrameChoice<'a> {
    pub(super) index: Option<i64>,
    #[serde(borrow)]
    pub(super) delta: Option<Delta<'a>>,
    pub(super) message: Option<Delta<'a>>,
    /// The completions surface has its text here.
    pub(super) text: Option<Text<'a>>,
    pub(super) finish_reason: Option<Text<'a>>,
    pub(super) logprobs: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Delta<'a> {
    #[serde(borrow)]
    pub(super) role: Option<Text<'a>>,
    pub(super) content: Option<Text<'a>>,
    pub(super) reasoning_content: Option<Text<'a>>,
    pub(super) reasoning: Option<Text<'a>>,
    pub(super) thinking: Option<Text<'a>>,
    pub(super) refusal: Option<Text<'a>>,
    pub(super) tool_calls: Option<Vec<Fragment<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Fragment<'a> {
    pub(super) index: Option<i64>,
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(rename = "type")]
    pub(super) kind: Option<Text<'a>>,
    pub(super) function: Option<Part<'a>>,
    pub(super) custom: Option<Part<'a>>,
}

/// `function` with its `arguments`, or `custom` with its `input`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    pub(super) arguments: Option<Text<'a>>,
    pub(super) input: Option<Text<'a>>,
}

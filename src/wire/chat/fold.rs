//! [`Exchange`] → [`ChatReply`]: one fold for whole and streamed replies.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::choice::{OpenChoice, join_logprobs};
use super::faults::Faults;
use super::frame::{Delta, Frame, FrameChoice, Text};
use super::lenient::{fit_frame, kind};
use super::reply::{ChatReply, Choice, FoldFaultKind, Usage};
use crate::wire::sse::{self, EventStream};
use crate::wire::{ApiError, Exchange};

/// Folds a reply of `/v1/chat/completions`.
pub fn fold_chat(exchange: &Exchange) -> ChatReply {
    fold(exchange, Surface::Chat)
}

/// Folds a reply of `/v1/completions`: the text of each choice is its content.
pub fn fold_completion(exchange: &Exchange) -> ChatReply {
    fold(exchange, Surface::Completions)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Surface {
    Chat,
    Completions,
}

fn fold(exchange: &Exchange, surface: Surface) -> ChatReply {
    let labelled = exchange.is_event_stream();
    let streamed = looks_streamed(&exchange.body, labelled);
    let mut fold = Fold {
        surface,
        streamed,
        reply: ChatReply { streamed, status: exchange.status, ..ChatReply::default() },
        faults: Faults::default(),
        now: None,
        last_content: None,
        usage_frames: 0,
    };
    fold.reply.clocks.first_byte_us = exchange.head_at.or(exchange.chunks.first().map(|chunk| chunk.at)).map(micros);
    fold.reply.clocks.end_us = exchange.chunks.last().map(|chunk| chunk.at).or(exchange.head_at).map(micros);
    if labelled != streamed && !exchange.body.is_empty() && exchange.status.is_some_and(|status| status < 300) {
        let message = if streamed { "events under another media type" } else { "no events under the media type of events" };
        fold.faults.add(FoldFaultKind::Mislabelled, "content-type", message);
    }
    if streamed {
        fold.stream(exchange);
    } else if exchange.status.is_some() {
        fold.whole(exchange);
    }
    fold.finish()
}

/// By the label, unless the body begins like the other kind.
fn looks_streamed(body: &[u8], labelled: bool) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    let field = [b"data:".as_slice(), b"event:", b"id:", b"retry:", b":"].iter().any(|name| body.starts_with(name));
    if labelled { field || !matches!(body.first(), Some(b'{' | b'[' | b'<')) } else { field }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

struct Fold {
    surface: Surface,
    streamed: bool,
    reply: ChatReply,
    faults: Faults,
    /// Arrival of the frame being read; none for a whole body.
    now: Option<Duration>,
    last_content: Option<Duration>,
    usage_frames: u64,
}

impl Fold {
    fn stream(&mut self, exchange: &Exchange) {
        let EventStream { events, faults, comments, tail } = sse::read(&exchange.body);
        self.reply.events = events.len() as u64;
        self.reply.comments = comments;
        self.reply.framing = faults;
        self.reply.done_marker = tail.as_ref().is_some_and(sse::SseEvent::is_done);
        let mut read = 0;
        for (number, event) in events.iter().enumerate() {
            if event.is_done() {
                self.reply.done_marker = true;
                continue;
            }
            while exchange.chunks.get(read).is_some_and(|chunk| chunk.end < event.end) {
                read += 1;
            }
            self.now = exchange.chunks.get(read).map(|chunk| chunk.at);
            (self.faults.event, self.faults.at) = (number as u64 + 1, event.range());
            self.text(&event.data, event.name.as_deref() == Some("error"));
        }
        if let Some(status) = exchange.status.filter(|status| *status >= 400)
            && self.reply.error.is_none()
        {
            self.reply.error = Some(ApiError::read(Some(status), &exchange.body));
        }
    }

    fn whole(&mut self, exchange: &Exchange) {
        self.faults.at = 0..exchange.body.len();
        if exchange.status.is_some_and(|status| status >= 400) {
            self.reply.error = Some(ApiError::read(exchange.status, &exchange.body));
            return;
        }
        if exchange.body.trim_ascii().is_empty() {
            return self.faults.add(FoldFaultKind::EmptyBody, "", "the body is empty");
        }
        match std::str::from_utf8(&exchange.body) {
            Ok(text) => self.text(text, false),
            Err(error) => {
                self.faults.add(
                    FoldFaultKind::BadUtf8,
                    "",
                    format_args!("the body is not UTF-8 at byte {}", error.valid_up_to()),
                );
                self.text(&String::from_utf8_lossy(&exchange.body), false);
            }
        }
    }

    /// Reads one frame: typed and borrowed if it fits, else as a value with what did not fit taken out.
    fn text(&mut self, data: &str, named_error: bool) {
        let misfit = match serde_json::from_str::<Frame<'_>>(data) {
            // Other error shapes have no choices; they are looked for in the value.
            Ok(frame) if !named_error && (frame.choices.is_some() || frame.error.is_some()) => return self.frame(frame),
            Ok(_) => None,
            Err(error) => Some(error),
        };
        let mut value: Value = match serde_json::from_str(data) {
            Ok(value) => value,
            Err(error) => {
                self.faults.add(FoldFaultKind::NotJson, "", format_args!("not JSON: {error}"));
                if named_error && self.reply.error.is_none() {
                    self.reply.error = Some(ApiError::read(self.error_status(), data.as_bytes()));
                }
                return;
            }
        };
        if !value.is_object() {
            return self.faults.add(FoldFaultKind::NotAnObject, "", format_args!("{}, not an object", kind(&value)));
        }
        let bare = value.get("choices").is_none() && value.get("error").is_none_or(Value::is_null);
        if (named_error || bare)
            && let Some(error) = ApiError::of(self.error_status(), &value)
        {
            self.reply.error.get_or_insert(error);
            return;
        }
        let misfits = fit_frame(&mut value);
        if misfits.is_empty()
            && let Some(error) = &misfit
        {
            self.faults.add(FoldFaultKind::DuplicateKey, "", &error.to_string());
        }
        for (path, message) in misfits {
            self.faults.add(FoldFaultKind::WrongType, path, &message);
        }
        match Frame::deserialize(&value) {
            Ok(frame) => self.frame(frame),
            Err(error) => self.faults.add(FoldFaultKind::WrongType, "", &error.to_string()),
        }
    }

    /// The status that an error in a body has; a frame in a good stream has none of its own.
    fn error_status(&self) -> Option<u16> {
        if self.streamed { None } else { self.reply.status }
    }

    fn frame(&mut self, frame: Frame<'_>) {
        let failed_before = self.reply.error.is_some();
        let error = frame.error.filter(truthy).and_then(|error| {
            let whole = serde_json::json!({ "error": error });
            ApiError::of(self.error_status(), &whole)
        });
        if let Some(error) = error {
            self.reply.error.get_or_insert(error);
            if frame.choices.is_none() {
                return;
            }
        }
        self.envelope(frame.id, frame.object, frame.created, frame.model);
        if let (None, Some(print)) = (&self.reply.system_fingerprint, frame.system_fingerprint) {
            self.reply.system_fingerprint = Some(print.0.into_owned());
        }
        let choices = frame.choices.unwrap_or_else(|| {
            self.faults.add(FoldFaultKind::MissingKey, "choices", "`choices` is missing");
            Vec::new()
        });
        if let Some(usage) = frame.usage.filter(|usage| !usage.is_null()) {
            self.usage(usage, !choices.is_empty());
        }
        let mut content = false;
        for (place, choice) in choices.into_iter().enumerate() {
            content |= self.choice(place, choice, failed_before);
        }
        if let Some(now) = self.now.filter(|_| content)
            && let Some(last) = self.last_content.replace(now)
        {
            self.reply.gaps.push(now.saturating_sub(last));
        }
    }

    fn envelope(&mut self, id: Option<Text<'_>>, object: Option<Text<'_>>, created: Option<i64>, model: Option<Text<'_>>) {
        let reply = &mut self.reply;
        for (key, slot, text) in
            [("id", &mut reply.id, id), ("object", &mut reply.object, object), ("model", &mut reply.model, model)]
        {
            match (text, slot) {
                (None, _) => self.faults.add(FoldFaultKind::MissingKey, key, "missing or null on a frame"),
                (Some(text), Some(first)) if *text == **first => {}
                (Some(text), slot @ None) if !text.is_empty() => *slot = Some(text.0.into_owned()),
                (Some(text), first) => {
                    self.faults.add(
                        FoldFaultKind::Changed,
                        key,
                        format_args!("`{}` after `{}`", &*text, first.as_deref().unwrap_or("")),
                    );
                }
            }
        }
        match (created, reply.created) {
            (None, _) => self.faults.add(FoldFaultKind::MissingKey, "created", "missing or null on a frame"),
            (Some(created), None) => reply.created = Some(created),
            (Some(created), Some(first)) if created != first => {
                self.faults.add(FoldFaultKind::Changed, "created", format_args!("{created} after {first}"));
            }
            _ => {}
        }
    }

    fn usage(&mut self, raw: Value, with_choices: bool) {
        if !raw.is_object() {
            return self.faults.add(FoldFaultKind::WrongType, "usage", format_args!("`usage` is {}, not an object", kind(&raw)));
        }
        self.usage_frames += 1;
        if self.usage_frames > 1 {
            self.faults.add(FoldFaultKind::UsageRepeated, "usage", "usage came again; the last one counts");
        }
        if self.streamed && with_choices {
            self.faults.add(FoldFaultKind::UsageWithChoices, "usage", "usage stands on a frame with choices");
        }
        let faults = &mut self.faults;
        let mut count = |key: &str| {
            let value = raw.get(key).filter(|value| !value.is_null())?;
            if value.as_u64().is_none() {
                faults.add(
                    FoldFaultKind::WrongType,
                    format!("usage.{key}"),
                    format_args!("`usage.{key}` is {value}, not a count"),
                );
            }
            value.as_u64()
        };
        let (prompt, completion, total) = (count("prompt_tokens"), count("completion_tokens"), count("total_tokens"));
        self.reply.usage = Some(Usage { prompt, completion, total, raw });
    }

    /// Takes one choice of a frame; returns whether it brought content.
    fn choice(&mut self, place: usize, frame: FrameChoice<'_>, failed_before: bool) -> bool {
        let index = frame.index.unwrap_or_else(|| {
            self.faults.add(FoldFaultKind::MissingKey, "choices[].index", "a choice has no index");
            i64::try_from(place).unwrap_or(i64::MAX)
        });
        let delta = match (self.surface, frame.delta.or(frame.message)) {
            (Surface::Completions, _) => Delta { content: frame.text, ..Delta::default() },
            (Surface::Chat, Some(delta)) => delta,
            (Surface::Chat, None) => {
                let path = if self.streamed { "choices[].delta" } else { "choices[].message" };
                self.faults.add(FoldFaultKind::MissingKey, path, "a choice has no delta or message");
                Delta::default()
            }
        };
        let known = self.reply.choices.iter().position(|choice| choice.index == index);
        let at = known.unwrap_or_else(|| {
            self.reply.choices.push(Choice { index, ..Choice::default() });
            self.reply.choices.len() - 1
        });
        let mut open = OpenChoice {
            choice: &mut self.reply.choices[at],
            faults: &mut self.faults,
            clocks: &mut self.reply.clocks,
            now: self.now.map(micros),
            whole: !self.streamed,
            fresh: known.is_none(),
            failed_before,
        };
        let content = open.delta(delta, frame.finish_reason.is_some());
        open.finish_reason(frame.finish_reason);
        if let Some(logprobs) = frame.logprobs.filter(|value| !value.is_null()) {
            join_logprobs(&mut open.choice.logprobs, logprobs);
        }
        content
    }

    fn finish(mut self) -> ChatReply {
        self.reply.choices.sort_by_key(|choice| choice.index);
        self.reply.faults = self.faults.list;
        self.reply
    }
}

/// As Python's SDK sees it: null, false, 0 and what is empty are no error.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
    }
}

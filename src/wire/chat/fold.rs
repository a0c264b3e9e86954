//! [`Reading`] → [`ChatReply`]: one fold for whole and streamed replies.

use std::borrow::Cow;
use std::time::Duration;

use super::choice::{OpenChoice, join_logprobs};
use super::faults::Faults;
use super::frame::{ChatFrame, Delta, FrameChoice, Text};
use super::reply::{ChatReply, Choice, FoldFaultKind, Usage};
use crate::wire::json::{Parsed, Value};
use crate::wire::sse::{EventStream, SseEvent};
use crate::wire::{ApiError, Exchange, Reading};

/// Reads and folds a reply of `/v1/chat/completions`.
pub fn fold_chat(exchange: &Exchange) -> ChatReply {
    Reading::of(exchange).chat()
}

/// Which endpoint answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::wire) enum Surface {
    Chat,
    Completions,
}

pub(in crate::wire) fn fold(reading: &Reading<'_>, surface: Surface) -> ChatReply {
    let exchange = reading.exchange;
    let streamed = reading.streamed();
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
    if exchange.is_event_stream() != streamed && !exchange.body.is_empty() && exchange.status.is_some_and(|status| status < 300) {
        let message = if streamed { "events under another media type" } else { "no events under the media type of events" };
        fold.faults.add(FoldFaultKind::Mislabelled, "content-type", message);
    }
    match &reading.stream {
        Some(stream) => fold.stream(reading, stream),
        None if exchange.status.is_some() => fold.whole(reading),
        None => {}
    }
    fold.finish()
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
    fn stream(&mut self, reading: &Reading<'_>, stream: &EventStream<'_>) {
        let exchange = reading.exchange;
        self.reply.events = stream.events.len() as u64;
        self.reply.comments = stream.comments;
        self.reply.framing.clone_from(&stream.faults);
        self.reply.done_marker = stream.tail.iter().chain(&stream.events).any(SseEvent::is_done);
        let mut chunks = exchange.chunks.iter().peekable();
        let mut frames = reading.frames.iter().peekable();
        for (number, event) in (1..).zip(&stream.events) {
            (self.faults.event, self.faults.at) = (number, event.range());
            if event.data.is_empty() {
                self.faults.add(FoldFaultKind::NotJson, "", "not JSON: the data is empty");
            }
            let Some(frame) = frames.next_if(|frame| frame.number == number) else { continue };
            while chunks.next_if(|chunk| chunk.end < event.end).is_some() {}
            self.now = chunks.peek().map(|chunk| chunk.at);
            self.json(&frame.json, &event.data, event.name.as_deref() == Some("error"));
        }
        if let Some(status) = exchange.status.filter(|status| *status >= 400)
            && self.reply.error.is_none()
        {
            self.reply.error = Some(ApiError::read(Some(status), &exchange.body));
        }
    }

    fn whole(&mut self, reading: &Reading<'_>) {
        let exchange = reading.exchange;
        self.faults.at = 0..exchange.body.len();
        if exchange.status.is_some_and(|status| status >= 400) {
            self.reply.error = Some(ApiError::read(exchange.status, &exchange.body));
            return;
        }
        let Some(body) = &reading.body else {
            return self.faults.add(FoldFaultKind::EmptyBody, "", "the body is empty");
        };
        if matches!(reading.text, Cow::Owned(_))
            && let Err(error) = str::from_utf8(&exchange.body)
        {
            let message = format_args!("the body is not UTF-8 at byte {}", error.valid_up_to());
            self.faults.add(FoldFaultKind::BadUtf8, "", message);
        }
        self.json(body, &reading.text, false);
    }

    /// Takes the JSON of one frame, or of a whole body.
    fn json(&mut self, json: &Result<Parsed<'_>, serde_json::Error>, data: &str, named_error: bool) {
        let parsed = match json {
            Ok(parsed) => parsed,
            Err(error) => {
                self.faults.add(FoldFaultKind::NotJson, "", format_args!("not JSON: {error}"));
                if named_error && self.reply.error.is_none() {
                    self.reply.error = Some(ApiError::read(self.error_status(), data.as_bytes()));
                }
                return;
            }
        };
        let value = &parsed.value;
        let Some(object) = value.as_object() else {
            return self.faults.add(FoldFaultKind::NotAnObject, "", format_args!("{}, not an object", value.kind()));
        };
        // Other error shapes have no choices.
        let bare = object.get("choices").is_none() && object.get("error").is_none_or(Value::is_null);
        if (named_error || bare)
            && let Some(error) = ApiError::of(self.error_status(), &value.to_serde())
        {
            self.reply.error.get_or_insert(error);
            return;
        }
        if !parsed.twice.is_empty() {
            self.faults.add(FoldFaultKind::DuplicateKey, "", format_args!("`{}` stands twice", parsed.twice.join("`, `")));
        }
        let frame = ChatFrame::read(object, &mut self.faults);
        self.frame(frame);
    }

    /// The status that an error in a body has; a frame in a good stream has none of its own.
    fn error_status(&self) -> Option<u16> {
        if self.streamed { None } else { self.reply.status }
    }

    fn frame(&mut self, frame: ChatFrame<'_>) {
        let failed_before = self.reply.error.is_some();
        let error = frame.error.filter(|error| error.is_truthy()).and_then(|error| {
            let whole = serde_json::json!({ "error": error.to_serde() });
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
            self.reply.system_fingerprint = Some(print.into_owned());
        }
        let choices = frame.choices.unwrap_or_else(|| {
            self.faults.add(FoldFaultKind::MissingKey, "choices", "`choices` is missing");
            Vec::new()
        });
        if let Some(usage) = frame.usage {
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
                (Some(text), slot @ None) if !text.is_empty() => *slot = Some(text.into_owned()),
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

    fn usage(&mut self, raw: &Value<'_>, with_choices: bool) {
        if !raw.is_object() {
            return self.faults.add(FoldFaultKind::WrongType, "usage", format_args!("`usage` is {}, not an object", raw.kind()));
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
        self.reply.usage = Some(Usage { prompt, completion, total, raw: raw.to_serde() });
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
        if let Some(logprobs) = frame.logprobs {
            join_logprobs(&mut open.choice.logprobs, logprobs.to_serde());
        }
        content
    }

    fn finish(mut self) -> ChatReply {
        self.reply.choices.sort_by_key(|choice| choice.index);
        self.reply.faults = self.faults.list;
        self.reply
    }
}

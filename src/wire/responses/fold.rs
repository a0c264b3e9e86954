//! [`Reading`] → [`ResponsesReply`]: one fold for whole responses and for event streams.

use std::collections::HashMap;
use std::time::Duration;

use super::event::{EventKind, ResponseEvent};
use super::item;
use super::reply::{ItemKind, Lifecycle, OutputItem, Part, PartKind, ResponsesReply, StreamedPart};
use crate::wire::chat::Faults;
use crate::wire::json::Value;
use crate::wire::sse::{EventStream, SseEvent};
use crate::wire::{ApiError, FoldFaultKind, Frame, Reading};

/// Folds a reply of `/v1/responses`, whatever came.
pub(in crate::wire) fn fold(reading: &Reading<'_>) -> ResponsesReply {
    let exchange = reading.exchange;
    let streamed = reading.streamed();
    let mut fold =
        Fold { reply: ResponsesReply { streamed, status: exchange.status, ..ResponsesReply::default() }, ..Fold::default() };
    fold.reply.clocks.first_byte_us = exchange.head_at.or(exchange.chunks.first().map(|chunk| chunk.at)).map(micros);
    fold.reply.clocks.end_us = exchange.chunks.last().map(|chunk| chunk.at).or(exchange.head_at).map(micros);
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

/// Ids beside the first one that are kept of an item.
const RENAMED: usize = 4;

#[derive(Default)]
struct Fold {
    reply: ResponsesReply,
    faults: Faults,
    /// Arrival of the event being read.
    now: Option<Duration>,
    last_text: Option<Duration>,
    by_id: HashMap<String, usize>,
    /// The item that an output index was last given to.
    by_index: HashMap<i64, usize>,
    /// Place of a part in its item: item, whether of its summary, index.
    parts: HashMap<(usize, bool, i64), usize>,
}

impl Fold {
    fn whole(&mut self, reading: &Reading<'_>) {
        let exchange = reading.exchange;
        self.faults.at = 0..exchange.body.len();
        if exchange.status.is_some_and(|status| status >= 400) {
            self.reply.error = Some(ApiError::read(exchange.status, &exchange.body));
            return;
        }
        match &reading.body {
            None => self.faults.add(FoldFaultKind::EmptyBody, "", "the body is empty"),
            Some(Err(error)) => self.faults.add(FoldFaultKind::NotJson, "", format_args!("not JSON: {error}")),
            Some(Ok(parsed)) if !parsed.value.is_object() => {
                let message = format!("{}, not an object", parsed.value.kind());
                self.faults.add(FoldFaultKind::NotAnObject, "", message);
            }
            Some(Ok(parsed)) => {
                let response = item::response(&parsed.value, &mut self.faults);
                let failed = response.error.clone().map(|error| ApiError { status: exchange.status, ..error });
                let nameless = response.object.is_none() && response.output.is_none();
                self.reply.error =
                    failed.or_else(|| ApiError::of(exchange.status, &parsed.value.to_serde()).filter(|_| nameless));
                self.reply.response = Some(response);
            }
        }
    }

    fn stream(&mut self, reading: &Reading<'_>, stream: &EventStream<'_>) {
        let exchange = reading.exchange;
        self.reply.dispatched = stream.events.len() as u64;
        self.reply.comments = stream.comments;
        self.reply.framing.clone_from(&stream.faults);
        self.reply.done_marker = stream.tail.iter().chain(&stream.events).any(SseEvent::is_done);
        let mut chunks = exchange.chunks.iter().peekable();
        let mut frames = reading.frames.iter().peekable();
        for (number, event) in (1..).zip(&stream.events) {
            (self.faults.event, self.faults.at) = (number, event.range());
            let Some(frame) = frames.next_if(|frame| frame.number == number) else { continue };
            while chunks.next_if(|chunk| chunk.end < event.end).is_some() {}
            self.now = chunks.peek().map(|chunk| chunk.at);
            self.frame(frame, event);
        }
        if let Some(status) = exchange.status.filter(|status| *status >= 400) {
            self.reply.error.get_or_insert_with(|| ApiError::read(Some(status), &exchange.body));
        }
    }

    fn frame(&mut self, frame: &Frame<'_>, event: &SseEvent<'_>) {
        let value = match &frame.json {
            Ok(parsed) if parsed.value.is_object() => &parsed.value,
            Ok(parsed) => return self.faults.add(FoldFaultKind::NotAnObject, "", parsed.value.kind()),
            Err(error) => return self.faults.add(FoldFaultKind::NotJson, "", format_args!("not JSON: {error}")),
        };
        let type_name = item::text(value, "type", "type", &mut self.faults);
        let untyped_error = || event.name.as_deref() == Some("error") || (type_name.is_none() && frame.is_error());
        let kind = match type_name.map(EventKind::of) {
            Some(EventKind::Other) | None if untyped_error() => EventKind::Error,
            Some(kind) => kind,
            None => {
                self.faults.add(FoldFaultKind::MissingKey, "type", "an event has no type");
                EventKind::Other
            }
        };
        let index = |key: &str| value.get(key).and_then(Value::as_i64);
        let mut short = ResponseEvent {
            number: frame.number,
            kind,
            sequence: index("sequence_number"),
            output_index: index("output_index"),
            part_index: index("content_index").or_else(|| index("summary_index")),
            item: None,
        };
        match kind {
            EventKind::Error => self.error(frame.number, value),
            kind if kind.is_life() => self.life(frame.number, kind, value),
            EventKind::Other | EventKind::Tool | EventKind::Annotation => {}
            _ => short.item = Some(self.of_item(&short, value)),
        }
        self.reply.events.push(short);
    }

    fn error(&mut self, number: u64, value: &Value<'_>) {
        self.reply.error_at.get_or_insert(number);
        let error = ApiError::of(None, &value.to_serde());
        let mute = || ApiError::read(None, value.to_string().as_bytes());
        self.reply.error.get_or_insert_with(|| error.unwrap_or_else(mute));
    }

    fn life(&mut self, number: u64, kind: EventKind, value: &Value<'_>) {
        let Some(object) = value.get("response").filter(|object| object.is_object()) else {
            return self.faults.add(FoldFaultKind::MissingKey, "response", "an event of the response's life has none");
        };
        if kind.is_end() {
            self.reply.ends += 1;
        } else if self.reply.created.is_some() {
            // What is told again while it goes on says nothing new, and may be long.
            return;
        }
        let response = item::response(object, &mut self.faults);
        if !kind.is_end() {
            self.reply.created = Some(response);
            return;
        }
        if self.reply.ended_at.is_none() {
            self.reply.ended_at = Some(number);
            if let Some(error) = &response.error {
                self.reply.error.get_or_insert_with(|| error.clone());
            }
            self.reply.response = Some(response);
        }
    }

    /// Takes an event about an item; returns the item's place.
    fn of_item(&mut self, short: &ResponseEvent, value: &Value<'_>) -> usize {
        let told = value.get("item").filter(|item| item.is_object());
        let id = match short.kind {
            EventKind::ItemAdded | EventKind::ItemDone => told.and_then(|item| item.get("id")?.as_str()),
            _ => item::text(value, "item_id", "item_id", &mut self.faults),
        };
        let at = self.place(short, id);
        match short.kind {
            EventKind::ItemAdded | EventKind::ItemDone => {
                if told.is_none() {
                    self.faults.add(FoldFaultKind::MissingKey, "item", "an event about an item has none");
                }
                let item = told.map(|item| item::item(item, &mut self.faults)).unwrap_or_default();
                self.item(at, short, item);
            }
            EventKind::ArgumentsDelta => {
                self.begun(at, short);
                let piece = item::text(value, "delta", "delta", &mut self.faults).unwrap_or_default();
                let life = &mut self.reply.items[at];
                life.pieces += u64::from(!piece.is_empty());
                life.arguments.get_or_insert_default().push_str(piece);
            }
            EventKind::ArgumentsDone => {
                self.begun(at, short);
                let key = if value.get("arguments").is_some() { "arguments" } else { "input" };
                let whole = item::text(value, key, "arguments", &mut self.faults).unwrap_or_default().to_owned();
                let life = &mut self.reply.items[at];
                life.arguments_named |= value.get("name").is_some_and(Value::is_string);
                life.arguments_done.get_or_insert((short.number, whole));
            }
            _ => {
                self.begun(at, short);
                self.part(at, short, value);
            }
        }
        at
    }

    /// The item that an event is about: by its id, else by its index, else the last one; a new one where it begins one.
    fn place(&mut self, short: &ResponseEvent, id: Option<&str>) -> usize {
        let index = short.output_index;
        let id = id.filter(|id| !id.is_empty());
        let known = id.and_then(|id| self.by_id.get(id).copied());
        let by_index = || index.and_then(|index| self.by_index.get(&index).copied());
        let named = |at: &usize| id.is_none() || self.reply.items[*at].id.is_none() || short.kind != EventKind::ItemAdded;
        let last = || self.reply.items.len().checked_sub(1).filter(|_| id.is_none() && index.is_none());
        let found = match short.kind {
            EventKind::ItemAdded => known.or_else(|| by_index().filter(named).filter(|at| self.reply.items[*at].adds == 0)),
            _ => known.or_else(by_index).or_else(last),
        };
        let at = found.unwrap_or_else(|| {
            if short.kind != EventKind::ItemAdded {
                self.faults.add(FoldFaultKind::Unplaced, "item_id", "an event is about an item that was not added");
            }
            self.reply.items.push(Lifecycle {
                output_index: index,
                id: id.map(str::to_owned),
                begun_at: short.number,
                ..Lifecycle::default()
            });
            self.reply.items.len() - 1
        });
        if let Some(index) = index {
            self.by_index.insert(index, at);
        }
        if let Some(id) = id {
            self.by_id.entry(id.to_owned()).or_insert(at);
            let life = &mut self.reply.items[at];
            let first = life.id.get_or_insert_with(|| id.to_owned());
            if first != id && life.renamed.len() < RENAMED && !life.renamed.iter().any(|(_, known)| known == id) {
                life.renamed.push((short.number, id.to_owned()));
            }
        }
        at
    }

    fn item(&mut self, at: usize, short: &ResponseEvent, item: OutputItem) {
        let now = self.now.map(micros);
        let life = &mut self.reply.items[at];
        if short.kind == EventKind::ItemDone {
            life.dones += 1;
            life.done_at.get_or_insert(short.number);
            life.done = Some(item);
            return;
        }
        life.adds += 1;
        if life.adds > 1 {
            return;
        }
        life.added_at = Some(short.number);
        match item.kind {
            ItemKind::Message => stamp(&mut self.reply.clocks.first_role_us, now),
            kind if kind.is_call() => stamp(&mut self.reply.clocks.first_tool_us, now),
            _ => {}
        }
        life.added = Some(item);
    }

    /// Notes that an event of its own came for an item.
    fn begun(&mut self, at: usize, short: &ResponseEvent) {
        let life = &mut self.reply.items[at];
        if life.done_at.is_some() {
            life.after_done.get_or_insert(short.number);
        }
    }

    /// Takes an event about a part of an item.
    fn part(&mut self, at: usize, short: &ResponseEvent, value: &Value<'_>) {
        let summary = match short.kind {
            EventKind::Delta(kind) | EventKind::Done(kind) => kind == PartKind::Summary,
            kind => matches!(kind, EventKind::SummaryAdded | EventKind::SummaryDone),
        };
        let index = short.part_index.unwrap_or(0);
        let of = self.reply.items[at].added.as_ref().map_or(ItemKind::Other, |item| item.kind);
        let told = value.get("part").filter(|part| part.is_object());
        let told = told.map(|part| item::part(part, of, &mut self.faults));
        let life = &mut self.reply.items[at];
        let list = if summary { &mut life.summary } else { &mut life.parts };
        let place = *self.parts.entry((at, summary, index)).or_insert_with(|| {
            list.push(StreamedPart { index, ..StreamedPart::default() });
            list.len() - 1
        });
        let part = &mut list[place];
        match short.kind {
            EventKind::PartAdded | EventKind::SummaryAdded => {
                part.kind = told.map(|part| part.kind).unwrap_or_default();
                part.added_at.get_or_insert(short.number);
            }
            EventKind::PartDone | EventKind::SummaryDone => {
                part.done.get_or_insert((short.number, told.unwrap_or_default()));
            }
            EventKind::Delta(kind) => {
                let piece = item::text(value, "delta", "delta", &mut self.faults).unwrap_or_default();
                if part.added_at.is_none() {
                    part.kind = kind;
                }
                part.begun_at.get_or_insert(short.number);
                if part.text_done.is_some() || part.done.is_some() {
                    part.after_done.get_or_insert(short.number);
                }
                part.pieces += u64::from(!piece.is_empty());
                part.text.push_str(piece);
                if !piece.is_empty() {
                    self.said(kind);
                }
            }
            EventKind::Done(kind) => {
                let key = if kind == PartKind::Refusal { "refusal" } else { "text" };
                let whole = item::text(value, key, "text", &mut self.faults).unwrap_or_default().to_owned();
                if part.added_at.is_none() {
                    part.kind = kind;
                }
                part.begun_at.get_or_insert(short.number);
                part.text_done.get_or_insert((short.number, whole));
            }
            _ => {}
        }
    }

    /// Notes the time of a piece of text.
    fn said(&mut self, kind: PartKind) {
        let Some(now) = self.now else { return };
        let clocks = &mut self.reply.clocks;
        if matches!(kind, PartKind::Thought | PartKind::Summary) {
            return stamp(&mut clocks.first_reasoning_us, Some(micros(now)));
        }
        stamp(&mut clocks.first_content_us, Some(micros(now)));
        if let Some(last) = self.last_text.replace(now) {
            self.reply.gaps.push(now.saturating_sub(last));
        }
    }

    fn finish(mut self) -> ResponsesReply {
        let told = self.reply.response.as_ref().and_then(|response| response.output.clone()).unwrap_or_default();
        self.reply.output = if told.is_empty() { self.reply.items.iter().map(built).collect() } else { told };
        self.reply.faults = self.faults.list;
        self.reply
    }
}

fn stamp(slot: &mut Option<u64>, now: Option<u64>) {
    if slot.is_none() {
        *slot = now;
    }
}

/// An item as its events built it: as it was done, else as it was added with what came since.
fn built(life: &Lifecycle) -> OutputItem {
    if let Some(done) = &life.done {
        return done.clone();
    }
    let mut item = life.added.clone().unwrap_or_else(|| OutputItem { id: life.id.clone(), ..OutputItem::default() });
    if item.kind == ItemKind::Other && life.added.is_none() {
        let is_thought = life.parts.iter().any(|part| part.kind == PartKind::Thought) || !life.summary.is_empty();
        item.kind = match (life.arguments.is_some(), is_thought, life.parts.is_empty()) {
            (true, ..) => ItemKind::FunctionCall,
            (_, true, _) => ItemKind::Reasoning,
            (.., false) => ItemKind::Message,
            _ => ItemKind::Other,
        };
    }
    let whole = |part: &StreamedPart| {
        let text = part.text_done.as_ref().map_or(&part.text, |(_, text)| text);
        Part { kind: part.kind, text: text.clone(), logprobs: None }
    };
    if !life.parts.is_empty() {
        item.parts = life.parts.iter().map(whole).collect();
    }
    if !life.summary.is_empty() {
        item.summary = life.summary.iter().map(whole).collect();
    }
    if let Some(arguments) = life.arguments_done.as_ref().map(|(_, whole)| whole).or(life.arguments.as_ref()) {
        item.arguments = Some(arguments.clone());
    }
    item
}

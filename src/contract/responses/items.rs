//! The life of each item of a stream: added, filled part by part, done, and the same in the final output.

use std::collections::HashMap;

use crate::contract::excerpt::bounded;
use crate::contract::finding::{Findings, Spot};
use crate::contract::rule::{Rule, Scope, Severity, Surface};
use crate::contract::seen::Seen;
use crate::wire::responses::{ItemKind, Lifecycle, OutputItem, Part, PartKind, ResponsesReply, StreamedPart};

/// The rules of this topic.
pub(in crate::contract) static RULES: &[&Rule] = &[&W134, &W135, &W136, &W137, &W138, &W139, &W141];

pub(in crate::contract) static W134: Rule = Rule {
    id: "W134",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an item is added before any event about it, and done once, after all of them",
    why: "helpers raise on an item they do not know, and wait for one that never ends",
    source: "openai-node, ResponseStream; Ollama does not end a text beside calls",
    breaks: "response.output_text.delta with an item_id that was never added",
};

pub(in crate::contract) static W135: Rule = Rule {
    id: "W135",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`output_index` is the place of its item in the final output: one each, without holes",
    why: "pieces are put together by index",
    source: "OpenAI API reference, streaming; Ollama gives a text and a call the same",
    breaks: r#"two items with "output_index":0"#,
};

pub(in crate::contract) static W136: Rule = Rule {
    id: "W136",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a part is added before its text and done after it; for thoughts its absence is dialect",
    why: "helpers raise on a text that has no part",
    source: "openai-node, ResponseStream; LiteLLM without content_part.added",
    breaks: "response.output_text.delta without response.content_part.added",
};

pub(in crate::contract) static W137: Rule = Rule {
    id: "W137",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a text is the same in its deltas, its done events, its item and the final output",
    why: "who reads the stream and who reads its end get different answers",
    source: "OpenAI API reference, streaming",
    breaks: r#""text":"The capital" after deltas of "The capital of France""#,
};

pub(in crate::contract) static W138: Rule = Rule {
    id: "W138",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "arguments are the same in their deltas, their done event, their item and the final output; no done event is dialect",
    why: "tools are called with something that was not said",
    source: "OpenAI API reference, streaming; llama.cpp sends no response.function_call_arguments.done",
    breaks: r#""arguments":"{}" after deltas of {"city":"Paris"}"#,
};

pub(in crate::contract) static W139: Rule = Rule {
    id: "W139",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an item keeps its id, its call_id and its name from the first event to the final output",
    why: "results are sent back under an id that nobody gave",
    source: "OpenAI API reference; vLLM before 47916",
    breaks: r#""call_id":"call_1" when added and "call_2" when done"#,
};

pub(in crate::contract) static W141: Rule = Rule {
    id: "W141",
    surface: Surface::Responses,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "the event with the whole arguments names the function",
    why: "clients that call from this event alone look the name up elsewhere",
    source: "OpenAI API reference, ResponseFunctionCallArgumentsDoneEvent",
    breaks: r#"response.function_call_arguments.done without "name""#,
};

/// Checks one exchange.
pub(in crate::contract) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let Some(reply) = seen.responses.filter(|reply| reply.streamed && seen.is_success()) else { return };
    let last = Last::of(reply);
    for (place, life) in reply.items.iter().enumerate() {
        added(life, out);
        if last.is_over {
            done(life, out);
        }
        for (parts, whole) in [(&life.parts, false), (&life.summary, true)] {
            for part in parts {
                of_part(life, part, whole, &last, out);
            }
        }
        arguments(place, life, &last, out);
        names(place, life, &last, out);
    }
    places(reply, &last, out);
}

/// What the end of the response says of its items.
struct Last<'a> {
    /// Whether the response ended by itself: its items are then to be done.
    is_over: bool,
    event: u64,
    output: &'a [OutputItem],
    by_id: HashMap<&'a str, usize>,
    /// Place in the output of each item of the stream, by its place there.
    place: Vec<Option<usize>>,
}

impl<'a> Last<'a> {
    fn of(reply: &'a ResponsesReply) -> Self {
        let response = reply.response.as_ref().filter(|_| reply.ended_at.is_some());
        let output = response.and_then(|response| response.output.as_deref()).unwrap_or_default();
        let failed = matches!(reply.response_status(), Some("failed" | "cancelled")) || reply.error.is_some();
        let ids = output.iter().enumerate().filter_map(|(place, item)| Some((item.id.as_deref()?, place)));
        let mut last = Self {
            is_over: response.is_some() && !failed,
            event: reply.ended_at.unwrap_or_default(),
            output,
            by_id: ids.collect(),
            place: Vec::new(),
        };
        last.place = reply.items.iter().enumerate().map(|(place, life)| last.find(place, life, reply.items.len())).collect();
        last
    }

    /// An item by its id, else by its index; else, where both lists are as long, by its order.
    fn find(&self, place: usize, life: &Lifecycle, items: usize) -> Option<usize> {
        let by_id = life.id.as_deref().and_then(|id| self.by_id.get(id).copied());
        let by_index = || life.output_index.and_then(|index| usize::try_from(index).ok());
        let by_order = || Some(place).filter(|_| items == self.output.len());
        let same = |at: &usize| self.output.get(*at).is_some_and(|item| kind_of(life).is_none_or(|kind| kind == item.kind));
        by_id.or_else(|| by_index().filter(same)).or_else(|| by_order().filter(same))
    }

    fn item(&self, place: usize) -> Option<(usize, &'a OutputItem)> {
        let at = (*self.place.get(place)?)?;
        Some((at, self.output.get(at)?))
    }
}

fn kind_of(life: &Lifecycle) -> Option<ItemKind> {
    life.done.as_ref().or(life.added.as_ref()).map(|item| item.kind)
}

fn added(life: &Lifecycle, out: &mut Findings<'_>) {
    let spot = Spot::event(life.begun_at).path("item_id");
    match life.added_at {
        None => out.add(&W134, spot, "an event about an item that was never added", "response.output_item.added before it"),
        Some(added) if life.begun_at < added => {
            out.add(&W134, spot, "an event about an item that is added later", "response.output_item.added before it");
        }
        Some(added) if life.adds > 1 => {
            out.add(&W134, Spot::event(added).path("item"), format!("an item that is added {} times", life.adds), "once");
        }
        Some(_) => {}
    }
}

fn done(life: &Lifecycle, out: &mut Findings<'_>) {
    let begun = Spot::event(life.added_at.unwrap_or(life.begun_at)).path("item");
    match life.dones {
        0 => out.add(&W134, begun, "an item that is never done", "response.output_item.done"),
        1 => {}
        many => out.add(&W134, begun, format!("an item that is done {many} times"), "once"),
    }
    if let Some(late) = life.after_done {
        out.add(
            &W134,
            Spot::event(late).path("item_id"),
            "an event about an item that was done",
            "response.output_item.done after it",
        );
    }
}

/// Each index once, without holes, and the place in the final output.
fn places(reply: &ResponsesReply, last: &Last<'_>, out: &mut Findings<'_>) {
    let mut by_index: HashMap<i64, u64> = HashMap::new();
    for (place, life) in reply.items.iter().enumerate().filter(|(_, life)| life.added_at.is_some()) {
        let Some(index) = life.output_index else { continue };
        let at = life.added_at.unwrap_or(life.begun_at);
        let spot = || Spot::event(at).path("output_index");
        if let Some(other) = by_index.insert(index, at) {
            out.add(&W135, spot(), format!("{index}, as the item of event {other} has"), "an index of its own");
        } else if let Some((found, _)) = last.item(place).filter(|(found, _)| usize::try_from(index) != Ok(*found)) {
            out.add(&W135, spot(), format!("{index}, and the item stands at {found} of the final output"), format!("{found}"));
        }
    }
    let most = i64::try_from(by_index.len()).unwrap_or(i64::MAX);
    if let Some((index, at)) = by_index.iter().filter(|(index, _)| !(0..most).contains(*index)).min() {
        let spot = Spot::event(*at).path("output_index");
        out.add(&W135, spot, format!("{index} among {most} items"), format!("from 0 to {}", most - 1));
    }
    let moved = reply.events.iter().find(|event| {
        let of = event.item.and_then(|item| reply.items.get(item)?.output_index);
        event.output_index.is_some() && of.is_some() && event.output_index != of
    });
    if let Some(event) = moved {
        out.add(
            &W135,
            Spot::event(event.number).path("output_index"),
            "another index than that of its item",
            "one index for an item",
        );
    }
    let unheard = last.output.len().saturating_sub(last.place.iter().flatten().count());
    if last.is_over && unheard > 0 && !reply.items.is_empty() {
        let found = format!("{unheard} of {} items of the final output were never added", last.output.len());
        out.add(&W134, Spot::event(last.event).path("response.output"), found, "an event for each item");
    }
}

fn of_part(life: &Lifecycle, part: &StreamedPart, summary: bool, last: &Last<'_>, out: &mut Findings<'_>) {
    let thought = matches!(part.kind, PartKind::Thought | PartKind::Summary);
    let severity = if thought { Severity::Dialect } else { Severity::Violation };
    let event = part.begun_at.or(part.added_at).unwrap_or(life.begun_at);
    let key = if summary { "summary_index" } else { "content_index" };
    let spot = |number: u64| Spot::event(number).path(key);
    let names = if summary { "response.reasoning_summary_part" } else { "response.content_part" };
    match (part.added_at, part.begun_at) {
        (None, _) => {
            out.weigh(&W136, severity, spot(event), "text of a part that was not added", format!("{names}.added before it"));
        }
        (Some(added), Some(begun)) if begun < added => {
            out.weigh(&W136, severity, spot(begun), "text of a part that is added later", format!("{names}.added before it"));
        }
        _ => {}
    }
    if last.is_over {
        if part.begun_at.is_some() && part.text_done.is_none() {
            out.weigh(&W136, severity, spot(event), "a text that is never done", "its done event with the whole text");
        }
        if part.done.is_none() && part.added_at.is_some() {
            out.weigh(&W136, severity, spot(event), "a part that is never done", format!("{names}.done after its text"));
        }
    }
    if let Some(late) = part.after_done {
        out.add(&W136, spot(late), "text of a part that was done", format!("{names}.done after it"));
    }
    texts(life, part, summary, last, out);
}

/// The part of an item that a streamed part became.
fn told<'i>(item: Option<&'i OutputItem>, part: &StreamedPart, summary: bool) -> Option<&'i Part> {
    let list = item.map(|item| if summary { &item.summary } else { &item.parts })?;
    list.get(usize::try_from(part.index).ok()?)
}

fn texts(life: &Lifecycle, part: &StreamedPart, summary: bool, last: &Last<'_>, out: &mut Findings<'_>) {
    let place = life.id.as_deref().and_then(|id| last.by_id.get(id).copied());
    let end = place.and_then(|place| told(last.output.get(place), part, summary));
    let phases = [
        part.text_done.as_ref().map(|(event, text)| (*event, "the done event", text.as_str())),
        part.done.as_ref().map(|(event, part)| (*event, "the part", part.text.as_str())),
        told(life.done.as_ref(), part, summary).map(|part| (life.done_at.unwrap_or_default(), "the item", part.text.as_str())),
        end.map(|part| (last.event, "the final output", part.text.as_str())),
    ];
    for (event, who, text) in phases.into_iter().flatten().filter(|(.., text)| *text != part.text) {
        let found = format!("{who} says {:?}, the deltas {:?}", bounded(text, 60), bounded(&part.text, 60));
        let path = if who == "the done event" { "text" } else { "" };
        out.add(&W137, Spot::event(event).path(path), found, "one text");
    }
    let parts = life.done.as_ref().map(|item| if summary { item.summary.len() } else { item.parts.len() });
    if parts.is_some_and(|count| usize::try_from(part.index).is_ok_and(|index| index >= count)) && !part.text.is_empty() {
        let found = format!("part {} is not in the item when it is done", part.index);
        out.add(&W137, Spot::event(life.done_at.unwrap_or_default()).path("item"), found, "every part that was streamed");
    }
}

fn arguments(place: usize, life: &Lifecycle, last: &Last<'_>, out: &mut Findings<'_>) {
    let is_call = kind_of(life).is_some_and(ItemKind::is_call);
    if !is_call && life.arguments.is_none() && life.arguments_done.is_none() {
        return;
    }
    if last.is_over && life.arguments_done.is_none() {
        let spot = Spot::event(life.done_at.unwrap_or(life.begun_at)).path("item");
        out.weigh(&W138, Severity::Dialect, spot, "no event with the whole arguments", "response.function_call_arguments.done");
    }
    if let Some((event, _)) =
        life.arguments_done.as_ref().filter(|_| !life.arguments_named && kind_of(life) == Some(ItemKind::FunctionCall))
    {
        out.add(&W141, Spot::event(*event), "the event does not name the function", "\"name\":\"…\"");
    }
    let of_item = |item: Option<&OutputItem>| item.and_then(|item| item.arguments.clone());
    let phases = [
        life.arguments.as_ref().map(|text| (life.begun_at, "the deltas", text.clone())),
        life.arguments_done.as_ref().map(|(event, text)| (*event, "the done event", text.clone())),
        of_item(life.done.as_ref()).map(|text| (life.done_at.unwrap_or_default(), "the item", text)),
        of_item(last.item(place).map(|(_, item)| item)).map(|text| (last.event, "the final output", text)),
    ];
    let mut phases = phases.into_iter().flatten().filter(|(_, who, _)| last.is_over || *who != "the deltas" || life.dones > 0);
    let Some((_, first, expected)) = phases.next() else { return };
    for (event, who, text) in phases.filter(|(.., text)| *text != expected) {
        let found = format!("{who} says {:?}, {first} {:?}", bounded(&text, 60), bounded(&expected, 60));
        out.add(
            &W138,
            Spot::event(event).path(if who == "the done event" { "arguments" } else { "" }),
            found,
            "the same arguments",
        );
    }
}

/// Id, call id and name from the first event to the last.
fn names(place: usize, life: &Lifecycle, last: &Last<'_>, out: &mut Findings<'_>) {
    for (event, id) in &life.renamed {
        let found = format!("{id:?} after {:?}", life.id.as_deref().unwrap_or_default());
        out.add(&W139, Spot::event(*event).path("item_id"), found, "one id for an item");
    }
    let first = life.added.as_ref().or(life.done.as_ref());
    let end = last.item(place).map(|(_, item)| item);
    let Some(first) = first else { return };
    for (event, item) in [(life.done_at, life.done.as_ref()), (Some(last.event), end)] {
        let Some(item) = item else { continue };
        let keys = [("id", &first.id, &item.id), ("call_id", &first.call_id, &item.call_id), ("name", &first.name, &item.name)];
        for (key, then, now) in keys {
            if then.as_ref().is_some_and(|then| !then.is_empty()) && then != now {
                let words = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
                let found = format!("`{key}` is {:?} after {:?}", words(now), words(then));
                out.add(&W139, Spot::event(event.unwrap_or_default()).path(format!("item.{key}")), found, "the same all along");
            }
        }
    }
}

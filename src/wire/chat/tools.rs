//! Fragments of tool calls → whole calls, merged by index.

use super::faults::Faults;
use super::frame::{Fragment, Text};
use super::reply::{FoldFaultKind, ToolCall};

/// Takes the fragments of one delta, or the calls of one whole message.
pub(super) fn merge(calls: &mut Vec<ToolCall>, fragments: Vec<Fragment<'_>>, whole: bool, faults: &mut Faults) {
    for (place, fragment) in fragments.into_iter().enumerate() {
        let at = if whole {
            calls.push(ToolCall { index: fragment.index.unwrap_or_else(|| number(place)), ..ToolCall::default() });
            calls.len() - 1
        } else {
            slot(calls, &fragment, faults)
        };
        fill(&mut calls[at], fragment, whole, faults);
    }
}

/// The call that a fragment belongs to; a new one where it begins one.
fn slot(calls: &mut Vec<ToolCall>, fragment: &Fragment<'_>, faults: &mut Faults) -> usize {
    let id = fragment.id.as_deref().filter(|id| !id.is_empty());
    let same_id = |call: &ToolCall| id.is_some() && call.id.as_deref() == id;
    let Some(index) = fragment.index else {
        faults.add(FoldFaultKind::ToolIndexMissing, "choices[].delta.tool_calls[].index", "a tool call fragment has no index");
        let known = if id.is_some() { calls.iter().rposition(same_id) } else { calls.len().checked_sub(1) };
        return known.unwrap_or_else(|| begin(calls, number(calls.len())));
    };
    let Some(at) = calls.iter().rposition(|call| call.index == index) else { return begin(calls, index) };
    let named = fragment.function.as_ref().or(fragment.custom.as_ref()).is_some_and(|part| part.name.is_some());
    if named && id.is_some() && calls[at].id.is_some() && !same_id(&calls[at]) {
        faults.add(
            FoldFaultKind::ToolIndexReused,
            "choices[].delta.tool_calls[].index",
            format_args!("index {index} is used again for another tool call"),
        );
        return calls.iter().rposition(same_id).unwrap_or_else(|| begin(calls, index));
    }
    at
}

fn begin(calls: &mut Vec<ToolCall>, index: i64) -> usize {
    calls.push(ToolCall { index, ..ToolCall::default() });
    calls.len() - 1
}

fn fill(call: &mut ToolCall, fragment: Fragment<'_>, whole: bool, faults: &mut Faults) {
    let is_head = call.id.is_none() && call.name.is_none() && call.arguments.is_empty();
    let part = fragment.function.or(fragment.custom).unwrap_or_default();
    if is_head && !whole {
        for (path, absent) in [
            ("choices[].delta.tool_calls[].id", fragment.id.as_deref().is_none_or(str::is_empty)),
            ("choices[].delta.tool_calls[].function.name", part.name.as_deref().is_none_or(str::is_empty)),
        ] {
            if absent {
                faults.add(FoldFaultKind::ToolHeadMissing, path, "the first fragment of a tool call lacks its id or name");
            }
        }
    }
    settle(&mut call.id, fragment.id.as_deref(), "choices[].delta.tool_calls[].id", faults);
    settle(&mut call.name, part.name.as_deref(), "choices[].delta.tool_calls[].function.name", faults);
    if call.kind.is_none() {
        call.kind = fragment.kind.map(Text::into_owned);
    }
    if let Some(arguments) = part.arguments.or(part.input) {
        call.pieces += u64::from(!arguments.is_empty());
        call.arguments.push_str(&arguments);
    }
}

/// The first value that is not empty counts; what comes later is named.
fn settle(slot: &mut Option<String>, value: Option<&str>, path: &'static str, faults: &mut Faults) {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return };
    match slot {
        None => *slot = Some(value.to_owned()),
        Some(first) if first == value => {
            faults.add(FoldFaultKind::ToolRepeated, path, "a later fragment repeats it");
        }
        Some(first) => {
            faults.add(FoldFaultKind::ToolChanged, path, format_args!("a later fragment says `{value}` after `{first}`"));
        }
    }
}

fn number(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}

//! One frame's share of one choice → the choice so far.

use serde_json::Value;

use super::faults::Faults;
use super::frame::{Delta, Text};
use super::reply::{Choice, FoldFaultKind};
use super::tools;
use crate::event::ClockRecord;

/// A choice while a frame is taken into it.
pub(super) struct OpenChoice<'a> {
    pub(super) choice: &'a mut Choice,
    pub(super) faults: &'a mut Faults,
    pub(super) clocks: &'a mut ClockRecord,
    /// Arrival of the frame, microseconds; none for a whole body.
    pub(super) now: Option<u64>,
    /// Whether the reply came whole.
    pub(super) whole: bool,
    /// Whether this is the choice's first frame.
    pub(super) fresh: bool,
    /// Whether an error frame came before.
    pub(super) failed_before: bool,
}

impl OpenChoice<'_> {
    /// Takes a delta, or a whole message; returns whether it brought content.
    pub(super) fn delta(&mut self, mut delta: Delta<'_>, finishes: bool) -> bool {
        let role = delta.role.take();
        let calls = delta.tool_calls.take().unwrap_or_default();
        let reasoning = reasoning(&delta, self.faults);
        let content = delta.content.as_deref().is_some_and(|text| !text.is_empty());
        let refusal = delta.refusal.as_deref().is_some_and(|text| !text.is_empty());
        let something = content || refusal || reasoning.is_some() || !calls.is_empty();
        if something && self.choice.finish_reason.is_some() {
            self.faults.add(FoldFaultKind::AfterFinish, "choices[].delta", "more came after the finish reason of its choice");
        }
        if self.failed_before && (something || finishes) {
            self.faults.add(FoldFaultKind::AfterError, "choices[]", "a choice goes on after an error frame");
        }
        self.role(role);
        if let Some((field, text)) = reasoning {
            stamp(&mut self.clocks.first_reasoning_us, self.now);
            self.choice.reasoning_field.get_or_insert(field);
            self.choice.reasoning.get_or_insert_default().push_str(text);
        }
        if content {
            stamp(&mut self.clocks.first_content_us, self.now);
            self.choice.content_pieces += 1;
        }
        append(&mut self.choice.content, delta.content.as_deref());
        append(&mut self.choice.refusal, delta.refusal.as_deref());
        if !calls.is_empty() {
            stamp(&mut self.clocks.first_tool_us, self.now);
            tools::merge(&mut self.choice.tool_calls, calls, self.whole, self.faults);
        }
        content
    }

    fn role(&mut self, role: Option<Text<'_>>) {
        let Some(role) = role.filter(|role| !role.is_empty()) else { return };
        stamp(&mut self.clocks.first_role_us, self.now);
        if self.choice.role.is_some() {
            return self.faults.add(FoldFaultKind::RoleRepeated, "choices[].delta.role", "the role came again");
        }
        if !self.fresh {
            self.faults.add(FoldFaultKind::RoleLate, "choices[].delta.role", "not on the first frame of its choice");
        }
        self.choice.role = Some(role.into_owned());
    }

    /// The first finish reason that is not empty counts.
    pub(super) fn finish_reason(&mut self, reason: Option<Text<'_>>) {
        const PATH: &str = "choices[].finish_reason";
        match (reason, &mut self.choice.finish_reason) {
            (None, _) => {}
            (Some(reason), _) if reason.is_empty() => {
                self.faults.add(FoldFaultKind::FinishEmpty, PATH, "an empty finish reason");
            }
            (Some(reason), slot @ None) => *slot = Some(reason.into_owned()),
            (Some(reason), Some(first)) => {
                self.faults.add(FoldFaultKind::FinishRepeated, PATH, format_args!("`{}` after `{first}`", &*reason));
            }
        }
    }
}

fn stamp(slot: &mut Option<u64>, now: Option<u64>) {
    if slot.is_none() {
        *slot = now;
    }
}

/// The first name with text; null and "" are no reasoning.
fn reasoning<'a>(delta: &'a Delta<'_>, faults: &mut Faults) -> Option<(&'static str, &'a str)> {
    let names = [("reasoning_content", &delta.reasoning_content), ("reasoning", &delta.reasoning), ("thinking", &delta.thinking)];
    let mut found = names.into_iter().filter_map(|(name, text)| Some((name, text.as_deref().filter(|text| !text.is_empty())?)));
    let first = found.next()?;
    if found.any(|(_, text)| text != first.1) {
        faults.add(FoldFaultKind::ReasoningDiffers, "choices[].delta.reasoning", "two reasoning fields with different text");
    }
    Some(first)
}

fn append(slot: &mut Option<String>, text: Option<&str>) {
    if let Some(text) = text {
        slot.get_or_insert_default().push_str(text);
    }
}

/// Joins the lists of log probabilities; other keys: the last one counts.
pub(super) fn join_logprobs(slot: &mut Option<Value>, more: Value) {
    let Some(Value::Object(all)) = slot else {
        *slot = Some(more);
        return;
    };
    let Value::Object(more) = more else { return };
    for (key, value) in more {
        match (all.get_mut(&key), value) {
            (Some(Value::Array(list)), Value::Array(items)) => list.extend(items),
            (Some(_), Value::Null) => {}
            (_, value) => drop(all.insert(key, value)),
        }
    }
}

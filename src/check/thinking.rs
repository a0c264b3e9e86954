//! Claims about reasoning: is it there, is it apart from what is said and called, does it come first?

use super::text::Form;
use super::{Held, Said, broken};
use crate::event::Whose;
use crate::wire::ChatReply;

const KIND: &str = "assert.thinking";

/// Marks of thoughts, turns, channels and calls, in lower case. `think>` stands for the opening, the closing and a rest of either.
const MARKERS: &[&str] = &[
    "think>",
    "thinking>",
    "thought>",
    "[think]",
    "[/think]",
    "<|im_start|>",
    "<|im_end|>",
    "<|channel|>",
    "<|message|>",
    "<|start|>",
    "<|end|>",
    "<|call|>",
    "<|return|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|endoftext|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<|python_tag|>",
    "<tool_call>",
    "</tool_call>",
    "[tool_calls]",
];

/// There is reasoning. **Whose**: capability.
pub fn has(reply: &ChatReply, said: &Said<'_>) -> Held {
    judge(reply, said, Whose::Capability, "the reply has reasoning", said.is_reply() && !thought(reply).trim().is_empty())
}

/// There is a reply without reasoning. **Whose**: capability.
pub fn has_none(reply: &ChatReply, said: &Said<'_>) -> Held {
    let held = said.is_reply() && reply.first().is_some() && thought(reply).trim().is_empty();
    judge(reply, said, Whose::Capability, "the reply has no reasoning", held)
}

/// There is reasoning, and it has a form, or has not. **Whose**: model.
pub fn says(reply: &ChatReply, said: &Said<'_>, form: Form<'_>, wanted: bool) -> Held {
    let thought = thought(reply);
    let held = said.is_reply() && !thought.trim().is_empty() && form.of(thought) == wanted;
    judge(reply, said, Whose::Model, &format!("the reasoning {}", form.words(wanted)), held)
}

/// There is reasoning of at most so many words (runs of characters between white space). **Whose**: capability.
pub fn has_at_most_words(reply: &ChatReply, said: &Said<'_>, bound: u64) -> Held {
    let count = thought(reply).split_whitespace().count() as u64;
    let claim = format!("the reasoning has at most {} (it has {count})", super::counted(bound, "word"));
    judge(reply, said, Whose::Capability, &claim, said.is_reply() && (1..=bound).contains(&count))
}

/// No marker is left anywhere in a reply that holds something. **Whose**: wire.
pub fn no_marker(reply: &ChatReply, said: &Said<'_>) -> Held {
    let parts = parts(reply);
    let found = parts.iter().find_map(|(place, text)| Some((place, marker_in(text)?, text)));
    let held = said.is_reply() && found.is_none() && parts.iter().any(|(_, text)| !text.trim().is_empty());
    match found {
        Some((place, marker, text)) if said.is_reply() => {
            let message = format!("no marker is left in the reply (`{marker}` is in {place})");
            broken(KIND, Whose::Wire, message, "a reply without markers", format!("{place}: {text}"))
        }
        _ => judge(reply, said, Whose::Wire, "no marker is left in the reply", held),
    }
}

/// There is reasoning, and the text does not begin with it. **Whose**: wire.
pub fn not_repeated(reply: &ChatReply, said: &Said<'_>) -> Held {
    let thought = thought(reply).trim();
    let held = said.is_reply() && !thought.is_empty() && !said.text.trim_start().starts_with(thought);
    judge(reply, said, Whose::Wire, "the reply does not repeat the reasoning", held)
}

/// Streamed reasoning began before any text and any call. **Whose**: wire.
pub fn comes_first(reply: &ChatReply, said: &Said<'_>) -> Held {
    let clocks = &reply.clocks;
    let answer = [clocks.first_content_us, clocks.first_tool_us].into_iter().flatten().min();
    let first = clocks.first_reasoning_us.is_some_and(|thought| answer.is_none_or(|answer| thought <= answer));
    let claim = "the reasoning comes before the answer";
    if said.is_reply() && first && reply.streamed {
        return Ok(());
    }
    let shown = |at: Option<u64>| at.map_or_else(|| "never".to_owned(), |us| format!("after {us} µs"));
    let actual = match &said.instead {
        Some(instead) => instead.clone(),
        None if !reply.streamed => "the reply is not a stream".to_owned(),
        None => format!("reasoning {}, answer {}", shown(clocks.first_reasoning_us), shown(answer)),
    };
    broken(KIND, Whose::Wire, claim, "a stream whose first piece is reasoning", actual)
}

/// `reasoning_tokens`, where they are told, are at most all of the reply's. **Whose**: wire.
pub fn counted(reply: &ChatReply, said: &Said<'_>) -> Held {
    let usage = reply.usage.as_ref();
    let thought = usage.and_then(|usage| usage.raw.pointer("/completion_tokens_details/reasoning_tokens")?.as_u64());
    let held = usage.and_then(|usage| usage.completion).is_some_and(|all| thought.is_none_or(|thought| thought <= all));
    if said.is_reply() && held {
        return Ok(());
    }
    let actual = said.instead.clone().or_else(|| usage.map(|usage| format!("usage {}", usage.raw)));
    let claim = "the reasoning tokens are part of the completion tokens";
    broken(KIND, Whose::Wire, claim, "reasoning tokens within the completion tokens", actual.unwrap_or("no usage".to_owned()))
}

fn thought(reply: &ChatReply) -> &str {
    reply.first().and_then(|choice| choice.reasoning.as_deref()).unwrap_or_default()
}

/// All texts of a reply with their places; those of a second choice say so.
fn parts(reply: &ChatReply) -> Vec<(String, &str)> {
    let mut parts = Vec::new();
    for choice in &reply.choices {
        let of = if choice.index == 0 { String::new() } else { format!("choices[{}].", choice.index) };
        let mut add = |place: &str, text| parts.push((format!("{of}{place}"), text));
        add("content", choice.content.as_deref().unwrap_or_default());
        add(choice.reasoning_field.unwrap_or("reasoning"), choice.reasoning.as_deref().unwrap_or_default());
        add("refusal", choice.refusal.as_deref().unwrap_or_default());
        for (at, call) in choice.tool_calls.iter().enumerate() {
            add(&format!("tool_calls[{at}].function.name"), call.name.as_deref().unwrap_or_default());
            add(&format!("tool_calls[{at}].function.arguments"), &call.arguments);
        }
    }
    parts
}

fn marker_in(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    MARKERS.iter().copied().find(|marker| text.contains(marker))
}

fn judge(reply: &ChatReply, said: &Said<'_>, whose: Whose, claim: &str, held: bool) -> Held {
    if held {
        return Ok(());
    }
    let actual = match (&said.instead, thought(reply)) {
        (Some(instead), _) => instead.clone(),
        (None, "") => format!("no reasoning; the reply: {}", said.shown()),
        (None, thought) => format!("reasoning: {}; the reply: {}", thought.trim(), said.shown()),
    };
    broken(KIND, said.whose(whose), claim, claim, actual)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{exchange, finish, piece, stream, whole};
    use super::*;
    use crate::wire::{Exchange, fold_chat};

    /// A choice of a whole reply with these members of its message.
    fn of(members: &str) -> Exchange {
        let choice = format!(r#"{{"index":0,"message":{{"role":"assistant",{members}}},"finish_reason":"stop"}}"#);
        exchange(200, &whole(&choice, ""))
    }

    fn thinks(text: &str) -> String {
        piece("").replace(r#""content":"""#, &format!(r#""reasoning_content":"{text}""#))
    }

    /// has, has none, mentions "capital", does not mention it, no marker, not repeated, comes first
    #[track_caller]
    fn check(exchange: &Exchange, expect: [bool; 7]) {
        let reply = fold_chat(exchange);
        let said = Said::of(&reply, exchange);
        let mentions = |wanted| says(&reply, &said, Form::Mentions("capital"), wanted);
        let seen = [
            has(&reply, &said),
            has_none(&reply, &said),
            mentions(true),
            mentions(false),
            no_marker(&reply, &said),
            not_repeated(&reply, &said),
            comes_first(&reply, &said),
        ];
        assert_eq!(seen.map(|held| held.is_ok()), expect, "{}", String::from_utf8_lossy(&exchange.body));
    }

    #[test]
    fn both_directions() {
        let (yes, no) = (true, false);
        check(&of(r#""content":"Paris""#), [no, yes, no, no, yes, no, no]);
        for field in ["reasoning_content", "reasoning", "thinking"] {
            check(&of(&format!(r#""content":"Paris","{field}":"Which capital?""#)), [yes, no, yes, no, yes, yes, no]);
        }
        check(&of(r#""content":"Paris","reasoning":"Hm.""#), [yes, no, no, yes, yes, yes, no]);
        check(&of(r#""content":"Hm. Paris","reasoning":"Hm.\n""#), [yes, no, no, yes, yes, no, no]);
        check(&of(r#""content":null,"reasoning":null"#), [no, yes, no, no, no, no, no]);
        check(&exchange(500, r#"{"error":{"message":"m"}}"#), [no; 7]);
        let apart = stream(&[&thinks("A cap"), &thinks("ital."), &piece("Paris"), &finish("stop")]);
        check(&apart, [yes, no, yes, no, yes, yes, yes]);
        let late = stream(&[&piece("Paris"), &thinks("A capital."), &finish("stop")]);
        check(&late, [yes, no, yes, no, yes, yes, no]);
        let split = stream(&[&thinks("A capital."), &piece("</th"), &piece("ink>Paris"), &finish("stop")]);
        check(&split, [yes, no, yes, no, no, yes, yes]);
    }

    #[track_caller]
    fn check_words(members: &str, bound: u64, expect: bool) {
        let exchange = of(members);
        let reply = fold_chat(&exchange);
        let held = has_at_most_words(&reply, &Said::of(&reply, &exchange), bound);
        assert_eq!(held.is_ok(), expect, "{held:?}");
    }

    #[test]
    fn words_of_a_thought_are_counted() {
        check_words(r#""content":"a b c","reasoning":"one\ntwo""#, 2, true);
        check_words(r#""content":"a","reasoning":"one\ntwo""#, 1, false);
        check_words(r#""content":"a""#, 1, false);
    }

    #[track_caller]
    fn check_marker(members: &str, place: &str) {
        let exchange = of(members);
        let reply = fold_chat(&exchange);
        let error = no_marker(&reply, &Said::of(&reply, &exchange)).unwrap_err();
        assert!(error.message.contains(place), "{}", error.message);
    }

    #[test]
    fn a_marker_is_told_with_its_place() {
        check_marker(r#""content":"<THINK>hm""#, "(`think>` is in content)");
        check_marker(r#""content":"a","reasoning":"think>\nhm""#, "(`think>` is in reasoning)");
        check_marker(r#""content":"a","reasoning_content":"<tool_call>""#, "is in reasoning_content)");
        let call = |name: &str, arguments: &str| {
            let function = format!(r#"{{"name":"{name}","arguments":"{arguments}"}}"#);
            format!(r#""content":null,"tool_calls":[{{"id":"a","type":"function","function":{function}}}]"#)
        };
        check_marker(&call("f<|channel|>commentary", "{}"), "tool_calls[0].function.name)");
        check_marker(&call("f", "{}</think>"), "tool_calls[0].function.arguments)");
        let second = r#"{"index":1,"message":{"role":"assistant","content":"b<|im_end|>"},"finish_reason":"stop"}"#;
        let first = r#"{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}"#;
        let exchange = exchange(200, &whole(&format!("{first},{second}"), ""));
        let reply = fold_chat(&exchange);
        let error = no_marker(&reply, &Said::of(&reply, &exchange)).unwrap_err();
        assert!(error.message.contains("is in choices[1].content)"), "{}", error.message);
    }

    #[track_caller]
    fn check_counted(usage: &str, expect: bool) {
        let choice = r#"{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}"#;
        let exchange = exchange(200, &whole(choice, usage));
        let reply = fold_chat(&exchange);
        assert_eq!(counted(&reply, &Said::of(&reply, &exchange)).is_ok(), expect, "{usage}");
    }

    #[test]
    fn reasoning_tokens_are_a_part() {
        let usage = |details: &str| format!(r#","usage":{{"prompt_tokens":1,"completion_tokens":8,"total_tokens":9{details}}}"#);
        check_counted(&usage(""), true);
        check_counted(&usage(r#","completion_tokens_details":{"reasoning_tokens":8}"#), true);
        check_counted(&usage(r#","completion_tokens_details":{"reasoning_tokens":9}"#), false);
        check_counted("", false);
    }
}

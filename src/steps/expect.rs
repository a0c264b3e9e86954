//! Which sentence an item of a case's `expect:` stands for: the table [`EXPECT`].

use crate::plan::ExpectForm;
use crate::plan::ExpectValue::{Duration, Entries, Flag, Int, Ints, Members, Names, Schema, Text, Word};

macro_rules! forms {
    ($($path:literal $value:expr => $sentence:literal, $doc:literal;)*) => {
        &[$(ExpectForm { path: $path, value: $value, sentence: $sentence, doc: $doc },)*]
    };
}

/// All forms. **Order**: rows of one path stand together; the first whose kind takes the value is used.
pub const EXPECT: &[ExpectForm] = forms! {
    "reply.mentions" Text => "the reply mentions {}", "the reply has these words, ignoring case and runs of white space";
    "reply.not_mentions" Text => "the reply does not mention {}", "the reply does not have these words";
    "reply.contains" Text => "the reply contains {}", "the reply has exactly these characters";
    "reply.not_contains" Text => "the reply does not contain {}", "the reply does not have these characters";
    "reply.is" Text => "the reply is {}", "the reply is this and nothing else";
    "reply.is_not" Text => "the reply is not {}", "the reply is something else";
    "reply.matches" Text => "the reply matches {}", "a regular expression matches in the reply";
    "reply.not_matches" Text => "the reply does not match {}", "a regular expression does not match in the reply";
    "reply.starts_with" Text => "the reply starts with {}", "the reply begins so";
    "reply.ends_with" Text => "the reply ends with {}", "the reply ends so";
    "reply.empty" Flag(true) => "the reply is empty", "there is no text in the reply";
    "reply.empty" Flag(false) => "the reply is not empty", "there is text in the reply";
    "reply.json" Flag(true) => "the reply is JSON", "the whole reply is JSON";
    "reply.json" Flag(false) => "the reply is not JSON", "the reply is not JSON";
    "reply.words.at_least" Int => "the reply has at least {} words", "the reply has so many words or more";
    "reply.words.at_most" Int => "the reply has at most {} words", "the reply has so many words or fewer";
    "reply.schema" Schema => "the reply fits the schema:", "the reply is JSON and fits a JSON Schema";
    "reply.fits" Flag(true) => "the reply fits its schema", "the reply fits the schema of the case's `given`";
    "reply.refusal" Flag(true) => "the reply is a refusal", "the model refused to answer";
    "reply.refusal" Flag(false) => "the reply is not a refusal", "the model did not refuse";
    "reply.path" Entries => "the reply's {} is {}", "values at places of the reply's JSON";
    "reasoning" Flag(true) => "the reply has reasoning", "there is reasoning, under any of its names";
    "reasoning" Flag(false) => "the reply has no reasoning", "there is a reply without reasoning";
    "reasoning.mentions" Text => "the reasoning mentions {}", "the reasoning has these words, ignoring case and runs of white space";
    "reasoning.not_mentions" Text => "the reasoning does not mention {}", "the reasoning does not have these words";
    "reasoning.matches" Text => "the reasoning matches {}", "a regular expression matches in the reasoning";
    "reasoning.words.at_most" Int => "the reasoning has at most {} words", "the reasoning has so many words or fewer";
    "reasoning.first" Flag(true) => "the reasoning comes before the answer", "the streamed reasoning began before text and calls";
    "reasoning.repeated" Flag(false) => "the reply does not repeat the reasoning", "the text does not begin with the reasoning";
    "markers" Flag(false) => "no marker is left in the reply", "no `</think>`, `<|im_end|>` or `<tool_call>` is left anywhere";
    "response.path" Entries => "the response's {} is {}", "values at places of the HTTP body";
    "response.schema" Schema => "the response fits the schema:", "the HTTP body fits a JSON Schema";
    "finish" Text => "the finish reason is {}", "why the model stopped";
    "finish" Names => "the finish reason is one of {}", "why the model stopped, one of several";
    "status" Int => "the status is {}", "the HTTP status";
    "status" Ints => "the status is one of {}", "the HTTP status, one of several";
    "usage.adds_up" Flag(true) => "the usage adds up", "total tokens are the sum of prompt and completion tokens";
    "usage.missing" Flag(true) => "the usage is missing", "the reply has no usage";
    "usage.prompt_tokens.is" Int => "the prompt tokens are {}", "tokens of the prompt";
    "usage.prompt_tokens.at_least" Int => "the prompt tokens are at least {}", "tokens of the prompt, or more";
    "usage.prompt_tokens.at_most" Int => "the prompt tokens are at most {}", "tokens of the prompt, or fewer";
    "usage.completion_tokens.is" Int => "the completion tokens are {}", "tokens of the reply";
    "usage.completion_tokens.at_least" Int => "the completion tokens are at least {}", "tokens of the reply, or more";
    "usage.completion_tokens.at_most" Int => "the completion tokens are at most {}", "tokens of the reply, or fewer";
    "choices" Int => "the reply has {} choices", "how many choices came";
    "error.mentions" Text => "the error message mentions {}", "the error's message has this text, ignoring case";
    "error.type" Text => "the error type is {}", "the error's type";
    "pieces.at_least" Int => "the reply came in at least {} pieces", "the reply was streamed in so many pieces or more";
    "time.total" Duration => "the reply ends within {}", "the reply is complete within this time";
    "time.first_token" Duration => "the first token comes within {}", "the first token comes within this time";
    "time.first_byte" Duration => "the first byte comes within {}", "the first byte comes within this time";
    "time.first_role" Duration => "the first role comes within {}", "the first role comes within this time";
    "time.first_thought" Duration => "the first thought comes within {}", "the first reasoning comes within this time";
    "time.first_text" Duration => "the first text comes within {}", "the first text comes within this time";
    "time.first_call" Duration => "the first tool call comes within {}", "the first piece of a tool call comes within this time";
    "calls" Word => "the reply calls {}", "the reply calls this tool";
    "calls" Flag(false) => "the reply calls no tool", "there is a reply without tool calls";
    "calls_not" Word => "the reply does not call {}", "the reply does not call this tool";
    "calls_with" Members => "the reply calls {} with {}", "tools with exactly these arguments";
    "calls_fit" Flag(true) => "every tool call fits its schema", "every call is of an offered tool, and its arguments fit";
    "calls_in_order" Names => "the calls in order are {}", "all calls of the conversation, by tool";
    "call_count" Int => "the reply has {} tool calls", "how many tool calls the reply has";
    "rounds" Int => "the tools were run in {} rounds", "how often tool calls were answered";
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Found;
    use crate::steps::catalogue;

    #[test]
    fn every_form_is_a_sentence_of_the_catalogue() {
        let catalogue = catalogue();
        for form in EXPECT {
            let value = match form.value {
                Text => "\"a\"",
                Word | Names => "a",
                Int => "1",
                Ints => "1, 2",
                Duration => "5s",
                Flag(_) | Schema | Entries | Members => "",
                other => panic!("{}: {other:?} is not used here", form.path),
            };
            let sentence = match form.value {
                Entries => form.sentence.replacen("{}", "\"a\"", 1).replacen("{}", "{\"b\": 1}", 1),
                Members => form.sentence.replacen("{}", "a", 1).replacen("{}", "{\"b\": 1}", 1),
                _ => form.sentence.replacen("{}", value, 1),
            };
            let Found::One(id, _) = catalogue.find(&sentence) else { panic!("{}: no one sentence says {sentence}", form.path) };
            assert_eq!(catalogue.def(id).kind, crate::plan::StepUse::Then, "{}", form.path);
            assert_eq!(form.value == Schema, sentence.ends_with(':'), "{}", form.path);
        }
    }
}

//! What the model said, or what came in its place: [`Said`].

use crate::event::Whose;
use crate::wire::{ChatReply, Choice, End, Exchange, text_of};

/// The text of a reply as claims look at it.
#[derive(Debug, Clone, Default)]
pub struct Said<'a> {
    /// Text of the first choice; empty where there is none.
    pub text: &'a str,
    /// What came in place of a reply: `the server answered 500: out of memory`.
    pub instead: Option<String>,
    /// Why there is no text, where that is known: `the reply calls get_weather`.
    pub note: Option<String>,
}

/// Most characters of a body that is shown in place of a reply.
const BODY_SHOWN: usize = 300;

impl<'a> Said<'a> {
    /// The text of a chat reply, or what came in its place.
    pub fn of(reply: &'a ChatReply, exchange: &Exchange) -> Self {
        Self { text: reply.text(), instead: instead(reply, exchange), note: reply.first().and_then(note) }
    }

    /// A reply that is just this text.
    pub fn plain(text: &'a str) -> Self {
        Self { text, instead: None, note: None }
    }

    /// Whether the model answered at all.
    pub fn is_reply(&self) -> bool {
        self.instead.is_none()
    }

    /// Whose fault a false claim is: an error in place of a reply is not the model's.
    pub fn whose(&self, of_the_reply: Whose) -> Whose {
        if self.is_reply() { of_the_reply } else { Whose::Capability }
    }

    /// For people: the text, or what there is instead.
    pub fn shown(&self) -> String {
        match (&self.instead, &self.note) {
            (Some(instead), _) if self.text.is_empty() => instead.clone(),
            (Some(instead), _) => format!("{instead}; text until then: {}", self.text),
            (None, Some(note)) if self.text.trim().is_empty() => format!("(no text: {note})"),
            (None, _) if self.text.is_empty() => "(an empty reply)".to_owned(),
            (None, _) if self.text.trim().is_empty() => format!("(white space only: {:?})", self.text),
            (None, _) => self.text.to_owned(),
        }
    }
}

/// What the server answered if it is no reply.
fn instead(reply: &ChatReply, exchange: &Exchange) -> Option<String> {
    if let Some(error) = &reply.error {
        let message = if error.message.is_empty() { "(no message)" } else { &error.message };
        return Some(match exchange.status {
            Some(status) if status >= 400 => format!("the server answered {status}: {message}"),
            Some(status) if reply.streamed => format!("the server answered {status} and sent an error in the stream: {message}"),
            Some(status) => format!("the server answered {status} with an error in the body: {message}"),
            None => format!("the server answered: {message}"),
        });
    }
    if let End::Failed(error) = &exchange.end {
        return Some(format!("the reply did not end: {}", error.message));
    }
    if reply.choices.is_empty() && exchange.end != End::HungUp {
        let status = exchange.status.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
        let body = text_of(&exchange.body);
        let shown: String = body.chars().take(BODY_SHOWN).collect();
        let shown = if shown.trim().is_empty() { "an empty body".to_owned() } else { shown };
        return Some(format!("the server answered {status} without any choice: {shown}"));
    }
    None
}

/// Why a choice may have no text.
fn note(choice: &Choice) -> Option<String> {
    if let Some(refusal) = choice.refusal.as_deref().filter(|refusal| !refusal.is_empty()) {
        return Some(format!("the model refused: {refusal}"));
    }
    let calls: Vec<&str> = choice.tool_calls.iter().map(|call| call.name.as_deref().unwrap_or("(no name)")).collect();
    if !calls.is_empty() {
        return Some(format!("the reply calls {}", calls.join(", ")));
    }
    let reasoning = choice.reasoning.as_deref().filter(|reasoning| !reasoning.is_empty())?;
    let finish = choice.finish_reason.as_deref().unwrap_or("none");
    Some(format!("{} characters of reasoning and no answer, finish reason {finish}", reasoning.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{exchange, stream};
    use super::*;
    use crate::wire::fold_chat;

    #[track_caller]
    fn check(exchange: &Exchange, text: &str, shown: &str) {
        let reply = fold_chat(exchange);
        let said = Said::of(&reply, exchange);
        assert_eq!((said.text, said.shown().as_str()), (text, shown));
    }

    #[test]
    fn what_came_in_place_of_a_reply_is_told() {
        check(
            &exchange(
                200,
                r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"Paris"},"finish_reason":"stop"}]}"#,
            ),
            "Paris",
            "Paris",
        );
        check(&exchange(500, r#"{"error":{"message":"no memory"}}"#), "", "the server answered 500: no memory");
        check(
            &exchange(200, r#"{"error":{"message":"no memory"}}"#),
            "",
            "the server answered 200 with an error in the body: no memory",
        );
        check(&exchange(200, "{}"), "", "the server answered 200 without any choice: {}");
        check(&exchange(200, ""), "", "the server answered 200 without any choice: an empty body");
        let call = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"get_time","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#;
        check(&exchange(200, call), "", "(no text: the reply calls get_time)");
        let cut = stream(&[
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"Pa"}}]}"#,
            r#"{"error":{"message":"gone"}}"#,
        ]);
        check(&cut, "Pa", "the server answered 200 and sent an error in the stream: gone; text until then: Pa");
    }
}

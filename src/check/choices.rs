//! Claims about the choices of a reply.

use super::{Held, Said, broken, counted};
use crate::event::Whose;
use crate::wire::ChatReply;

const KIND: &str = "assert.choices";

/// The reply has so many choices. **Whose**: capability, `n` was ignored.
pub fn count(reply: &ChatReply, said: &Said<'_>, wanted: u64) -> Held {
    let count = reply.choices.len() as u64;
    if said.is_reply() && count == wanted {
        return Ok(());
    }
    let wanted = counted(wanted, "choice");
    broken(KIND, Whose::Capability, format!("the reply has {wanted}"), wanted, shown(said, || counted(count, "choice")))
}

/// There are choices, and each has text, a tool call or a refusal.
pub fn every_not_empty(reply: &ChatReply, said: &Said<'_>) -> Held {
    let empty: Vec<String> = reply
        .choices
        .iter()
        .filter(|choice| {
            let text = choice.content.as_deref().unwrap_or("").trim();
            text.is_empty() && choice.tool_calls.is_empty() && choice.refusal.as_deref().unwrap_or("").is_empty()
        })
        .map(|choice| choice.index.to_string())
        .collect();
    if said.is_reply() && !reply.choices.is_empty() && empty.is_empty() {
        return Ok(());
    }
    let actual = shown(said, || format!("nothing in choice {}", empty.join(", ")));
    broken(KIND, said.whose(Whose::Model), "every choice is not empty", "text in every choice", actual)
}

/// The choices carry the indexes 0, 1, 2, … each once.
pub fn numbered(reply: &ChatReply, said: &Said<'_>) -> Held {
    let indexes: Vec<i64> = reply.choices.iter().map(|choice| choice.index).collect();
    if said.is_reply() && !indexes.is_empty() && indexes.iter().copied().eq((0..).take(indexes.len())) {
        return Ok(());
    }
    let listed = indexes.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let actual = shown(said, || format!("the indexes {listed}"));
    broken(KIND, Whose::Wire, "the choices are numbered from 0", "the indexes 0, 1, 2, … each once", actual)
}

fn shown(said: &Said<'_>, reply: impl FnOnce() -> String) -> String {
    said.instead.clone().unwrap_or_else(reply)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{choice, exchange, whole};
    use super::*;
    use crate::wire::fold_chat;

    #[track_caller]
    fn check(choices: &str, two: bool, not_empty: bool, in_order: bool) {
        let exchange = exchange(200, &whole(choices, ""));
        let reply = fold_chat(&exchange);
        let said = Said::of(&reply, &exchange);
        let seen = (count(&reply, &said, 2).is_ok(), every_not_empty(&reply, &said).is_ok(), numbered(&reply, &said).is_ok());
        assert_eq!(seen, (two, not_empty, in_order), "{choices}");
    }

    #[test]
    fn both_directions() {
        check(&format!("{},{}", choice(0, "a", "stop"), choice(1, "b", "stop")), true, true, true);
        check(&choice(0, "a", "stop"), false, true, true);
        check(&format!("{},{}", choice(0, "a", "stop"), choice(1, "", "stop")), true, false, true);
        check(&format!("{},{}", choice(1, "a", "stop"), choice(2, "b", "stop")), true, true, false);
        check("", false, false, false);
    }
}

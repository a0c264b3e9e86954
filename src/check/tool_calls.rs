//! Claims about the tools a reply calls.

use super::{Held, Said, broken};
use crate::event::Whose;
use crate::wire::ChatReply;

const KIND: &str = "assert.tool";

/// The reply calls this tool, maybe among others.
pub fn calls(reply: &ChatReply, said: &Said<'_>, name: &str) -> Held {
    if said.is_reply() && reply.tool_calls().iter().any(|call| call.name.as_deref() == Some(name)) {
        return Ok(());
    }
    broken(KIND, said.whose(Whose::Model), format!("the reply calls {name}"), format!("a call of {name}"), shown(reply, said))
}

/// There is a reply, and it calls no tool.
pub fn calls_none(reply: &ChatReply, said: &Said<'_>) -> Held {
    if said.is_reply() && reply.tool_calls().is_empty() {
        return Ok(());
    }
    broken(KIND, said.whose(Whose::Model), "the reply calls no tool", "no tool call", shown(reply, said))
}

fn shown(reply: &ChatReply, said: &Said<'_>) -> String {
    let calls: Vec<String> = reply
        .tool_calls()
        .iter()
        .map(|call| format!("{}({})", call.name.as_deref().unwrap_or("(no name)"), call.arguments))
        .collect();
    match &said.instead {
        Some(instead) => instead.clone(),
        None if calls.is_empty() => format!("no tool call; the reply is: {}", said.shown()),
        None => format!("calls: {}", calls.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{choice, exchange, whole};
    use super::*;
    use crate::wire::fold_chat;

    #[track_caller]
    fn check(body: &str, called: bool, none: bool) {
        let exchange = exchange(200, body);
        let reply = fold_chat(&exchange);
        let said = Said::of(&reply, &exchange);
        assert_eq!((calls(&reply, &said, "get_time").is_ok(), calls_none(&reply, &said).is_ok()), (called, none), "{body}");
    }

    #[test]
    fn both_directions() {
        let call = |name: &str| {
            whole(
                &format!(
                    r#"{{"index":0,"message":{{"role":"assistant","content":null,"tool_calls":[{{"id":"c","type":"function","function":{{"name":"{name}","arguments":"{{}}"}}}}]}},"finish_reason":"tool_calls"}}"#
                ),
                "",
            )
        };
        check(&call("get_time"), true, false);
        check(&call("get_weather"), false, false);
        check(&whole(&choice(0, "noon", "stop"), ""), false, true);
        check("{}", false, false);
    }
}

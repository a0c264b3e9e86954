//! Claims about what only a response of the Responses API has: its status, its items, its events.

use super::{Held, Said, broken};
use crate::event::Whose;
use crate::wire::ResponsesReply;

const KIND: &str = "assert.response";

/// The status of the response is this one.
pub fn status_is(reply: Option<&ResponsesReply>, said: &Said<'_>, wanted: &str) -> Held {
    let status = reply.and_then(ResponsesReply::response_status);
    if status == Some(wanted) {
        return Ok(());
    }
    let actual = match (reply, status) {
        (None, _) => no_response(said),
        (Some(_), Some(status)) => format!("the status \"{status}\", after: {}", said.shown()),
        (Some(_), None) => format!("no status: {}", said.shown()),
    };
    broken(KIND, Whose::Capability, format!("the response status is \"{wanted}\""), format!("the status \"{wanted}\""), actual)
}

/// The response is incomplete, for this reason.
pub fn incomplete_because(reply: Option<&ResponsesReply>, said: &Said<'_>, wanted: &str) -> Held {
    let response = reply.and_then(|reply| reply.response.as_ref());
    let told = response.map(|response| (response.status.as_deref().unwrap_or("none"), response.incomplete.as_deref()));
    if told == Some(("incomplete", Some(wanted))) {
        return Ok(());
    }
    let actual = match told {
        None => no_response(said),
        Some((status, reason)) => format!("the status \"{status}\", the reason \"{}\"", reason.unwrap_or("none")),
    };
    let expected = format!("the status \"incomplete\", the reason \"{wanted}\"");
    broken(KIND, Whose::Capability, format!("the response is incomplete because of \"{wanted}\""), expected, actual)
}

/// The items of the output are of these types, in this order, and there are no others.
pub fn items_are(reply: Option<&ResponsesReply>, said: &Said<'_>, wanted: &[String]) -> Held {
    let types = reply.map(|reply| {
        reply.output.iter().map(|item| item.type_name.as_deref().unwrap_or("(no type)").to_owned()).collect::<Vec<_>>()
    });
    if types.as_deref() == Some(wanted) && said.is_reply() {
        return Ok(());
    }
    let actual = match types {
        Some(types) if said.is_reply() && !types.is_empty() => types.join(", "),
        _ => no_response(said),
    };
    let expected = wanted.join(", ");
    broken(KIND, Whose::Capability, format!("the output items are {expected}"), expected, actual)
}

/// Events of these types came in this order; others may stand between them.
pub fn events_in_order(reply: Option<&ResponsesReply>, types: &[&str], said: &Said<'_>, wanted: &[String]) -> Held {
    let mut rest = types.iter();
    let missing = wanted.iter().find(|wanted| !rest.any(|known| known == wanted));
    let streamed = reply.is_some_and(|reply| reply.streamed);
    let Some(missing) = missing.map(String::as_str).or((!streamed).then_some("a stream")) else { return Ok(()) };
    let mut shown: Vec<&str> = types.to_vec();
    shown.dedup();
    let actual = if streamed { shown.join(", ") } else { format!("no stream of events: {}", no_response(said)) };
    broken(KIND, Whose::Wire, format!("the events come in order: {missing} is missing, or too early"), wanted.join(", "), actual)
}

/// This response is the one before: its id, its status, its text and its calls.
pub fn is_the_same(before: Option<&ResponsesReply>, now: Option<&ResponsesReply>, said: &Said<'_>) -> Held {
    let told = |reply: &ResponsesReply| {
        let response = reply.response.as_ref();
        let id = response.and_then(|response| response.id.clone()).unwrap_or_else(|| "no id".to_owned());
        let calls = reply
            .calls()
            .map(|call| format!(" {}({})", call.name.as_deref().unwrap_or("?"), call.arguments.as_deref().unwrap_or("")));
        format!("{id}, {}: {}{}", reply.response_status().unwrap_or("no status"), reply.text(), calls.collect::<String>())
    };
    let (before, now) = (before.map(told), now.filter(|_| said.is_reply()).map(told));
    if before.is_some() && before == now {
        return Ok(());
    }
    let expected = before.unwrap_or_else(|| "a response before this one".to_owned());
    broken(KIND, Whose::Capability, "the response is the one before", expected, now.unwrap_or_else(|| no_response(said)))
}

fn no_response(said: &Said<'_>) -> String {
    format!("no response of the Responses API: {}", said.shown())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::sample::exchange;
    use crate::wire::{Exchange, Reading, Request};

    fn response(status: &str, details: &serde_json::Value, output: &serde_json::Value) -> Exchange {
        let body = json!({"id": "r", "object": "response", "status": status, "incomplete_details": details, "output": output});
        asked(exchange(200, &body.to_string()))
    }

    fn asked(exchange: Exchange) -> Exchange {
        Exchange { request: Request::post_json("/v1/responses", &json!({"input": "Hi"})), url: String::new(), ..exchange }
    }

    #[track_caller]
    fn check(exchange: &Exchange, claim: impl Fn(Option<&ResponsesReply>, &Said<'_>) -> Held, expect: Result<(), &str>) {
        let reading = Reading::of(exchange);
        let reply = reading.reply();
        let held = claim(reading.responses(), &Said::of(&reply, exchange));
        match (held, expect) {
            (Ok(()), Ok(())) => {}
            (Err(mismatch), Err(actual)) => assert_eq!(mismatch.actual.as_deref(), Some(actual)),
            (held, _) => panic!("{held:?}"),
        }
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn paris() -> serde_json::Value {
        json!([{"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "Paris"}]}])
    }

    #[test]
    fn status_and_reason() {
        let whole = response("completed", &json!(null), &paris());
        check(&whole, |reply, said| status_is(reply, said, "completed"), Ok(()));
        check(&whole, |reply, said| status_is(reply, said, "failed"), Err("the status \"completed\", after: Paris"));
        let because = |reply: Option<&ResponsesReply>, said: &Said<'_>| incomplete_because(reply, said, "max_output_tokens");
        check(&whole, because, Err("the status \"completed\", the reason \"none\""));
        let cut = response("incomplete", &json!({"reason": "max_output_tokens"}), &paris());
        check(&cut, because, Ok(()));
        let refused = asked(exchange(400, r#"{"error":{"message":"no"}}"#));
        check(&refused, |reply, said| status_is(reply, said, "completed"), Err("no status: the server answered 400: no"));
        let chat = exchange(200, "{}");
        check(&chat, because, Err("no response of the Responses API: the server answered 200 without any choice: {}"));
    }

    #[test]
    fn items_in_order() {
        let whole = response("completed", &json!(null), &paris());
        check(&whole, |reply, said| items_are(reply, said, &names(&["message"])), Ok(()));
        check(&whole, |reply, said| items_are(reply, said, &names(&["reasoning", "message"])), Err("message"));
    }

    #[test]
    fn events_in_their_order() {
        let streamed = ResponsesReply { streamed: true, ..ResponsesReply::default() };
        let said = Said::plain("Paris");
        let types = ["response.created", "response.in_progress", "response.completed"];
        let held = |wanted: &[&str]| events_in_order(Some(&streamed), &types, &said, &names(wanted)).is_ok();
        assert!(held(&["response.created", "response.completed"]));
        assert!(!held(&["response.completed", "response.created"]));
        assert!(!held(&["response.created", "response.failed"]));
        assert!(events_in_order(None, &[], &said, &[]).is_err(), "nothing proves nothing");
    }

    #[test]
    fn the_same_response() {
        let (whole, other) = (response("completed", &json!(null), &paris()), response("completed", &json!(null), &json!([])));
        let before = Reading::of(&whole).responses().cloned();
        check(&whole, |reply, said| is_the_same(before.as_ref(), reply, said), Ok(()));
        check(&other, |reply, said| is_the_same(before.as_ref(), reply, said), Err("r, completed: "));
        check(&whole, |reply, said| is_the_same(None, reply, said), Err("r, completed: Paris"));
    }
}

//! Claims about the tools a reply calls, and the verdict of every call: [`Verdict`].
//!
//! A call is held to the tools that its own request offered, read from the bytes that were sent.

use serde_json::{Map, Value};

use super::json_path::{Path, Subject, equal};
use super::{Held, Said, broken, counted};
use crate::event::Whose;
use crate::schema::{Fault, Schema};
use crate::wire::{ChatReply, Exchange, ToolCall};

const KIND: &str = "assert.tool";

/// The tools that a request offered.
#[derive(Debug, Default)]
pub struct Offered {
    tools: Vec<(String, Option<Value>)>,
}

/// What one call is worth: the four ways in which it is none, or its arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Not a call: it names no function.
    NotACall(String),
    /// A tool that was not offered.
    WrongTool(String),
    /// The arguments are not one JSON object.
    NotParsed(String),
    /// The arguments do not fit the tool's schema; every fault with its place.
    DoesNotFit(Vec<Fault>),
    /// A call as it should be.
    Fits(Value),
}

impl Verdict {
    /// Whether the call can be answered with a result.
    pub fn fits(&self) -> bool {
        matches!(self, Self::Fits(_))
    }

    /// Whose fault it is: what is not even a call is the server's, what a call says is the model's.
    fn whose(&self) -> Whose {
        match self {
            Self::NotACall(_) | Self::NotParsed(_) => Whose::Wire,
            _ => Whose::Model,
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotACall(why) => write!(f, "not a call: {why}"),
            Self::WrongTool(why) => write!(f, "wrong tool: {why}"),
            Self::NotParsed(why) => write!(f, "the arguments do not parse: {why}"),
            Self::DoesNotFit(faults) => {
                f.write_str("the arguments do not fit")?;
                faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
            }
            Self::Fits(_) => f.write_str("it fits"),
        }
    }
}

impl Offered {
    /// Reads the tools of a request; none where it offers none or is not JSON.
    pub fn of(exchange: &Exchange) -> Self {
        let body = exchange.request.body.as_deref().and_then(|body| serde_json::from_slice::<Value>(body).ok());
        let tools = body.as_ref().and_then(|body| body.get("tools")).and_then(Value::as_array);
        let read = |tool: &Value| {
            // The Responses API has no level between.
            let function = tool.get("function").unwrap_or(tool);
            Some((function.get("name")?.as_str()?.to_owned(), function.get("parameters").cloned()))
        };
        Self { tools: tools.into_iter().flatten().filter_map(read).collect() }
    }

    /// The schema of a tool's arguments; `None` where it has none or is not offered.
    pub fn schema(&self, name: &str) -> Option<&Value> {
        self.tools.iter().find(|(known, _)| known == name).and_then(|(_, schema)| schema.as_ref())
    }

    /// What a call is worth. Empty arguments are those of a call without any.
    pub fn verdict(&self, call: &ToolCall) -> Verdict {
        let Some(name) = call.name.as_deref().filter(|name| !name.is_empty()) else {
            return Verdict::NotACall("it names no function".to_owned());
        };
        let Some((_, schema)) = self.tools.iter().find(|(known, _)| known == name) else {
            let known: Vec<String> = self.tools.iter().map(|(name, _)| format!("`{name}`")).collect();
            let known = if known.is_empty() { "no tool is".to_owned() } else { format!("offered: {}", known.join(", ")) };
            return Verdict::WrongTool(format!("`{name}` is not offered; {known}"));
        };
        let arguments = match call.parsed() {
            _ if call.arguments.trim().is_empty() => Value::Object(Map::new()),
            Ok(arguments @ Value::Object(_)) => arguments,
            Ok(Value::String(inner)) if inner.trim_start().starts_with('{') => {
                return Verdict::NotParsed(format!("an object written as a text, encoded twice: {}", call.arguments));
            }
            Ok(_) => return Verdict::NotParsed(format!("JSON, but no object: {}", call.arguments)),
            Err(error) => return Verdict::NotParsed(format!("{error}: {}", call.arguments)),
        };
        match schema.as_ref().map(Schema::compile) {
            None => Verdict::Fits(arguments),
            Some(Ok(schema)) => match schema.validate(&arguments) {
                faults if faults.is_empty() => Verdict::Fits(arguments),
                faults => Verdict::DoesNotFit(faults),
            },
            Some(Err(error)) => {
                Verdict::DoesNotFit(vec![Fault { at: String::new(), rule: error.pointer.clone(), message: error.to_string() }])
            }
        }
    }
}

/// What the arguments of a call must be.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// This object and nothing else.
    Exactly(Value),
    /// These values at these places; other arguments are free.
    Has(Vec<(Path, String)>),
}

impl Wanted {
    fn of(&self, arguments: &Value, schema: Option<&Value>) -> Result<(), String> {
        match self {
            Self::Exactly(wanted) if equal(arguments, wanted) => Ok(()),
            Self::Exactly(_) => Err(format!("the arguments are {arguments}")),
            Self::Has(pairs) => pairs.iter().try_for_each(|(path, cell)| {
                let found = path.find(arguments)?;
                let wanted = cell_value(schema, &path.to_string(), cell);
                if equal(found, &wanted) { Ok(()) } else { Err(format!("`{path}` is {found}, not {wanted}")) }
            }),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Exactly(wanted) => wanted.to_string(),
            Self::Has(pairs) => pairs.iter().map(|(path, cell)| format!("{path} = {cell}")).collect::<Vec<_>>().join(", "),
        }
    }
}

/// A table's cell as a value: a text where the schema says that the argument is one, else JSON if it is JSON, else a text.
pub fn cell_value(schema: Option<&Value>, argument: &str, cell: &str) -> Value {
    let kind = schema.and_then(|schema| schema.get("properties")?.get(argument)?.get("type")?.as_str());
    let text = || Value::String(cell.to_owned());
    if kind == Some("string") && !cell.starts_with('"') {
        return text();
    }
    serde_json::from_str(cell).unwrap_or_else(|_| text())
}

/// The reply calls this tool, maybe among others.
pub fn calls(reply: &ChatReply, said: &Said<'_>, name: &str) -> Held {
    let holds = reply.tool_calls().iter().any(|call| named(call, name));
    judge(reply, said, holds, format!("the reply calls {name}"), format!("a call of {name}"))
}

/// There is a reply, and it does not call this tool.
pub fn calls_not(reply: &ChatReply, said: &Said<'_>, name: &str) -> Held {
    let holds = !reply.tool_calls().iter().any(|call| named(call, name));
    judge(reply, said, holds, format!("the reply does not call {name}"), format!("no call of {name}"))
}

/// There is a reply, and it calls no tool.
pub fn calls_none(reply: &ChatReply, said: &Said<'_>) -> Held {
    judge(reply, said, reply.tool_calls().is_empty(), "the reply calls no tool".to_owned(), "no tool call".to_owned())
}

/// The reply has so many calls, of any tools.
pub fn calls_count(reply: &ChatReply, said: &Said<'_>, count: u64) -> Held {
    let calls = counted(count, "call");
    judge(reply, said, reply.tool_calls().len() as u64 == count, format!("the reply has {calls}"), calls)
}

/// The reply calls this tool so many times.
pub fn calls_times(reply: &ChatReply, said: &Said<'_>, name: &str, times: u64) -> Held {
    let holds = reply.tool_calls().iter().filter(|call| named(call, name)).count() as u64 == times;
    let wanted = format!("{} of {name}", counted(times, "call"));
    judge(reply, said, holds, format!("the reply has {wanted}"), wanted)
}

/// The reply calls this tool with these arguments; with `once`, it is the only call of the reply.
pub fn calls_with(reply: &ChatReply, said: &Said<'_>, offered: &Offered, name: &str, wanted: &Wanted, once: bool) -> Held {
    let claim = format!("the reply calls {name}{} with {}", if once { " once" } else { "" }, wanted.shown());
    let all = reply.tool_calls();
    let mut why = Vec::new();
    for call in all.iter().filter(|call| named(call, name)) {
        match arguments(call).and_then(|arguments| wanted.of(&arguments, offered.schema(name))) {
            Ok(()) if said.is_reply() && (!once || all.len() == 1) => return Ok(()),
            Ok(()) => why.push(format!("the reply has {}", counted(all.len() as u64, "call"))),
            Err(difference) => why.push(difference),
        }
    }
    let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
    judge(reply, said, false, format!("{claim}{why}"), claim)
}

/// There are calls, and each one is of an offered tool with arguments that parse and fit.
pub fn every_call_fits(reply: &ChatReply, said: &Said<'_>, offered: &Offered, name: Option<&str>) -> Held {
    let claim = match name {
        Some(name) => format!("the reply calls {name} with arguments that fit"),
        None => "every call fits its tool's schema".to_owned(),
    };
    let meant: Vec<&ToolCall> = reply.tool_calls().iter().filter(|call| name.is_none_or(|name| named(call, name))).collect();
    if !said.is_reply() || meant.is_empty() {
        return judge(reply, said, false, claim.clone(), claim);
    }
    let verdicts: Vec<(&ToolCall, Verdict)> =
        meant.into_iter().map(|call| (call, offered.verdict(call))).filter(|(_, verdict)| !verdict.fits()).collect();
    let Some((_, first)) = verdicts.first() else { return Ok(()) };
    let cut = reply.first().and_then(|choice| choice.finish_reason.as_deref()) == Some("length");
    let whose = if cut { Whose::Model } else { first.whose() };
    let note = if cut { " (cut off by the token limit)" } else { "" };
    let lines: Vec<String> = verdicts.iter().map(|(call, verdict)| format!("{}: {verdict}", written(call))).collect();
    broken(KIND, whose, format!("{claim}{note}"), "calls that fit", lines.join("\n"))
}

/// The value at a place of the arguments of the first call of a tool.
pub fn argument_is(reply: &ChatReply, said: &Said<'_>, name: &str, path: &Path, wanted: &Value) -> Held {
    let call = reply.tool_calls().iter().find(|call| named(call, name)).filter(|_| said.is_reply());
    let claim = format!("the argument `{path}` of {name} is {wanted}");
    let Some(call) = call else { return judge(reply, said, false, claim.clone(), claim) };
    match arguments(call) {
        Ok(value) => {
            let title = format!("the call of {name}");
            Subject { value: &value, name: &title, whose: Whose::Model }.is(path, wanted)
        }
        Err(why) => broken(KIND, Whose::Wire, format!("{claim} ({why})"), wanted.to_string(), written(call)),
    }
}

/// The arguments of the first call of a tool came in so many fragments or more.
pub fn came_in_pieces(reply: &ChatReply, said: &Said<'_>, name: &str, least: u64) -> Held {
    let pieces = reply.tool_calls().iter().find(|call| named(call, name)).map(|call| call.pieces);
    if said.is_reply() && pieces.is_some_and(|pieces| pieces >= least) {
        return Ok(());
    }
    let claim = format!("the call of {name} came in at least {}", counted(least, "piece"));
    let actual = pieces.map_or_else(|| shown(reply, said), |pieces| counted(pieces, "piece"));
    broken(KIND, said.whose(Whose::Capability), claim, counted(least, "piece"), actual)
}

/// One call that is wanted in an order: the tool, and its arguments where they matter.
pub type Step = (String, Option<Value>);

/// All calls of several replies, oldest first, are these in this order.
pub fn in_order(replies: &[&ChatReply], wanted: &[Step]) -> Held {
    let calls: Vec<&ToolCall> = replies.iter().flat_map(|reply| reply.tool_calls()).collect();
    let fits = |(call, (name, arguments_wanted)): (&&ToolCall, &Step)| {
        named(call, name)
            && arguments_wanted.as_ref().is_none_or(|wanted| arguments(call).is_ok_and(|found| equal(&found, wanted)))
    };
    if calls.len() == wanted.len() && calls.iter().zip(wanted).all(fits) {
        return Ok(());
    }
    let wanted = lines(wanted.iter().map(|(name, arguments)| match arguments {
        Some(arguments) => format!("{name}({arguments})"),
        None => name.clone(),
    }));
    let actual = if calls.is_empty() { "no calls".to_owned() } else { lines(calls.iter().map(|call| written(call))) };
    broken(KIND, Whose::Model, "the calls are these, in this order", wanted, actual)
}

/// Every call of several replies has an id, and no two have the same.
pub fn ids_differ(replies: &[&ChatReply]) -> Held {
    let ids: Vec<&str> =
        replies.iter().flat_map(|reply| reply.tool_calls()).map(|call| call.id.as_deref().unwrap_or_default()).collect();
    let distinct: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
    if !ids.is_empty() && !distinct.contains("") && distinct.len() == ids.len() {
        return Ok(());
    }
    let actual = if ids.is_empty() { "no calls".to_owned() } else { format!("ids: {}", ids.join(", ")) };
    broken(KIND, Whose::Wire, "every call has an id of its own", "ids that differ", actual)
}

/// The tools were run in so many rounds.
pub fn rounds(count: u64, wanted: u64) -> Held {
    if count == wanted {
        return Ok(());
    }
    let message = format!("the tools were run in {}", counted(wanted, "round"));
    broken(KIND, Whose::Model, message, counted(wanted, "round"), counted(count, "round"))
}

/// The model still calls tools after all rounds that it was given.
pub fn still_calls(reply: &ChatReply, said: &Said<'_>, rounds: u64) -> Held {
    let message = format!("the model answers after at most {} of tool calls", counted(rounds, "round"));
    broken(KIND, Whose::Model, message, "an answer without tool calls", shown(reply, said))
}

/// The reply calls a tool that has no scripted result for its arguments.
pub fn no_result(call: &ToolCall, known: &str) -> Held {
    let message = format!("{} has a scripted result for its arguments", call.name.as_deref().unwrap_or("(no name)"));
    broken(KIND, Whose::Model, message, known, written(call))
}

/// There are calls to answer.
pub fn some_call(reply: &ChatReply, said: &Said<'_>) -> Held {
    let holds = !reply.tool_calls().is_empty();
    judge(reply, said, holds, "the reply calls a tool".to_owned(), "a tool call".to_owned())
}

fn judge(reply: &ChatReply, said: &Said<'_>, holds: bool, claim: String, expected: String) -> Held {
    if said.is_reply() && holds {
        return Ok(());
    }
    broken(KIND, said.whose(Whose::Model), claim, expected, shown(reply, said))
}

fn named(call: &ToolCall, name: &str) -> bool {
    call.name.as_deref() == Some(name)
}

/// The arguments as an object; why they are none.
fn arguments(call: &ToolCall) -> Result<Value, String> {
    if call.arguments.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    call.parsed().map_err(|error| format!("the arguments do not parse: {error}"))
}

fn written(call: &ToolCall) -> String {
    format!("{}({})", call.name.as_deref().unwrap_or("(no name)"), call.arguments)
}

fn lines(items: impl Iterator<Item = String>) -> String {
    items.enumerate().map(|(at, item)| format!("{}. {item}", at + 1)).collect::<Vec<_>>().join("\n")
}

fn shown(reply: &ChatReply, said: &Said<'_>) -> String {
    let calls: Vec<String> = reply.tool_calls().iter().map(written).collect();
    match &said.instead {
        Some(instead) => instead.clone(),
        None if calls.is_empty() => format!("no tool call; the reply is: {}", said.shown()),
        None => format!("calls: {}", calls.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{choice, exchange, whole};
    use super::*;
    use crate::wire::{Request, fold_chat};

    /// A reply with these calls, asked with two tools.
    fn asked(calls: &[(&str, &str)], finish: &str) -> Exchange {
        let calls: Vec<Value> = calls
            .iter()
            .zip(1..)
            .map(|((name, arguments), id)| {
                json!({"id": format!("c{id}"), "type": "function", "function": {"name": name, "arguments": arguments}})
            })
            .collect();
        let message =
            json!({"index": 0, "message": {"role": "assistant", "content": null, "tool_calls": calls}, "finish_reason": finish});
        let mut exchange = exchange(200, &whole(&message.to_string(), ""));
        let node = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}}});
        let tree = json!({"type": "object", "$defs": {"node": node}, "properties": {"root": {"$ref": "#/$defs/node"}}, "required": ["root"]});
        let city = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false});
        let tools = json!([
            {"type": "function", "function": {"name": "get_time", "parameters": city}},
            {"type": "function", "function": {"name": "plant", "parameters": tree}},
            {"type": "function", "function": {"name": "ping"}},
        ]);
        exchange.request = Request::post_json("/v1/chat/completions", &json!({"tools": tools}));
        exchange
    }

    #[track_caller]
    fn verdict(name: &str, arguments: &str, expect: &str) {
        let exchange = asked(&[(name, arguments)], "tool_calls");
        let reply = fold_chat(&exchange);
        let verdict = Offered::of(&exchange).verdict(&reply.tool_calls()[0]);
        assert_eq!(verdict.to_string(), expect);
        let said = Said::of(&reply, &exchange);
        assert_eq!(every_call_fits(&reply, &said, &Offered::of(&exchange), None).is_ok(), expect == "it fits");
    }

    #[test]
    fn each_of_the_four_verdicts_and_a_good_call() {
        verdict("get_time", r#"{"city": "Rome"}"#, "it fits");
        verdict("ping", "", "it fits");
        verdict("", "{}", "not a call: it names no function");
        verdict("get_tme", "{}", "wrong tool: `get_tme` is not offered; offered: `get_time`, `plant`, `ping`");
        verdict("get_time", "{\"city\"", "the arguments do not parse: EOF while parsing an object at line 1 column 7: {\"city\"");
        verdict(
            "get_time",
            r#"{"city": "Rome"} </tool_call>"#,
            "the arguments do not parse: trailing characters at line 1 column 18: {\"city\": \"Rome\"} </tool_call>",
        );
        verdict("get_time", "[1]", "the arguments do not parse: JSON, but no object: [1]");
        verdict(
            "get_time",
            r#""{\"city\": \"Rome\"}""#,
            r#"the arguments do not parse: an object written as a text, encoded twice: "{\"city\": \"Rome\"}""#,
        );
    }

    #[test]
    fn every_fault_of_the_arguments_is_told_with_both_places() {
        verdict(
            "get_time",
            r#"{"city": 3, "x": 1}"#,
            "the arguments do not fit\n  at /city: 3 is not of type \"string\" (schema: /properties/city/type)\n  at the root: Additional properties are not allowed ('x' was unexpected) (schema: /additionalProperties)",
        );
        let deep = r#"{"root": {"name": "a", "kids": [{"name": "b", "kids": [{"name": "c", "kids": [{"nam": "d"}]}]}]}}"#;
        verdict(
            "plant",
            deep,
            "the arguments do not fit\n  at /root/kids/0/kids/0/kids/0: \"name\" is a required property (schema: /$defs/node/required)",
        );
        verdict("plant", &deep.replace("nam\"", "name\""), "it fits");
    }

    #[track_caller]
    fn check(calls: &[(&str, &str)], claim: impl Fn(&ChatReply, &Said<'_>, &Offered) -> Held, expect: Result<(), &str>) {
        let exchange = asked(calls, "tool_calls");
        let reply = fold_chat(&exchange);
        match (claim(&reply, &Said::of(&reply, &exchange), &Offered::of(&exchange)), expect) {
            (Ok(()), Ok(())) => {}
            (Err(mismatch), Err(part)) if mismatch.message.contains(part) => {}
            (held, _) => panic!("{calls:?}: expected {expect:?}, got {held:?}"),
        }
    }

    #[test]
    fn arguments_in_both_forms() {
        let has = |path: &str, cell: &str| Wanted::Has(vec![(path.parse().expect("a path"), cell.to_owned())]);
        let with =
            |wanted: Wanted, once| move |r: &ChatReply, s: &Said<'_>, o: &Offered| calls_with(r, s, o, "get_time", &wanted, once);
        let rome = ("get_time", r#"{"city": "Rome"}"#);
        check(&[rome], with(has("city", "Rome"), true), Ok(()));
        check(&[rome, ("ping", "")], with(has("city", "Rome"), false), Ok(()));
        check(&[rome, ("ping", "")], with(has("city", "Rome"), true), Err("the reply has 2 calls"));
        check(&[rome], with(has("city", "Oslo"), false), Err("`city` is \"Rome\", not \"Oslo\""));
        check(&[rome], with(has("town", "Rome"), false), Err("has no `town`"));
        check(&[rome], with(Wanted::Exactly(json!({"city": "Rome"})), true), Ok(()));
        check(&[rome], with(Wanted::Exactly(json!({})), true), Err("the arguments are {\"city\":\"Rome\"}"));
        check(&[("get_time", r#"{"city": "18"}"#)], with(has("city", "18"), true), Ok(()));
        check(&[("get_time", r#"{"city": 18}"#)], with(has("city", "18"), true), Err("`city` is 18, not \"18\""));
        check(&[], with(has("city", "18"), true), Err("once with city = 18"));
        let path: Path = "city".parse().expect("a path");
        check(&[rome], |r, s, _| argument_is(r, s, "get_time", &path, &json!("Rome")), Ok(()));
        check(
            &[rome],
            |r, s, _| argument_is(r, s, "get_time", &path, &json!("Oslo")),
            Err("the call of get_time's `city` is \"Oslo\""),
        );
        check(&[rome], |r, s, _| argument_is(r, s, "ping", &path, &json!("Oslo")), Err("the argument `city` of ping"));
    }

    #[test]
    fn counts_orders_and_ids() {
        let two = [("ping", ""), ("get_time", r#"{"city": "Rome"}"#)];
        check(&two, |r, s, _| calls_count(r, s, 2), Ok(()));
        check(&two, |r, s, _| calls_count(r, s, 1), Err("the reply has 1 call"));
        check(&two, |r, s, _| calls_times(r, s, "ping", 1), Ok(()));
        check(&two, |r, s, _| calls_times(r, s, "ping", 2), Err("2 calls of ping"));
        check(&two, |r, s, _| calls_not(r, s, "plant"), Ok(()));
        check(&two, |r, s, _| calls_not(r, s, "ping"), Err("does not call ping"));
        let step = |name: &str, arguments: Option<Value>| (name.to_owned(), arguments);
        let order = [step("ping", None), step("get_time", Some(json!({"city": "Rome"})))];
        check(&two, |r, _, _| in_order(&[r], &order), Ok(()));
        check(&two, |r, _, _| in_order(&[r, r], &order), Err("in this order"));
        let turned = [order[1].clone(), order[0].clone()];
        check(&two, |r, _, _| in_order(&[r], &turned), Err("in this order"));
        check(&two, |r, _, _| in_order(&[r], &[step("ping", None), step("get_time", Some(json!({})))]), Err("in this order"));
        check(&two, |r, _, _| ids_differ(&[r]), Ok(()));
        check(&two, |r, _, _| ids_differ(&[r, r]), Err("an id of its own"));
        check(&[], |r, _, _| ids_differ(&[r]), Err("an id of its own"));
        assert!(rounds(2, 2).is_ok() && rounds(2, 1).is_err());
    }

    #[test]
    fn a_call_cut_off_by_the_limit_is_not_the_servers_fault() {
        let exchange = asked(&[("get_time", "{\"ci")], "length");
        let reply = fold_chat(&exchange);
        let mismatch = every_call_fits(&reply, &Said::of(&reply, &exchange), &Offered::of(&exchange), None).expect_err("cut");
        assert_eq!((mismatch.whose, mismatch.message.contains("cut off by the token limit")), (Whose::Model, true));
    }

    #[track_caller]
    fn both(body: &str, called: bool, none: bool) {
        let exchange = exchange(200, body);
        let reply = fold_chat(&exchange);
        let said = Said::of(&reply, &exchange);
        assert_eq!((calls(&reply, &said, "get_time").is_ok(), calls_none(&reply, &said).is_ok()), (called, none), "{body}");
    }

    #[test]
    fn what_is_no_reply_holds_neither_a_claim_nor_its_negation() {
        both(&whole(&choice(0, "noon", "stop"), ""), false, true);
        both("{}", false, false);
    }
}

//! What breaks tool calls, whole or streamed: their keys, names, arguments, and whether they were asked for.

use serde_json::{Value, json};

use crate::contract::{Format, ToolChoice};
use crate::mutate::change::{chunks, content, cut, finish, last, message, put, shares, some, swap, whole};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Calls: detect);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("call-id-lost", &["W073", "W091"], "a call has no id", |good| head(good, |call| cut(call, "id"))),
    detect("call-id-null", &["W073", "W091"], "the id of a call is null", |good| {
        head(good, |call| swap(call, "id", json!(null)))
    }),
    detect("call-id-empty", &["W073", "W091"], "the id of a call is empty", |good| {
        head(good, |call| swap(call, "id", json!("")))
    }),
    detect("call-id-as-number", &["W073"], "the id of a call is a number", |good| head(good, |call| swap(call, "id", json!(7)))),
    detect("call-type-lost", &["W073", "W300"], "a call has no type", |good| {
        message(good, |message| cut(message.pointer_mut("/tool_calls/0")?, "type"))
            .or_else(|| each_fragment(good, |part| cut(part, "type")))
    }),
    detect("call-type-unknown", &["W073"], "a call has a type that nobody knows", |good| {
        head(good, |call| swap(call, "type", json!("tool")))
    }),
    detect("call-function-lost", &["W073", "W091"], "a call has no function", |good| head(good, |call| cut(call, "function"))),
    detect("call-function-as-text", &["W073"], "the function of a call is text", |good| {
        head(good, |call| swap(call, "function", call.pointer("/function/name")?.clone()))
    }),
    detect("call-flat", &["W073", "W091"], "name and arguments stand beside the function", |good| {
        head(good, |call| {
            let part = call.as_object_mut()?.shift_remove("function")?;
            put(call, "name", part.get("name")?.clone())?;
            put(call, "arguments", part.get("arguments").cloned().unwrap_or_default())
        })
    }),
    detect("call-name-lost", &["W073", "W091"], "a call has no name", |good| {
        head(good, |call| cut(call.get_mut("function")?, "name"))
    }),
    detect("call-name-null", &["W073", "W091"], "the name of a call is null", |good| named(good, |_| json!(null))),
    detect("call-name-not-offered", &["W076"], "a tool is called that was not offered", |good| {
        named(good, |_| json!("get_lost"))
    }),
    detect("call-name-in-capitals", &["W076"], "the name of a call is in capitals", |good| {
        named(good, |name| json!(name.to_ascii_uppercase()))
    }),
    detect("call-name-with-blank", &["W076"], "a blank stands before the name of a call", |good| {
        named(good, |name| json!(format!(" {name}")))
    }),
    detect("call-name-with-namespace", &["W076"], "the name of a call has a namespace", |good| {
        named(good, |name| json!(format!("functions.{name}")))
    }),
    detect("call-name-with-marker", &["W076", "W112"], "the name of a call has a marker of the model", |good| {
        named(good, |name| json!(format!("{name}<|channel|>")))
    }),
    detect("call-name-cut", &["W076"], "the name of a call lacks its last letter", |good| {
        let name = good.reply.tool_calls().first()?.name.as_deref()?;
        let cut = name.get(..name.len() - 1).filter(|cut| !cut.is_empty() && good.asked.tool(cut).is_none())?;
        named(good, |_| json!(cut))
    }),
    detect("arguments-lost", &["W073"], "a call has no arguments", |good| {
        message(good, |message| cut(message.pointer_mut("/tool_calls/0/function")?, "arguments"))
    }),
    detect("arguments-null", &["W073"], "the arguments of a call are null", |good| {
        message(good, |message| swap(message.pointer_mut("/tool_calls/0/function")?, "arguments", json!(null)))
    }),
    detect("arguments-as-object", &["W073"], "the arguments of a call are an object", |good| {
        let object = good.reply.tool_calls().first()?.parsed().ok()?;
        message(good, |message| swap(message.pointer_mut("/tool_calls/0/function")?, "arguments", object.clone()))
            .or_else(|| fragment(good, |part| put(part.get_mut("function")?, "arguments", object.clone())))
    }),
    detect("arguments-as-number", &["W073"], "the arguments of a call are a number", |good| {
        message(good, |message| swap(message.pointer_mut("/tool_calls/0/function")?, "arguments", json!(1)))
            .or_else(|| fragment(good, |part| put(part.get_mut("function")?, "arguments", json!(1))))
    }),
    detect("arguments-called-parameters", &["W073"], "the arguments of a call stand under another name", |good| {
        message(good, |message| {
            let part = message.pointer_mut("/tool_calls/0/function")?.as_object_mut()?;
            let arguments = part.shift_remove("arguments")?;
            part.insert("parameters".to_owned(), arguments);
            Some(())
        })
    }),
    detect("arguments-encoded-twice", &["W079"], "the arguments are encoded twice", |good| {
        arguments(good, |text| Some(Value::from(text).to_string()))
    }),
    detect("arguments-encoded-three-times", &["W079"], "the arguments are encoded three times", |good| {
        arguments(good, |text| Some(Value::from(Value::from(text).to_string()).to_string()))
    }),
    detect("arguments-cut", &["W078", "W094"], "the arguments lack their end", |good| {
        arguments(good, |text| Some(text.trim_end().strip_suffix('}')?.to_owned()))
    }),
    detect("arguments-with-words", &["W078", "W094"], "words stand behind the arguments", |good| {
        arguments(good, |text| Some(format!("{text} That is all.")))
    }),
    detect("arguments-with-marker", &["W078", "W094", "W112"], "a marker of the model stands behind the arguments", |good| {
        arguments(good, |text| Some(format!("{text}</tool_call>")))
    }),
    detect("arguments-twice", &["W078", "W094"], "the arguments stand twice", |good| {
        arguments(good, |text| Some(format!("{text}{text}")))
    }),
    detect("arguments-in-a-fence", &["W078", "W094"], "the arguments stand in a fence", |good| {
        arguments(good, |text| Some(format!("```json\n{text}\n```")))
    }),
    detect("arguments-in-single-quotes", &["W078", "W094"], "the arguments have single quotes", |good| {
        arguments(good, |text| text.contains('"').then(|| text.replace('"', "'")))
    }),
    detect("arguments-without-quotes", &["W078", "W094"], "the keys of the arguments have no quotes", |good| {
        arguments(good, |text| {
            let key = object(text)?.keys().next()?.clone();
            Some(text.replacen(&format!("\"{key}\""), &key, 1))
        })
    }),
    detect("arguments-as-list", &["W078", "W094"], "the arguments are a list", |good| {
        arguments(good, |text| Some(format!("[{text}]")))
    }),
    detect("arguments-as-word", &["W078", "W094"], "the arguments are a word", |good| {
        arguments(good, |_| Some("\"Paris\"".to_owned()))
    }),
    detect("arguments-of-null", &["W078", "W094"], "the arguments are the word null", |good| {
        arguments(good, |_| Some("null".to_owned()))
    }),
    detect("arguments-with-nan", &["W078", "W094"], "the arguments hold NaN", |good| {
        arguments(good, |text| {
            object(text).filter(|object| !object.is_empty())?;
            Some(format!("{{\"x\": NaN,{}", text.trim_start().strip_prefix('{')?))
        })
    }),
    detect("arguments-empty", &["W078", "W094"], "the arguments of a tool that needs some are empty", |good| {
        let tool = good.asked.tool(good.reply.tool_calls().first()?.name.as_deref()?)?;
        tool.parameters.as_ref()?.get("required")?.as_array().filter(|required| !required.is_empty())?;
        arguments(good, |_| Some(String::new()))
    }),
    detect("arguments-with-lost-character", &["W224", "W068"], "the arguments lost a character", |good| {
        let fine = !good.asked.prompt_has("\u{FFFD}");
        arguments(good, |text| fine.then(|| text.rfind("\"}").map(|at| format!("{}\u{FFFD}\"}}", &text[..at])))?)
    }),
    detect("calls-as-object", &["W073"], "the calls are an object", |good| calls(good, |calls| calls.get(0).cloned())),
    detect("calls-as-text", &["W073"], "the calls are text", |good| calls(good, |calls| Some(json!(calls.to_string())))),
    detect("call-null", &["W073", "W090"], "a call is null", |good| calls(good, |_| Some(json!([null])))),
    detect("calls-null", &["W082"], "the reason is tool_calls, and the calls are null", |good| promised(good, &json!(null))),
    detect("calls-empty", &["W082"], "the reason is tool_calls, and the list of calls is empty", |good| {
        promised(good, &json!([]))
    }),
    detect("call-as-older-function-call", &["W082", "W084", "W085"], "the call stands under the older key", |good| {
        (good.finish() == Some("tool_calls")).then(|| {
            message(good, |message| {
                let function = message.pointer("/tool_calls/0/function")?.clone();
                put(message, "function_call", function)?;
                swap(message, "tool_calls", json!(null))
            })
        })?
    }),
    detect("calls-beside-message", &["W082", "W084", "W085"], "the calls stand beside the message", |good| {
        (good.finish() == Some("tool_calls")).then(|| {
            whole(good, |body| {
                let choice = body.pointer_mut("/choices/0")?;
                let calls = choice.get_mut("message")?.as_object_mut()?.shift_remove("tool_calls")?;
                put(choice, "tool_calls", calls)
            })
        })?
    }),
    detect("call-twice", &["W074", "W087"], "a call comes twice", |good| more(good, |_| {})),
    detect("calls-of-one-id", &["W074"], "two calls have one id", |good| {
        more(good, |call| call["function"]["arguments"] = json!("{}"))
    }),
    detect("second-call-although-one-was-allowed", &["W087"], "two calls come where one was allowed", |good| {
        (good.asked.parallel == Some(false) && good.reply.tool_calls().len() == 1)
            .then(|| more(good, |call| call["id"] = json!("call_other")))?
    }),
    detect("calls-that-stop", &["W081"], "the reason for calls is stop", |good| {
        let named = matches!(good.asked.tool_choice, ToolChoice::Named(_));
        (good.finish() == Some("tool_calls") && !good.reply.tool_calls().is_empty() && !named)
            .then(|| finish(good, |reason| *reason = json!("stop")))?
    }),
    detect("calls-that-function-call", &["W081"], "the reason for calls is function_call", |good| {
        (good.finish() == Some("tool_calls") && !good.reply.tool_calls().is_empty())
            .then(|| finish(good, |reason| *reason = json!("function_call")))?
    }),
    detect("call-under-none", &["W083"], "a tool is called although none was to be", |good| {
        (good.asked.tool_choice == ToolChoice::None).then(|| call_for_text(good, &good.asked.tools.first()?.name))?
    }),
    detect("call-without-tools", &["W077"], "a tool is called and none was offered", |good| {
        good.asked.tools.is_empty().then(|| call_for_text(good, "get_weather"))?
    }),
    detect("text-for-required-call", &["W084", "W085"], "text comes where a call was required", |good| {
        let forced = match &good.asked.tool_choice {
            ToolChoice::Required | ToolChoice::Allowed { required: true, .. } => true,
            ToolChoice::Named(name) => {
                let right = good.reply.tool_calls().iter().all(|call| call.name.as_deref() == Some(name));
                right && good.asked.tool(name).is_some()
            }
            _ => false,
        };
        forced.then(|| text_for_call(good, "It is warm."))?
    }),
    detect("another-tool-than-named", &["W085"], "another tool is called than the one that was named", |good| {
        let ToolChoice::Named(name) = &good.asked.tool_choice else { return None };
        let right = good.reply.tool_calls().iter().all(|call| call.name.as_deref() == Some(name));
        let other = good.asked.tools.iter().find(|tool| right && tool.name != *name)?;
        named(good, |_| json!(other.name))
    }),
    detect("another-tool-than-allowed", &["W086"], "a tool is called that was not allowed", |good| {
        let ToolChoice::Allowed { names, .. } = &good.asked.tool_choice else { return None };
        let other = good.asked.tools.iter().find(|tool| !names.contains(&tool.name))?;
        named(good, |_| json!(other.name))
    }),
    detect("call-as-markup", &["W089", "W084", "W085"], "the call stands in the text, in the markup of the model", |good| {
        let call = good.reply.tool_calls().first()?;
        let markup =
            format!("<tool_call>\n{{\"name\": {:?}, \"arguments\": {}}}\n</tool_call>", call.name.as_deref()?, call.arguments);
        text_for_call(good, &markup)
    }),
    detect("call-as-json-text", &["W301"], "the call stands in the text, as JSON", |good| {
        let call = good.reply.tool_calls().first().filter(|call| call.parsed().is_ok_and(|value| value.is_object()))?;
        let name = call.name.as_deref().filter(|name| good.asked.tool(name).is_some() && good.asked.format == Format::Text)?;
        text_for_call(good, &format!("{{\"name\": {name:?}, \"arguments\": {}}}", call.arguments))
    }),
    detect("markup-beside-text", &["W089"], "markup of a call is left in the text", |good| {
        let plain = !good.asked.prompt_has("[TOOL_CALLS]") && !good.said()?.contains("tool_call");
        (!good.asked.tools.is_empty() && plain).then(|| content(good, |text| Some(format!("{text} [TOOL_CALLS]"))))?
    }),
];

/// The first call of the whole answer, or the first fragment of a stream.
pub(super) fn head(good: &Good<'_>, change: impl Fn(&mut Value) -> Option<()>) -> Option<Exchange> {
    message(good, |message| change(message.pointer_mut("/tool_calls/0")?))
        .or_else(|| chunks(good, |list| change(first_fragment(list)?.pointer_mut(FIRST)?)))
}

/// Where the first fragment of a chunk stands.
pub(super) const FIRST: &str = "/choices/0/delta/tool_calls/0";

/// Places of the chunks with a fragment of the first call.
pub(super) fn fragments(list: &[Value]) -> Vec<usize> {
    let part = |at: &usize| list[*at].pointer(FIRST);
    let of = |part: &Value| part.get("index").and_then(Value::as_u64);
    let first = (0..list.len()).find_map(|at| part(&at).and_then(of));
    (0..list.len()).filter(|at| part(at).is_some_and(|part| of(part) == first)).collect()
}

/// The chunk with the first fragment.
fn first_fragment(list: &mut [Value]) -> Option<&mut Value> {
    let at = *fragments(list).first()?;
    list.get_mut(at)
}

/// A fragment behind the first one, where there is one; else the first.
fn fragment(good: &Good<'_>, change: impl Fn(&mut Value) -> Option<()>) -> Option<Exchange> {
    chunks(good, |list| {
        let places = fragments(list);
        let at = *places.get(1).or(places.first())?;
        change(list[at].pointer_mut(FIRST)?)
    })
}

/// Every fragment of a stream.
pub(super) fn each_fragment(good: &Good<'_>, change: impl Fn(&mut Value) -> Option<()>) -> Option<Exchange> {
    chunks(good, |list| {
        let calls = list.iter_mut().filter_map(|chunk| chunk.pointer_mut("/choices/0/delta/tool_calls")?.as_array_mut());
        some(calls.flatten().filter_map(change).count())
    })
}

/// Another name of the first call.
fn named(good: &Good<'_>, change: impl Fn(&str) -> Value) -> Option<Exchange> {
    head(good, |call| {
        let name = call.pointer_mut("/function/name")?;
        *name = change(name.as_str()?);
        Some(())
    })
}

fn object(text: &str) -> Option<serde_json::Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// Other arguments of the first call, of an answer that was not cut and where they are an object now.
pub(super) fn arguments(good: &Good<'_>, change: impl Fn(&str) -> Option<String>) -> Option<Exchange> {
    let call = good.reply.tool_calls().first().filter(|call| call.kind.as_deref() != Some("custom"))?;
    object(&call.arguments)?;
    if matches!(good.finish(), None | Some("length" | "content_filter")) {
        return None;
    }
    let new = change(&call.arguments)?;
    message(good, |message| swap(message.pointer_mut("/tool_calls/0/function")?, "arguments", json!(new))).or_else(|| {
        chunks(good, |list| {
            const AT: &str = "/choices/0/delta/tool_calls/0/function/arguments";
            let said = |at: &usize| list[*at].pointer(AT).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
            let places: Vec<usize> = fragments(list).into_iter().filter(said).collect();
            let last = *places.last()?;
            if let Some(more) = new.strip_prefix(&call.arguments) {
                let text = list[last].pointer_mut(AT)?;
                *text = json!(format!("{}{more}", text.as_str()?));
            } else {
                for (at, piece) in places.iter().zip(shares(&new, places.len())) {
                    *list[*at].pointer_mut(AT)? = json!(piece);
                }
            }
            Some(())
        })
    })
}

/// Another list of calls, of the whole answer or of its first fragment.
fn calls(good: &Good<'_>, change: impl Fn(&Value) -> Option<Value>) -> Option<Exchange> {
    let other = |part: &mut Value| {
        let calls = part.get("tool_calls").filter(|calls| calls.as_array().is_some_and(|calls| !calls.is_empty()))?;
        let new = change(calls)?;
        swap(part, "tool_calls", new)
    };
    message(good, other).or_else(|| chunks(good, |list| other(first_fragment(list)?.pointer_mut("/choices/0/delta")?)))
}

/// No calls under the reason tool_calls.
fn promised(good: &Good<'_>, none: &Value) -> Option<Exchange> {
    (good.finish() == Some("tool_calls") && !good.reply.tool_calls().is_empty()).then_some(())?;
    message(good, |message| swap(message, "tool_calls", none.clone())).or_else(|| {
        chunks(good, |list| {
            let parts = list.iter_mut().filter_map(|chunk| chunk.pointer_mut("/choices/0/delta/tool_calls"));
            some(parts.map(|calls| *calls = none.clone()).count())
        })
    })
}

/// The last call once more, changed, with an index of its own.
fn more(good: &Good<'_>, change: impl Fn(&mut Value)) -> Option<Exchange> {
    let [choice] = good.reply.choices.as_slice() else { return None };
    let call = choice.tool_calls.last()?;
    let mut again = call.to_value();
    change(&mut again);
    let list = |message: &mut Value| message.get_mut("tool_calls")?.as_array_mut().map(|calls| calls.push(again.clone()));
    message(good, list).or_else(|| {
        chunks(good, |list| {
            let at = *fragments(list).first()?;
            let end = last(list).filter(|end| *end > at).unwrap_or(at + 1);
            let mut chunk = list[at].clone();
            again["index"] = json!(call.index + 1);
            let first = chunk.pointer_mut("/choices/0")?;
            *first = json!({"index": first.get("index")?, "delta": {"tool_calls": [again]}, "finish_reason": null});
            list.insert(end, chunk);
            (last(list)? > at).then_some(())
        })
    })
}

/// A call in place of a text that ended by itself.
fn call_for_text(good: &Good<'_>, name: &str) -> Option<Exchange> {
    good.said().filter(|_| good.reply.choices.len() == 1 && good.finish() == Some("stop"))?;
    let call = json!({"id": "call_other1", "type": "function", "function": {"name": name, "arguments": "{}"}});
    whole(good, |body| {
        let choice = body.pointer_mut("/choices/0")?;
        put(choice, "finish_reason", json!("tool_calls"))?;
        put(choice, "message", json!({"role": "assistant", "content": null, "tool_calls": [call]}))
    })
    .or_else(|| {
        chunks(good, |list| {
            let (first, end) = (list.first()?.clone(), last(list)?);
            let mut fragment = call.clone();
            fragment["index"] = json!(0);
            let delta = |delta: Value, reason: Value| {
                let mut chunk = first.clone();
                chunk.as_object_mut().map(|chunk| chunk.shift_remove("usage"));
                chunk["choices"] = json!([{"index": 0, "delta": delta, "finish_reason": reason}]);
                chunk
            };
            let told = [
                delta(json!({"role": "assistant", "content": null}), json!(null)),
                delta(json!({"tool_calls": [fragment]}), json!(null)),
                delta(json!({}), json!("tool_calls")),
            ];
            list.splice(..=end, told).for_each(drop);
            Some(())
        })
    })
}

/// Text in place of calls.
fn text_for_call(good: &Good<'_>, text: &str) -> Option<Exchange> {
    good.reply.tool_calls().first().filter(|_| good.reply.choices.len() == 1 && good.finish() != Some("length"))?;
    whole(good, |body| {
        let choice = body.pointer_mut("/choices/0")?;
        put(choice, "finish_reason", json!("stop"))?;
        put(choice, "message", json!({"role": "assistant", "content": text, "refusal": null}))
    })
    .or_else(|| {
        chunks(good, |list| {
            let (at, end) = (*fragments(list).first()?, last(list)?);
            let mut chunk = list[at].clone();
            chunk["choices"] = json!([{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": null}]);
            let mut stop = chunk.clone();
            stop["choices"] = json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]);
            list.splice(..=end.max(at), [chunk, stop]).for_each(drop);
            Some(())
        })
    })
}

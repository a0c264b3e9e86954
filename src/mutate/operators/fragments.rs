//! What breaks the fragments of streamed tool calls.

use serde_json::{Value, json};

use super::calls::{FIRST, each_fragment, fragments};
use crate::mutate::change::{chunks, cut, last, put};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Calls: detect);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("fragment-indexes-lost", &["W090"], "no fragment has an index", |good| each_fragment(good, |part| cut(part, "index"))),
    detect("fragment-index-lost", &["W090"], "a later fragment has no index", |good| nth(good, 1, |part| cut(part, "index"))),
    detect("fragment-index-as-text", &["W090"], "the index of a fragment is text", |good| index(good, json!("0"))),
    detect("fragment-index-null", &["W090"], "the index of a fragment is null", |good| index(good, json!(null))),
    detect("fragment-index-fraction", &["W090"], "the index of a fragment has a fraction", |good| index(good, json!(0.0))),
    detect("fragment-index-negative", &["W090"], "the index of a fragment is below 0", |good| index(good, json!(-1))),
    detect("fragment-indexes-from-one", &["W093"], "the indexes of calls begin with 1", |good| {
        let dense = good.reply.tool_calls().iter().enumerate().all(|(at, call)| i64::try_from(at) == Ok(call.index));
        dense.then(|| each_fragment(good, |part| put(part, "index", json!(part.get("index")?.as_u64()? + 1))))?
    }),
    detect("fragment-index-of-another-call", &["W091", "W093"], "a later fragment has the index of another call", |good| {
        let next = good.reply.tool_calls().len();
        nth(good, 1, |part| put(part, "index", json!(next)))
    }),
    detect("fragment-index-with-hole", &["W093"], "the index of a second call leaves one out", |good| {
        second(good, good.reply.tool_calls().last()?.index + 2)
    }),
    detect("fragment-index-shared", &["W093"], "two calls have one index", |good| {
        second(good, good.reply.tool_calls().last()?.index)
    }),
    detect("fragment-id-late", &["W091"], "the id of a call comes with its second fragment", |good| {
        move_key(good, |part| part.as_object_mut()?.shift_remove("id"), |part, id| put(part, "id", id))
    }),
    detect("fragment-name-late", &["W091"], "the name of a call comes with its second fragment", |good| {
        move_key(
            good,
            |part| part.get_mut("function")?.as_object_mut()?.shift_remove("name"),
            |part, name| put(part.get_mut("function")?, "name", name),
        )
    }),
    detect("fragment-name-in-two-parts", &["W092", "W076"], "the name of a call comes in two parts", |good| {
        let name = good.reply.tool_calls().first()?.name.clone()?;
        let half = name.floor_char_boundary(name.len() / 2);
        two(good, |first, second| {
            put(first.get_mut("function")?, "name", json!(name[..half]))?;
            put(second.get_mut("function")?, "name", json!(name[half..]))
        })
    }),
    detect("fragment-id-again", &["W092"], "the id of a call comes again", |good| {
        let id = good.reply.tool_calls().first()?.id.clone()?;
        nth(good, 1, |part| part.get("id").is_none_or(Value::is_null).then(|| put(part, "id", json!(id)))?)
    }),
    detect("fragment-name-again", &["W092"], "the name of a call comes again", |good| {
        let name = good.reply.tool_calls().first()?.name.clone()?;
        nth(good, 1, |part| {
            let function = part.get_mut("function")?;
            function.get("name").is_none_or(Value::is_null).then(|| put(function, "name", json!(name)))?
        })
    }),
    detect("fragment-id-changes", &["W092"], "a later fragment has another id", |good| {
        nth(good, 1, |part| put(part, "id", json!("call_x")))
    }),
    detect("fragment-name-changes", &["W092"], "a later fragment has another name", |good| {
        nth(good, 1, |part| put(part.get_mut("function")?, "name", json!("get_lost")))
    }),
    detect("fragments-swapped", &["W094", "W078"], "two fragments are swapped", |good| {
        broken(good, |places| (1..places.len()).map(|at| swapped(places, at)).collect())
    }),
    detect("fragment-twice", &["W094", "W078"], "a fragment comes twice", |good| {
        broken(good, |places| (0..places.len()).map(|at| twice(places, at)).collect())
    }),
    detect("fragment-lost", &["W094", "W078"], "a fragment does not come", |good| {
        broken(good, |places| (1..places.len()).map(|at| without(places, at)).collect())
    }),
    detect("last-fragment-lost", &["W094", "W078"], "the last fragment does not come", |good| {
        broken(good, |places| vec![without(places, places.len() - 1)])
    }),
    detect("fragment-null", &["W090", "W073"], "a fragment is null", |good| {
        nth(good, 1, |part| {
            *part = Value::Null;
            Some(())
        })
    }),
    detect("fragments-so-far", &["W094", "W078"], "each fragment holds all of the arguments so far", |good| {
        chunks(good, |list| {
            let places = with_arguments(list);
            let mut all = String::new();
            for at in &places {
                let text = list[*at].pointer_mut(ARGUMENTS)?;
                all.push_str(text.as_str()?);
                *text = json!(all);
            }
            (places.len() > 1 && good.finish() != Some("length")).then_some(())
        })
    }),
    detect("fragment-after-finish", &["W059"], "the last fragment comes behind the finish", |good| {
        chunks(good, |list| {
            let (at, end) = (*with_arguments(list).last()?, last(list)?);
            if at >= end {
                return None;
            }
            let part = list.remove(at);
            list.insert(end, part);
            Some(())
        })
    }),
];

/// Where the arguments of a chunk's first fragment stand.
const ARGUMENTS: &str = "/choices/0/delta/tool_calls/0/function/arguments";

/// Places of the fragments of the first call that bring arguments.
fn with_arguments(list: &[Value]) -> Vec<usize> {
    let said = |at: &usize| list[*at].pointer(ARGUMENTS).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    fragments(list).into_iter().filter(said).collect()
}

/// The nth fragment of the first call.
fn nth(good: &Good<'_>, nth: usize, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Exchange> {
    chunks(good, |list| {
        let at = *fragments(list).get(nth)?;
        change(list[at].pointer_mut(FIRST)?)
    })
}

fn index(good: &Good<'_>, index: Value) -> Option<Exchange> {
    nth(good, 0, |part| put(part, "index", index))
}

/// The first two fragments of the first call.
fn two(good: &Good<'_>, change: impl FnOnce(&mut Value, &mut Value) -> Option<()>) -> Option<Exchange> {
    chunks(good, |list| {
        let places = fragments(list);
        let [first, second] = list.get_disjoint_mut([*places.first()?, *places.get(1)?]).ok()?;
        change(first.pointer_mut(FIRST)?, second.pointer_mut(FIRST)?)
    })
}

/// A key of the first fragment on the second one.
fn move_key(
    good: &Good<'_>,
    take: fn(&mut Value) -> Option<Value>,
    give: fn(&mut Value, Value) -> Option<()>,
) -> Option<Exchange> {
    two(good, |first, second| {
        let value = take(first)?;
        give(second, value)
    })
}

/// One more call, whole, at this index.
fn second(good: &Good<'_>, index: i64) -> Option<Exchange> {
    let call = good.reply.tool_calls().first().filter(|_| good.reply.choices.len() == 1)?;
    let mut again = call.to_value();
    again["id"] = json!("call_other1");
    again["index"] = json!(index);
    chunks(good, |list| {
        let (at, end) = (*fragments(list).first()?, last(list)?);
        let mut chunk = list[at].clone();
        let choice = chunk.pointer_mut("/choices/0")?;
        *choice = json!({"index": choice.get("index")?, "delta": {"tool_calls": [again]}, "finish_reason": null});
        list.insert(end, chunk);
        (at < end).then_some(())
    })
}

fn swapped(places: &[usize], at: usize) -> Vec<usize> {
    let mut order = places.to_vec();
    order.swap(at - 1, at);
    order
}

fn twice(places: &[usize], at: usize) -> Vec<usize> {
    let mut order = places.to_vec();
    order.insert(at, places[at]);
    order
}

fn without(places: &[usize], at: usize) -> Vec<usize> {
    let mut order = places.to_vec();
    order.remove(at);
    order
}

/// The arguments joined in the first of these orders of their fragments in which they are no JSON any more.
fn broken(good: &Good<'_>, orders: impl Fn(&[usize]) -> Vec<Vec<usize>>) -> Option<Exchange> {
    if good.finish() == Some("length") {
        return None;
    }
    chunks(good, |list| {
        let places = with_arguments(list);
        if places.len() < 2 {
            return None;
        }
        let text = |at: &usize| list[*at].pointer(ARGUMENTS).and_then(Value::as_str).unwrap_or_default().to_owned();
        let is_broken = |order: &Vec<usize>| {
            let joined: String = order.iter().map(text).collect();
            serde_json::from_str::<Value>(&joined).is_err()
        };
        let order = orders(&places).into_iter().find(is_broken)?;
        let texts: Vec<String> = order.iter().map(text).collect();
        // The pieces move, the heads of the call stay: one piece more joins the last, one piece less leaves it empty.
        for (nth, at) in places.iter().enumerate() {
            let piece = if nth + 1 == places.len() { texts.get(nth..).unwrap_or_default().concat() } else { texts[nth].clone() };
            *list[*at].pointer_mut(ARGUMENTS)? = json!(piece);
        }
        Some(())
    })
}

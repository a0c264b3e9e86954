//! What breaks the form that was asked for: JSON, a schema of the content or of arguments, stop texts.

use serde_json::{Map, Value, json};

use super::calls::arguments;
use crate::contract::{Format, ToolChoice};
use crate::mutate::change::content;
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::schema::Schema;
use crate::wire::Exchange;

family!(Schema: detect, legal);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("words-before-content", FORM, "words stand before the JSON that was asked for", |good| {
        form(good, |text| format!("Sure! {text}"))
    }),
    detect("words-after-content", FORM, "words stand behind the JSON that was asked for", |good| {
        form(good, |text| format!("{text}\nThat is all."))
    }),
    detect("content-in-a-fence", FORM, "the JSON that was asked for stands in a fence", |good| {
        form(good, |text| format!("```json\n{text}\n```"))
    }),
    detect("content-halved", FORM, "half of the JSON that was asked for came", |good| {
        form(good, |text| text[..text.floor_char_boundary(text.trim_end().len() / 2).max(1)].to_owned())
    }),
    detect("content-in-single-quotes", FORM, "the JSON that was asked for has single quotes", |good| {
        form(good, |text| text.replace('"', "'"))
    }),
    detect("content-twice", FORM, "the JSON that was asked for stands twice", |good| form(good, |text| format!("{text}{text}"))),
    detect("content-in-prose", FORM, "prose came in place of the JSON that was asked for", |good| {
        form(good, |_| "Paris is a city in France.".to_owned())
    }),
    detect("content-encoded-twice", &["W040", "W041"], "the object that was asked for is encoded twice", |good| {
        typed(good, |text| Value::from(text).to_string())
    }),
    detect("content-in-a-list", &["W040", "W041"], "the object that was asked for stands in a list", |good| {
        typed(good, |text| format!("[{text}]"))
    }),
    detect("content-of-null", &["W040", "W041"], "null came in place of the object that was asked for", |good| {
        typed(good, |_| "null".to_owned())
    }),
    detect("stop-text-left", &["W037"], "the stop text stands in the content", |good| {
        let stop = good.asked.stop.first()?;
        let kept = good.asked.body.as_ref()?.get("include_stop_str_in_output").is_some();
        content(good, |text| (!kept && !text.contains(stop)).then(|| format!("{text}{stop}")))
    }),
    detect("went-on-behind-stop-text", &["W037"], "the answer goes on behind the stop text", |good| {
        let stop = good.asked.stop.first()?;
        let kept = good.asked.body.as_ref()?.get("include_stop_str_in_output").is_some();
        content(good, |text| (!kept && !text.contains(stop)).then(|| format!("{text}{stop} and more.")))
    }),
    detect("property-lost", FITS, "a required property is missing", |good| {
        broken(good, |object| object.keys().map(|key| without(object, key)).collect())
    }),
    detect("property-of-another-type", FITS, "a property has another type", |good| {
        broken(good, |object| each(object, |value| Some(other_type(value))))
    }),
    detect("property-null", FITS, "a property is null", |good| broken(good, |object| each(object, |_| Some(Value::Null)))),
    detect("property-not-listed", FITS, "a property holds a text that is not listed", |good| {
        broken(good, |object| each(object, |value| value.is_string().then(|| json!("x-not-listed"))))
    }),
    detect("property-more", FITS, "there is a property that the schema does not have", |good| {
        broken(good, |object| vec![Value::Object(with(object, "x_extra", json!(1)))])
    }),
    detect("property-misspelt", FITS, "the name of a property is misspelt", |good| {
        broken(good, |object| {
            let misspelt = |key: &String| {
                object
                    .iter()
                    .map(|(name, value)| (if name == key { format!("{name}_") } else { name.clone() }, value.clone()))
                    .collect()
            };
            object.keys().map(misspelt).map(Value::Object).collect()
        })
    }),
    detect("property-fraction", FITS, "a whole number has a fraction", |good| {
        broken(good, |object| each(object, |value| Some(json!(value.as_i64()? as f64 + 0.5))))
    }),
    detect("property-out-of-bounds", FITS, "a number lies far out of its bounds", |good| {
        broken(good, |object| {
            let far = |far: f64| each(object, move |value| value.is_number().then(|| json!(far)));
            [far(1e12), far(-1e12)].concat()
        })
    }),
    detect("property-too-long", FITS, "a text is longer than it may be", |good| {
        broken(good, |object| each(object, |value| Some(json!(value.as_str()?.repeat(400)))))
    }),
    detect("property-list-too-long", FITS, "a list is longer than it may be", |good| {
        broken(good, |object| each(object, |value| Some(json!(vec![value.as_array()?.first()?.clone(); 400]))))
    }),
    detect("property-list-empty", FITS, "a list is empty that must hold something", |good| {
        broken(good, |object| each(object, |value| value.as_array().map(|_| json!([]))))
    }),
    detect("property-deep-of-another-type", FITS, "a value three levels down has another type", |good| {
        broken(good, |object| deep(&Value::Object(object.clone()), 3, other_type))
    }),
    detect("property-deep-lost", FITS, "an object three levels down is empty", |good| {
        broken(good, |object| deep(&Value::Object(object.clone()), 2, |_| json!({})))
    }),
    detect("arguments-within-arguments", FITS, "the arguments stand within an object", |good| {
        broken(good, |object| vec![json!({"arguments": object})])
    }),
    detect("schema-for-instance", FITS, "the form of the schema came in place of an instance", |good| {
        broken(good, |object| vec![json!({"type": "object", "properties": object})])
    }),
    legal("content-json-spaced", "the JSON that was asked for is written on many lines", |good| {
        written(good, |value| serde_json::to_string_pretty(value).unwrap_or_default())
    }),
    legal("content-json-reversed", "the keys of the JSON that was asked for stand in another order", |good| {
        written(good, |value| match value {
            Value::Object(object) => Value::Object(object.clone().into_iter().rev().collect()).to_string(),
            other => other.to_string(),
        })
    }),
];

/// Rules of content that is no JSON at all.
const FORM: &[&str] = &["W040", "W041", "W250"];

/// Rules of content or arguments that do not fit their schema.
const FITS: &[&str] = &["W041", "W080"];

/// Whether JSON was asked for, and the answer ended by itself.
fn is_formed(good: &Good<'_>) -> bool {
    matches!(good.asked.format, Format::JsonObject | Format::JsonSchema { .. })
        && good.finish() == Some("stop")
        && good.said().is_some_and(|text| serde_json::from_str::<Value>(text).is_ok())
}

/// Another text where JSON was asked for.
fn form(good: &Good<'_>, change: impl Fn(&str) -> String) -> Option<Exchange> {
    is_formed(good).then(|| content(good, |text| Some(change(text))))?
}

/// JSON of another kind where an object was asked for.
fn typed(good: &Good<'_>, change: impl Fn(&str) -> String) -> Option<Exchange> {
    let strict = match &good.asked.format {
        Format::JsonObject => true,
        Format::JsonSchema { strict, schema } => *strict && schema.get("type").is_some_and(|kind| kind == "object"),
        _ => false,
    };
    strict.then(|| form(good, change))?
}

/// The same JSON, written another way.
fn written(good: &Good<'_>, write: impl Fn(&Value) -> String) -> Option<Exchange> {
    let value: Value = serde_json::from_str(good.said()?).ok()?;
    form(good, |_| write(&value))
}

/// The first of these objects that does not fit the schema that the present one fits: of a content under a strict schema, or of
/// the arguments of a strict or forced call.
fn broken(good: &Good<'_>, changed: impl Fn(&Map<String, Value>) -> Vec<Value>) -> Option<Exchange> {
    let first = |schema: &Schema, text: &str| {
        let now: Value = serde_json::from_str(text).ok()?;
        let object = now.as_object().filter(|_| schema.fits(&now))?;
        changed(object).into_iter().find(|value| value.is_object() && !schema.fits(value)).map(|value| value.to_string())
    };
    if let Format::JsonSchema { schema, strict: true } = &good.asked.format
        && is_formed(good)
    {
        let schema = Schema::compile(schema).ok()?;
        return content(good, |text| first(&schema, text));
    }
    let name = good.reply.tool_calls().first()?.name.as_deref()?;
    let tool = good.asked.tool(name)?;
    let forced = matches!(good.asked.tool_choice, ToolChoice::Required | ToolChoice::Named(_));
    let schema = tool.schema().filter(|_| forced || tool.strict)?;
    arguments(good, |text| first(schema, text))
}

fn with(object: &Map<String, Value>, key: &str, value: Value) -> Map<String, Value> {
    let mut object = object.clone();
    object.insert(key.to_owned(), value);
    object
}

fn without(object: &Map<String, Value>, key: &str) -> Value {
    let mut object = object.clone();
    object.shift_remove(key);
    Value::Object(object)
}

/// The object with each of its properties in turn replaced.
fn each(object: &Map<String, Value>, change: impl Fn(&Value) -> Option<Value>) -> Vec<Value> {
    let changed = |(key, value): (&String, &Value)| Some(Value::Object(with(object, key, change(value)?)));
    object.iter().filter_map(changed).collect()
}

fn other_type(value: &Value) -> Value {
    match value {
        Value::String(_) => json!(3),
        Value::Array(_) => json!({}),
        Value::Object(_) => json!([]),
        Value::Null => json!(false),
        Value::Number(_) | Value::Bool(_) => json!("x"),
    }
}

/// The value with each of those so many levels down in turn replaced.
fn deep(value: &Value, levels: usize, change: fn(&Value) -> Value) -> Vec<Value> {
    if levels == 0 {
        return vec![change(value)];
    }
    match value {
        Value::Object(object) => {
            let below = |(key, value): (&String, &Value)| {
                deep(value, levels - 1, change).into_iter().map(|new| Value::Object(with(object, key, new))).collect::<Vec<_>>()
            };
            object.iter().flat_map(below).collect()
        }
        Value::Array(list) => (0..list.len())
            .flat_map(|at| {
                deep(&list[at], levels - 1, change).into_iter().map(move |new| {
                    let mut list = list.clone();
                    list[at] = new;
                    Value::Array(list)
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}

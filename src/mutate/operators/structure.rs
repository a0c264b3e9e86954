//! What breaks the keys and types of choices and messages, and the characters of the text.

use serde_json::{Value, json};

use crate::mutate::change::{choice, content, cut, each, message, part, put, swap, whole};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Structure: detect);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("choice-null", &["W220", "W260"], "a choice is null", |good| {
        choice(good, |choice| {
            *choice = Value::Null;
            Some(())
        })
    }),
    detect("choice-as-text", &["W220", "W260"], "a choice is text", |good| {
        choice(good, |choice| {
            *choice = json!("Paris");
            Some(())
        })
    }),
    detect("choice-index-lost", &["W220"], "a choice has no index", |good| first(good, |choice| cut(choice, "index"))),
    detect("choice-index-text", &["W220"], "the index of a choice is text", |good| index(good, json!("0"))),
    detect("choice-index-with-fraction", &["W220"], "the index of a choice has a fraction", |good| index(good, json!(0.0))),
    detect("choice-index-below-zero", &["W220"], "the index of a choice is below 0", |good| index(good, json!(-1))),
    detect("choice-index-off", &["W024"], "the indexes of the choices do not begin with 0", |good| {
        let one = good.reply.choices.len() == 1 && good.n() == 1;
        one.then(|| index(good, json!(1)))?
    }),
    detect("choice-more", &["W024"], "there is a choice more than asked", |good| {
        more(good, |choice, count| put(choice, "index", json!(count)))
    }),
    detect("choice-twice", &["W024"], "a choice stands twice", |good| more(good, |_, _| Some(()))),
    detect("choice-missing", &["W024"], "a choice less than asked came", |good| {
        (good.n() > 1 && good.reply.choices.len() as u64 == good.n())
            .then(|| whole(good, |body| body.get_mut("choices")?.as_array_mut()?.pop().map(drop)))?
    }),
    detect("choices-with-a-hole", &["W024"], "the indexes of the choices leave one out", |good| {
        (good.n() > 1 && good.reply.choices.len() as u64 == good.n())
            .then(|| whole(good, |body| put(body.get_mut("choices")?.as_array_mut()?.last_mut()?, "index", json!(good.n()))))?
    }),
    detect("delta-in-whole-reply", &["W220", "W221"], "a whole reply has a delta", |good| {
        first(good, |choice| {
            let message = choice.as_object_mut()?.shift_remove("message")?;
            put(choice, "delta", message)
        })
    }),
    detect("text-for-message", &["W220"], "a choice has text in place of a message", |good| {
        first(good, |choice| {
            cut(choice, "message")?;
            put(choice, "text", json!("Paris"))
        })
    }),
    detect("message-lost", &["W220"], "a choice has no message", |good| first(good, |choice| cut(choice, "message"))),
    detect("message-as-text", &["W220"], "the message is text", |good| replaced(good, json!("Paris"))),
    detect("message-null", &["W220"], "the message is null", |good| replaced(good, json!(null))),
    detect("message-as-list", &["W220"], "the message is a list", |good| {
        first(good, |choice| swap(choice, "message", json!([choice.get("message")?.clone()])))
    }),
    detect("role-missing", &["W025"], "the message has no role", |good| message(good, |message| cut(message, "role"))),
    detect("role-of-user", &["W025"], "the role of the message is user", |good| role(good, json!("user"))),
    detect("role-of-tool", &["W025"], "the role of the message is tool", |good| role(good, json!("tool"))),
    detect("role-capital", &["W025"], "the role of the message is Assistant", |good| role(good, json!("Assistant"))),
    detect("role-null", &["W025"], "the role of the message is null", |good| role(good, json!(null))),
    detect("content-as-parts", &["W026"], "the content is a list of parts", |good| {
        text(good, |text| json!([{"type": "text", "text": text}]))
    }),
    detect("content-as-message-object", &["W026"], "the content is an object", |good| text(good, |text| json!({"text": text}))),
    detect("content-as-number", &["W026"], "the content is a number", |good| text(good, |_| json!(42))),
    detect("content-as-flag", &["W026"], "the content is true", |good| text(good, |_| json!(true))),
    detect("content-lost", &["W026", "W028", "W040", "W041", "W250"], "there is no content", |good| {
        good.said()?;
        message(good, |message| cut(message, "content"))
    }),
    detect("refusal-beside-content", &["W042"], "the answer is refused and given", |good| {
        good.said()?;
        message(good, |message| put(message, "refusal", json!("I cannot help with that.")))
    }),
    detect("refusal-as-flag", &["W042"], "the refusal is false", |good| {
        message(good, |message| put(message, "refusal", json!(false)))
    }),
    detect("annotations-as-object", &["W228"], "annotations are an object", |good| {
        part(good, |part| put(part, "annotations", json!({"a": 1})))
    }),
    detect("audio-as-text", &["W228"], "audio is text", |good| part(good, |part| put(part, "audio", json!("x")))),
    detect("function-call-as-text", &["W228"], "the older function_call is text", |good| {
        part(good, |part| put(part, "function_call", json!("x")))
    }),
    detect("metadata-as-text", &["W228"], "metadata is text", |good| each(good, |value| put(value, "metadata", json!("x")))),
    detect("zero-character", &["W223"], "a zero character stands in the text", |good| middle(good, "\u{0}")),
    detect("character-lost", &["W224", "W068"], "a character of the text is lost", |good| {
        (!good.asked.prompt_has("\u{FFFD}") && good.finish() != Some("length")).then(|| middle(good, "\u{FFFD}"))?
    }),
    detect("text-read-as-latin-1", &["W226"], "a character of the text was decoded as another encoding", |good| {
        (!good.asked.prompt_has("Ã©")).then(|| middle(good, "Ã©"))?
    }),
    detect("quotes-read-as-windows-1252", &["W226"], "a quotation mark was decoded as another encoding", |good| {
        (!good.asked.prompt_has("â€")).then(|| middle(good, "â€™"))?
    }),
    detect("byte-token-in-text", &["W229"], "a token stands in the text by its bytes", |good| {
        (!good.asked.prompt_has("<0x0A>")).then(|| middle(good, "<0x0A>"))?
    }),
    detect("word-pieces-in-text", &["W229"], "marks of word pieces stand for all blanks", |good| spaces(good, "Ġ")),
    detect("sentence-pieces-in-text", &["W229"], "marks of sentence pieces stand for all blanks", |good| spaces(good, "▁")),
];

/// The first choice of a whole answer.
fn first(good: &Good<'_>, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Exchange> {
    whole(good, |body| change(body.pointer_mut("/choices/0")?))
}

fn index(good: &Good<'_>, index: Value) -> Option<Exchange> {
    first(good, |choice| put(choice, "index", index))
}

fn replaced(good: &Good<'_>, new: Value) -> Option<Exchange> {
    first(good, |choice| swap(choice, "message", new))
}

/// The last choice of a whole answer once more.
fn more(good: &Good<'_>, change: impl Fn(&mut Value, usize) -> Option<()>) -> Option<Exchange> {
    (good.reply.choices.len() as u64 == good.n()).then_some(())?;
    whole(good, |body| {
        let choices = body.get_mut("choices")?.as_array_mut()?;
        let mut more = choices.last()?.clone();
        change(&mut more, choices.len())?;
        choices.push(more);
        Some(())
    })
}

fn role(good: &Good<'_>, role: Value) -> Option<Exchange> {
    message(good, |message| put(message, "role", role))
}

/// Content of another type.
fn text(good: &Good<'_>, change: impl FnOnce(&str) -> Value) -> Option<Exchange> {
    let new = change(good.said()?);
    message(good, |message| swap(message, "content", new))
}

/// A text with something put into its middle, between two characters.
fn middle(good: &Good<'_>, mark: &str) -> Option<Exchange> {
    content(good, |text| {
        let at = text.ceil_char_boundary(text.trim_end().len() / 2);
        Some(format!("{}{mark}{}", &text[..at], &text[at..]))
    })
}

/// A text of several words with another mark in place of all blanks.
fn spaces(good: &Good<'_>, mark: &str) -> Option<Exchange> {
    let fine = !good.asked.prompt_has(mark) && good.said()?.matches(' ').count() > 1;
    fine.then(|| content(good, |text| Some(text.replace(' ', mark))))?
}

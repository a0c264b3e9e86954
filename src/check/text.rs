//! Claims about the text of a reply.

use regex::Regex;
use serde_json::Value;

use super::{Held, Said, broken, counted};
use crate::event::Whose;

const KIND: &str = "assert.text";

/// What a text may have.
#[derive(Debug, Clone, Copy)]
pub enum Form<'a> {
    /// The words somewhere in it, ignoring case and runs of white space.
    Mentions(&'a str),
    /// The characters somewhere in it, exactly.
    Contains(&'a str),
    /// It and nothing else; white space around both is ignored.
    Is(&'a str),
    /// A regular expression matches somewhere in it.
    Matches(&'a Regex),
    /// It begins so, after leading white space.
    StartsWith(&'a str),
    /// It ends so, before trailing white space.
    EndsWith(&'a str),
}

impl Form<'_> {
    /// Whether a text has it.
    pub(super) fn of(&self, text: &str) -> bool {
        match self {
            Self::Mentions(wanted) => plain(text).contains(&plain(wanted)),
            Self::Contains(wanted) => text.contains(wanted),
            Self::Is(wanted) => text.trim() == wanted.trim(),
            Self::Matches(regex) => regex.is_match(text),
            Self::StartsWith(wanted) => text.trim_start().starts_with(wanted),
            Self::EndsWith(wanted) => text.trim_end().ends_with(wanted),
        }
    }

    /// The claim's verb and object: `mentions "Paris"`, `does not mention "Paris"`.
    pub(super) fn words(&self, wanted: bool) -> String {
        let (yes, no, object) = match self {
            Self::Mentions(text) => ("mentions", "does not mention", quoted(text)),
            Self::Contains(text) => ("contains", "does not contain", quoted(text)),
            Self::Is(text) => ("is", "is not", quoted(text)),
            Self::Matches(regex) => ("matches", "does not match", format!("/{}/", regex.as_str())),
            Self::StartsWith(text) => ("starts with", "does not start with", quoted(text)),
            Self::EndsWith(text) => ("ends with", "does not end with", quoted(text)),
        };
        format!("{} {object}", if wanted { yes } else { no })
    }
}

/// The reply has a form. **Whose**: model.
pub fn has(said: &Said<'_>, form: Form<'_>) -> Held {
    judge(said, &form.words(true), |text| form.of(text))
}

/// The reply is there and does not have a form. **Whose**: model.
pub fn has_not(said: &Said<'_>, form: Form<'_>) -> Held {
    judge(said, &form.words(false), |text| !text.trim().is_empty() && !form.of(text))
}

/// The reply mentions at least one of these.
pub fn mentions_one_of(said: &Said<'_>, wanted: &[String]) -> Held {
    let claim = format!("mentions one of {}", list(wanted));
    judge(said, &claim, |text| wanted.iter().any(|wanted| Form::Mentions(wanted).of(text)))
}

/// The reply mentions each of these.
pub fn mentions_all_of(said: &Said<'_>, wanted: &[String]) -> Held {
    let missing: Vec<String> = wanted.iter().filter(|wanted| !Form::Mentions(wanted).of(said.text)).cloned().collect();
    let without = if missing.is_empty() { String::new() } else { format!(" (missing: {})", list(&missing)) };
    judge(said, &format!("mentions all of {}{without}", list(wanted)), |_| missing.is_empty())
}

/// The reply is there and mentions none of these.
pub fn mentions_none_of(said: &Said<'_>, unwanted: &[String]) -> Held {
    let found: Vec<String> = unwanted.iter().filter(|wanted| Form::Mentions(wanted).of(said.text)).cloned().collect();
    let with = if found.is_empty() { String::new() } else { format!(" (found: {})", list(&found)) };
    let claim = format!("mentions none of {}{with}", list(unwanted));
    judge(said, &claim, |text| !text.trim().is_empty() && found.is_empty())
}

/// There is text in the reply.
pub fn is_not_empty(said: &Said<'_>) -> Held {
    judge(said, "is not empty", |text| !text.trim().is_empty())
}

/// There is a reply, and no text in it.
pub fn is_empty(said: &Said<'_>) -> Held {
    judge(said, "is empty", |text| text.trim().is_empty())
}

/// The reply has at least so many words (runs of characters between white space).
pub fn has_at_least_words(said: &Said<'_>, bound: u64) -> Held {
    let count = words(said.text);
    judge(said, &format!("has at least {} (it has {count})", counted(bound, "word")), |_| count >= bound)
}

/// The reply is there and has at most so many words.
pub fn has_at_most_words(said: &Said<'_>, bound: u64) -> Held {
    let count = words(said.text);
    judge(said, &format!("has at most {} (it has {count})", counted(bound, "word")), |text| {
        !text.trim().is_empty() && count <= bound
    })
}

/// The whole reply is one JSON value.
pub fn is_json(said: &Said<'_>) -> Held {
    json(said).map(drop)
}

/// The reply is there and is not JSON.
pub fn is_not_json(said: &Said<'_>) -> Held {
    judge(said, "is not JSON", |text| !text.trim().is_empty() && serde_json::from_str::<Value>(text).is_err())
}

/// The reply as JSON; where it is none, the claim "is JSON" is what does not hold.
pub fn json(said: &Said<'_>) -> Result<Value, Box<crate::event::Mismatch>> {
    let parsed = serde_json::from_str(said.text);
    let wanted = match &parsed {
        Ok(_) => String::new(),
        Err(_) if said.text.trim_start().starts_with("```") => "is JSON (it stands in a code fence)".to_owned(),
        Err(error) => format!("is JSON ({error})"),
    };
    judge(said, &wanted, |_| parsed.is_ok())?;
    Ok(parsed.unwrap_or_default())
}

/// One verdict on the text; an error in place of a reply breaks every claim.
fn judge(said: &Said<'_>, claim: &str, holds: impl FnOnce(&str) -> bool) -> Held {
    if said.is_reply() && holds(said.text) {
        return Ok(());
    }
    broken(KIND, said.whose(Whose::Model), format!("the reply {claim}"), format!("a reply that {claim}"), said.shown())
}

/// Lower case, with single spaces.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word.to_lowercase());
    }
    out
}

fn words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn list(texts: &[String]) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, form: Form<'_>, yes: bool, no: bool) {
        let said = Said::plain(text);
        assert_eq!((has(&said, form).is_ok(), has_not(&said, form).is_ok()), (yes, no), "{form:?} of {text:?}");
    }

    #[test]
    fn each_form_and_its_negation() {
        check("It is  PARIS,\nFrance.", Form::Mentions("paris, france"), true, false);
        check("It is Paris.", Form::Mentions("Rome"), false, true);
        check("straße", Form::Mentions("STRAßE"), true, false);
        check("It is Paris.", Form::Contains("paris"), false, true);
        check("It is Paris.", Form::Contains("Paris"), true, false);
        check("  Paris\n", Form::Is("Paris"), true, false);
        check("Paris.", Form::Is("Paris"), false, true);
        check("in 1998", Form::Matches(&Regex::new("[0-9]{4}$").expect("regex")), true, false);
        check("in 98", Form::Matches(&Regex::new("[0-9]{4}$").expect("regex")), false, true);
        check("\nParis is", Form::StartsWith("Paris"), true, false);
        check("So Paris", Form::StartsWith("Paris"), false, true);
        check("is Paris \n", Form::EndsWith("Paris"), true, false);
        check("is Paris.", Form::EndsWith("Paris"), false, true);
    }

    #[test]
    fn an_empty_reply_holds_no_negation() {
        for form in [Form::Mentions("a"), Form::Contains("a"), Form::Is("a"), Form::StartsWith("a"), Form::EndsWith("a")] {
            check(" \n", form, false, false);
        }
        let none = Said::plain("");
        assert!(mentions_none_of(&none, &["a".to_owned()]).is_err());
        assert!(is_not_json(&none).is_err());
        assert!(has_at_most_words(&none, 3).is_err());
        assert!(is_empty(&none).is_ok());
    }

    #[test]
    fn an_error_in_place_of_a_reply_holds_nothing_and_is_shown() {
        let said = Said { instead: Some("the server answered 500: no memory".to_owned()), ..Said::plain("") };
        for held in [is_empty(&said), is_not_empty(&said), has_not(&said, Form::Mentions("a")), is_not_json(&said)] {
            let mismatch = held.expect_err("an error is no reply");
            assert_eq!(mismatch.actual.as_deref(), Some("the server answered 500: no memory"));
            assert_eq!(mismatch.whose, Whose::Capability);
        }
    }

    #[track_caller]
    fn lists(text: &str, one: bool, all: bool, none: bool) {
        let (said, wanted) = (Said::plain(text), ["Paris".to_owned(), "Rome".to_owned()]);
        let seen = (
            mentions_one_of(&said, &wanted).is_ok(),
            mentions_all_of(&said, &wanted).is_ok(),
            mentions_none_of(&said, &wanted).is_ok(),
        );
        assert_eq!(seen, (one, all, none), "{text:?}");
    }

    #[test]
    fn lists_of_texts() {
        lists("paris", true, false, false);
        lists("rome or paris", true, true, false);
        lists("Oslo", false, false, true);
        let missing =
            mentions_all_of(&Said::plain("paris"), &["Paris".to_owned(), "Rome".to_owned()]).expect_err("Rome is missing");
        assert!(missing.message.contains("(missing: \"Rome\")"), "{}", missing.message);
    }

    #[test]
    fn words_and_json() {
        let said = Said::plain("one two  three");
        assert!(has_at_least_words(&said, 3).is_ok() && has_at_least_words(&said, 4).is_err());
        assert!(has_at_most_words(&said, 3).is_ok() && has_at_most_words(&said, 2).is_err());
        assert!(is_json(&Said::plain(" {\"a\": 1}\n")).is_ok() && is_not_json(&Said::plain("{\"a\": 1}")).is_err());
        assert!(is_json(&said).is_err() && is_not_json(&said).is_ok());
        let fenced = is_json(&Said::plain("```json\n{}\n```")).expect_err("a fence is no JSON");
        assert!(fenced.message.contains("code fence"), "{}", fenced.message);
    }
}

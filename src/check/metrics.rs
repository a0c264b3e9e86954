//! Claims about what a server tells of itself on its page of metrics.

use super::{Held, broken, status};
use crate::event::{Mismatch, Whose};
use crate::wire::{ChatReply, End, Exchange, Page, text_of};

const KIND: &str = "assert.metrics";

/// The page of metrics as text, where one came. **Whose**: capability, the setup claims it.
pub fn page(exchange: &Exchange) -> Result<std::borrow::Cow<'_, str>, Box<Mismatch>> {
    if exchange.status == Some(200) && exchange.failure().is_none() {
        return Ok(text_of(&exchange.body));
    }
    let actual = status::shown(exchange);
    Err(Box::new(Mismatch::new(KIND, Whose::Capability, "the server shows its metrics").expected("status 200").actual(actual)))
}

/// What metrics say together, each over all its labels. One that is not on the page is a mismatch: nothing would prove nothing.
pub fn sum(page: &Page<'_>, names: &[String]) -> Result<f64, Box<Mismatch>> {
    let mut sum = 0.0;
    for name in names {
        sum += page.sum(name).ok_or_else(|| {
            let actual = format!("{} series without it", page.samples.len());
            let message = format!("the metrics tell `{name}`");
            Box::new(Mismatch::new(KIND, Whose::Capability, message).expected(name.as_str()).actual(actual))
        })?;
    }
    Ok(sum)
}

/// `who` works on nothing. **Whose**: capability, work for those who left is not stopped.
pub fn idle(page: &Page<'_>, names: &[String], who: &str, within: &str) -> Held {
    let running = sum(page, names)?;
    // A gauge that is no number is not 0 either.
    if running.abs() < 0.5 {
        return Ok(());
    }
    let shown: Vec<String> = names.iter().map(|name| format!("{name} {}", page.sum(name).unwrap_or_default())).collect();
    broken(KIND, Whose::Capability, format!("{who} is idle within {within}"), "no request under way", shown.join(", "))
}

/// Tokens that replies were billed for, by their `usage`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Billed {
    /// `prompt_tokens`.
    pub prompt: u64,
    /// `completion_tokens`.
    pub completion: u64,
    /// Replies that came without usage, or not to their end: what they cost is not known.
    pub unknown: u64,
}

impl Billed {
    /// With one more reply: whatever generates has `usage`, and what has not been refused may have generated.
    #[must_use]
    pub fn and(self, exchange: &Exchange, reply: &ChatReply) -> Self {
        let (prompt, completion) = reply.usage.as_ref().map_or((None, None), |usage| (usage.prompt, usage.completion));
        let generates = exchange.request.method.eq_ignore_ascii_case("post") && exchange.request.target.ends_with("completions");
        let open = exchange.end != End::Complete || exchange.status.is_some_and(|status| status < 300) && completion.is_none();
        Self {
            prompt: self.prompt + prompt.unwrap_or_default(),
            completion: self.completion + completion.unwrap_or_default(),
            unknown: self.unknown + u64::from(generates && open),
        }
    }

    /// What was added to an earlier state.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            prompt: self.prompt - before.prompt,
            completion: self.completion - before.completion,
            unknown: self.unknown - before.unknown,
        }
    }
}

/// Tokens that a server has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counters {
    /// Of prompts; `None` where the server has no such counter.
    pub prompt: Option<f64>,
    /// Of what was generated.
    pub completion: f64,
}

/// What a growth of counters is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// Nobody else was served meanwhile: as much.
    Exactly,
    /// Others may have been served: no less.
    AtLeast,
}

/// Whether counters have grown by what was billed meanwhile. **Whose**: wire, one of the two is wrong.
pub fn grew(before: Counters, after: Counters, billed: Billed, growth: Growth) -> Held {
    let growth = if billed.unknown > 0 { Growth::AtLeast } else { growth };
    let completion = Some((after.completion - before.completion, billed.completion, "completion"));
    let prompt = after.prompt.zip(before.prompt).map(|(after, before)| (after - before, billed.prompt, "prompt"));
    let (mut wanted, mut found, mut holds) = (Vec::new(), Vec::new(), true);
    for (grown, billed, word) in prompt.into_iter().chain(completion) {
        #[expect(clippy::cast_precision_loss, reason = "counts of tokens are far below 2^53")]
        let billed = billed as f64;
        let least = if growth == Growth::AtLeast { "at least " } else { "" };
        wanted.push(format!("{least}{billed} {word} tokens"));
        found.push(format!("{grown} {word} tokens"));
        holds &= match growth {
            Growth::Exactly => (grown - billed).abs() < 0.5,
            Growth::AtLeast => grown > billed - 0.5,
        };
    }
    if holds {
        return Ok(());
    }
    let message = "the counters grew by the usage of the replies";
    broken(KIND, Whose::Wire, message, wanted.join(", "), found.join(", "))
}

/// Since its counters were noted, a service generated nothing. **Whose**: capability, a request went to the wrong one.
pub fn did_nothing(before: Counters, after: Counters, who: &str) -> Held {
    let grown = after.completion - before.completion;
    if grown.abs() < 0.5 {
        return Ok(());
    }
    let message = format!("{who} did nothing");
    broken(KIND, Whose::Capability, message, "no token generated", format!("{grown} completion tokens"))
}

/// Whether counters have caught up with what was billed: some servers count a moment after they answered.
pub fn caught_up(before: Counters, after: Counters, billed: Billed) -> bool {
    grew(before, after, billed, Growth::AtLeast).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{choice, exchange, whole};
    use super::*;
    use crate::wire::{Request, fold_chat};

    const RUNNING: &str = "# TYPE s:running gauge\ns:running{model=\"a\"} 0\ns:running{model=\"b\"} 1\ns:waiting 0\n";

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_server_is_idle_when_all_its_gauges_are_down() {
        let page = Page::read(RUNNING);
        assert!(idle(&page, &names(&["s:waiting"]), "the server", "1s").is_ok());
        let busy = idle(&page, &names(&["s:waiting", "s:running"]), "the server", "1s").expect_err("one runs");
        assert_eq!(busy.actual.as_deref(), Some("s:waiting 0, s:running 1"));
        let unknown = idle(&page, &names(&["s:run"]), "the server", "1s").expect_err("it is not there");
        assert_eq!(unknown.actual.as_deref(), Some("3 series without it"));
        assert!(idle(&Page::read("r NaN\n"), &names(&["r"]), "the server", "1s").is_err());
    }

    #[test]
    fn a_page_is_needed() {
        assert!(page(&exchange(200, "a 1")).is_ok());
        let none = page(&exchange(501, "{\"error\":\"no metrics\"}")).expect_err("no page");
        assert_eq!(none.actual.as_deref(), Some("501: {\"error\":\"no metrics\"}"));
    }

    #[track_caller]
    fn check(grown: (Option<f64>, f64), billed: (u64, u64, u64), exactly: bool, at_least: bool) {
        let before = Counters { prompt: grown.0.map(|_| 10.0), completion: 5.0 };
        let after = Counters { prompt: grown.0.map(|prompt| 10.0 + prompt), completion: 5.0 + grown.1 };
        let billed = Billed { prompt: billed.0, completion: billed.1, unknown: billed.2 };
        let holds = [Growth::Exactly, Growth::AtLeast].map(|growth| grew(before, after, billed, growth).is_ok());
        assert_eq!(holds, [exactly, at_least], "{grown:?} {billed:?}");
    }

    #[test]
    fn counters_grow_by_what_was_billed() {
        check((Some(37.0), 8.0), (37, 8, 0), true, true);
        check((Some(37.0), 7.0), (37, 8, 0), false, false);
        check((Some(36.0), 8.0), (37, 8, 0), false, false);
        check((Some(37.0), 16.0), (37, 8, 0), false, true);
        check((Some(74.0), 8.0), (37, 8, 0), false, true);
        // A reply that was hung up cost more than anybody said.
        check((Some(74.0), 16.0), (37, 8, 1), true, true);
        check((None, 8.0), (37, 8, 0), true, true);
        check((None, 0.0), (0, 8, 0), false, false);
    }

    #[test]
    fn who_generated_nothing_did_nothing() {
        let counters = |completion| Counters { prompt: None, completion };
        assert!(did_nothing(counters(7.0), counters(7.0), "the service `a`").is_ok());
        let told = did_nothing(counters(7.0), counters(15.0), "the service `a`").expect_err("it generated");
        assert_eq!((&*told.message, told.actual.as_deref()), ("the service `a` did nothing", Some("8 completion tokens")));
    }

    #[test]
    fn what_replies_cost_adds_up_and_what_is_not_known_is_counted() {
        let usage = r#","usage":{"prompt_tokens":37,"completion_tokens":8,"total_tokens":45}"#;
        let [mut priced, mut bare, page, mut refused] = [
            (200, whole(&choice(0, "a", "stop"), usage)),
            (200, whole(&choice(0, "a", "stop"), "")),
            (200, "a 1".to_owned()),
            (400, String::new()),
        ]
        .map(|(status, body)| exchange(status, &body));
        for asked in [&mut priced, &mut bare, &mut refused] {
            asked.request = Request::post_raw("/v1/chat/completions", "application/json", "{}");
        }
        let mut left = bare.clone();
        left.end = End::HungUp;
        let sum = [&priced, &page, &refused, &priced].iter().fold(Billed::default(), |sum, one| sum.and(one, &fold_chat(one)));
        assert_eq!(sum, Billed { prompt: 74, completion: 16, unknown: 0 });
        let more = [&bare, &left].iter().fold(sum, |sum, one| sum.and(one, &fold_chat(one)));
        assert_eq!(more.since(sum), Billed { prompt: 0, completion: 0, unknown: 2 });
    }

    #[test]
    fn both_sides_are_told() {
        let counters = |prompt, completion| Counters { prompt: Some(prompt), completion };
        let billed = Billed { prompt: 37, completion: 8, unknown: 0 };
        let told = grew(counters(0.0, 1.0), counters(37.0, 17.0), billed, Growth::Exactly).expect_err("counted twice");
        assert_eq!(told.expected.as_deref(), Some("37 prompt tokens, 8 completion tokens"));
        assert_eq!(told.actual.as_deref(), Some("37 prompt tokens, 16 completion tokens"));
    }
}

//! Claims about token counts.

use super::json_path::pretty;
use super::{Held, Said, broken, counted};
use crate::event::Whose;
use crate::wire::{ChatReply, Usage};

const KIND: &str = "assert.usage";

/// Which count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    /// `prompt_tokens`.
    Prompt,
    /// `completion_tokens`.
    Completion,
}

impl Tokens {
    fn words(self) -> &'static str {
        match self {
            Self::Prompt => "prompt tokens",
            Self::Completion => "completion tokens",
        }
    }

    fn of(self, usage: &Usage) -> Option<u64> {
        match self {
            Self::Prompt => usage.prompt,
            Self::Completion => usage.completion,
        }
    }
}

/// What a count must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Exactly this.
    Is(u64),
    /// This or more.
    AtLeast(u64),
    /// This or less.
    AtMost(u64),
}

impl Bound {
    fn takes(self, count: u64) -> bool {
        match self {
            Self::Is(wanted) => count == wanted,
            Self::AtLeast(bound) => count >= bound,
            Self::AtMost(bound) => count <= bound,
        }
    }

    fn words(self) -> String {
        match self {
            Self::Is(wanted) => wanted.to_string(),
            Self::AtLeast(bound) => format!("at least {bound}"),
            Self::AtMost(bound) => format!("at most {bound}"),
        }
    }
}

/// Usage is there and total = prompt + completion. **Whose**: wire.
pub fn adds_up(reply: &ChatReply, said: &Said<'_>) -> Held {
    let sums = |usage: &Usage| matches!((usage.prompt, usage.completion, usage.total), (Some(p), Some(c), Some(t)) if p.checked_add(c) == Some(t));
    if reply.usage.as_ref().is_some_and(sums) {
        return Ok(());
    }
    let expected = "prompt_tokens, completion_tokens, and total_tokens that is their sum";
    broken(KIND, said.whose(Whose::Wire), "the usage adds up", expected, shown(reply, said))
}

/// There is a reply and no usage in it. **Whose**: capability, usage came unasked.
pub fn is_missing(reply: &ChatReply, said: &Said<'_>) -> Held {
    if said.is_reply() && reply.usage.is_none() {
        return Ok(());
    }
    broken(KIND, Whose::Capability, "the usage is missing", "a reply without usage", shown(reply, said))
}

/// A count keeps to a bound. **Whose**: capability.
pub fn tokens(reply: &ChatReply, said: &Said<'_>, which: Tokens, bound: Bound) -> Held {
    if reply.usage.as_ref().and_then(|usage| which.of(usage)).is_some_and(|count| bound.takes(count)) {
        return Ok(());
    }
    let message = format!("the {} are {}", which.words(), bound.words());
    broken(KIND, Whose::Capability, message, format!("{} {}", bound.words(), which.words()), shown(reply, said))
}

/// The prompt of this reply was longer than that of the one before. **Whose**: capability, what was sent got lost.
pub fn prompt_grew(before: &ChatReply, reply: &ChatReply, said: &Said<'_>) -> Held {
    let count = |reply: &ChatReply| reply.usage.as_ref().and_then(|usage| usage.prompt);
    let (old, new) = (count(before), count(reply));
    if old.zip(new).is_some_and(|(old, new)| new > old) {
        return Ok(());
    }
    let expected = match old {
        Some(old) => format!("more than {}", counted(old, "prompt token")),
        None => "prompt tokens in both replies; the reply before has none".to_owned(),
    };
    broken(KIND, Whose::Capability, "the prompt tokens are more than before", expected, shown(reply, said))
}

fn shown(reply: &ChatReply, said: &Said<'_>) -> String {
    match (&reply.usage, &said.instead) {
        (Some(usage), _) => format!("usage {}", pretty(&usage.raw)),
        (None, Some(instead)) => instead.clone(),
        (None, None) => "no usage in the reply".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{choice, exchange, whole};
    use super::*;
    use crate::wire::{Exchange, fold_chat};

    fn used(usage: &str) -> Exchange {
        exchange(200, &whole(&choice(0, "a", "stop"), usage))
    }

    #[track_caller]
    fn check(usage: &str, sums: bool, missing: bool, at_most_3: bool) {
        let exchange = used(usage);
        let reply = fold_chat(&exchange);
        let said = Said::of(&reply, &exchange);
        let bounded = tokens(&reply, &said, Tokens::Completion, Bound::AtMost(3)).is_ok();
        assert_eq!(
            (adds_up(&reply, &said).is_ok(), is_missing(&reply, &said).is_ok(), bounded),
            (sums, missing, at_most_3),
            "{usage}"
        );
    }

    #[test]
    fn sums_presence_and_bounds() {
        check(r#","usage":{"prompt_tokens":4,"completion_tokens":3,"total_tokens":7}"#, true, false, true);
        check(r#","usage":{"prompt_tokens":4,"completion_tokens":4,"total_tokens":7}"#, false, false, false);
        check(r#","usage":{"prompt_tokens":4,"completion_tokens":3}"#, false, false, true);
        check("", false, true, false);
        check(r#","usage":null"#, false, true, false);
    }

    #[test]
    fn bounds_are_inclusive() {
        for (bound, fits) in [
            (Bound::Is(3), [false, true, false]),
            (Bound::AtLeast(3), [false, true, true]),
            (Bound::AtMost(3), [true, true, false]),
        ] {
            assert_eq!([2, 3, 4].map(|count| bound.takes(count)), fits, "{bound:?}");
        }
    }

    #[test]
    fn a_prompt_that_grew() {
        let of = |prompt: u32| {
            fold_chat(&used(&format!(r#","usage":{{"prompt_tokens":{prompt},"completion_tokens":1,"total_tokens":2}}"#)))
        };
        let said = Said::plain("a");
        assert!(prompt_grew(&of(3), &of(4), &said).is_ok());
        assert!(prompt_grew(&of(4), &of(4), &said).is_err());
        assert!(prompt_grew(&fold_chat(&used("")), &of(4), &said).is_err());
    }
}

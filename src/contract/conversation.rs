//! What only several exchanges of one scenario can show: ids, costs of prompts, deliveries, refusals.

use super::asked::Call;
use super::finding::Finding;
use super::rule::{Rule, Scope, Severity, Surface};
use super::trace::Trace;

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W045, &W046, &W047, &W070, &W035, &W036, &W162, &W012];

pub(super) static W045: Rule = Rule {
    id: "W045",
    surface: Surface::Chat,
    severity: Severity::Advice,
    scope: Scope::Scenario,
    statement: "ids of two replies differ",
    why: "logs and caches mix them up",
    source: "OpenAI API reference: unique identifier; Ollama has 999 of them",
    breaks: "chatcmpl-752 twice in one run",
};

pub(super) static W046: Rule = Rule {
    id: "W046",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Probe,
    statement: "an option that was asked for is honoured or refused with 4xx, never dropped",
    why: "callers believe that it acts",
    source: "OpenAI API reference; Ollama and mlx_lm.server drop several",
    breaks: "logit_bias that bans a word answered with that word",
};

pub(super) static W047: Rule = Rule {
    id: "W047",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Probe,
    statement: "what an early turn said can be recalled while the history fits",
    why: "a part of the conversation was dropped in silence",
    source: "Ollama with a small context",
    breaks: r#""I do not know your number" after it was told"#,
};

pub(super) static W070: Rule = Rule {
    id: "W070",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Scenario,
    statement: "whole and streamed, the same request at temperature 0 ends with the same reason and calls the same tools",
    why: "features must not depend on the delivery",
    source: "vLLM 53269, BerriAI/litellm 17246",
    breaks: "tool_calls whole, plain text streamed",
};

pub(super) static W035: Rule = Rule {
    id: "W035",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Scenario,
    statement: "the same messages cost the same prompt_tokens, cached or not",
    why: "costs cannot be foreseen, and one of the two prompts was not what was sent",
    source: "OpenAI API reference: cached tokens are part of prompt_tokens",
    breaks: "the same question for 37 and then for 13 tokens",
};

pub(super) static W036: Rule = Rule {
    id: "W036",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Scenario,
    statement: "a conversation of plain texts that was continued costs more prompt_tokens than before",
    why: "if it does not, the server dropped a part of it in silence",
    source: "Ollama cuts prompts that do not fit",
    breaks: "five messages for 80 tokens after three for 95",
};

pub(super) static W162: Rule = Rule {
    id: "W162",
    surface: Surface::Errors,
    severity: Severity::Violation,
    scope: Scope::Scenario,
    statement: "after a refusal the next good request succeeds",
    why: "one caller's mistake must not cost others their answers",
    source: "servers whose runner dies on bad input",
    breaks: "503 to a good request after a bad one",
};

pub(super) static W012: Rule = Rule {
    id: "W012",
    surface: Surface::Http,
    severity: Severity::Dialect,
    scope: Scope::Probe,
    statement: "after a client hangs up, the next request succeeds and the gauge of running requests falls back",
    why: "work for clients that are gone takes the machine from those who wait",
    source: "servers that generate on for a client that left",
    breaks: "a request after a disconnect waits for the old answer to end",
};

/// Checks the exchanges of one scenario against each other.
pub(super) fn across(traces: &[Trace], out: &mut Vec<Finding>) {
    let answers: Vec<&Trace> = traces.iter().filter(|trace| trace.is_answer()).collect();
    ids(&answers, out);
    for (place, later) in answers.iter().enumerate() {
        for earlier in &answers[..place] {
            pair(earlier, later, out);
        }
    }
    recovery(traces, out);
}

/// Most pairs are looked at in long scenarios too: each is a few comparisons of numbers.
fn pair(earlier: &Trace, later: &Trace, out: &mut Vec<Finding>) {
    if earlier.settings != later.settings || earlier.messages.is_empty() {
        return;
    }
    if let (Some(before), Some(after)) = (earlier.prompt_tokens, later.prompt_tokens) {
        if earlier.messages == later.messages && before != after {
            let found = format!("{after} prompt tokens, and {before} for the same messages before");
            out.push(Finding::across(&W035, later.exchange, found, "the same count"));
        }
        let grown = later.messages.len() > earlier.messages.len() && later.messages.starts_with(&earlier.messages);
        if grown && after <= before && !later.rewritable {
            let found = format!("{after} prompt tokens, and {before} before the conversation went on");
            out.push(Finding::across(&W036, later.exchange, found, "more than before"));
        }
    }
    if earlier.messages == later.messages && earlier.streamed != later.streamed && earlier.greedy {
        let differs = earlier.finish != later.finish || earlier.call_names != later.call_names;
        if differs {
            let words = |trace: &Trace| {
                format!("{} with {} calls", trace.finish.as_deref().unwrap_or("no reason"), trace.call_names.len())
            };
            let found = format!("{} here, {} in the other delivery", words(later), words(earlier));
            out.push(Finding::across(&W070, later.exchange, found, "the same reason and the same calls"));
        }
    }
}

fn ids(answers: &[&Trace], out: &mut Vec<Finding>) {
    for (place, later) in answers.iter().enumerate() {
        for earlier in &answers[..place] {
            if let (Some(id), true) = (&later.id, later.id == earlier.id) {
                out.push(Finding::across(&W045, later.exchange, format!("the id {id:?} again"), "an id of its own"));
            }
        }
    }
}

/// A good request after one that was refused, or that we left.
fn recovery(traces: &[Trace], out: &mut Vec<Finding>) {
    for pair in traces.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let good = after.call == Some(Call::Chat) && !after.mistaken && !after.cut_by_us;
        let failed = after.status.is_none_or(|status| status >= 500);
        if !good || !failed {
            continue;
        }
        let found = after.status.map_or_else(|| "no reply".to_owned(), |status| format!("status {status}"));
        if before.cut_by_us {
            out.push(Finding::across(&W012, after.exchange, format!("{found} after we hung up"), "an answer"));
        } else if before.status.is_some_and(|status| (400..500).contains(&status)) {
            out.push(Finding::across(&W162, after.exchange, format!("{found} after a refusal"), "an answer"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ExchangeId;

    /// An answer to so many messages, for so many prompt tokens.
    fn answer(id: u64, messages: u64, tokens: u64) -> Trace {
        Trace {
            exchange: ExchangeId(id),
            call: Some(Call::Chat),
            status: Some(200),
            complete: true,
            messages: (0..messages).collect(),
            prompt_tokens: Some(tokens),
            ..Trace::default()
        }
    }

    #[track_caller]
    fn check(traces: &[Trace], expect: &[&str]) {
        let mut out = Vec::new();
        across(traces, &mut out);
        let ids: Vec<&str> = out.iter().map(|finding| finding.rule.id).collect();
        assert_eq!(ids, expect, "{out:?}");
    }

    #[test]
    fn a_history_that_shrinks_was_cut_unless_its_template_may_write_it_anew() {
        check(&[answer(1, 1, 95), answer(2, 3, 120)], &[]);
        check(&[answer(1, 1, 95), answer(2, 3, 95)], &["W036"]);
        check(&[answer(1, 1, 95), answer(2, 3, 80)], &["W036"]);
        // Another conversation, and one with tools, which some templates show beside the last question only.
        check(&[answer(1, 1, 95), Trace { messages: vec![7, 8, 9], ..answer(2, 3, 80) }], &[]);
        check(&[answer(1, 1, 331), Trace { rewritable: true, ..answer(2, 3, 292) }], &[]);
    }

    #[test]
    fn the_same_messages_cost_the_same() {
        check(&[answer(1, 1, 37), answer(2, 1, 13)], &["W035"]);
        check(&[answer(1, 1, 37), Trace { settings: 1, ..answer(2, 1, 13) }], &[]);
    }
}

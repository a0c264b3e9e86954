//! `fireassay rules [ID|WORDS]`: the wire rules that every reply is held to, in a list, or one of them explained.

use serde_json::{Value, json};

use super::args::{FormatArg, RulesArgs};
use super::exit::Exit;
use super::terminal;
use crate::contract::{self, Rule, Scope};

/// Columns of an explanation.
const WIDTH: usize = 80;

pub(super) fn rules(args: &RulesArgs) -> Exit {
    let all = contract::rules();
    let words: Vec<String> = args.words.iter().map(|word| word.to_lowercase()).collect();
    let ids: Vec<&str> = all.iter().map(|rule| rule.id).collect();
    let named = |rule: &&&Rule| words.iter().any(|word| rule.id.eq_ignore_ascii_case(word));
    let explained: Vec<&Rule> = all.iter().filter(named).copied().collect();
    // Where every word is an id they are explained; else the words are looked for.
    let explain = !words.is_empty() && words.iter().all(|word| ids.iter().any(|id| id.eq_ignore_ascii_case(word)));
    let hits = if explain { explained } else { all.iter().filter(|rule| matches(rule, &words)).copied().collect() };
    if hits.is_empty() {
        let text = args.words.join(" ");
        let upper = text.to_uppercase();
        let near = crate::source::did_you_mean(&upper, ids.iter().copied()).map_or_else(String::new, |near| format!("; {near}"));
        terminal::err(&format!("no wire rule is or holds `{text}`{near}; `fireassay rules` lists all"));
        return Exit::Usage;
    }
    match args.format {
        FormatArg::Human if explain => {
            let texts: Vec<String> = hits.iter().map(|rule| explanation(rule)).collect();
            terminal::out(&texts.join("\n"));
        }
        FormatArg::Human => terminal::out(&list(&hits)),
        FormatArg::Json => {
            let all: Vec<Value> = hits.iter().map(|rule| value(rule)).collect();
            terminal::out(&format!("{:#}\n", Value::Array(all)));
        }
    }
    Exit::Accepted
}

fn matches(rule: &Rule, words: &[String]) -> bool {
    let texts = [rule.id, rule.surface.word(), rule.severity.word(), rule.statement, rule.why, rule.source];
    let text = texts.join(" ").to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

fn list(rules: &[&Rule]) -> String {
    let lines = rules
        .iter()
        .map(|rule| format!("{}  {:<10}  {:<9}  {}\n", rule.id, rule.surface.word(), rule.severity.word(), rule.statement));
    lines.collect()
}

fn explanation(rule: &Rule) -> String {
    let Rule { id, statement, why, source, breaks, .. } = rule;
    let (surface, severity) = (rule.surface.word(), rule.severity.word());
    let weight = match (rule.scope, rule.severity) {
        (Scope::Files, _) => "it is said of the file, before anything runs",
        (_, contract::Severity::Violation) => "it fails the scenario",
        (_, contract::Severity::Dialect) => {
            "it fails the scenario, unless the server's profile lists it or the contract is generic"
        }
        (_, contract::Severity::Advice) => "it is only reported",
    };
    let scope = match rule.scope {
        Scope::Probe => format!("{}: fireassay list --suite base --tags @{id}", rule.scope.words()),
        _ => rule.scope.words().to_owned(),
    };
    let weight = format!("{severity}: {weight}");
    let rows =
        [("about", surface), ("weight", &weight), ("held on", &scope), ("why", why), ("source", source), ("broken by", breaks)];
    let rows: String = rows.iter().map(|(label, text)| wrapped(&format!("  {label:<10}"), text)).collect();
    format!("{}\n{rows}", wrapped(&format!("{id}  "), statement))
}

/// A text behind a label, going on under itself.
fn wrapped(label: &str, text: &str) -> String {
    let mut lines = vec![label.to_owned()];
    let mut room = WIDTH.saturating_sub(label.chars().count());
    for word in text.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if length > room && lines.last().is_some_and(|line| line.len() > label.len()) {
            lines.push(" ".repeat(label.chars().count()));
            room = WIDTH.saturating_sub(label.chars().count());
        }
        room = room.saturating_sub(word.chars().count());
        lines.last_mut().expect("there is one line at least").push_str(word);
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn value(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "surface": rule.surface.word(),
        "severity": rule.severity.word(),
        "scope": rule.scope.words(),
        "statement": rule.statement,
        "why": rule.why,
        "source": rule.source,
        "breaks": rule.breaks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], expect: &[&str]) {
        let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let hits: Vec<&str> = contract::rules().iter().filter(|rule| matches(rule, &words)).map(|rule| rule.id).collect();
        assert!(expect.iter().all(|id| hits.contains(id)) && hits.len() < 40, "{words:?}: {hits:?}");
    }

    #[test]
    fn words_find_rules() {
        check(&["finish", "length"], &["W033"]);
        check(&["reasoning", "marker"], &["W111"]);
        check(&["w045"], &["W045"]);
    }

    #[test]
    fn every_explanation_fits_a_terminal_and_holds_an_example() {
        for rule in contract::rules() {
            let text = explanation(rule);
            let wide = text.lines().find(|line| line.chars().count() > WIDTH && line.trim().split(' ').count() > 3);
            assert!(text.contains("\n  broken by ") && wide.is_none(), "{wide:?} in {text}");
        }
    }

    #[test]
    fn an_explanation_says_all() {
        let rule = contract::rule("W057").expect("a rule");
        let text = explanation(rule);
        for part in ["W057", "dialect", "profile", "assistantassistant", "every exchange", "\"role\""] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

//! Are schemas kept, and are they such that servers can keep them?

use super::asked::{Call, Format};
use super::finding::{Findings, Spot};
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::schema::Schema;

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W101, &W102, &W103, &W104, &W105, &W106, &W107, &W108, &W109];

pub(super) static W101: Rule = Rule {
    id: "W101",
    surface: Surface::Schema,
    severity: Severity::Violation,
    scope: Scope::Probe,
    statement: "recursion by $ref and $defs is accepted and kept, or refused with 4xx",
    why: "trees and lists of lists are common in tools",
    source: "JSON Schema 2020-12; Ollama and llama.cpp lose references",
    breaks: "a node whose children are strings",
};

pub(super) static W102: Rule = Rule {
    id: "W102",
    surface: Surface::Schema,
    severity: Severity::Dialect,
    scope: Scope::Probe,
    statement: "every keyword of a tool's schema holds in a forced call",
    why: "what is lost on the way is never asked of the model",
    source: "JSON Schema 2020-12; Ollama, llama.cpp lose const, pattern, format, bounds",
    breaks: r#""const":"v2" answered with "v1""#,
};

pub(super) static W103: Rule = Rule {
    id: "W103",
    surface: Surface::Schema,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a schema that cannot be used is refused with 4xx and a message",
    why: "5xx, a hang or an answer without constraints hide the mistake",
    source: "OpenAI API reference, errors; llama.cpp 25895",
    breaks: r#"500 for "type":"wrong""#,
};

pub(super) static W104: Rule = Rule {
    id: "W104",
    surface: Surface::Schema,
    severity: Severity::Advice,
    scope: Scope::Files,
    statement: "a schema that is offered is valid 2020-12, is an object at its root, and its references resolve",
    why: "servers differ in how they fail on others",
    source: "JSON Schema 2020-12",
    breaks: r#"{"type":"objct"}"#,
};

pub(super) static W105: Rule = Rule {
    id: "W105",
    surface: Surface::Schema,
    severity: Severity::Advice,
    scope: Scope::Files,
    statement: "a strict schema stays within the subset and limits of OpenAI",
    why: "others are refused there",
    source: "OpenAI guide, structured outputs",
    breaks: "strict with a property that is not required",
};

pub(super) static W106: Rule = Rule {
    id: "W106",
    surface: Surface::Schema,
    severity: Severity::Advice,
    scope: Scope::Files,
    statement: "names of tools are 1 to 64 letters, digits, _ and -",
    why: "others are refused by OpenAI",
    source: "OpenAI API reference, function.name",
    breaks: "a tool named files.read",
};

pub(super) static W107: Rule = Rule {
    id: "W107",
    surface: Surface::Schema,
    severity: Severity::Violation,
    scope: Scope::Files,
    statement: "structuredContent of an MCP result fits the tool's outputSchema unless isError",
    why: "callers read it without checks",
    source: "Model Context Protocol, tools",
    breaks: r#"{"structuredContent":{"temp":"warm"}} where temp is a number"#,
};

pub(super) static W108: Rule = Rule {
    id: "W108",
    surface: Surface::Schema,
    severity: Severity::Advice,
    scope: Scope::Files,
    statement: "the text copy of an MCP result is the same JSON as structuredContent",
    why: "clients of either kind see another result",
    source: "Model Context Protocol, tools",
    breaks: r#"{"content":[{"text":"{}"}],"structuredContent":{"temp":18}}"#,
};

pub(super) static W109: Rule = Rule {
    id: "W109",
    surface: Surface::Schema,
    severity: Severity::Violation,
    scope: Scope::Files,
    statement: "the scripted results of a tool fit its output_schema",
    why: "a test that lies about a tool tests nothing",
    source: "fireassay, tools",
    breaks: "temp_c: warm where a number is declared",
};

/// Checks one exchange: W103.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let Some(status) = seen.exchange.status.filter(|status| !(400..500).contains(status)) else { return };
    if seen.call != Call::Chat || status < 200 {
        return;
    }
    let tools = seen.asked.tools.iter().filter(|tool| tool.schema().is_none());
    let mut unusable: Vec<String> = tools
        .filter_map(|tool| Some(format!("the tool `{}`: {}", tool.name, Schema::compile(tool.parameters.as_ref()?).err()?)))
        .collect();
    if let Format::JsonSchema { schema, .. } = &seen.asked.format {
        unusable.extend(Schema::compile(schema).err().map(|error| format!("`response_format`: {error}")));
    }
    if let Some(first) = unusable.first() {
        out.add(
            &W103,
            Spot::whole(),
            format!("the status {status} for a schema that cannot be used; {first}"),
            "4xx with a message",
        );
    }
}

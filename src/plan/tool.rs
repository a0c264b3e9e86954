//! Are the schemas of the tools usable, and do their scripted results fit? A tool that fails here would fail in every run.

use std::sync::Arc;

use serde_json::Value;

use super::PlanInput;
use crate::schema::{Schema, SchemaError, bad_references, lint, strict_lint};
use crate::source::{Code, Diagnostic, Diagnostics, did_you_mean};
use crate::spec::{Places, ToolSpec};

/// The types that JSON Schema knows.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Compiles the schemas of all tools and holds the scripted results against them.
pub(super) fn check(input: &PlanInput, diagnostics: &mut Diagnostics) {
    let nowhere = Places::default();
    for (index, tool) in input.tools.iter().enumerate() {
        check_one(tool, input.tool_places.get(index).unwrap_or(&nowhere), diagnostics);
    }
}

fn check_one(tool: &ToolSpec, places: &Places, diagnostics: &mut Diagnostics) {
    // What is no schema at all, and a root that is no object, has been said when the file was read.
    if let Some(schema) = tool.input_schema.as_ref().filter(|schema| schema["type"] == "object") {
        compiled(schema, "/input_schema", places, diagnostics);
        for odd in strict_lint(schema).into_iter().filter(|_| tool.strict) {
            let pointer = if odd.pointer.is_empty() { String::from("/type") } else { odd.pointer };
            let at = places.key(&format!("/input_schema{pointer}"));
            diagnostics.push(Diagnostic::warning("tool/not-strict", at, odd.message).rule("W105"));
        }
    }
    let output = tool.output_schema.as_ref().filter(|schema| schema.is_object() || schema.is_boolean());
    if let Some(schema) = output.and_then(|schema| compiled(schema, "/output_schema", places, diagnostics)) {
        results(tool, &schema, places, diagnostics);
    }
    for (index, one) in tool.returns.iter().enumerate() {
        if let Some(mcp) = &one.mcp {
            text_copy(mcp, &format!("/returns/{index}/mcp"), places, diagnostics);
        }
    }
}

fn compiled(value: &Value, root: &str, places: &Places, diagnostics: &mut Diagnostics) -> Option<Schema> {
    // The rule is about what is offered to a server.
    let rule = (root == "/input_schema").then_some("W104");
    for odd in lint(value) {
        let at = places.key(&format!("{root}{}", odd.pointer));
        diagnostics.push(Diagnostic::warning("tool/bad-schema", at, odd.message).rule(rule));
    }
    let bad = bad_references(value);
    for one in &bad {
        let at = places.value(&format!("{root}{}", one.pointer));
        let message = format!("`{}` is not usable: {}", &root[1..], one.message);
        diagnostics.push(Diagnostic::error("tool/bad-schema", at, message).rule(rule));
    }
    if !bad.is_empty() {
        return None;
    }
    Schema::compile(value)
        .map_err(|SchemaError { pointer, message }| {
            let at = places.value(&format!("{root}{pointer}"));
            let word = value.pointer(&pointer).and_then(Value::as_str).filter(|_| pointer.ends_with("/type"));
            let diagnostic = match word {
                Some(word) => Diagnostic::error("tool/bad-schema", at, format!("`{word}` is not a type of JSON Schema"))
                    .help(did_you_mean(word, TYPES)),
                None => Diagnostic::error("tool/bad-schema", at, format!("`{}` is not usable: {message}", &root[1..])),
            };
            diagnostics.push(diagnostic.rule(rule));
        })
        .ok()
}

/// Every scripted result is one that the tool may give; of an MCP result, its structured content is.
fn results(tool: &ToolSpec, schema: &Schema, places: &Places, diagnostics: &mut Diagnostics) {
    for (index, one) in tool.returns.iter().enumerate() {
        let (result, pointer, broken) = match (&one.result, &one.mcp) {
            (Some(result), _) => (result, "result", "W109"),
            (None, Some(mcp)) if is_error(mcp) => continue,
            (None, Some(mcp)) => {
                let Some(content) = mcp.get("structuredContent") else {
                    let at = places.key(&format!("/returns/{index}/mcp"));
                    let message = "the tool declares an `output_schema`, and this result has no `structuredContent`";
                    diagnostics.push(Diagnostic::error("tool/bad-result", at, message).rule("W107"));
                    continue;
                };
                (content, "mcp/structuredContent", "W107")
            }
            (None, None) => continue,
        };
        for fault in schema.validate(result) {
            let at = places.value(&format!("/returns/{index}/{pointer}{}", fault.at));
            let message = format!("the result does not fit `output_schema`: {}", fault.message);
            let rule = places.value(&format!("/output_schema{}", fault.rule));
            let diagnostic = Diagnostic::error("tool/bad-result", at, message).rule(broken);
            diagnostics.push(match rule {
                Some(rule) => diagnostic.note(rule, "this rule"),
                None => diagnostic,
            });
        }
    }
}

fn is_error(mcp: &Value) -> bool {
    mcp.get("isError") == Some(&Value::Bool(true))
}

/// The text that stands beside structured content should say the same: clients that know no structure read it alone.
fn text_copy(mcp: &Value, pointer: &str, places: &Places, diagnostics: &mut Diagnostics) {
    let Some(structured) = mcp.get("structuredContent").filter(|_| !is_error(mcp)) else { return };
    let parts = mcp.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<&str> = parts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
    let same = |text: &&str| serde_json::from_str::<Value>(text).is_ok_and(|copy| copy == *structured);
    if !texts.is_empty() && !texts.iter().any(same) {
        let at = places.key(&format!("{pointer}/content"));
        let message = "no text of the result is a copy of its `structuredContent`";
        diagnostics.push(Diagnostic::warning("tool/text-copy", at, message).rule("W108"));
    }
}

/// A mistake in what a step says of tools.
pub(super) struct StepMistake {
    pub code: Code,
    pub warns: bool,
    /// The word it stands at; empty = the whole step.
    pub word: String,
    pub message: String,
    pub help: Option<String>,
    /// The wire rule that says why.
    pub rule: Option<&'static str>,
}

/// What a step says of tools, held against their files: names that exist, results that fit, schemas that can be strict.
pub(super) fn of_step(sentence: &str, values: &[&str], doc: Option<&str>, tools: &[Arc<ToolSpec>]) -> Vec<StepMistake> {
    let first = values.first().copied().unwrap_or_default();
    if values.iter().any(|value| value.contains("{{")) {
        return Vec::new();
    }
    match sentence {
        "the tools {names}" => offered(first, tools),
        "the model must call {name}" | "the tool {name} returns:" | "the tool {name} fails with {text}" => {
            unknown(first, tools).into_iter().collect()
        }
        "the toolgroup {name}" => {
            let groups: Vec<&str> = tools.iter().filter_map(|tool| tool.toolgroup.as_deref()).collect();
            if groups.contains(&first) {
                return Vec::new();
            }
            let help =
                did_you_mean(first, groups).or_else(|| Some(format!("write `toolgroup: {first}` in the files of its tools")));
            vec![StepMistake { help, ..mistake("tool/unknown", first, format!("no tool is of the toolgroup `{first}`")) }]
        }
        "the tool {name} returns {json}" => match unknown(first, tools) {
            Some(mistake) => vec![mistake],
            None => values.get(1).into_iter().filter_map(|result| misfit(first, result, tools)).collect(),
        },
        "replies strictly fit the schema:" => {
            let value: Option<Value> =
                doc.and_then(|doc| serde_json::from_str(doc).ok().or_else(|| crate::spec::yaml::parse_plain(doc).ok()));
            let odd = value.as_ref().map(strict_lint).unwrap_or_default();
            let show = |pointer: &str| if pointer.is_empty() { String::new() } else { format!("at {pointer}: ") };
            odd.into_iter()
                .take(1)
                .map(|odd| StepMistake {
                    warns: true,
                    rule: Some("W105"),
                    ..mistake("schema/not-strict", "", format!("{}{}", show(&odd.pointer), odd.message))
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

pub(super) fn mistake(code: Code, word: &str, message: String) -> StepMistake {
    StepMistake { code, warns: false, word: word.to_owned(), message, help: None, rule: None }
}

/// The tools that a step offers: each exists, and none stands twice.
fn offered(names: &str, tools: &[Arc<ToolSpec>]) -> Vec<StepMistake> {
    let mut found = Vec::new();
    let mut seen = Vec::new();
    for name in names.split(',').flat_map(|names| names.split(" and ")).map(str::trim).filter(|name| !name.is_empty()) {
        found.extend(unknown(name, tools));
        if seen.contains(&name) {
            let message = format!("the tool `{name}` is offered twice: a call of it could mean either");
            found.push(StepMistake { help: Some("take one of them out".to_owned()), ..mistake("tool/twice", name, message) });
        }
        seen.push(name);
    }
    found
}

fn unknown(name: &str, tools: &[Arc<ToolSpec>]) -> Option<StepMistake> {
    if tools.iter().any(|tool| tool.name == name) {
        return None;
    }
    let known: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    let help = did_you_mean(name, known).or_else(|| Some(format!("write it as `tools/{name}.yaml`")));
    Some(StepMistake { help, ..mistake("tool/unknown", name, format!("there is no tool `{name}`")) })
}

/// Why a result that a step scripts is none that its tool may give.
fn misfit(name: &str, result: &str, tools: &[Arc<ToolSpec>]) -> Option<StepMistake> {
    let tool = tools.iter().find(|tool| tool.name == name)?;
    let schema = Schema::compile(tool.output_schema.as_ref()?).ok()?;
    let fault = schema.validate(&serde_json::from_str(result).ok()?).into_iter().next()?;
    let message = format!("the result does not fit the `output_schema` of `{name}`: {fault}");
    Some(StepMistake { rule: Some("W109"), ..mistake("tool/bad-result", result, message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;
    use crate::spec::yaml;

    #[track_caller]
    fn check_text(text: &str, expect: &[&str]) {
        let mut map = SourceMap::new();
        let file = map.add("t.yaml", format!("name: t\n{text}"));
        let (loaded, said) = yaml::load::<ToolSpec>(&map, file);
        assert!(said.is_empty(), "{said:?}");
        let loaded = loaded.expect("right in form");
        let input =
            PlanInput { tools: Arc::new(vec![Arc::new(loaded.spec)]), tool_places: vec![loaded.places], ..PlanInput::default() };
        let mut diagnostics = Vec::new();
        check(&input, &mut diagnostics);
        let shown: Vec<String> = diagnostics
            .iter()
            .map(|one| {
                let help = one.help.as_ref().map(|help| format!(" [{help}]")).unwrap_or_default();
                format!("{} {} {}{help}", map.show(one.at.expect("a place")), one.code, one.message)
            })
            .collect();
        assert_eq!(shown, expect);
    }

    #[test]
    fn schemas_are_compiled_and_mistakes_stand_where_they_were_written() {
        check_text("input_schema: {type: object}\noutput_schema: true\n", &[]);
        check_text(
            "input_schema:\n  type: object\n  properties:\n    guests: {type: integr}\n",
            &["t.yaml:5:20 tool/bad-schema `integr` is not a type of JSON Schema [did you mean `integer`?]"],
        );
        check_text(
            "input_schema: {type: object, requird: [a]}\n",
            &[
                "t.yaml:2:30 tool/bad-schema `requird` is not a keyword of JSON Schema and checks nothing; did you mean `required`?",
            ],
        );
        check_text(
            "output_schema: {type: object, required: 3}\n",
            &["t.yaml:2:41 tool/bad-schema `output_schema` is not usable: 3 is not of type \"array\""],
        );
    }

    #[test]
    fn scripted_results_fit_the_output_schema() {
        let schema = "output_schema: {type: object, properties: {sky: {type: string}}}\n";
        check_text(&format!("{schema}returns:\n  - {{when: {{}}, result: {{sky: blue}}}}\n  - {{otherwise: error}}\n"), &[]);
        check_text(
            &format!("{schema}returns:\n  - {{when: {{}}, result: {{sky: 3}}}}\n"),
            &["t.yaml:4:30 tool/bad-result the result does not fit `output_schema`: 3 is not of type \"string\""],
        );
    }

    #[test]
    fn references_stay_in_the_schema_and_lead_on() {
        check_text(
            "input_schema:\n  type: object\n  properties: {a: {$ref: 'https://example.com/a.json'}}\n",
            &[
                "t.yaml:4:26 tool/bad-schema `input_schema` is not usable: the reference `https://example.com/a.json` leads out of the schema; put its target under `$defs` and refer to `#/$defs/…`",
            ],
        );
        check_text(
            "input_schema:\n  type: object\n  $defs: {a: {$ref: '#/$defs/a'}}\n",
            &[
                "t.yaml:4:21 tool/bad-schema `input_schema` is not usable: the reference `#/$defs/a` leads back to itself and never goes deeper into the value",
            ],
        );
    }

    #[test]
    fn strict_tools_stay_in_the_subset() {
        check_text(
            "strict: true\ninput_schema:\n  type: object\n  properties: {a: {type: string}}\n  additionalProperties: false\n",
            &["t.yaml:5:16 tool/not-strict with `strict`, every property is required, and `a` is not; let it be null as well"],
        );
    }

    #[test]
    fn mcp_results_are_held_to_the_output_schema_and_to_their_text() {
        let schema = "output_schema: {type: object, properties: {n: {type: integer}}}\nreturns:\n";
        check_text(
            &format!("{schema}  - mcp: {{structuredContent: {{n: 1}}, content: [{{type: text, text: '{{\"n\": 1}}'}}]}}\n"),
            &[],
        );
        check_text(&format!("{schema}  - mcp: {{isError: true, content: [{{type: text, text: gone}}]}}\n"), &[]);
        check_text(
            &format!("{schema}  - mcp: {{content: []}}\n"),
            &["t.yaml:4:5 tool/bad-result the tool declares an `output_schema`, and this result has no `structuredContent`"],
        );
        check_text(
            &format!("{schema}  - mcp: {{structuredContent: {{n: x}}, content: [{{type: text, text: one}}]}}\n"),
            &[
                "t.yaml:4:34 tool/bad-result the result does not fit `output_schema`: \"x\" is not of type \"integer\"",
                "t.yaml:4:38 tool/text-copy no text of the result is a copy of its `structuredContent`",
            ],
        );
    }

    #[track_caller]
    fn check_step(sentence: &str, values: &[&str], doc: Option<&str>, expect: &[&str]) {
        let tool = |name: &str, group: &str| ToolSpec {
            name: name.to_owned(),
            toolgroup: Some(group.to_owned()),
            output_schema: Some(serde_json::json!({"type": "object"})),
            ..ToolSpec::default()
        };
        let tools = [Arc::new(tool("get_time", "travel")), Arc::new(tool("add", "sums"))];
        let found: Vec<String> =
            of_step(sentence, values, doc, &tools).into_iter().map(|one| format!("{} {}", one.code, one.message)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn what_steps_say_of_tools_is_held_against_their_files() {
        check_step("the tools {names}", &["get_time, add"], None, &[]);
        check_step("the tools {names}", &["get_time and get_tme"], None, &["tool/unknown there is no tool `get_tme`"]);
        check_step(
            "the tools {names}",
            &["add, add"],
            None,
            &["tool/twice the tool `add` is offered twice: a call of it could mean either"],
        );
        check_step("the model must call {name}", &["{{tool}}"], None, &[]);
        check_step("the model must call {name}", &["get"], None, &["tool/unknown there is no tool `get`"]);
        check_step("the toolgroup {name}", &["travel"], None, &[]);
        check_step("the toolgroup {name}", &["travl"], None, &["tool/unknown no tool is of the toolgroup `travl`"]);
        check_step("the tool {name} returns {json}", &["add", "{}"], None, &[]);
        check_step(
            "the tool {name} returns {json}",
            &["add", "3"],
            None,
            &[
                "tool/bad-result the result does not fit the `output_schema` of `add`: at the root: 3 is not of type \"object\" (schema: /type)",
            ],
        );
        check_step(
            "replies strictly fit the schema:",
            &[],
            Some("type: object\nproperties: {}\nadditionalProperties: false"),
            &[],
        );
        check_step(
            "replies strictly fit the schema:",
            &[],
            Some("type: object\nproperties: {a: true}\nadditionalProperties: false"),
            &[
                "schema/not-strict at /properties/a: with `strict`, every property is required, and `a` is not; let it be null as well",
            ],
        );
    }
}

//! Are the schemas of the tools usable, and do their scripted results fit? A tool that fails here would fail in every run.

use serde_json::Value;

use super::PlanInput;
use crate::schema::{Schema, SchemaError, lint};
use crate::source::{Diagnostic, Diagnostics, did_you_mean};
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
    }
    let output = tool.output_schema.as_ref().filter(|schema| schema.is_object() || schema.is_boolean());
    if let Some(schema) = output.and_then(|schema| compiled(schema, "/output_schema", places, diagnostics)) {
        results(tool, &schema, places, diagnostics);
    }
}

fn compiled(value: &Value, root: &str, places: &Places, diagnostics: &mut Diagnostics) -> Option<Schema> {
    for odd in lint(value) {
        let at = places.key(&format!("{root}{}", odd.pointer));
        diagnostics.push(Diagnostic::warning("tool/bad-schema", at, odd.message));
    }
    Schema::compile(value)
        .map_err(|SchemaError { pointer, message }| {
            let at = places.value(&format!("{root}{pointer}"));
            let word = value.pointer(&pointer).and_then(Value::as_str).filter(|_| pointer.ends_with("/type"));
            diagnostics.push(match word {
                Some(word) => Diagnostic::error("tool/bad-schema", at, format!("`{word}` is not a type of JSON Schema"))
                    .help(did_you_mean(word, TYPES)),
                None => Diagnostic::error("tool/bad-schema", at, format!("`{}` is not usable: {message}", &root[1..])),
            });
        })
        .ok()
}

/// Every scripted result is one that the tool may give.
fn results(tool: &ToolSpec, schema: &Schema, places: &Places, diagnostics: &mut Diagnostics) {
    for (index, one) in tool.returns.iter().enumerate() {
        let Some(result) = &one.result else { continue };
        for fault in schema.validate(result) {
            let at = places.value(&format!("/returns/{index}/result{}", fault.at));
            let message = format!("the result does not fit `output_schema`: {}", fault.message);
            let rule = places.value(&format!("/output_schema{}", fault.rule));
            let diagnostic = Diagnostic::error("tool/bad-result", at, message);
            diagnostics.push(match rule {
                Some(rule) => diagnostic.note(rule, "this rule"),
                None => diagnostic,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
}

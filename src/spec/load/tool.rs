//! `tools/NAME.yaml` → [`ToolSpec`]. The two schemas themselves are compiled elsewhere.

use serde_json::Value;

use super::{Checks, named};
use crate::source::{Diagnostic, Diagnostics, SourceMap};
use crate::spec::ToolSpec;
use crate::spec::files::Project;
use crate::spec::yaml::{Loaded, got};

/// Loads one tool by its path (`tools/get_weather.yaml`).
pub fn load_tool(project: &Project, map: &mut SourceMap, path: &str) -> (Option<Loaded<ToolSpec>>, Diagnostics) {
    named(project, map, path, "tool/twice", check)
}

fn check(map: &SourceMap, loaded: &Loaded<ToolSpec>) -> Diagnostics {
    let mut checks = Checks::new(map, loaded);
    let tool = &loaded.spec;
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if tool.name.is_empty() || tool.name.len() > 64 || !tool.name.chars().all(word) {
        let message = "a tool's name has 1 to 64 characters out of `A-Z a-z 0-9 _ -`: servers refuse others";
        let allowed: String = tool.name.trim().chars().map(|c| if word(c) { c } else { '_' }).take(64).collect();
        let help = (!allowed.is_empty()).then(|| format!("write `{allowed}`"));
        let at = checks.places.value("/name");
        checks.found.push(Diagnostic::error("tool/name", at, message).help(help).rule("W106"));
    } else {
        checks.name_is_stem("tool/name", loaded.file, &tool.name);
    }
    match &tool.input_schema {
        Some(Value::Object(schema)) if schema.get("type").is_some_and(|name| name == "object") => {}
        Some(Value::Object(schema)) => {
            let pointer = if schema.contains_key("type") { "/input_schema/type" } else { "/input_schema" };
            let message = "the root of `input_schema` must say `type: object`: a call's arguments are an object";
            let at = checks.places.head(pointer);
            checks.found.push(Diagnostic::error("tool/bad-schema", at, message).rule("W104"));
        }
        Some(other) => {
            checks.at_value("tool/bad-schema", "/input_schema", format!("expected a schema, got {}", got(other)), None);
        }
        None => {}
    }
    if let Some(other) = tool.output_schema.as_ref().filter(|schema| !schema.is_object() && !schema.is_boolean()) {
        checks.at_value("tool/bad-schema", "/output_schema", format!("expected a schema, got {}", got(other)), None);
    }
    for (at, one) in tool.returns.iter().enumerate() {
        let pointer = format!("/returns/{at}");
        if one.when.is_some() && one.otherwise.is_some() {
            checks.at_key("tool/bad-return", &pointer, "a result has `when` or `otherwise`, not both", None);
        } else if [one.result.is_some(), one.mcp.is_some(), one.otherwise.is_some()].into_iter().filter(|is| *is).count() != 1 {
            let message = "a result is `when: {…}, result: …`, or `otherwise: error` or a text";
            checks.at_key("tool/bad-return", &pointer, message, None);
        }
    }
    checks.sorted()
}

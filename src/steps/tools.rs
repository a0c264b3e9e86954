//! Given: the tools that are offered, how the model may choose among them, and what they return.

use cucumber::gherkin;
use fireassay_macros::step;
use serde_json::{Map, Value, json};

use super::{Beside, Choice, Failure, Json, Names, StepResult, Switch, Text, Word, World, argument};
use crate::check::tool_calls::cell_value;
use crate::schema::Schema;
use crate::spec::ToolSpec;
use crate::spec::tool::Return;

/// Offers tools of the project (`tools/NAME.yaml`) to the model; their schemas are sent untouched.
///
/// Names are separated by commas or `and`.
#[step(given, "the tools {names}", example = "the tools get_weather and get_time")]
fn tools(world: &mut World, names: Names) -> StepResult {
    let mut tools = Vec::with_capacity(names.0.len());
    for name in &names.0 {
        let known = &world.cell()?.tools;
        let found = known.iter().find(|tool| tool.name == *name).ok_or_else(|| {
            let help = crate::source::did_you_mean(name, known.iter().map(|tool| tool.name.as_str()));
            Failure::author(format!("there is no tool `{name}`; {}", help.unwrap_or_else(|| format!("write tools/{name}.yaml"))))
        })?;
        tools.push(found.clone());
    }
    world.draft.tools = tools;
    Ok(())
}

/// Offers every tool whose file says `toolgroup: NAME`, in the order of their names.
#[step(given, "the toolgroup {name}", example = "the toolgroup weather")]
fn toolgroup(world: &mut World, group: Word) -> StepResult {
    let of_group = |tool: &&std::sync::Arc<ToolSpec>| tool.toolgroup.as_deref() == Some(group.0.as_str());
    let tools: Vec<_> = world.cell()?.tools.iter().filter(of_group).cloned().collect();
    if tools.is_empty() {
        return Err(Failure::author(format!("no tool is of the toolgroup `{}`", group.0)));
    }
    world.draft.tools = tools;
    Ok(())
}

/// Offers the tools with `strict: true`: the server promises that arguments fit their schemas.
#[step(given, "the tools are strict")]
fn strict(world: &mut World) -> StepResult {
    world.draft.strict_tools = true;
    Ok(())
}

/// How the model may choose: `tool_choice` is `auto`, `none` or `required`.
///
/// What forces a call holds for the question; while tool calls are answered, the model is free again.
#[step(given, "the tool choice is {choice}", example = "the tool choice is required")]
fn tool_choice(world: &mut World, choice: Choice) -> StepResult {
    world.draft.set("tool_choice", json!(choice.word()));
    Ok(())
}

/// Forces a call of this tool: `tool_choice` by name.
#[step(given, "the model must call {name}", example = "the model must call get_weather")]
fn must_call(world: &mut World, name: Word) -> StepResult {
    world.draft.set("tool_choice", json!({"type": "function", "function": {"name": name.0}}));
    Ok(())
}

/// Whether a reply may hold several calls: `parallel_tool_calls`.
#[step(given, "parallel tool calls are {switch}", example = "parallel tool calls are off")]
fn parallel(world: &mut World, switch: Switch) -> StepResult {
    world.draft.set("parallel_tool_calls", json!(switch == Switch::On));
    Ok(())
}

/// What a tool returns, whatever its arguments, in place of what its file says. The value is the rest of the line, as JSON.
///
/// It must fit the tool's `output_schema`.
#[step(given, "the tool {name} returns {json}", example = "the tool get_time returns {\"city\": \"Rome\", \"time\": \"12:00\"}")]
fn returns(world: &mut World, name: Word, result: Json) -> StepResult {
    let result = argument::json(world, &result)?;
    script(world, &name.0, vec![Return { result: Some(result), ..Return::default() }])
}

/// What a tool returns for which arguments, in place of what its file says.
///
/// The table's columns are arguments; the column `result` is the result as JSON. An empty cell is any value.
#[step(given, "the tool {name} returns:", example = "the tool get_time returns:")]
fn returns_table(world: &mut World, name: Word, step: &gherkin::Step) -> StepResult {
    let rows = argument::rows(world, step, &["result"])?;
    let schema = world.draft.tools.iter().find(|tool| tool.name == name.0).and_then(|tool| tool.input_schema.clone());
    let mut script_rows = Vec::with_capacity(rows.len());
    for row in rows {
        let (mut when, mut result) = (Map::new(), Value::Null);
        for (column, cell) in row {
            if column == "result" {
                result = cell_value(None, &column, &cell);
            } else if !cell.is_empty() {
                when.insert(column.clone(), cell_value(schema.as_ref(), &column, &cell));
            }
        }
        script_rows.push(Return { when: Some(when), result: Some(result), ..Return::default() });
    }
    script(world, &name.0, script_rows)
}

/// Answers every call of a tool with an error of this text.
#[step(given, "the tool {name} fails with {text}", example = "the tool get_time fails with \"no such city\"")]
fn fails(world: &mut World, name: Word, text: Text) -> StepResult {
    let text = world.fill(&text.0)?;
    script(world, &name.0, vec![Return { otherwise: Some(json!({"error": text}).to_string()), ..Return::default() }])
}

/// How a reply's tool calls are sent back when they are answered: with `null`, `empty` or `absent` content beside them.
///
/// Without this, the message goes back as it came, its reasoning included.
#[step(given, "tool calls go back with {beside} content", example = "tool calls go back with null content")]
fn beside(world: &mut World, beside: Beside) -> StepResult {
    world.draft.beside = Some(beside);
    Ok(())
}

/// Sets the results of an offered tool, held against its output schema.
fn script(world: &mut World, name: &str, returns: Vec<Return>) -> StepResult {
    let Some(tool) = world.draft.tools.iter().find(|tool| tool.name == name) else {
        let help = crate::source::did_you_mean(name, world.draft.tools.iter().map(|tool| tool.name.as_str()));
        let help = help.unwrap_or_else(|| format!("offer it before this step: `Given the tools {name}`"));
        return Err(Failure::author(format!("the tool `{name}` is not offered; {help}")));
    };
    if let Some(schema) = &tool.output_schema {
        let schema = Schema::compile(schema).map_err(|error| Failure::author(error.to_string()))?;
        let results = returns.iter().filter_map(|one| one.result.as_ref());
        if let Some(fault) = results.flat_map(|result| schema.validate(result)).next() {
            return Err(Failure::author(format!("the result of `{name}` does not fit its `output_schema`: {fault}")));
        }
    }
    world.draft.scripts.retain(|(known, _)| known != name);
    world.draft.scripts.push((name.to_owned(), returns));
    Ok(())
}

//! YAML cases become the same steps as Gherkin: each key is written as its sentence, and found in the catalogue.
//!
//! Values are filled in on values, never on YAML text; every step keeps the place of the key it came from.

use std::sync::Arc;

use serde_json::Value;

use super::draft::{Draft, DraftFile, Lowering, Parameters, TagLists, lines_exist, near_misses, pairs, pointer_part};
use super::expect::{ExpectForm, quote};
use super::name;
use super::placeholder::{Values, scan};
use super::sentence::{Finder, RawStep};
use super::{CaseFileInput, CaseInput, DocArg, StepUse, services};
use crate::source::{At, Diagnostic, did_you_mean};
use crate::spec::Places;
use crate::spec::case::{CaseSpec, Given, Turn};
use crate::spec::rows::{Datum, Row};

/// The drafts of a case file.
pub(super) fn drafts(
    suite: &str,
    input: &CaseFileInput,
    forms: &[ExpectForm],
    parameters: &mut Parameters,
    tag_lists: &mut TagLists,
    finder: &mut Finder<'_>,
) -> DraftFile {
    let start = At { file: input.file, start: 0, end: 0 };
    let shown = finder.map().file(input.file).name().clone();
    let stem = shown.rsplit('/').next().unwrap_or(&shown);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let mut file = DraftFile {
        name: stem.into(),
        keyword: "Cases".into(),
        slug: name::file_slug(suite, &shown),
        at: finder.place(start),
        file: shown.clone(),
        drafts: Vec::new(),
    };
    lines_exist(&input.lines, input.file, finder);
    if input.cases.is_empty() && !input.broken {
        finder.say(
            Diagnostic::error("feature/empty", start, "the file holds no cases")
                .help("write at least one case with `name`, `ask` and `expect`".to_owned()),
        );
    }
    for (index, case) in input.cases.iter().enumerate() {
        let at = |pointer: &str| input.places.value(&format!("{}{pointer}", case.pointer)).unwrap_or(start);
        let wanted = wanted_rows(input, index, finder);
        let expansion = Expansion { case, places: &input.places, forms, at: at("") };
        expansion.run(wanted.as_ref(), &mut file.drafts, parameters, tag_lists, finder);
    }
    file
}

/// Which rows of a case the `FILE:LINE` filters take: none (`None`), all (an empty list), or those on the lines.
fn wanted_rows(input: &CaseFileInput, index: usize, finder: &Finder<'_>) -> Option<Vec<u32>> {
    if input.lines.is_empty() {
        return Some(Vec::new());
    }
    let source = finder.map().file(input.file);
    let line_of = |case: &CaseInput| {
        let at = input.places.value(&case.pointer).map_or(0, |at| at.start);
        source.line_col(at).line
    };
    let first = if index == 0 { 1 } else { line_of(&input.cases[index]) };
    let last = input.cases.get(index + 1).map_or(u32::MAX, |next| line_of(next).saturating_sub(1));
    let rows: Vec<u32> = input.cases[index]
        .rows
        .iter()
        .flatten()
        .filter(|row| row.at.file == input.file)
        .map(|row| source.line_col(row.at.start).line)
        .collect();
    let inside: Vec<u32> = input.lines.iter().copied().filter(|line| (first..=last).contains(line)).collect();
    if inside.is_empty() {
        None
    } else if inside.iter().all(|line| rows.contains(line)) {
        Some(inside)
    } else {
        Some(Vec::new())
    }
}

/// One case on its way to drafts.
struct Expansion<'a> {
    case: &'a CaseInput,
    places: &'a Places,
    forms: &'a [ExpectForm],
    at: At,
}

impl Expansion<'_> {
    /// The columns of all rows; data files may leave some out of a row.
    fn columns(&self) -> Vec<Arc<str>> {
        let mut columns: Vec<Arc<str>> = Vec::new();
        for row in self.case.rows.iter().flatten() {
            let same =
                row.values.len() == columns.len() && row.values.iter().zip(&columns).all(|((name, _), known)| name == known);
            if same {
                continue;
            }
            for (name, _) in &row.values {
                if !columns.contains(name) {
                    columns.push(name.clone());
                }
            }
        }
        columns
    }

    /// Says which mentioned columns a row does not have; its placeholders would be sent as they stand.
    fn row_is_whole(&self, row: &Row, columns: &[Arc<str>], mentioned: &[String], finder: &mut Finder<'_>) {
        if row.values.len() == columns.len() {
            return;
        }
        for column in columns {
            let there = row.values.iter().any(|(name, _)| name == column);
            if !there && mentioned.iter().any(|name| **name == **column) {
                let message = format!("this row has no `{column}`, which the case `{}` uses", self.case.spec.name);
                finder
                    .say(Diagnostic::error("examples/missing-value", row.at, message).help(format!("add `{column}` to the row")));
            }
        }
    }

    fn place(&self, pointer: &str) -> At {
        let pointer = format!("{}{pointer}", self.case.pointer);
        // An item of a list has a value and no key.
        self.places.key(&pointer).or_else(|| self.places.value(&pointer)).unwrap_or(self.at)
    }

    fn run(
        &self,
        wanted: Option<&Vec<u32>>,
        out: &mut Vec<Draft>,
        parameters: &mut Parameters,
        tag_lists: &mut TagLists,
        finder: &mut Finder<'_>,
    ) {
        let spec = &self.case.spec;
        let columns = self.columns();
        let mentioned = self.mentions(&columns, parameters, finder);
        self.unused_columns(&columns, &mentioned, finder);
        let choices = parameters.choices(|name| mentioned.iter().any(|known| known == name), &columns);
        let tags: Vec<(String, Option<At>)> = spec
            .tags
            .iter()
            .enumerate()
            .map(|(index, tag)| {
                let tag = if tag.starts_with('@') { tag.clone() } else { format!("@{tag}") };
                (tag, self.places.value(&format!("{}/tags/{index}", self.case.pointer)))
            })
            .collect();
        let (tags, marks) = tag_lists.share(&tags, finder);
        if spec.expect.is_empty() && spec.turns.iter().all(|turn| turn.expect.is_empty()) {
            let message = format!("the case `{}` claims nothing", spec.name);
            finder.say(
                Diagnostic::error("scenario/no-claim", self.place("/name"), message)
                    .help("add `expect:` with at least one claim".to_owned()),
            );
            return;
        }
        let mut lowering = Lowering::default();
        let single = [None];
        let rows: Box<dyn Iterator<Item = Option<_>>> = match &self.case.rows {
            Some(rows) => Box::new(rows.iter().map(Some)),
            None => Box::new(single.into_iter()),
        };
        let Some(wanted) = wanted else { return };
        for row in rows {
            let at = row.map_or(self.at, |row| row.at);
            let on_a_line = || at.file == self.at.file && wanted.contains(&finder.map().line_col(at).line);
            if !wanted.is_empty() && !on_a_line() {
                continue;
            }
            if let Some(row) = row {
                self.row_is_whole(row, &columns, &mentioned, finder);
            }
            for choice in &choices {
                let values: Vec<(Arc<str>, Datum)> =
                    row.iter().flat_map(|row| row.values.iter().cloned()).chain(choice.iter().cloned()).collect();
                let filled = fill(spec, Values(&values));
                let (raw, whole) = self.raw_steps(&filled, finder);
                let lowered = lowering.lower(raw, finder);
                if lowered.broken || !whole {
                    continue;
                }
                if !lowered.claims {
                    let message = format!("the case `{}` claims nothing", spec.name);
                    finder.say(Diagnostic::error("scenario/no-claim", self.place("/name"), message));
                }
                // A row of a data file is no place to run a scenario from: the case is.
                let place = finder.place(if at.file == self.at.file { at } else { self.at });
                services::marked(&lowered.services, marks.flags, finder);
                out.push(Draft {
                    name: name::scenario(
                        &filled.name,
                        &pairs(&spec.name, values.iter().map(|(key, value)| (&**key, &**value.text()))),
                    ),
                    at,
                    place,
                    tags: tags.clone(),
                    marks: marks.clone(),
                    steps: lowered.steps,
                    roles: lowered.roles,
                    services: lowered.services,
                });
            }
        }
    }

    /// Every placeholder of the case; those that are nearly a column or parameter are mistakes.
    fn mentions(&self, columns: &[Arc<str>], parameters: &Parameters, finder: &mut Finder<'_>) -> Vec<String> {
        let mut shown = serde_json::to_value(&self.case.spec).expect("a case can be written as JSON");
        if let Value::Object(map) = &mut shown {
            map.shift_remove("each");
            map.shift_remove("tags");
        }
        let mut mentioned = Vec::new();
        walk(&shown, &mut String::new(), &mut |pointer, text| {
            if text.contains('<') {
                mentioned.extend(scan(text).map(|(_, name)| name.to_owned()));
                let written = format!("{}{pointer}", self.case.pointer);
                let both = [self.places.value(&written), self.places.key(&written)];
                // A key is visited with the pointer of its value.
                let holds = |at: &At| finder.map().slice(*at).contains(text);
                let at = both.into_iter().flatten().find(holds).or(both[0]).unwrap_or(self.at);
                near_misses(text, at, columns, parameters, finder);
            }
        });
        mentioned
    }

    fn unused_columns(&self, columns: &[Arc<str>], mentioned: &[String], finder: &mut Finder<'_>) {
        let inline = matches!(self.case.spec.each, Some(crate::spec::case::Each::Rows(_)));
        for column in columns {
            if mentioned.iter().any(|name| **name == **column) {
                continue;
            }
            let at = if inline { self.place(&format!("/each/0/{}", pointer_part(column))) } else { self.place("/each") };
            let message = format!("the case uses the column `{column}` nowhere");
            let diagnostic = Diagnostic::error("examples/unused-column", at, message);
            // One place may stand for several columns of a data file, so these are not said once per place.
            let known = finder.diagnostics.iter().any(|known| known.at == diagnostic.at && known.message == diagnostic.message);
            if !known {
                finder.diagnostics.push(diagnostic.help(format!("write `<{column}>` in the case, or take the column out")));
            }
        }
    }

    /// The steps of a filled-in case, and whether every claim could be written as one.
    fn raw_steps(&self, spec: &CaseSpec, finder: &mut Finder<'_>) -> (Vec<RawStep>, bool) {
        let mut steps = Vec::new();
        let mut whole = true;
        self.given(&spec.given, &mut steps);
        if let Some(ask) = &spec.ask {
            let rounds = spec.run_tools.map(|rounds| format!(" and run the tools for at most {rounds} rounds"));
            let text = format!("I ask {}{}", quote(ask), rounds.unwrap_or_default());
            steps.push(self.step("ask", StepUse::When, text, "/ask"));
        }
        for (index, Turn { ask, expect }) in spec.turns.iter().enumerate() {
            let verb = if index == 0 && spec.ask.is_none() { "I ask" } else { "I continue with" };
            steps.push(self.step("ask", StepUse::When, format!("{verb} {}", quote(ask)), &format!("/turns/{index}/ask")));
            for (item, claims) in expect.iter().enumerate() {
                whole &= self.expect(claims, &format!("/turns/{index}/expect/{item}"), &mut steps, finder);
            }
        }
        for (item, claims) in spec.expect.iter().enumerate() {
            whole &= self.expect(claims, &format!("/expect/{item}"), &mut steps, finder);
        }
        (steps, whole)
    }

    fn step(&self, keyword: &str, kind: StepUse, text: String, pointer: &str) -> RawStep {
        let at = self.place(pointer);
        let text_at = self.places.value(&format!("{}{pointer}", self.case.pointer)).unwrap_or(at);
        RawStep { keyword: keyword.into(), kind: Some(kind), text: text.into(), at, text_at, table: None, doc: None }
    }

    fn given(&self, given: &Given, steps: &mut Vec<RawStep>) {
        let mut add = |text: String, pointer: &str| steps.push(self.step("given", StepUse::Given, text, pointer));
        if let Some(model) = &given.model {
            add(format!("the model {}", quote(model)), "/given/model");
        }
        if let Some(system) = &given.system {
            add(format!("the system prompt {}", quote(system)), "/given/system");
        }
        if let Some(replies) = &given.replies {
            add(format!("replies are {replies}"), "/given/replies");
        }
        if !given.tools.is_empty() {
            add(format!("the tools {}", given.tools.join(", ")), "/given/tools");
        }
        if let Some(group) = &given.toolgroup {
            add(format!("the toolgroup {group}"), "/given/toolgroup");
        }
        match given.tool_choice.as_deref() {
            Some(choice @ ("auto" | "none" | "required")) => add(format!("the tool choice is {choice}"), "/given/tool_choice"),
            Some(tool) => add(format!("the model must call {tool}"), "/given/tool_choice"),
            None => {}
        }
        if let Some(parallel) = given.parallel_tool_calls {
            let switch = if parallel { "on" } else { "off" };
            add(format!("parallel tool calls are {switch}"), "/given/parallel_tool_calls");
        }
        if let Some(thinking) = given.thinking {
            add(format!("thinking is {}", if thinking { "on" } else { "off" }), "/given/thinking");
        }
        if let Some(effort) = &given.thinking_effort {
            add(format!("the thinking effort is {}", quote(effort)), "/given/thinking_effort");
        }
        if let Some(tokens) = given.thinking_budget {
            add(format!("thinking has at most {tokens} tokens"), "/given/thinking_budget");
        }
        if given.json {
            add("replies are JSON objects".to_owned(), "/given/json");
        }
        for (name, value) in &given.headers {
            add(format!("the header {} is {}", quote(name), quote(value)), &format!("/given/headers/{}", pointer_part(name)));
        }
        if let Some(timeout) = &given.timeout {
            add(format!("the time limit is {timeout}"), "/given/timeout");
        }
        for (name, value) in &given.params {
            add(parameter(name, value), &format!("/given/params/{}", pointer_part(name)));
        }
        for (schema, sentence, pointer) in [
            (&given.schema, "replies fit the schema:", "/given/schema"),
            (&given.strict_schema, "replies strictly fit the schema:", "/given/strict_schema"),
        ] {
            if let Some(schema) = schema {
                let mut step = self.step("given", StepUse::Given, sentence.to_owned(), pointer);
                step.doc = Some(DocArg { media_type: Some("json".into()), content: format!("{schema:#}").into() });
                steps.push(step);
            }
        }
    }

    /// Writes one item of `expect:` as claims; `false` where a mistake was said.
    fn expect(
        &self,
        item: &serde_json::Map<String, Value>,
        pointer: &str,
        steps: &mut Vec<RawStep>,
        finder: &mut Finder<'_>,
    ) -> bool {
        item.iter().fold(true, |whole, (key, value)| {
            self.claim(key, value, &format!("{pointer}/{}", pointer_part(key)), steps, finder) && whole
        })
    }

    fn claim(&self, path: &str, value: &Value, pointer: &str, steps: &mut Vec<RawStep>, finder: &mut Finder<'_>) -> bool {
        let forms: Vec<&ExpectForm> = self.forms.iter().filter(|form| form.path == path).collect();
        let at = self.places.value(&format!("{}{pointer}", self.case.pointer));
        // A value that came in for a `<column>` is not what stands in the file.
        let raw = at.map(|at| finder.map().slice(at)).filter(|raw| !raw.contains(['<', '"', '\'']));
        if let Some(claims) = forms.iter().find_map(|form| form.claims(value, raw)) {
            for claim in claims {
                let mut step = self.step("expect", StepUse::Then, claim.text, &format!("{pointer}{}", claim.pointer));
                step.doc = claim.doc.map(|doc| DocArg { media_type: Some("json".into()), content: doc.into() });
                steps.push(step);
            }
            return true;
        }
        let below = format!("{path}.");
        let deeper = self.forms.iter().any(|form| form.path.starts_with(&below));
        match value {
            Value::Object(entries) if deeper && !entries.is_empty() => {
                return entries.iter().fold(true, |whole, (key, value)| {
                    self.claim(&format!("{path}.{key}"), value, &format!("{pointer}/{}", pointer_part(key)), steps, finder)
                        && whole
                });
            }
            _ if !forms.is_empty() => {
                let wanted: Vec<&str> = forms.iter().map(|form| form.value.wanted()).collect();
                let message = format!("`{path}` wants {}", wanted.join(", or "));
                finder.say(Diagnostic::error("expect/bad-value", at.unwrap_or(self.at), message).label(kind_word(value)));
            }
            _ if deeper => {
                let message = format!("`{path}` wants a map of claims");
                let keys = children(self.forms, path).join("`, `");
                finder.say(
                    Diagnostic::error("expect/bad-value", at.unwrap_or(self.at), message)
                        .label(kind_word(value))
                        .help(format!("its keys: `{keys}`")),
                );
            }
            _ => {
                let (parent, last) = path.rsplit_once('.').unwrap_or(("", path));
                let known = children(self.forms, parent);
                let message = if parent.is_empty() {
                    format!("there is no claim `{last}`")
                } else {
                    format!("`{parent}` has no claim `{last}`")
                };
                let help =
                    did_you_mean(last, known.iter().copied()).or_else(|| Some(format!("known here: `{}`", known.join("`, `"))));
                finder.say(Diagnostic::error("expect/unknown-claim", self.place(pointer), message).help(help));
            }
        }
        false
    }
}

/// The keys that may stand below a path.
fn children<'a>(forms: &'a [ExpectForm], parent: &str) -> Vec<&'a str> {
    let mut keys = Vec::new();
    for form in forms {
        let rest = if parent.is_empty() {
            Some(form.path)
        } else {
            form.path.strip_prefix(parent).and_then(|rest| rest.strip_prefix('.'))
        };
        if let Some(key) = rest.and_then(|rest| rest.split('.').next())
            && !keys.contains(&key)
        {
            keys.push(key);
        }
    }
    keys
}

fn kind_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "this is nothing",
        Value::Bool(_) => "this is a boolean",
        Value::Number(_) => "this is a number",
        Value::String(_) => "this is a text",
        Value::Array(_) => "this is a list",
        Value::Object(_) => "this is a map",
    }
}

/// The sentence of a request parameter; what has no sentence of its own, or not this type, is sent as JSON.
fn parameter(name: &str, value: &Value) -> String {
    match (name, value) {
        ("temperature", Value::Number(number)) => format!("the temperature is {number}"),
        ("seed", Value::Number(number)) if number.is_i64() => format!("the seed is {number}"),
        ("max_tokens", Value::Number(number)) if number.is_u64() => format!("at most {number} tokens"),
        ("top_p", Value::Number(number)) => format!("top p is {number}"),
        ("n", Value::Number(number)) if number.is_u64() => format!("{number} choices are asked for"),
        ("stop", Value::String(text)) => format!("the stop text {}", quote(text)),
        _ => format!("the parameter {} is {value}", quote(name)),
    }
}

/// The case with placeholders filled in, everywhere but in its data and tags.
fn fill(spec: &CaseSpec, values: Values<'_>) -> CaseSpec {
    if values.0.is_empty() {
        return CaseSpec { each: None, ..spec.clone() };
    }
    let text = |text: &String| values.fill(text).into_owned();
    let claims = |items: &Vec<serde_json::Map<String, Value>>| items.iter().map(|item| fill_map(item, values)).collect();
    CaseSpec {
        name: text(&spec.name),
        tags: Vec::new(),
        each: None,
        given: Given {
            model: spec.given.model.as_ref().map(text),
            params: fill_map(&spec.given.params, values),
            system: spec.given.system.as_ref().map(text),
            replies: spec.given.replies.as_ref().map(text),
            tools: spec.given.tools.iter().map(text).collect(),
            toolgroup: spec.given.toolgroup.as_ref().map(text),
            tool_choice: spec.given.tool_choice.as_ref().map(text),
            parallel_tool_calls: spec.given.parallel_tool_calls,
            thinking: spec.given.thinking,
            thinking_effort: spec.given.thinking_effort.as_ref().map(text),
            thinking_budget: spec.given.thinking_budget,
            schema: spec.given.schema.as_ref().map(|schema| values.fill_value(schema)),
            strict_schema: spec.given.strict_schema.as_ref().map(|schema| values.fill_value(schema)),
            json: spec.given.json,
            headers: spec.given.headers.iter().map(|(name, value)| (text(name), text(value))).collect(),
            timeout: spec.given.timeout,
        },
        ask: spec.ask.as_ref().map(text),
        run_tools: spec.run_tools,
        turns: spec.turns.iter().map(|turn| Turn { ask: text(&turn.ask), expect: claims(&turn.expect) }).collect(),
        expect: claims(&spec.expect),
    }
}

fn fill_map(map: &serde_json::Map<String, Value>, values: Values<'_>) -> serde_json::Map<String, Value> {
    map.iter().map(|(key, value)| (values.fill(key).into_owned(), values.fill_value(value))).collect()
}

/// Visits every string of a value with its JSON pointer, keys included (with the pointer of their value).
fn walk(value: &Value, pointer: &mut String, visit: &mut impl FnMut(&str, &str)) {
    let depth = pointer.len();
    match value {
        Value::String(text) => visit(pointer, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&index.to_string());
                walk(item, pointer, visit);
                pointer.truncate(depth);
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                pointer.push('/');
                pointer.push_str(&pointer_part(key));
                visit(pointer, key);
                walk(item, pointer, visit);
                pointer.truncate(depth);
            }
        }
        _ => {}
    }
}

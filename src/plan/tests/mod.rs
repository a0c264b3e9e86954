//! The compiler over small texts: a bench with a catalogue of its own, and one file of tests per topic.

use std::sync::Arc;

use regex::Regex;
use serde_json::{Value, json};

use super::*;
use crate::source::{Diagnostic, SourceMap};
use crate::spec::{Places, SetupSpec, SuiteSpec, ToolSpec};

mod case;
mod cell;
mod entry;
mod feature;
mod services;

macro_rules! def {
    ($kind:ident, $sentence:literal, $regex:literal) => {
        StepDef {
            sentence: $sentence,
            kind: StepUse::$kind,
            doc: "",
            example: "",
            live: false,
            below: None,
            topic: "test",
            place: concat!("src/steps/test.rs:", line!()).to_owned(),
            regex: || Regex::new(concat!("^(?:", $regex, ")$")).expect("a test's regex"),
        }
    };
}

/// A text in quotes, with escapes.
pub(super) fn catalogue() -> Catalogue {
    Catalogue::new(vec![
        def!(Given, "the model {text}", r#"the model ("(?:[^"\\]|\\.)*")"#),
        def!(Given, "the temperature is {float}", r"the temperature is ([0-9.]+)"),
        def!(Given, "at most {int} tokens", r"at most (\d+) tokens"),
        def!(Given, "the system prompt {text}", r#"the system prompt ("(?:[^"\\]|\\.)*")"#),
        def!(Given, "replies are {delivery}", r"replies are (whole|streamed)"),
        def!(Given, "the parameter {text} is {json}", r#"the parameter ("(?:[^"\\]|\\.)*") is (.+)"#),
        def!(Given, "the header {text} is {text}", r#"the header ("(?:[^"\\]|\\.)*") is ("(?:[^"\\]|\\.)*")"#),
        def!(Given, "the tools {names}", r"the tools (.+)"),
        def!(Given, "the time limit is {duration}", r"the time limit is (\d+(?:ms|s|m|h))"),
        def!(Given, "the conversation:", "the conversation:"),
        def!(When, "I kill the service {text}", r#"I kill the service ("(?:[^"\\]|\\.)*")"#),
        def!(Then, "the service {text} did nothing", r#"the service ("(?:[^"\\]|\\.)*") did nothing"#),
        def!(When, "I ask {text}", r#"I ask ("(?:[^"\\]|\\.)*")"#),
        def!(When, "I continue with {text}", r#"I continue with ("(?:[^"\\]|\\.)*")"#),
        def!(Then, "the reply mentions {text}", r#"the reply mentions ("(?:[^"\\]|\\.)*")"#),
        def!(Then, "the reply is not empty", "the reply is not empty"),
        def!(Then, "the reply is empty", "the reply is empty"),
        def!(Then, "the reply fits the schema:", "the reply fits the schema:"),
        def!(Then, "the status is {int}", r"the status is (\d+)"),
        def!(Then, "the status is one of {ints}", r"the status is one of (\d+(?:, *\d+)*)"),
        def!(Then, "the reply has at least {int} words", r"the reply has at least (\d+) words"),
        def!(Then, "it is {word}", r"it is (\w+)"),
        def!(Then, "it is fine", "it is fine"),
    ])
}

pub(super) const FORMS: [ExpectForm; 8] = [
    ExpectForm { path: "reply.mentions", value: ExpectValue::Text, sentence: "the reply mentions {}", doc: "" },
    ExpectForm { path: "reply.empty", value: ExpectValue::Flag(true), sentence: "the reply is empty", doc: "" },
    ExpectForm { path: "reply.empty", value: ExpectValue::Flag(false), sentence: "the reply is not empty", doc: "" },
    ExpectForm { path: "reply.words.at_least", value: ExpectValue::Int, sentence: "the reply has at least {} words", doc: "" },
    ExpectForm { path: "reply.schema", value: ExpectValue::Schema, sentence: "the reply fits the schema:", doc: "" },
    ExpectForm { path: "status", value: ExpectValue::Int, sentence: "the status is {}", doc: "" },
    ExpectForm { path: "status", value: ExpectValue::Ints, sentence: "the status is one of {}", doc: "" },
    ExpectForm { path: "ghost", value: ExpectValue::Text, sentence: "a sentence that is not there {}", doc: "" },
];

/// One compilation in the making: a suite `s`, a setup `t` that claims `chat` and `stream?`.
pub(super) struct Bench {
    pub map: SourceMap,
    pub input: PlanInput,
}

impl Bench {
    pub fn new() -> Self {
        let suite = SuiteInput {
            spec: Arc::new(SuiteSpec { name: "s".to_owned(), default_setup: Some("t".to_owned()), ..SuiteSpec::default() }),
            complete: true,
            ..SuiteInput::default()
        };
        let mut input = PlanInput { suites: vec![suite], ..PlanInput::default() };
        input.tools = Arc::new(vec![Arc::new(ToolSpec { name: "get_weather".to_owned(), ..ToolSpec::default() })]);
        let mut bench = Self { map: SourceMap::new(), input };
        bench.setup(&json!({
            "name": "t", "attach": {"url": "http://127.0.0.1:1/v1"}, "models": {"text": "m"}, "abilities": ["chat", "stream?"],
        }));
        bench
    }

    pub fn setup(&mut self, spec: &Value) -> &mut Self {
        let spec: SetupSpec = serde_json::from_value(spec.clone()).expect("a setup");
        self.input.setups.retain(|known| known.spec.name != spec.name);
        self.input.names.setups.push(spec.name.clone());
        self.input.setups.push(SetupInput { spec: Arc::new(spec), places: Places::default() });
        self
    }

    /// Changes the suite's file, as JSON keys.
    pub fn suite(&mut self, change: &Value) -> &mut Self {
        let suite = &mut self.input.suites[0];
        let mut whole = serde_json::to_value(&*suite.spec).expect("a suite");
        for (key, value) in change.as_object().expect("keys") {
            whole[key] = value.clone();
        }
        suite.spec = Arc::new(serde_json::from_value(whole).expect("a suite"));
        self
    }

    /// Adds a case file; `each` given inline becomes rows.
    pub fn cases(&mut self, cases: &Value) -> &mut Self {
        let text = cases.to_string();
        let file = self.map.add(format!("cases/s/c{}.yaml", self.input.suites[0].cases.len()), text);
        let at = crate::source::At { file, start: 0, end: 0 };
        let cases = cases.as_array().expect("a list").iter().enumerate().map(|(index, case)| {
            let spec: crate::spec::CaseSpec = serde_json::from_value(case.clone()).expect("a case");
            let rows = case.get("each").map(|rows| {
                let row = |(index, row): (usize, &Value)| crate::spec::rows::Row {
                    at: crate::source::At { start: u32::try_from(index).expect("few rows"), ..at },
                    values: row
                        .as_object()
                        .expect("a row")
                        .iter()
                        .map(|(key, value)| (key.as_str().into(), placeholder::datum(value)))
                        .collect(),
                };
                rows.as_array().expect("rows").iter().enumerate().map(row).collect()
            });
            CaseInput { spec, pointer: format!("/{index}"), rows }
        });
        let input =
            CaseFileInput { file, cases: Arc::new(cases.collect()), places: Places::default(), broken: false, lines: Vec::new() };
        self.input.suites[0].cases.push(input);
        self
    }

    /// Adds a feature file of the suite.
    pub fn feature(&mut self, text: &str) -> &mut Self {
        let name = format!("features/s/f{}.feature", self.input.suites[0].features.len());
        let file = self.map.add(name, text);
        let (document, mistakes) = crate::spec::gherkin::parse(&self.map, file);
        assert!(mistakes.is_empty(), "{}", crate::source::render(&self.map, &mistakes, false));
        self.push(file, document, Arc::from([]))
    }

    /// Adds a feature file in which the parser finds mistakes.
    pub fn broken_feature(&mut self, text: &str) -> &mut Self {
        let file = self.map.add("features/s/broken.feature", text);
        let (document, mistakes) = crate::spec::gherkin::parse(&self.map, file);
        assert!(!mistakes.is_empty(), "{text}");
        self.push(file, document, mistakes.iter().filter_map(|mistake| mistake.at).collect())
    }

    fn push(
        &mut self,
        file: crate::source::FileId,
        document: crate::spec::gherkin::Document,
        mistakes: Arc<[crate::source::At]>,
    ) -> &mut Self {
        let input = FeatureInput { file, document: Arc::new(document), mistakes, lines: Vec::new() };
        self.input.suites[0].features.push(input);
        self
    }

    pub fn compile(&self) -> (Plan, Vec<Diagnostic>) {
        compile(&self.map, &self.input, &catalogue(), &FORMS)
    }

    /// The plan, where nothing is wrong.
    #[track_caller]
    pub fn plan(&self) -> Plan {
        let (plan, diagnostics) = self.compile();
        assert!(diagnostics.is_empty(), "{}", crate::source::render(&self.map, &diagnostics, false));
        plan
    }

    /// Names of the scenarios of all cells.
    #[track_caller]
    pub fn names(&self) -> Vec<String> {
        self.plan()
            .cells
            .iter()
            .flat_map(|cell| &cell.features)
            .flat_map(|feature| &feature.scenarios)
            .map(|it| it.name.to_string())
            .collect()
    }

    /// Holds that exactly one mistake is said, with this code, and that it shows these words.
    #[track_caller]
    pub fn refuses(&self, code: &str, words: &[&str]) {
        let (_, diagnostics) = self.compile();
        let shown = crate::source::render(&self.map, &diagnostics, false);
        assert_eq!(diagnostics.iter().map(|it| it.code).collect::<Vec<_>>(), [code], "{shown}");
        for word in words {
            assert!(shown.contains(word), "{word} in\n{shown}");
        }
    }
}

/// The sentences of one scenario.
pub(super) fn sentences(scenario: &ScenarioPlan) -> Vec<&str> {
    scenario.steps.iter().map(|step| &*step.text).collect()
}

/// The first scenario of a plan.
pub(super) fn first(plan: &Plan) -> &ScenarioPlan {
    &plan.cells[0].features[0].scenarios[0]
}

//! YAML cases: every key becomes its sentence, values are filled in on values, mistakes are named.

use serde_json::json;

use super::*;

fn minimal() -> Value {
    json!({"name": "a", "ask": "q", "expect": [{"reply": {"empty": false}}]})
}

#[test]
fn every_key_becomes_its_sentence() {
    let mut bench = Bench::new();
    bench.cases(&json!([{
        "name": "all",
        "tags": ["chat", "@slow"],
        "given": {
            "model": "text", "system": "Be \"brief\".\nPlease.", "replies": "streamed", "tools": ["get_weather"],
            "headers": {"X-A": "1"}, "timeout": "30s",
            "params": {"temperature": 0.5, "max_tokens": 32, "logit_bias": {"1": 2}, "n": "two"}
        },
        "ask": "Hello?",
        "turns": [{"ask": "And now?", "expect": [{"status": 200}]}],
        "expect": [{"reply": {"mentions": ["a", "b"], "words": {"at_least": 2}}}, {"status": [200, 201]}]
    }]));
    let plan = bench.plan();
    assert_eq!(
        sentences(first(&plan)),
        [
            r#"the model "text""#,
            r#"the system prompt "Be \"brief\".\nPlease.""#,
            "replies are streamed",
            "the tools get_weather",
            r#"the header "X-A" is "1""#,
            "the time limit is 30s",
            "the temperature is 0.5",
            "at most 32 tokens",
            r#"the parameter "logit_bias" is {"1":2}"#,
            r#"the parameter "n" is "two""#,
            r#"I ask "Hello?""#,
            r#"I continue with "And now?""#,
            "the status is 200",
            r#"the reply mentions "a""#,
            r#"the reply mentions "b""#,
            "the reply has at least 2 words",
            "the status is one of 200, 201",
        ]
    );
    let scenario = first(&plan);
    assert_eq!(&*scenario.tags, ["@chat", "@slow"]);
    assert_eq!((&*scenario.classname, &*scenario.id.0), ("s.t.c0", "s.t.c0/all"));
    assert_eq!((&*scenario.steps[0].keyword, scenario.steps[0].kind), ("given", StepUse::Given));
    assert_eq!((&*scenario.steps[12].keyword, scenario.steps[12].kind), ("expect", StepUse::Then));
}

#[test]
fn a_schema_hangs_below_its_sentence() {
    let mut bench = Bench::new();
    bench.cases(&json!([{"name": "a", "ask": "q", "expect": [{"reply": {"schema": {"type": "object"}}}]}]));
    let plan = bench.plan();
    let doc = first(&plan).steps[1].doc.clone().expect("a doc string");
    assert_eq!((doc.media_type.as_deref(), &*doc.content), (Some("json"), "{\n  \"type\": \"object\"\n}"));
}

#[test]
fn rows_and_parameters_multiply_and_name_the_scenarios() {
    let mut bench = Bench::new();
    bench.suite(&json!({"parameters": {"delivery": ["whole", "streamed"]}}));
    bench.cases(&json!([
        {"name": "capital of <country>", "each": [{"country": "France", "city": "Paris"}, {"country": "<city>", "city": "Rome"}],
         "given": {"replies": "<delivery>"}, "ask": "<country>?", "expect": [{"reply": {"mentions": "<city>"}}]},
        minimal(),
    ]));
    assert_eq!(
        bench.names(),
        [
            "capital of France [city=Paris,delivery=whole]",
            "capital of France [city=Paris,delivery=streamed]",
            "capital of <city> [city=Rome,delivery=whole]",
            "capital of <city> [city=Rome,delivery=streamed]",
            "a",
        ]
    );
    let plan = bench.plan();
    let scenarios = &plan.cells[0].features[0].scenarios;
    assert_eq!(sentences(&scenarios[2]), ["replies are whole", "I ask \"<city>?\"", "the reply mentions \"Rome\""]);
    assert!(Arc::ptr_eq(&scenarios[0].steps[1], &scenarios[1].steps[1]), "equal steps are shared");
}

#[test]
fn a_whole_placeholder_takes_the_type_of_its_row() {
    let mut bench = Bench::new();
    bench.cases(&json!([{
        "name": "t", "each": [{"n": 3, "w": 2, "t": "5"}], "ask": "<n>",
        "given": {"params": {"max_tokens": "<n>", "seed_text": "<t>", "both": "<n>!"}},
        "expect": [{"reply": {"words": {"at_least": "<w>"}, "mentions": "<n>"}}]
    }]));
    assert_eq!(
        sentences(first(&bench.plan())),
        [
            "at most 3 tokens",
            r#"the parameter "seed_text" is "5""#,
            r#"the parameter "both" is "3!""#,
            r#"I ask "3""#,
            "the reply has at least 2 words",
            r#"the reply mentions "3""#,
        ]
    );
}

#[test]
fn mistakes_of_cases_are_named() {
    let case = |change: Value| {
        let mut case = minimal();
        for (key, value) in change.as_object().expect("keys") {
            case[key] = value.clone();
        }
        let mut bench = Bench::new();
        bench.cases(&json!([case]));
        bench
    };
    case(json!({"expect": []})).refuses("scenario/no-claim", &["`a` claims nothing"]);
    case(json!({"expect": [{"reply": {"mention": "x"}}]}))
        .refuses("expect/unknown-claim", &["`reply` has no claim `mention`", "did you mean `mentions`"]);
    case(json!({"expect": [{"repyl": {"mentions": "x"}}]}))
        .refuses("expect/unknown-claim", &["no claim `repyl`", "did you mean `reply`"]);
    case(json!({"expect": [{"status": "ok"}]}))
        .refuses("expect/bad-value", &["`status` wants a whole number, or a list of whole numbers", "this is a text"]);
    case(json!({"expect": [{"reply": "x"}]}))
        .refuses("expect/bad-value", &["`reply` wants a map of claims", "`mentions`, `empty`"]);
    case(json!({"expect": [{"reply": {"empty": "no"}}]}))
        .refuses("expect/bad-value", &["`reply.empty` wants `true`, or `false`"]);
    case(json!({"expect": [{"ghost": "x"}]})).refuses("step/undefined", &["a sentence that is not there"]);
    case(json!({"given": {"replies": "slow"}})).refuses("step/undefined", &["replies are slow"]);
    case(json!({"given": {"tools": ["get_wether"]}})).refuses("tool/unknown", &["`get_wether`", "did you mean `get_weather`"]);
    case(json!({"each": [{"city": "x"}], "ask": "<ctiy> <city>"})).refuses("placeholder/near-miss", &["did you mean `<city>`"]);
    case(json!({"each": [{"city": "x", "n": 1}], "ask": "<city>"})).refuses("examples/unused-column", &["column `n`"]);
    case(json!({"each": [{"city": "x"}, {}], "name": "<city>", "ask": "<city>"}))
        .refuses("examples/missing-value", &["no `city`"]);
    case(json!({"tags": ["retry(x)"]})).refuses("tags/bad-argument", &["@retry(N)"]);
    case(json!({"ask": "1 <b> 2"})).plan();

    let mut twice = Bench::new();
    twice.cases(&json!([{"name": "a", "each": [{"n": 1}, {"n": 1}], "ask": "<n>", "expect": [{"status": 200}]}]));
    twice.refuses("scenario/duplicate-name", &["`a [n=1]`", "first one is here"]);
    let mut none = Bench::new();
    none.cases(&json!([]));
    none.refuses("feature/empty", &["holds no cases"]);
}

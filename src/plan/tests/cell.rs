//! Suites meet setups: cells, models, skips, precedence, selection, identity.

use std::time::Duration;

use serde_json::json;

use super::*;

fn one_case() -> Bench {
    let mut bench = Bench::new();
    bench.cases(&json!([{"name": "a", "ask": "q", "expect": [{"status": 200}]}]));
    bench
}

fn cell_ids(plan: &Plan) -> Vec<&str> {
    plan.cells.iter().map(|cell| &*cell.id.0).collect()
}

#[test]
fn a_role_with_several_models_multiplies_the_cells() {
    let mut bench = one_case();
    bench.setup(
        &json!({"name": "Two.1", "services": {"server": {"command": ["x"]}}, "models": {"text": ["gpt-4.1", "b"], "judge": "j"}}),
    );
    bench.input.selection.setups = vec!["t".to_owned(), "Two.1".to_owned()];
    let plan = bench.plan();
    assert_eq!(cell_ids(&plan), ["s[t]", "s[Two.1][gpt-4.1]", "s[Two.1][b]"]);
    assert_eq!(plan.cells[1].models, [("text".to_owned(), "gpt-4.1".to_owned()), ("judge".to_owned(), "j".to_owned())]);
    assert_eq!(&*plan.cells[1].features[0].scenarios[0].classname, "s.two_1_gpt-4_1.c0");
    assert!(matches!(plan.cells[1].connect, Connect::Start));
    assert!(matches!(&plan.cells[0].connect, Connect::Attach { url } if url == "http://127.0.0.1:1"));
    let (one, two) = (&plan.cells[0].features[0].scenarios[0], &plan.cells[1].features[0].scenarios[0]);
    assert!(Arc::ptr_eq(&one.steps, &two.steps), "cells share steps");
}

#[test]
fn the_abilities_of_a_scenario_choose_the_role_that_is_asked() {
    let mut bench = Bench::new();
    let case = |tags: Value| json!({"name": tags.to_string(), "tags": tags, "ask": "q", "expect": [{"status": 200}]});
    let tags =
        [json!(["chat"]), json!(["tools", "stream"]), json!(["tools", "thinking"]), json!(["vision"]), json!(["parallel_tools"])];
    bench.cases(&json!(tags.map(case)));
    let plan = bench.plan();
    let roles: Vec<&str> = plan.cells[0].features[0].scenarios.iter().map(|scenario| scenario.role).collect();
    assert_eq!(roles, ["text", "tools", "reasoning", "vision", "tools"]);
}

#[test]
fn a_text_model_named_by_a_flag_is_asked_for_what_text_models_do() {
    let mut bench = one_case();
    bench.setup(&json!({"name": "t", "services": {"server": {"command": ["x"]}},
        "models": {"text": "a", "tools": "a-tools", "reasoning": "a-thinks", "vision": "a-sees"}}));
    let given = |role: &str, model: &str| Given { value: (role.to_owned(), vec![model.to_owned()]), origin: "flag".to_owned() };
    let models = |bench: &Bench| -> Vec<String> {
        bench.plan().cells[0].models.iter().map(|(role, model)| format!("{role}={model}")).collect()
    };
    bench.input.overrides.models = vec![given("vision", "b")];
    assert_eq!(models(&bench), ["text=a", "tools=a-tools", "reasoning=a-thinks", "vision=b"]);
    bench.input.overrides.models = vec![given("text", "b")];
    assert_eq!(models(&bench), ["text=b", "vision=a-sees"]);
    bench.input.overrides.models = vec![given("text", "b"), given("tools", "c")];
    assert_eq!(models(&bench), ["text=b", "tools=c", "vision=a-sees"]);
}

#[test]
fn what_a_setup_does_not_claim_is_skipped_with_that_reason() {
    let mut bench = Bench::new();
    let case = |name: &str, tags: Value, model: &str| json!({"name": name, "tags": tags, "given": {"model": model}, "ask": "q", "expect": [{"status": 200}]});
    bench.cases(&json!([
        case("plain", json!(["chat", "stream", "anything"]), "text"),
        case("tools", json!(["tools", "json_schema"]), "text"),
        case("vector", json!([]), "embedding"),
        case("by id", json!([]), "some-model"),
    ]));
    let skips = |plan: &Plan| -> Vec<Option<String>> {
        plan.cells[0].features[0].scenarios.iter().map(|scenario| scenario.skip.clone()).collect()
    };
    assert_eq!(
        skips(&bench.plan()),
        [
            None,
            Some("setup `t` does not claim `tools`, `json_schema`".to_owned()),
            Some("setup `t` names no model for the role `embedding`".to_owned()),
            None,
        ]
    );
    bench.suite(&json!({"default_setup": null}));
    bench.input.overrides.url = Some(Given { value: "localhost:8080/v1".to_owned(), origin: "flag --url".to_owned() });
    let plan = bench.plan();
    assert_eq!(skips(&plan), [None, None, None, None], "a bare address claims everything");
    bench.cases(&json!([case("idle", json!(["request_metrics"]), "text"), case("tokens", json!(["tokenize"]), "text")]));
    let plan = bench.plan();
    let reasons: Vec<Option<String>> = plan.cells[0]
        .features
        .iter()
        .flat_map(|feature| &feature.scenarios)
        .filter_map(|one| one.skip.clone())
        .map(Some)
        .collect();
    let why =
        |key: &str| Some(format!("no profile says how this server does it (`{key}:`): give `--setup` with a setup that has one"));
    assert_eq!(reasons, [why("metrics"), why("tokens")], "but not what nobody can do without knowing the server");
    assert_eq!((cell_ids(&plan), plan.cells[0].contract), (vec!["s[(url)]"], Contract::Generic));
    assert_eq!(&*plan.cells[0].features[0].scenarios[0].classname, "s.url.c0");
}

#[test]
fn a_value_of_the_stack_that_is_named_and_not_set_skips_the_scenario() {
    let mut bench = Bench::new();
    bench.cases(&json!([{"name": "a", "ask": "Mind {{ safety_shield }}.", "expect": [{"status": 200}]}]));
    let reason = first(&bench.plan()).skip.clone().expect("a reason");
    assert!(reason.contains("`safety_shield`") && reason.contains("`--safety-shield`"), "{reason}");
    bench.input.overrides.safety_shield = Some(Given { value: "guard".to_owned(), origin: "flag".to_owned() });
    assert_eq!(first(&bench.plan()).skip, None);
}

#[test]
fn the_nearest_word_wins_and_says_where_it_stood() {
    let mut bench = one_case();
    bench.suite(&json!({"defaults": {"retries": 1, "temperature": 0.5, "timeout": "10s", "concurrency": 3}}));
    bench.setup(&json!({
        "name": "t", "attach": {"url": "http://h"}, "models": {"text": "m"}, "defaults": {"temperature": 0.25, "retries": 2},
    }));
    bench.input.overrides.retries = Some(Given { value: 4, origin: "flag --retries".to_owned() });
    bench.input.overrides.embedding_dimension = Some(Given { value: 3, origin: "flag --embedding-dimension".to_owned() });
    bench.input.overrides.models =
        vec![Given { value: ("text".to_owned(), vec!["other".to_owned()]), origin: "flag --model".to_owned() }];
    let plan = bench.plan();
    let cell = &plan.cells[0];
    assert_eq!((cell.sampling.temperature, cell.sampling.seed, cell.concurrency), (Some(0.25), None, 3));
    assert_eq!(cell.sampling.timeout, Some(Duration::from_secs(10)));
    assert_eq!(cell.models, [("text".to_owned(), "other".to_owned())]);
    let scenario = first(&plan);
    assert_eq!((scenario.retries, scenario.step_timeout, scenario.timeout), (4, Duration::from_secs(10), Duration::from_mins(5)));
    let explained = |key: &str| {
        let found = cell.explained.iter().find(|value| value.key == key).expect(key);
        (found.value.as_str(), found.origin.as_str())
    };
    assert_eq!(explained("retries"), ("4", "flag --retries"));
    assert_eq!(explained("embedding_dimension"), ("3", "flag --embedding-dimension"));
    assert_eq!(explained("safety_shield"), ("not set", "built-in"));
    assert_eq!((cell.named.embedding_dimension, cell.named.safety_shield.as_deref()), (Some(3), None));
    assert_eq!(explained("temperature"), ("0.25", "the setup"));
    assert_eq!(explained("concurrency"), ("3", "the suite"));
    assert_eq!(explained("seed"), ("not sent", "built-in"));
    assert_eq!(explained("models.text"), ("other", "flag --model"));
    assert_eq!(explained("contract"), ("generic", "built-in, as no profile is named"));
}

#[test]
fn tags_of_a_scenario_win_over_defaults() {
    let mut bench = Bench::new();
    let tags = json!(["retry(3)", "timeout(5s)", "serial", "lock(gpu)"]);
    bench.cases(&json!([{"name": "a", "tags": tags, "ask": "q", "expect": [{"status": 200}]}]));
    let plan = bench.plan();
    let scenario = first(&plan);
    assert_eq!((scenario.retries, scenario.timeout, &scenario.locks[..]), (3, Duration::from_secs(5), &["gpu".to_owned()][..]));
    assert_eq!(scenario.flags, Flags { serial: true, destructive: false });
}

#[test]
fn repeats_are_scenarios_of_their_own() {
    let mut bench = one_case();
    bench.input.overrides.repeats = Some(Given { value: 3, origin: "flag --repeats".to_owned() });
    assert_eq!(bench.names(), ["a", "a [repeat=2]", "a [repeat=3]"]);
}

#[test]
fn tags_and_names_narrow_the_run_to_nothing_without_complaint() {
    let mut bench = Bench::new();
    let case = |name: &str, tags: Value| json!({"name": name, "tags": tags, "ask": "q", "expect": [{"status": 200}]});
    bench.cases(&json!([case("one", json!(["a"])), case("two", json!(["b"])), case("three", json!(["a", "b"]))]));
    bench.suite(&json!({"tags": "@a or @b"}));
    bench.input.selection.tags = Some(("not @a".to_owned(), None));
    assert_eq!(bench.names(), ["two"]);
    bench.input.selection.tags = None;
    bench.input.selection.name = Some(Regex::new("^t").expect("a pattern"));
    assert_eq!(bench.names(), ["two", "three"]);
    bench.input.selection.name = Some(Regex::new("nothing").expect("a pattern"));
    let plan = bench.plan();
    assert_eq!((plan.cells.len(), plan.plan_id.as_str(), plan.planned()), (0, "", 0));
}

#[test]
fn mistakes_of_setups_suites_and_flags_are_named() {
    let with = |change: &dyn Fn(&mut Bench)| {
        let mut bench = one_case();
        change(&mut bench);
        bench
    };
    let setup = |keys: Value| {
        with(&move |bench| {
            let mut spec = json!({"name": "t", "attach": {"url": "http://h"}, "models": {"text": "m"}});
            for (key, value) in keys.as_object().expect("keys") {
                spec[key] = value.clone();
            }
            bench.setup(&spec);
        })
    };
    setup(json!({"models": {"text": []}})).refuses("setup/no-model", &["`text`"]);
    setup(json!({"profile": "lama"})).refuses("setup/unknown-profile", &["no profile `lama`"]);
    setup(json!({"attach": {"url": "ftp://x"}})).refuses("setup/bad-url", &["ftp"]);
    setup(json!({"attach": null})).refuses("setup/no-server", &["neither starts nor attaches"]);
    setup(json!({"defaults": {"repeats": 0}})).refuses("run/bad-value", &["`repeats` is 0"]);
    with(&|bench| bench.input.selection.setups = vec!["tt".to_owned()])
        .refuses("suite/unknown-setup", &["no setup `tt`", "known here: `t`"]);
    with(&|bench| {
        bench.suite(&json!({"default_setup": null}));
    })
    .refuses("suite/no-setup", &["--setup NAME"]);
    with(&|bench| {
        bench.suite(&json!({"parameters": {"delivery": ["whole"]}}));
    })
    .refuses("suite/unused-parameter", &["`<delivery>`"]);
    with(&|bench| {
        bench.suite(&json!({"parameters": {"delivery": [["whole"]]}}));
    })
    .refuses("suite/bad-parameter", &["`delivery`"]);
    with(&|bench| bench.input.selection.tags = Some(("@a adn @b".to_owned(), None)))
        .refuses("tags/syntax", &["column 4", "did you mean `and`"]);
    with(&|bench| {
        let given = Given { value: ("texd".to_owned(), vec!["m".to_owned()]), origin: "flag --model".to_owned() };
        bench.input.overrides.models = vec![given];
    })
    .refuses("setup/unknown-role", &["flag --model", "did you mean `text`"]);
}

#[test]
fn known_failures_meet_their_scenarios_by_name() {
    let mut bench = one_case();
    bench.setup(&json!({"name": "t", "attach": {"url": "http://h"}, "models": {"text": "m"}, "profile": "p"}));
    let profile = |scenario: &str| {
        let known = json!([{"scenario": scenario, "rule": "W085", "reason": "r", "source": "s"}]);
        let spec = serde_json::from_value(json!({"name": "p", "server": {"like": "x"}, "known": known})).expect("a profile");
        vec![ProfileInput { spec: Arc::new(spec), places: Places::default() }]
    };
    bench.input.profiles = profile("a");
    let plan = bench.plan();
    assert_eq!(first(&plan).known, [KnownClaim { entry: 0 }]);
    assert_eq!(plan.cells[0].contract, Contract::Profile);
    bench.input.profiles = profile("b");
    bench.refuses("profile/unmatched-known", &["no scenario is named `b`"]);
    bench.input.selection.narrowed = true;
    bench.plan();
}

#[test]
fn an_unmet_need_or_a_missing_variable_skips_the_cell() {
    let mut bench = one_case();
    bench.setup(
        &json!({"name": "t", "services": {"server": {"command": ["x"]}}, "attach": {"url": "${URL}"}, "models": {"text": "m"}}),
    );
    bench.input.unmet.insert("t".to_owned(), "no memory".to_owned());
    assert_eq!(bench.plan().cells[0].skip.as_deref(), Some("no memory"));
    bench.input.environment.insert("URL".to_owned(), "http://there/v1".to_owned());
    let plan = bench.plan();
    assert_eq!(plan.cells[0].skip, None);
    assert!(matches!(&plan.cells[0].connect, Connect::Attach { url } if url == "http://there"));
    bench.setup(&json!({"name": "t", "attach": {"url": "${ELSE}"}, "models": {"text": "m"}}));
    bench.input.unmet.clear();
    assert_eq!(
        bench.plan().cells[0].skip.as_deref(),
        Some("the environment variable `ELSE` is not set: it says where the server is")
    );
}

#[test]
fn equal_plans_have_equal_ids_and_any_change_of_content_another() {
    let bench = one_case();
    let id = bench.plan().plan_id;
    assert_eq!((id.len(), bench.plan().short_id().len()), (64, 12));
    assert_eq!(one_case().plan().plan_id, id);
    let mut other = one_case();
    other.input.overrides.retries = Some(Given { value: 1, origin: "flag --retries".to_owned() });
    assert_ne!(other.plan().plan_id, id);
    let mut other = Bench::new();
    other.cases(&json!([{"name": "a", "ask": "q!", "expect": [{"status": 200}]}]));
    assert_ne!(other.plan().plan_id, id);
}

//! Models of the catalogue in place of setups: cells, models, and what is skipped with which reason.

use serde_json::json;

use super::*;

/// A setup `lab` that is started and claims chat and tools, and one `far` that is attached to; cases for chat, tools and embeddings.
fn bench(entries: &Value) -> Bench {
    let mut bench = Bench::new();
    bench.setup(&json!({"name": "lab", "services": {"server": {"command": ["x"]}}, "models": {"text": "a", "tools": "b"},
        "abilities": ["chat", "tools"]}));
    bench.setup(
        &json!({"name": "far", "attach": {"url": "http://h"}, "models": {"text": "a"}, "abilities": ["chat", "tools", "vision"]}),
    );
    let case = |ability: &str| json!({"name": ability, "tags": [ability], "ask": "q", "expect": [{"status": 200}]});
    bench.cases(&json!([case("chat"), case("tools"), case("embeddings")]));
    let entry = |(name, spec): (&String, &Value)| {
        let mut whole = json!({"repo": "pypi:a==1", "abilities": ["chat"], "source": "the test"});
        whole.as_object_mut().expect("keys").extend(spec.as_object().expect("keys").clone());
        let spec = serde_json::from_value(whole).expect("an entry");
        EntryInput { name: name.clone(), spec, wished: false, unmet: None }
    };
    bench.input.entries = Some(entries.as_object().expect("entries").iter().map(entry).collect());
    bench
}

fn skips(cell: &CellPlan) -> Vec<Option<&str>> {
    cell.features[0].scenarios.iter().map(|scenario| scenario.skip.as_deref()).collect()
}

#[test]
fn each_model_is_a_cell_on_the_setup_that_serves_it() {
    let bench = bench(&json!({
        "small": {"setup": "lab", "abilities": ["chat", "tools"], "memory": "2GiB"},
        "talker": {"setup": "lab"},
        "far-1": {"setup": "far", "served_as": "f1", "abilities": ["chat", "vision"]},
        "far-2": {"setup": "far", "served_as": "f2", "abilities": ["chat", "tools"]},
    }));
    let plan = bench.plan();
    let ids: Vec<&str> = plan.cells.iter().map(|cell| &*cell.id.0).collect();
    assert_eq!(ids, ["s[lab][small]", "s[lab][talker]", "s[far][far-1]", "s[far][far-2]"]);
    assert_eq!(&*plan.cells[0].features[0].scenarios[0].classname, "s.lab_small.c0");
    let models = |at: usize| plan.cells[at].models.iter().map(|(role, id)| format!("{role}={id}")).collect::<Vec<_>>().join(" ");
    assert_eq!([models(0), models(2), models(3)], ["text=a tools=b", "text=f1 vision=f1", "text=f2 tools=f2"]);
    let entry = plan.cells[0].entry.as_ref().expect("an entry");
    assert_eq!((entry.name.as_str(), entry.memory, entry.wished), ("small", Some(2 << 30), false));
    let claims = Some("setup `lab` does not claim `embeddings`");
    assert_eq!(skips(&plan.cells[0]), [None, None, claims]);
    let lists = Some("the catalogue does not list `tools` among the abilities of `talker`");
    assert_eq!(skips(&plan.cells[1]), [None, lists, claims]);
}

#[test]
fn what_cannot_be_served_here_is_a_cell_that_is_skipped_with_its_reason() {
    let mut bench = bench(&json!({"nowhere": {}, "big": {"setup": "lab"}, "lacking": {"setup": "far"}}));
    bench.input.unmet.insert("far".to_owned(), "needs the environment variable KEY; set it: export KEY=…".to_owned());
    bench.input.entries.as_mut().expect("entries")[1].unmet = Some("needs 7.5 GiB of memory".to_owned());
    bench.setup(
        &json!({"name": "far", "services": {"server": {"command": ["x"]}}, "models": {"text": "a"}, "abilities": ["chat"]}),
    );
    let plan = bench.plan();
    let reasons: Vec<(&str, &str)> =
        plan.cells.iter().map(|cell| (&*cell.id.0, cell.skip.as_deref().unwrap_or_default())).collect();
    assert_eq!(
        reasons,
        [
            (
                "s[(no setup)][nowhere]",
                "the catalogue names no setup that serves it: add `setup: NAME` to its entry in models.yaml"
            ),
            ("s[lab][big]", "needs 7.5 GiB of memory"),
            ("s[far][lacking]", "needs the environment variable KEY; set it: export KEY=…"),
        ]
    );
    assert_eq!(plan.cells[0].models, [("text".to_owned(), "nowhere".to_owned())], "reports show which model it is");
    assert_eq!(plan.planned(), 9, "every scenario is there to be skipped");
}

#[test]
fn a_known_failure_of_one_model_is_none_of_another() {
    let mut bench = bench(&json!({"one": {"setup": "far", "served_as": "f1"}, "two": {"setup": "far", "served_as": "f2"}}));
    let profile = json!({"name": "p", "server": {"like": "p"}, "known": [
        {"scenario": "chat", "model": "f2", "step": "the status is 200", "reason": "r", "source": "s"},
        {"scenario": "chat", "step": "the status is 200", "reason": "r", "source": "s"},
    ]});
    let spec = Arc::new(serde_json::from_value(profile).expect("a profile"));
    bench.input.profiles = vec![ProfileInput { spec, places: Places::default() }];
    bench.setup(&json!({"name": "far", "attach": {"url": "http://h"}, "abilities": ["chat"], "profile": "p"}));
    let plan = bench.plan();
    let known = |at: usize| plan.cells[at].features[0].scenarios[0].known.iter().map(|claim| claim.entry).collect::<Vec<_>>();
    assert_eq!([known(0), known(1)], [vec![1], vec![0, 1]]);
}

//! Tier 2: the suite `smoke` over the catalogue, one real server after the other; what does not fit is told, and never green.

use serde_json::Value;

use crate::harness::{Project, real_servers};

/// The cell of a model in a JSON summary.
#[track_caller]
fn cell<'a>(report: &'a Value, model: &str) -> &'a Value {
    let cells = report["cells"].as_array().expect("cells");
    cells.iter().find(|cell| cell["catalogue"]["name"] == model).unwrap_or_else(|| panic!("no cell of {model}: {report:#}"))
}

/// Passed, known, failed, errored, skipped.
fn counts(cell: &Value) -> [u64; 5] {
    ["passed", "known", "failed", "errored", "skipped"].map(|outcome| cell["totals"][outcome].as_u64().expect("a count"))
}

/// Names of a cell's scenarios that ended so.
fn ended<'a>(report: &'a Value, cell: &Value, outcome: &str) -> Vec<&'a str> {
    let scenarios = report["scenarios"].as_array().expect("scenarios").iter();
    let of_cell = scenarios.filter(|scenario| scenario["cell"] == cell["cell"] && scenario["outcome"] == outcome);
    of_cell.filter_map(|scenario| scenario["name"].as_str()).collect()
}

const TOOLS: &str = "The right tool is called with the right arguments, and its result is used";
const THINKING: &str = "A thought comes apart from the answer";
const EMBEDDINGS: &str = "Texts become vectors, and alike texts alike vectors";

#[test]
fn every_model_that_fits_is_smoked_and_every_other_is_told() {
    let _lock = real_servers();
    let project = Project::new();
    let mut command = project.command(&["run", "--suite", "smoke", "--catalogue", "--junit", "j.xml", "--report", "json=r.json"]);
    command.env_remove("OPENAI_API_KEY");
    let ran = crate::harness::ran(&command.output().expect("the command starts"));
    ran.exits(0);
    let report: Value = serde_json::from_str(&project.read("r.json")).expect("JSON");

    let models = [
        ("smollm2-135m", [6, 0, 0, 0, 2]),
        ("smollm2-135m-q4", [4, 2, 0, 0, 2]),
        ("smollm2-135m-thinking", [7, 0, 0, 0, 1]),
        ("qwen2.5-coder-1.5b", [5, 1, 0, 0, 2]),
        ("all-minilm-l6-v2", [1, 0, 0, 0, 7]),
    ];
    for (model, expect) in models {
        let cell = cell(&report, model);
        assert_eq!(counts(cell), expect, "{model}\n{}", ran.all());
        let server = &cell["server"];
        let (start, peak) = (server["start_ms"].as_f64(), server["peak_rss_bytes"].as_u64());
        assert!(start.is_some_and(|ms| ms > 1.0) && peak.is_some_and(|bytes| bytes > 30 << 20), "{model}: {server:#}");
    }
    assert_eq!(ended(&report, cell(&report, "qwen2.5-coder-1.5b"), "known"), [TOOLS]);
    assert_eq!(ended(&report, cell(&report, "smollm2-135m-thinking"), "skipped"), [EMBEDDINGS]);
    assert!(ended(&report, cell(&report, "smollm2-135m-thinking"), "passed").contains(&THINKING));
    assert_eq!(ended(&report, cell(&report, "all-minilm-l6-v2"), "passed"), [EMBEDDINGS]);

    for (model, reason) in
        [("gpt-4o", "needs the environment variable OPENAI_API_KEY"), ("qwen3-8b", "the catalogue names no setup that serves it")]
    {
        let cell = cell(&report, model);
        assert_eq!(counts(cell), [0, 0, 0, 0, 8], "{model}");
        assert!(cell["skipped"].as_str().is_some_and(|said| said.contains(reason)), "{model}: {cell:#}");
        assert!(ran.all().contains(reason), "{}", ran.all());
    }

    let junit = project.read("j.xml");
    for part in ["fireassay.start_ms", "fireassay.peak_rss_mib", "name=\"fireassay.catalogue\" value=\"all-minilm-l6-v2\""] {
        assert!(junit.contains(part), "{part} in\n{junit}");
    }
    let matrix = project.run(&["report", "matrix"]);
    matrix.exits(0).says(&[
        "| model | setup | up in | memory |",
        "| smollm2-135m-q4 | llama.cpp",
        "| qwen3-8b | never answered |",
    ]);
    let row = |model: &str| {
        let lines = matrix.stdout.lines().filter(|line| line.starts_with(&format!("| {model} |")));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(row("qwen2.5-coder-1.5b")[0].contains("known 1/1"), "{}", matrix.stdout);
    assert!(row("all-minilm-l6-v2")[1].contains("MiB"), "{}", matrix.stdout);
    assert!(!row("gpt-4o")[0].contains("pass") && row("gpt-4o")[0].contains("skipped"), "{}", matrix.stdout);
}

const BIG: &str = r"models:
  big: {repo: 'hf:lab/big', setup: lab, size: 900 TB, abilities: [chat], source: the test}
  nowhere: {repo: 'hf:lab/nowhere', abilities: [chat], source: the test}
";

const LAB: &str = "name: lab\nservices: {server: {command: [sleep, '60']}}\nmodels: {text: big}\nabilities: [chat]\n";

const FEATURE: &str = r#"Feature: Capitals
  @chat
  Scenario: It knows France
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
"#;

#[test]
fn where_no_model_fits_nothing_ran() {
    let project = Project::new().file("models.yaml", BIG).file("setups/lab.yaml", LAB).file("a.feature", FEATURE);
    let ran = project.run(&["run", "a.feature", "--catalogue", "--junit", "j.xml"]);
    let figures = "needs 1257285.5 GiB of memory (weights 838190.3 GiB, keys and values not known, × 1.5)";
    ran.exits(4).says(&["NOTHING RAN", figures, "of memory are free", "the catalogue names no setup that serves it"]);
    assert!(project.events().iter().all(|event| event["event"] != "server"), "nothing was started");
    assert!(project.read("j.xml").contains("skipped=\"2\""), "{}", project.read("j.xml"));
    let listed = project.run(&["list", "a.feature", "--catalogue"]);
    listed.says(&["(files)[lab][big]", figures, "(files)[(no setup)][nowhere]", "2 cells, 2 scenarios (2 skipped)"]);
    project.run(&["run", "a.feature", "--catalogue", "bigg"]).exits(2).says(&["no model `bigg`", "did you mean `big`"]);
    project.run(&["report", "matrix"]).exits(4).says(&["| big | never answered | lab", "skipped [1]"]);
}

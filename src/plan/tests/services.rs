//! Scenarios about single services: their marks, names that there are not, and stacks that are not ours.

use serde_json::json;

use super::*;

/// A setup with the services `backend` and `server`, and a scenario under these tags.
fn bench(tags: &str, steps: &str) -> Bench {
    let mut bench = Bench::new();
    bench
        .setup(&json!({"name": "t", "services": {"backend": {"command": ["x"]}, "server": {"command": ["x"]}}, "abilities": []}));
    bench.feature(&format!("Feature: F\n  {tags}\n  Scenario: S\n{steps}    Then the status is 200\n"));
    bench
}

#[test]
fn what_ends_a_service_needs_its_mark() {
    let kill = "    When I kill the service \"backend\"\n";
    bench("@destructive", kill).plan();
    let help = "tag the scenario `@destructive`: it then runs last and alone";
    for tags in ["@mine", "@serial"] {
        bench(tags, kill).refuses("scenario/not-alone", &["`I kill the service {text}` stands in a scenario", help, "^^^^^^^"]);
    }
}

#[test]
fn what_reads_figures_needs_nobody_beside_it() {
    let read = "    Then the service \"backend\" did nothing\n";
    bench("@serial", read).plan();
    bench("@destructive", read).plan();
    bench("@mine", read).refuses("scenario/not-alone", &["is not `@serial`"]);
}

#[test]
fn a_service_that_there_is_not_is_told_before_anything_starts() {
    let kill = |name: &str| format!("    When I kill the service \"{name}\"\n");
    bench("@destructive", &kill("backnd"))
        .refuses("scenario/unknown-service", &["the setup `t` has no service `backnd`", "did you mean `backend`?"]);
    // What is only known when it runs is told then.
    bench("@destructive", &kill("{{name}}")).plan();
}

#[test]
fn a_stack_that_is_not_ours_is_let_be() {
    let mut bench = bench("@destructive", "    When I kill the service \"backend\"\n");
    let skip = |bench: &Bench| first(&bench.plan()).skip.clone();
    assert_eq!(skip(&bench), None);
    bench.input.overrides.serve = Some(Given { value: None, origin: "flag".to_owned() });
    assert_eq!(skip(&bench), None, "who runs it is only seen when it is reached");
    bench.input.overrides.serve = None;
    bench.input.overrides.url = Some(Given { value: "http://127.0.0.1:1".to_owned(), origin: "flag".to_owned() });
    let reason = skip(&bench).expect("a reason");
    assert!(reason.starts_with("the stack is attached to or composed: only services that this run starts"), "{reason}");
}

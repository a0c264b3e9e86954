//! The catalogue of models against a real index: what is not reached is never shown as passed.

use crate::harness::Project;

const CATALOGUE: &str = r"models:
  there: {repo: 'pypi:six==1.17.0', file: six.py, abilities: [embeddings], source: the test}
  no-version: {repo: 'pypi:six==0.0.1', file: six.py, abilities: [embeddings], source: the test}
  no-package: {repo: 'pypi:fireassay-is-no-python-package==1', file: a, abilities: [embeddings], source: the test}
";

#[test]
fn a_package_that_is_not_there_fails_and_one_that_is_does_not() {
    let project = Project::new().file("models.yaml", CATALOGUE);
    let ran = project.run(&["models", "check", "--format", "json"]);
    ran.exits(1);
    let found: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let repo = |at: usize| found["models"][at]["checks"][0]["verdict"].as_str().expect("a verdict").to_owned();
    assert_eq!([repo(0), repo(1), repo(2)], ["passed", "failed", "failed"], "{found:#}");
    // The weights are not here, so it is not green as a whole.
    assert_eq!(found["models"][0]["verdict"], "not evaluated");
}

#[test]
fn an_index_that_is_not_reached_is_no_pass_and_no_failure() {
    let project = Project::new().file("models.yaml", CATALOGUE);
    // Port 9 of the loopback is nobody's.
    let ran = project.run(&["models", "check", "there", "--index", "http://127.0.0.1:9/simple"]);
    ran.exits(3).says(&["there  not evaluated", "127.0.0.1:9 cannot be asked", "0 passed, 0 failed, 1 not evaluated"]);
    project.run(&["models", "check", "there", "--offline"]).exits(0).says(&["0 passed, 0 failed, 1 not evaluated"]);
    project.run(&["models", "check", "ther"]).exits(2).says(&["did you mean `there`"]);
}

//! Which clients do scenarios ask for work, and do they know that work? A slip here would fail in every run.

use std::sync::Arc;

use super::tool::{StepMistake, mistake};
use super::{Catalogue, CellPlan, StepPlan};
use crate::source::did_you_mean;
use crate::spec::ClientSpec;

/// What a sentence that names a client begins with.
const NAMES_A_CLIENT: &str = "the client {name} ";

/// The client and the task that a step names; `None` where its sentence is another, or they are only known when it runs.
fn named<'a>(sentence: &str, values: &[&'a str]) -> Option<(&'a str, &'a str)> {
    let (name, task) = (values.first()?, values.get(1)?);
    let known = sentence.starts_with(NAMES_A_CLIENT) && !name.contains("{{") && !task.contains("{{");
    known.then(|| (*name, task.trim_matches('"')))
}

/// What a step asks of a client, held against the client's file.
pub(super) fn of_step(sentence: &str, values: &[&str], clients: &[Arc<ClientSpec>]) -> Option<StepMistake> {
    let (name, task) = named(sentence, values)?;
    let Some(client) = clients.iter().find(|client| client.name == name) else {
        let help = did_you_mean(name, clients.iter().map(|client| client.name.as_str()));
        let help = help.or_else(|| Some(format!("write it as `clients/{name}.yaml`")));
        return Some(StepMistake { help, ..mistake("client/unknown", name, format!("there is no client `{name}`")) });
    };
    if client.tasks.contains_key(task) {
        return None;
    }
    let tasks: Vec<&str> = client.tasks.keys().map(String::as_str).collect();
    let help = did_you_mean(task, tasks);
    let message = format!("the client `{name}` has no task `{task}`");
    Some(StepMistake { help, ..mistake("client/unknown-task", task, message) })
}

/// The clients that a cell's scenarios ask, in the order of their first use; skipped scenarios ask for none.
pub(super) fn used(cell: &CellPlan, catalogue: &Catalogue, clients: &[Arc<ClientSpec>]) -> Vec<Arc<ClientSpec>> {
    let mut used: Vec<Arc<ClientSpec>> = Vec::new();
    let scenarios = cell.features.iter().flat_map(|feature| &feature.scenarios);
    for step in scenarios.filter(|scenario| scenario.skip.is_none()).flat_map(|scenario| scenario.steps.iter()) {
        let client = asked(step, catalogue).and_then(|name| clients.iter().find(|client| client.name == name));
        used.extend(client.filter(|client| !used.contains(client)).cloned());
    }
    used
}

fn asked<'a>(step: &'a StepPlan, catalogue: &Catalogue) -> Option<&'a str> {
    let values: Vec<&str> = step.captures.iter().skip(1).map(|(_, text)| text.as_str()).collect();
    named(catalogue.def(step.def).sentence, &values).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sentence: &str, values: &[&str], expect: Option<(&str, &str)>) {
        let text = "name: openai-python\ncommand: [x]\ntasks: {chat: Asks., stream: Streams.}\n";
        let clients = [Arc::new(serde_yaml::from_str::<ClientSpec>(text).expect("a client"))];
        let found = of_step(sentence, values, &clients);
        let found = found.as_ref().map(|it| (it.message.as_str(), it.help.as_deref().unwrap_or_default()));
        assert_eq!(found, expect, "{sentence} {values:?}");
    }

    #[test]
    fn clients_and_their_tasks_exist() {
        let does = "the client {name} does {text}";
        check(does, &["openai-python", "\"chat\""], None);
        check("the client {name} tries {text} with:", &["openai-python", "stream"], None);
        check("the tool {name} fails with {text}", &["nobody", "\"chat\""], None);
        check(does, &["openai-python", "\"{{task}}\""], None);
        check(does, &["openai-pyton", "\"chat\""], Some(("there is no client `openai-pyton`", "did you mean `openai-python`?")));
        check(does, &["mine", "\"chat\""], Some(("there is no client `mine`", "known here: `openai-python`")));
        let unknown = "the client `openai-python` has no task `chatt`";
        check(does, &["openai-python", "\"chatt\""], Some((unknown, "did you mean `chat`?")));
        let unknown = "the client `openai-python` has no task `embeddings`";
        check(does, &["openai-python", "\"embeddings\""], Some((unknown, "known here: `chat`, `stream`")));
    }
}

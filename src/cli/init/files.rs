//! The setup and the first feature, as text: short, with what a reader wants to change next.

use super::candidates::{CONTEXT, Choice, Way};
use crate::spec::models::Intent;

/// The setup that serves a choice.
pub(super) fn setup(name: &str, intent: Intent, choice: &Choice, cores: u32) -> String {
    let model = &choice.candidate.name;
    let head = format!(
        "# Made by `fireassay init` for the intent {}; `fireassay schema setup` tells what else may stand here.\nname: {name}\n",
        intent.word()
    );
    let can = |ability: &str| choice.candidate.abilities.iter().any(|known| known == ability);
    let body = match &choice.way {
        Way::Shipped(setup) => format!(
            "description: {}\nextends: {setup}    # its server, model and abilities; what is written here takes their place\n",
            text(&format!("{model}, as the shipped setup {setup} serves it"))
        ),
        Way::Server { url, server, model, profile } => {
            let mut body = format!(
                "description: {}\nattach: {{url: {}}}\n",
                text(&format!("{model} on {server}, which runs already")),
                text(url)
            );
            body.push_str(&roles(model, intent, can("tools"), can("vision")));
            let tools = if can("tools") || intent == Intent::Tools { ", tools" } else { "" };
            let vision = if intent == Intent::Vision { ", vision" } else { "" };
            body.push_str(&format!("abilities: [chat, stream, models{tools}{vision}]\n"));
            if let Some(profile) = profile {
                body.push_str(&format!("profile: {profile}\n"));
            }
            body
        }
        Way::File { path, alias } => {
            let path = path.display().to_string();
            let threads = (cores / 2).max(1);
            let tools = if can("tools") { ", tools" } else { "" };
            format!(
                "description: {}\nextends: llamacpp\nprovision: {{files: [], make: []}}    # nothing but the server is fetched\n\
                 services:\n  server:\n    command:\n      [\"<python>\", \"<assets>/llamacpp_server.py\", \"-m\", {},\n       \
                 \"--alias\", {alias}, \"--host\", \"127.0.0.1\", \"--port\", \"<port>\", \"-c\", \"{CONTEXT}\", \"-np\", \"1\", \"-t\", \"{threads}\",\n       \
                 \"--api-key\", \"<key>\", \"--metrics\"]\n{}abilities: [chat, stream, completions, models{tools}, health, metrics, auth]\n\
                 needs: {{weights: {{file: {}, context: {CONTEXT}}}}}\n",
                text(&format!("{model}, served by llama.cpp")),
                text(&path),
                roles(alias, intent, can("tools"), false),
                text(&path),
                alias = text(alias),
            )
        }
        Way::Service(service) => format!(
            "description: {}\nextends: gpt    # OpenAI's address and key; every run costs money\n{}",
            text(&format!("{service} at OpenAI")),
            roles(service, intent, true, true)
        ),
        Way::Nowhere => unreachable!("what cannot be had is never chosen"),
    };
    format!("{head}{body}")
}

fn roles(model: &str, intent: Intent, tools: bool, vision: bool) -> String {
    let model = text(model);
    let tools = if tools || intent == Intent::Tools { format!(", tools: {model}") } else { String::new() };
    let vision = if vision || intent == Intent::Vision { format!(", vision: {model}") } else { String::new() };
    format!("models: {{text: {model}{tools}{vision}}}\n")
}

/// A text as YAML holds it in any place: JSON's strings are YAML's.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A picture that is red all over, 64 by 64.
const RED: &str = "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAS0lEQVR42u3PQQkAAAgAsetfWiP4FgYrsKZeS0BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEDgsqnc8OJg6Ln3AAAAAElFTkSuQmCC";

/// The first feature: one promise of the intent, in the words of the catalogue.
pub(super) fn feature(intent: Intent) -> String {
    match intent {
        Intent::Chat => "Feature: First promises\n  Made by `fireassay init`. `fireassay steps` lists every sentence that can stand here.\n\n  \
             @chat\n  Scenario: It knows a capital\n    When I ask \"What is the capital of France?\"\n    Then the reply mentions \"Paris\"\n    \
             And the finish reason is \"stop\"\n\n  @chat @stream\n  Scenario: It answers in a stream as well\n    Given replies are streamed\n    \
             When I ask \"What is the capital of France?\"\n    Then the reply mentions \"Paris\"\n    And the stream ends with [DONE]\n"
            .to_owned(),
        Intent::Tools => "Feature: First promises\n  Made by `fireassay init`. `fireassay steps tool` lists the sentences about tools.\n\n  \
             @chat @tools\n  Scenario: The right tool is called with the right argument\n    Given the tools get_weather, get_time\n    \
             When I ask \"What is the weather in Paris?\"\n    Then the reply calls get_weather once with:\n      | city | Paris |\n"
            .to_owned(),
        Intent::Code => "Feature: First promises\n  Made by `fireassay init`. `fireassay steps reply` lists the sentences about replies.\n\n  \
             @chat\n  Scenario: It writes a function\n    Given at most 200 tokens\n    \
             When I ask \"Write a Python function named add that returns the sum of two numbers.\"\n    \
             Then the reply mentions \"def add(\"\n    And the reply mentions \"return\"\n"
            .to_owned(),
        Intent::Vision => format!(
            "Feature: First promises\n  Made by `fireassay init`. The picture is red all over.\n\n  @chat @vision\n  \
             Scenario: It sees a colour\n    When I send a chat request:\n      \"\"\"\n      {{\"model\": \"{{{{model}}}}\", \"max_tokens\": 64, \"messages\": [{{\"role\": \"user\", \"content\": [\n        \
             {{\"type\": \"text\", \"text\": \"What is the main color of this image?\"}},\n        \
             {{\"type\": \"image_url\", \"image_url\": {{\"url\": \"data:image/png;base64,{RED}\"}}}}]}}]}}\n      \"\"\"\n    \
             Then the reply mentions \"red\"\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::score::Candidate;
    use crate::source::SourceMap;
    use crate::spec::files::Project;
    use crate::spec::load_setup;

    fn choice(way: Way) -> Choice {
        let candidate = Candidate {
            name: "a \"b\": {c}".to_owned(),
            intents: Vec::new(),
            abilities: vec!["chat".to_owned(), "tools".to_owned()],
            parameters: None,
            wanted: None,
            here: true,
            served: false,
            gated: None,
            out_of_reach: None,
        };
        Choice { candidate, way }
    }

    /// Every way makes a setup without mistakes, whatever stands in names.
    #[test]
    fn what_is_written_is_a_setup_without_mistakes() {
        let url = "http://127.0.0.1:11434".to_owned();
        let model = "x: \"y\" #z".to_owned();
        let ways = [
            Way::Shipped("llamacpp".to_owned()),
            Way::Server { url, server: "ollama 1".to_owned(), model, profile: Some("ollama".to_owned()) },
            Way::File { path: "/m/a b: c.gguf".into(), alias: "m".to_owned() },
            Way::Service("gpt-4o".to_owned()),
        ];
        for (way, intent) in ways.into_iter().flat_map(|way| Intent::ALL.map(|intent| (way.clone(), intent))) {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(folder.path().join("setups")).unwrap();
            let text = setup("mine", intent, &choice(way), 8);
            std::fs::write(folder.path().join("setups/mine.yaml"), &text).unwrap();
            let mut map = SourceMap::new();
            let (loaded, mistakes) = load_setup(&Project::new(folder.path()), &mut map, "setups/mine.yaml");
            assert!(loaded.is_some() && mistakes.is_empty(), "{mistakes:#?} in\n{text}");
        }
    }
}

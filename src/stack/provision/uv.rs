//! Where `uv` comes from, and the index it asks.
//!
//! The one on PATH is taken; else a pinned one is put into the cache by `python3 -m venv` and pip. Where only pip was told
//! of an index, uv is told the same, so that it works wherever pip works.

use std::path::{Path, PathBuf};

use super::assets::Assets;
use super::tool::{self, Tool};
use crate::event::StackPhase;
use crate::stack::cache::{Item, key};
use crate::stack::guardian::Guardian;
use crate::stack::needs::on_path;
use crate::stack::{Progress, StackError};

const LOCK: &str = "locks/uv.txt";

/// A usable uv.
#[derive(Debug, Clone)]
pub(super) struct Uv {
    program: PathBuf,
    /// What pip knows and uv would not.
    env: Vec<(String, Option<String>)>,
}

impl Uv {
    /// Finds it, or puts it into the cache.
    pub(super) async fn find(
        cache: &Path,
        assets: &Assets,
        guardian: &Guardian,
        progress: &Progress,
    ) -> Result<Self, StackError> {
        let lookup = |name: &str| std::env::var(name).ok();
        let program = match on_path("uv", &lookup) {
            Some(program) => program,
            None => Self::put(cache, assets, guardian, progress).await?,
        };
        let env = if knows_its_index(&lookup) { Vec::new() } else { pip_settings(guardian).await };
        Ok(Self { program, env })
    }

    /// A call of it.
    pub(super) fn tool(&self, doing: String, arguments: &[&str]) -> Tool {
        let mut words = vec![self.program.display().to_string()];
        words.extend(arguments.iter().map(|word| (*word).to_owned()));
        Tool { doing, words, env: self.env.clone(), folder: None }
    }

    async fn put(cache: &Path, assets: &Assets, guardian: &Guardian, progress: &Progress) -> Result<PathBuf, StackError> {
        let lock = assets.text(LOCK).ok_or_else(|| StackError::provision(format!("the asset {LOCK} is missing")))?;
        let item = Item::new(cache, "uv", &key(&[lock.as_bytes(), super::platform().as_bytes()]));
        let venv = item.folder().join("venv");
        let program = venv.join("bin/uv");
        if item.is_complete() && program.exists() {
            return Ok(program);
        }
        let Some(python) = on_path("python3", &|name| std::env::var(name).ok()) else {
            let next = "install `uv`, or Python 3.11 or newer with its `venv` module";
            return Err(StackError::provision(format!("neither `uv` nor `python3` is on PATH; {next}")));
        };
        progress(StackPhase::Provision, "uv is not on PATH; putting it into the cache (Apache-2.0 or MIT, 60 MB)");
        item.begin()?;
        let list = item.folder().join("uv.txt");
        crate::stack::cache::write_whole(&list, lock.as_bytes())?;
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let make = words(&[&python.display().to_string(), "-m", "venv", &venv.display().to_string()]);
        let make = Tool { doing: "making an environment for uv".to_owned(), words: make, ..Tool::default() };
        tool::run(&make, guardian).await?;
        let pip = venv.join("bin/python").display().to_string();
        let list = list.display().to_string();
        let install = words(&[&pip, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "-r", &list]);
        let install = Tool { doing: "installing uv".to_owned(), words: install, ..Tool::default() };
        tool::run(&install, guardian).await?;
        item.finish("uv")?;
        Ok(program)
    }
}

/// Whether uv was told of an index by variables or a file of its own.
fn knows_its_index(lookup: &dyn Fn(&str) -> Option<String>) -> bool {
    let variables = ["UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX", "UV_CONFIG_FILE"];
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
    let folder = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| format!("{home}/.config")));
    let own = folder.map(|folder| Path::new(&folder).join("uv/uv.toml"));
    variables.iter().any(|name| set(name).is_some())
        || own.is_some_and(|file| file.exists())
        || Path::new("/etc/uv/uv.toml").exists()
}

/// pip's settings as uv's variables; empty where there is no pip to ask.
async fn pip_settings(guardian: &Guardian) -> Vec<(String, Option<String>)> {
    let words = ["python3", "-m", "pip", "config", "list"].map(str::to_owned).to_vec();
    let ask = Tool { doing: "asking pip for its index".to_owned(), words, ..Tool::default() };
    let list = tool::run(&ask, guardian).await.unwrap_or_default();
    from_pip(&list, &|name| std::env::var(name).ok())
}

/// Reads `pip config list` (`global.index-url='…'`, `:env:.find-links='…'`; a later line wins).
fn from_pip(list: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Vec<(String, Option<String>)> {
    const SETTINGS: [(&str, &str); 6] = [
        ("index-url", "UV_DEFAULT_INDEX"),
        ("extra-index-url", "UV_INDEX"),
        ("find-links", "UV_FIND_LINKS"),
        ("trusted-host", "UV_INSECURE_HOST"),
        ("cert", "SSL_CERT_FILE"),
        ("no-index", "UV_NO_INDEX"),
    ];
    let value = |key: &str| {
        let lines = list.lines().rev().filter_map(|line| line.split_once('='));
        let mut values = lines.filter(|(name, _)| name.rsplit_once('.').is_some_and(|(_, last)| last == key));
        let value = values.next()?.1.trim().trim_matches(['\'', '"']);
        // Several values stand on lines of their own, which pip prints as `\n`.
        let value = value.replace("\\n", " ");
        (!value.trim().is_empty()).then(|| value.trim().to_owned())
    };
    let found = SETTINGS.iter().filter(|(_, name)| lookup(name).is_none());
    found.filter_map(|(key, name)| Some(((*name).to_owned(), Some(value(key)?)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, set: &[&str], expect: &[(&str, &str)]) {
        let lookup = |name: &str| set.contains(&name).then(|| "set".to_owned());
        let expect: Vec<_> = expect.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
        assert_eq!(from_pip(list, &lookup), expect);
    }

    #[test]
    fn what_pip_knows_is_told_to_uv() {
        check("", &[], &[]);
        check("global.index-url='https://i/simple'\n", &[], &[("UV_DEFAULT_INDEX", "https://i/simple")]);
        check(
            "global.index-url='https://a'\n:env:.index-url='https://b'\n:env:.cert='/c.pem'\n",
            &[],
            &[("UV_DEFAULT_INDEX", "https://b"), ("SSL_CERT_FILE", "/c.pem")],
        );
        check("global.cert='/c.pem'", &["SSL_CERT_FILE"], &[]);
        check("global.extra-index-url='https://a\\nhttps://b'", &[], &[("UV_INDEX", "https://a https://b")]);
        check("global.default-timeout='180'\nglobal.find-links=''", &[], &[]);
    }

    #[test]
    fn uv_keeps_an_index_of_its_own() {
        assert!(knows_its_index(&|name| (name == "UV_INDEX_URL").then(|| "https://i".to_owned())));
        assert!(
            !knows_its_index(&|name| (name == "HOME").then(|| "/nonexistent".to_owned()))
                || Path::new("/etc/uv/uv.toml").exists()
        );
    }
}

//! The project's `assets/`: files on disk over the built-in ones, put into the cache where commands can read them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::spec::files::Project;
use crate::stack::StackError;
use crate::stack::cache::{Item, disk, key};

/// Contents by path below `assets/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Assets(BTreeMap<String, Vec<u8>>);

impl Assets {
    /// All assets of a project.
    pub(super) fn load(project: &Project) -> Result<Self, StackError> {
        project.assets().map(Self).map_err(|error| StackError::provision(error.message))
    }

    /// The text of one asset.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.0.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// What a command that names `<assets>/…` in its words depends on: those files, and the Python beside one that is Python,
    /// since it may import its neighbours.
    pub(super) fn named_in(&self, words: &[String]) -> Vec<&[u8]> {
        let named = |path: &str| words.iter().any(|word| word.contains(&format!("<assets>/{path}")));
        let is_python = |path: &str| Path::new(path).extension().is_some_and(|extension| extension == "py");
        let folder = |path: &str| Path::new(path).parent().map(Path::to_owned);
        let folders: Vec<_> = self.0.keys().filter(|path| is_python(path) && named(path)).map(|path| folder(path)).collect();
        let wanted = self.0.iter().filter(|(path, _)| named(path) || is_python(path) && folders.contains(&folder(path)));
        wanted.flat_map(|(path, bytes)| [path.as_bytes(), bytes.as_slice()]).collect()
    }

    /// The cache item that holds these assets, in its folder `assets`.
    pub(super) fn item(&self, cache: &Path) -> Item {
        let parts: Vec<&[u8]> = self.0.iter().flat_map(|(path, bytes)| [path.as_bytes(), bytes.as_slice()]).collect();
        Item::new(cache, "project", &key(&parts))
    }

    /// Writes them, unless they are there.
    pub(super) fn write(&self, item: &Item) -> Result<(), StackError> {
        if item.is_complete() {
            return Ok(());
        }
        item.begin()?;
        for (path, bytes) in &self.0 {
            let file = item.folder().join("assets").join(path);
            let folder = file.parent().expect("it is below the item's folder");
            std::fs::create_dir_all(folder).map_err(|error| disk("make", folder, &error))?;
            std::fs::write(&file, bytes).map_err(|error| disk("write", &file, &error))?;
        }
        item.finish("assets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_on_disk_win_over_built_in_ones() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("assets/templates")).unwrap();
        std::fs::write(root.path().join("assets/gguf.py"), "mine").unwrap();
        std::fs::write(root.path().join("assets/templates/own.jinja"), "own").unwrap();
        let assets = Assets::load(&Project::new(root.path())).unwrap();
        assert_eq!(assets.text("gguf.py").as_deref(), Some("mine"));
        assert_eq!(assets.text("templates/own.jinja").as_deref(), Some("own"));
        assert!(assets.text("templates/fewshot-tools.jinja").is_some_and(|text| text.contains("tool_call")));
    }

    #[test]
    fn a_command_depends_on_the_assets_it_names_and_on_imports() {
        let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
        let assets = Assets([file("a.py", "A"), file("b.py", "B"), file("t/x.jinja", "X")].into());
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(assets.named_in(&words("cp <assets>/t/x.jinja")), [b"t/x.jinja".as_slice(), b"X"]);
        assert_eq!(assets.named_in(&words("<python> <assets>/a.py")).len(), 4);
        assert!(assets.named_in(&words("true")).is_empty());
    }
}

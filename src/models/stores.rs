//! Which models lie on this machine? The caches of Ollama, the Hugging Face tools, LM Studio and llama.cpp, with sizes.
//!
//! Only names, sizes and headers are looked at; nothing is changed. What cannot be read is said, not passed over.

use std::path::{Path, PathBuf};

use serde_json::Value;
use walkdir::WalkDir;

/// Largest manifest that is read. **Units**: bytes.
const LARGEST_MANIFEST: u64 = 1 << 20;

/// One place where a tool keeps models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The tool.
    pub tool: &'static str,
    /// Its folder.
    pub folder: PathBuf,
    /// What lies there, sorted by name.
    pub models: Vec<StoredModel>,
    /// What could not be read.
    pub troubles: Vec<String>,
}

/// One model on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredModel {
    /// Name as its tool calls it.
    pub name: String,
    /// Its weights: a GGUF file, or the folder of a snapshot.
    pub path: PathBuf,
    /// Length of all its files. **Units**: bytes.
    pub bytes: u64,
    /// Whether the weights are a GGUF file.
    pub gguf: bool,
    /// Why it cannot be used as it is: a download that did not end, an LFS pointer.
    pub broken: Option<String>,
}

/// All stores of this machine, those that are not there included, so that it can be said where was looked.
pub fn stores(lookup: &dyn Fn(&str) -> Option<String>) -> Vec<Store> {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("HOME").unwrap_or_default();
    let caches = if cfg!(target_os = "macos") { home.join("Library/Caches") } else { home.join(".cache") };
    let cache = set("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
    let hub = set("HF_HUB_CACHE").or_else(|| set("HF_HOME").map(|home| home.join("hub")));
    let studio = home.join(".lmstudio/models");
    let studio = if studio.is_dir() { studio } else { home.join(".cache/lm-studio/models") };
    vec![
        store("Ollama", set("OLLAMA_MODELS").unwrap_or_else(|| home.join(".ollama/models")), ollama),
        store("Hugging Face", hub.unwrap_or_else(|| cache.join("huggingface/hub")), hub_models),
        store("LM Studio", studio, ggufs),
        store("llama.cpp", set("LLAMA_CACHE").unwrap_or_else(|| caches.join("llama.cpp")), ggufs),
    ]
}

type Reader = fn(&Path, &mut Vec<String>) -> Vec<StoredModel>;

fn store(tool: &'static str, folder: PathBuf, read: Reader) -> Store {
    let mut troubles = Vec::new();
    let mut models = if folder.is_dir() { read(&folder, &mut troubles) } else { Vec::new() };
    models.sort_by(|one, other| one.name.cmp(&other.name));
    Store { tool, folder, models, troubles }
}

/// Files below a folder, links followed; what cannot be listed is a trouble.
fn files(folder: &Path, deepest: usize, troubles: &mut Vec<String>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).max_depth(deepest) {
        match entry {
            Ok(entry) if entry.file_type().is_file() => found.push(entry.into_path()),
            Ok(_) => {}
            Err(error) => troubles.push(error.to_string()),
        }
    }
    found
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |meta| meta.len())
}

fn is_gguf(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"))
}

/// `manifests/HOST/NAMESPACE/NAME/TAG`, with the weights in `blobs/`.
fn ollama(folder: &Path, troubles: &mut Vec<String>) -> Vec<StoredModel> {
    let manifests = folder.join("manifests");
    if !manifests.is_dir() {
        return Vec::new();
    }
    let mut models = Vec::new();
    for path in files(&manifests, 6, troubles) {
        let parts: Vec<String> =
            path.strip_prefix(&manifests).into_iter().flatten().map(|part| part.to_string_lossy().into_owned()).collect();
        let [_, namespace, name, tag] = parts.as_slice() else { continue };
        let name = if namespace == "library" { format!("{name}:{tag}") } else { format!("{namespace}/{name}:{tag}") };
        let text = if length(&path) > LARGEST_MANIFEST { Err("it is too long".to_owned()) } else { read_text(&path) };
        let layers = text.and_then(|text| {
            let manifest: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            manifest.get("layers").and_then(Value::as_array).cloned().ok_or_else(|| "it lists no layers".to_owned())
        });
        match layers {
            Err(why) => troubles.push(format!("{}: {why}", path.display())),
            Ok(layers) => models.push(ollama_model(folder, name, &layers)),
        }
    }
    models
}

fn read_text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

fn ollama_model(folder: &Path, name: String, layers: &[Value]) -> StoredModel {
    let bytes = layers.iter().filter_map(|layer| layer.get("size")?.as_u64()).fold(0, u64::saturating_add);
    let weights = layers.iter().find(|layer| layer["mediaType"] == "application/vnd.ollama.image.model");
    let digest = weights.and_then(|layer| layer.get("digest")?.as_str()).unwrap_or_default().replace(':', "-");
    // A digest is a name of a file here: nothing that leads elsewhere is followed.
    let plain = !digest.is_empty() && digest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let path = folder.join("blobs").join(if plain { digest.as_str() } else { "none" });
    let broken = (!path.is_file()).then(|| "its weights are not there".to_owned());
    StoredModel { name, path, bytes, gguf: true, broken }
}

/// `models--ORG--NAME/snapshots/REVISION/…`.
fn hub_models(folder: &Path, troubles: &mut Vec<String>) -> Vec<StoredModel> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            troubles.push(format!("{}: {error}", folder.display()));
            return Vec::new();
        }
    };
    let mut models = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let file = entry.file_name().to_string_lossy().into_owned();
        let Some(name) = file.strip_prefix("models--") else { continue };
        let name = name.replacen("--", "/", 1);
        let root = entry.path();
        let revision = std::fs::read_to_string(root.join("refs/main")).unwrap_or_default();
        let named = root.join("snapshots").join(revision.trim());
        let newest = || {
            let all = std::fs::read_dir(root.join("snapshots")).into_iter().flatten().filter_map(Result::ok);
            all.max_by_key(|entry| entry.metadata().and_then(|meta| meta.modified()).ok()).map(|entry| entry.path())
        };
        let snapshot = if !revision.trim().is_empty() && named.is_dir() { Some(named) } else { newest() };
        let Some(snapshot) = snapshot else { continue };
        let found = files(&snapshot, 6, troubles);
        let half = std::fs::read_dir(root.join("blobs")).into_iter().flatten().filter_map(Result::ok);
        let half = half.filter(|blob| blob.path().extension().is_some_and(|ending| ending == "incomplete")).count();
        let gguf = found.iter().filter(|path| is_gguf(path)).max_by_key(|path| length(path));
        let weights = |path: &&PathBuf| is_gguf(path) || path.extension().is_some_and(|ending| ending == "safetensors");
        let broken = match found.iter().find(|path| crate::host::is_pointer(path)) {
            Some(path) => Some(format!("{} is an LFS pointer: git lfs pull", path.display())),
            None if half > 0 => Some(format!("{half} of its downloads did not end")),
            None if !found.iter().any(|path| weights(&path)) => Some("it has no weights".to_owned()),
            None => None,
        };
        models.push(StoredModel {
            name,
            bytes: found.iter().map(|path| length(path)).sum(),
            gguf: gguf.is_some(),
            path: gguf.cloned().unwrap_or(snapshot),
            broken,
        });
    }
    models
}

/// GGUF files, wherever they lie; parts of a model after the first, and projectors, are not models of their own.
fn ggufs(folder: &Path, troubles: &mut Vec<String>) -> Vec<StoredModel> {
    let all = files(folder, 6, troubles);
    let later = |name: &str| name.contains("-of-") && !name.contains("-00001-of-");
    let model = |path: &PathBuf| {
        let name = path.strip_prefix(folder).ok()?.with_extension("").to_string_lossy().into_owned();
        let file = path.file_name()?.to_string_lossy().to_lowercase();
        let is_model = is_gguf(path) && !later(&file) && !file.contains("mmproj");
        let broken = crate::host::is_pointer(path).then(|| "it is an LFS pointer: git lfs pull".to_owned());
        is_model.then(|| StoredModel { name, bytes: length(path), gguf: true, path: path.clone(), broken })
    };
    all.iter().filter_map(model).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, path: &str, text: &str) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Tool, model, bytes, and whether it is broken.
    #[track_caller]
    fn check(folder: &Path, expect: &[(&str, &str, u64, bool)]) {
        let home = folder.display().to_string();
        let found = stores(&|name| (name == "HOME").then(|| home.clone()));
        let rows: Vec<_> = found
            .iter()
            .flat_map(|store| {
                store.models.iter().map(|model| (store.tool, model.name.as_str(), model.bytes, model.broken.is_some()))
            })
            .collect();
        assert_eq!(rows, expect, "{found:#?}");
    }

    #[test]
    fn a_home_without_models_has_four_empty_stores() {
        let home = tempfile::tempdir().unwrap();
        check(home.path(), &[]);
        assert_eq!(stores(&|_| None).len(), 4);
    }

    #[test]
    fn each_tool_keeps_models_its_own_way() {
        let home = tempfile::tempdir().unwrap();
        let at = |path: &str, text: &str| write(home.path(), path, text);
        let layer =
            r#"{"layers": [{"mediaType": "application/vnd.ollama.image.model", "size": 7, "digest": "sha256:ab"}, {"size": 3}]}"#;
        at(".ollama/models/manifests/registry.ollama.ai/library/llama3.2/3b", layer);
        at(".ollama/models/blobs/sha256-ab", "GGUF...");
        at(".ollama/models/manifests/registry.ollama.ai/me/lab/v1", &layer.replace("ab", "../../escape"));
        at(".ollama/models/manifests/registry.ollama.ai/library/broken/x", "{");
        at(".cache/huggingface/hub/models--org--m--x/refs/main", "r1\n");
        at(".cache/huggingface/hub/models--org--m--x/snapshots/r1/model.safetensors", "12345");
        at(".cache/huggingface/hub/models--org--half/snapshots/r/config.json", "{}");
        at(".cache/huggingface/hub/models--org--half/blobs/0.incomplete", "1");
        at(".cache/huggingface/hub/datasets--org--d/snapshots/r/a", "1");
        at(".lmstudio/models/pub/repo/m-00001-of-00002.gguf", "GGUF");
        at(".lmstudio/models/pub/repo/m-00002-of-00002.gguf", "GGUF");
        at(".lmstudio/models/pub/repo/mmproj-m.gguf", "GGUF");
        let llama = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        at(&format!("{llama}/llama.cpp/p.gguf"), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n");
        check(
            home.path(),
            &[
                ("Ollama", "llama3.2:3b", 10, false),
                ("Ollama", "me/lab:v1", 10, true),
                ("Hugging Face", "org/half", 2, true),
                ("Hugging Face", "org/m--x", 5, false),
                ("LM Studio", "pub/repo/m-00001-of-00002", 4, false),
                ("llama.cpp", "p", 63, true),
            ],
        );
        let home = home.path().display().to_string();
        let found = stores(&|name| (name == "HOME").then(|| home.clone()));
        assert!(found[0].troubles.len() == 1 && found[0].troubles[0].contains("broken/x"), "{:?}", found[0].troubles);
    }
}

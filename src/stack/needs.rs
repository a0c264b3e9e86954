//! Can this setup run here? Asked before anything is interpolated, fetched or started.

use std::path::PathBuf;

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::spec::SetupSpec;
use crate::spec::bytes::parse_bytes;
use crate::spec::env::missing_env;
use crate::spec::setup::Needs;

/// Why a setup cannot run here, with what helps; `None` if it can. `lookup` reads the environment.
///
/// A declared variable that the setup only reads as `${NAME:-default}` need not be set ([`missing_env`]).
pub fn unmet(setup: &SetupSpec, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let needs = &setup.needs;
    platform(needs)
        .or_else(|| environment(setup, lookup))
        .or_else(|| command(needs, lookup))
        .or_else(|| needs.memory.as_deref().and_then(|memory| memory_unmet(memory, free_memory())))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(needs: &str, env: &[(&str, &str)], expect: Option<&str>) {
        let setup: SetupSpec = serde_yaml::from_str(&format!("name: a\n{needs}")).unwrap();
        let lookup = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(unmet(&setup, &lookup).as_deref(), expect);
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
    fn memory_is_compared_with_figures() {
        assert_eq!(memory_unmet("2GiB", Some(4 << 30)), None);
        let expect = "needs 2.0 GiB of free memory, 1.0 GiB are free; end other programs";
        assert_eq!(memory_unmet("2GiB", Some(1 << 30)).as_deref(), Some(expect));
        assert!(memory_unmet("much", Some(1)).is_some());
        assert_eq!(memory_unmet("2GiB", None), None);
        assert!(free_memory().is_some_and(|free| free > 0));
    }
}

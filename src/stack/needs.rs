//! Can this setup run here? Asked before anything is interpolated, fetched or started.

use std::path::Path;

use super::cache::cache_dir_in;
use super::{provision, weights};
pub(super) use crate::host::on_path;
use crate::host::{accelerators, free_disk, free_memory};
use crate::models::Estimate;
use crate::models::memory::amount;
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
    let cache = cache_dir_in(lookup);
    platform(needs)
        .or_else(|| environment(setup, lookup))
        .or_else(|| command(needs, lookup))
        .or_else(|| accelerator(needs, lookup))
        .or_else(|| needs.memory.as_deref().and_then(|memory| memory_unmet(memory, free_memory())))
        .or_else(|| admission(setup, project, &cache, lookup))
        .or_else(|| needs.disk.as_deref().and_then(|wanted| disk(setup, project, wanted, &cache)))
}

/// Whether a setup that could start services is attached to instead.
pub(super) fn attaches(setup: &SetupSpec, lookup: &dyn Fn(&str) -> Option<String>) -> bool {
    let url = setup.attach.as_ref().filter(|_| !setup.services.is_empty()).map(|attach| expand_env(&attach.url, lookup));
    matches!(url, Some(Ok(url)) if !url.is_empty())
}

pub(super) fn platform(needs: &Needs) -> Option<String> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    if !needs.os.is_empty() && !needs.os.iter().any(|wanted| wanted == os) {
        return Some(format!("needs {}, this is {os}", needs.os.join(" or ")));
    }
    if !needs.arch.is_empty() && !needs.arch.iter().any(|wanted| wanted == arch) {
        return Some(format!("needs a processor of kind {}, this is {arch}", needs.arch.join(" or ")));
    }
    None
}

pub(super) fn environment(setup: &SetupSpec, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let missing = missing_env(setup, lookup);
    let name = missing.first()?;
    Some(format!("needs the environment variable {}; set it: export {name}=…", missing.join(" and ")))
}

fn command(needs: &Needs, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let missing = needs.commands.iter().find(|command| on_path(command, lookup).is_none())?;
    Some(format!("needs the command `{missing}` on PATH; {}", how_to_install(missing)))
}

pub(super) fn how_to_install(command: &str) -> String {
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

pub(super) fn accelerator(needs: &Needs, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    if needs.accelerator.is_empty() {
        return None;
    }
    let found = accelerators(lookup);
    let wanted = needs.accelerator.join(" or ");
    let virtual_one = found.iter().find(|one| one.paravirtual && needs.accelerator.contains(&one.kind));
    if found.iter().any(|one| !one.paravirtual && needs.accelerator.contains(&one.kind)) {
        return None;
    }
    Some(match virtual_one {
        Some(one) => format!(
            "needs an accelerator ({wanted}), and {} is a virtual machine's stand-in; run on the machine itself",
            one.name
        ),
        None => format!(
            "needs an accelerator ({wanted}), and there is none; run on a machine that has one, or whose driver is installed"
        ),
    })
}

/// Whether the weights fit: into the accelerator's memory where one with its own is asked for, else into the machine's.
pub(super) fn admission(
    setup: &SetupSpec,
    project: &Project,
    cache: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let need = setup.needs.weights.as_ref()?;
    // What is not known is no reason to refuse; `fireassay doctor` says it.
    let estimate = weights::estimate(setup, need, project, cache).ok()?;
    let own = setup.needs.accelerator.iter().any(|kind| kind == "cuda");
    let own = if own { accelerators(lookup).iter().filter_map(|one| one.memory_free).max() } else { None };
    match own {
        Some(free) => refused(&estimate, Some(free), "of the accelerator's memory"),
        None => refused(&estimate, free_memory(), "of memory"),
    }
}

/// Why weights are not admitted, with the figures.
pub(super) fn refused(estimate: &Estimate, free: Option<u64>, of_what: &str) -> Option<String> {
    let free = free.filter(|free| estimate.wanted() > *free)?;
    let next = "end other programs, or take a smaller model or context";
    Some(format!("needs {estimate}, {} {of_what} are free; {next}", amount(free)))
}

pub(super) fn memory_unmet(wanted: &str, free: Option<u64>) -> Option<String> {
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
pub(super) fn disk(setup: &SetupSpec, project: &Project, wanted: &str, cache: &Path) -> Option<String> {
    match provision::is_complete(setup, project, cache) {
        Ok(false) => disk_unmet(wanted, free_disk(cache), cache),
        Ok(true) | Err(_) => None,
    }
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
    }

    #[test]
    fn weights_are_admitted_by_figures() {
        let estimate = Estimate { weights: 4 << 30, kv: Some((1 << 30, 8192)), measured: None };
        assert_eq!(refused(&estimate, Some(8 << 30), "of memory"), None);
        assert_eq!(refused(&estimate, None, "of memory"), None);
        let expect = "needs 7.5 GiB of memory (weights 4.0 GiB + keys and values of 8192 tokens 1.0 GiB, × 1.5), \
                      7.0 GiB of memory are free; end other programs, or take a smaller model or context";
        assert_eq!(refused(&estimate, Some(7 << 30), "of memory").as_deref(), Some(expect));
        check("needs: {weights: {model: nobody-stated-it}}", &[], None);
        check("needs: {accelerator: []}", &[], None);
    }
}

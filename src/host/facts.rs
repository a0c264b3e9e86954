//! All facts of a machine at once, for the record and for people.

use sysinfo::{CpuRefreshKind, RefreshKind, System};

use super::accelerators::accelerators;
use super::command::version_of;
use super::memory::{free_memory, total_memory};
use crate::event::HostRecord;

/// Commands that setups need, or that say where a result comes from.
const COMMANDS: [&str; 7] = ["python3", "uv", "gcc", "g++", "git", "node", "go"];

/// Asks the machine. The tools that answer slowly run beside each other.
pub fn facts(lookup: &(dyn Fn(&str) -> Option<String> + Sync)) -> HostRecord {
    std::thread::scope(|scope| {
        let graphics = scope.spawn(|| accelerators(lookup));
        let commands: Vec<_> = COMMANDS.iter().map(|&name| (name, scope.spawn(move || version_of(name, lookup)))).collect();
        // A thread that asked in vain tells nothing.
        let commands = commands.into_iter().filter_map(|(name, asked)| Some((name.to_owned(), asked.join().ok()??))).collect();
        HostRecord {
            os: std::env::consts::OS.to_owned(),
            os_version: os_version(),
            arch: std::env::consts::ARCH.to_owned(),
            chip: chip(),
            cores: std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX)),
            features: features(&std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
            memory: total_memory().unwrap_or_default(),
            memory_free: free_memory(),
            accelerators: graphics.join().unwrap_or_default(),
            commands,
        }
    })
}

fn os_version() -> Option<String> {
    System::long_os_version().ok().filter(|name| !name.trim().is_empty())
}

fn chip() -> Option<String> {
    let system = System::new_with_specifics(RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing())).ok()?;
    let brand = system.cpus().first()?.brand().trim().to_owned();
    (!brand.is_empty()).then_some(brand)
}

/// The extensions that matter to inference, out of `/proc/cpuinfo` (`flags` on x86, `Features` on ARM).
fn features(cpuinfo: &str) -> Vec<String> {
    const WANTED: [&str; 16] = [
        "avx",
        "avx2",
        "f16c",
        "fma",
        "avx_vnni",
        "avx512f",
        "avx512_vnni",
        "avx512_bf16",
        "amx_tile",
        "amx_int8",
        "amx_bf16",
        "asimd",
        "asimddp",
        "i8mm",
        "bf16",
        "sve",
    ];
    let line = cpuinfo.lines().find(|line| line.starts_with("flags") || line.starts_with("Features"));
    let has: Vec<&str> = line.and_then(|line| line.split_once(':')).map_or(Vec::new(), |(_, flags)| flags.split(' ').collect());
    WANTED.iter().filter(|flag| has.contains(flag)).map(|&flag| flag.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_picked_out() {
        assert_eq!(features("processor : 0\nflags\t\t: fpu avx2 sse avx512f\n"), ["avx2", "avx512f"]);
        assert_eq!(features("Features\t: fp asimd i8mm\n"), ["asimd", "i8mm"]);
        assert!(features("").is_empty());
    }

    #[test]
    fn this_machine_is_known() {
        let host = facts(&|name| std::env::var(name).ok());
        assert!(host.cores >= 1 && host.memory > 0, "{host:?}");
        assert_eq!((host.os.as_str(), host.arch.as_str()), (std::env::consts::OS, std::env::consts::ARCH));
    }
}

//! What tells a process from a later one of the same number: when it started, and in which life of the machine.

use std::process::Command;

use nix::unistd::Pid;

/// When a process started, in the system's own words, which are only compared; `None` if it is gone or only waits for its parent.
///
/// **Shape**: on Linux clock ticks after the machine's start, elsewhere a date.
pub(in crate::stack) fn started(pid: Pid) -> Option<String> {
    if cfg!(target_os = "linux") {
        stat_started(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    } else {
        let output = Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]).output().ok()?;
        ps_started(&String::from_utf8_lossy(&output.stdout))
    }
}

/// The start out of `/proc/PID/stat`; a process that has ended has none.
fn stat_started(stat: &str) -> Option<String> {
    // The second field is a name in parentheses that may hold anything; the state is the third, the start the 22nd.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    let state = fields.next()?;
    let since = fields.nth(18)?;
    (!matches!(state, "Z" | "X")).then(|| since.to_owned())
}

fn ps_started(table: &str) -> Option<String> {
    let (state, start) = table.trim().split_once(char::is_whitespace)?;
    let start = start.split_whitespace().collect::<Vec<_>>().join(" ");
    (!state.starts_with('Z') && !start.is_empty()).then_some(start)
}

/// This life of the machine: another text after every restart. Empty where the system does not tell.
pub(in crate::stack) fn boot() -> String {
    if cfg!(target_os = "linux") {
        // A system without `/proc` tells nothing of processes either.
        return std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned();
    }
    let output = Command::new("sysctl").args(["-n", "kern.bootsessionuuid"]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// Variable that a service and all that it starts inherit; its value is made for that service.
pub(in crate::stack) const MARK: &str = "FIREASSAY_SERVICE";

/// Living processes that inherited a mark, also those that left the group; ours alone, as others' environments cannot be read.
pub(in crate::stack) fn marked(mark: &str) -> Vec<Pid> {
    let wanted = format!("{MARK}={mark}");
    if !cfg!(target_os = "linux") {
        let output = Command::new("ps").args(["-axEww", "-o", "pid=,stat=,command="]).output();
        return output.map(|output| ps_marked(&String::from_utf8_lossy(&output.stdout), &wanted)).unwrap_or_default();
    }
    // A process that ended meanwhile, or is another user's, has nothing to read.
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let has = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|pair| pair == wanted.as_bytes())
    };
    pids.filter(has).map(Pid::from_raw).filter(|pid| started(*pid).is_some()).collect()
}

fn ps_marked(table: &str, wanted: &str) -> Vec<Pid> {
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let (pid, state) = (words.next()?.parse().ok()?, words.next()?);
        (!state.starts_with('Z') && words.any(|word| word == wanted)).then(|| Pid::from_raw(pid))
    };
    table.lines().filter_map(row).collect()
}

/// The command line of a process, for messages.
pub(in crate::stack) fn command_of(pid: Pid) -> String {
    let line = if cfg!(target_os = "linux") {
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
    } else {
        let output = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
    };
    line.trim().chars().take(200).collect()
}

/// Most resident memory that a process ever had, where the system keeps it (Linux). **Units**: bytes.
pub(in crate::stack) fn peak_memory(pid: u32) -> Option<u64> {
    status_peak(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// The high-water mark out of `/proc/PID/status`.
fn status_peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_read_past_any_name() {
        let stat = "12 (a) b (c) S 1 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2";
        assert_eq!(stat_started(stat).as_deref(), Some("98765"));
        assert_eq!(stat_started(&stat.replace(" S ", " Z ")), None);
        assert_eq!(stat_started(""), None);
        assert_eq!(ps_started("Ss   Fri Nov 21 10:00:00 2026\n").as_deref(), Some("Fri Nov 21 10:00:00 2026"));
        assert_eq!(ps_started("Z    Fri Nov 21 10:00:00 2026\n"), None);
        assert_eq!(ps_started(""), None);
    }

    #[test]
    fn the_peak_is_read_in_bytes() {
        assert_eq!(status_peak("VmPeak:\t 9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"), Some(2 << 20));
        assert_eq!(status_peak("Name:\tkthreadd\n"), None);
        assert_eq!(peak_memory(u32::MAX), None);
    }

    #[test]
    fn marked_processes_are_found_wherever_they_went() {
        let table =
            "  12 S    sleep 9 PATH=/bin FIREASSAY_SERVICE=a1\n  13 Z    x FIREASSAY_SERVICE=a1\n 14 S y FIREASSAY_SERVICE=a12\n";
        assert_eq!(ps_marked(table, "FIREASSAY_SERVICE=a1"), [Pid::from_raw(12)]);
        let mark = format!("test-{}", std::process::id());
        let mut child = Command::new("sleep").arg("600").env(MARK, &mark).spawn().unwrap();
        // Where a process has just become another program, the system shows its variables a moment later.
        let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
        let mut found = marked(&mark);
        while found.is_empty() && std::time::Instant::now() < end {
            std::thread::yield_now();
            found = marked(&mark);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found, [Pid::from_raw(i32::try_from(child.id()).unwrap())]);
        assert!(marked(&mark).is_empty());
    }

    #[test]
    fn a_process_keeps_its_start_and_another_has_another() {
        let ours = started(nix::unistd::getpid()).expect("this process lives");
        assert_eq!(started(nix::unistd::getpid()), Some(ours.clone()));
        assert_ne!(started(Pid::from_raw(1)), Some(ours));
        assert_eq!(started(Pid::from_raw(i32::MAX - 1)), None);
        assert!(!boot().is_empty());
        assert!(!command_of(nix::unistd::getpid()).is_empty());
    }
}

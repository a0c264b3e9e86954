//! Process groups: who lives in one, and signals to it.

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Sends a signal to every process of a group; a group that is gone is not an error.
pub(in crate::stack) fn send(group: Pid, signal: Signal) -> Result<(), Errno> {
    match killpg(group, signal) {
        // On macOS a group of zombies answers EPERM.
        Ok(()) | Err(Errno::ESRCH | Errno::EPERM) => Ok(()),
        Err(error) => Err(error),
    }
}

/// SIGKILL as a last resort, where there is nobody to tell of an error; `living` tells whether it worked.
pub(in crate::stack) fn kill(group: Pid) -> bool {
    send(group, Signal::SIGKILL).is_ok()
}

/// SIGKILL to one process, where there is nobody to tell of an error.
pub(in crate::stack) fn kill_one(pid: Pid) {
    let _gone_already: Result<(), Errno> = nix::sys::signal::kill(pid, Signal::SIGKILL);
}

/// Processes of a group that still live; zombies, which only wait for their parent, are not counted.
pub(in crate::stack) fn living(group: Pid) -> Vec<u32> {
    if killpg(group, None) == Err(Errno::ESRCH) {
        return Vec::new();
    }
    if cfg!(target_os = "linux") { from_proc(group) } else { from_ps(group) }
}

fn from_proc(group: Pid) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            // A process that ended meanwhile has no file.
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat_group(&stat).is_some_and(|(state, of)| of == group.as_raw() && !matches!(state, 'Z' | 'X'))
        })
        .collect()
}

/// State and group out of `/proc/PID/stat`, whose second field is a name in parentheses that may hold anything.
fn stat_group(stat: &str) -> Option<(char, i32)> {
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(1)?.parse().ok()?))
}

fn from_ps(group: Pid) -> Vec<u32> {
    let output = std::process::Command::new("ps").args(["-axo", "pid=,pgid=,stat="]).output();
    output.map_or_else(|_| Vec::new(), |output| ps_group(&String::from_utf8_lossy(&output.stdout), group.as_raw()))
}

fn ps_group(table: &str, group: i32) -> Vec<u32> {
    let row = |line: &str| {
        let mut fields = line.split_whitespace();
        let (pid, of, state) = (fields.next()?.parse().ok()?, fields.next()?.parse::<i32>().ok()?, fields.next()?);
        (of == group && !state.starts_with('Z')).then_some(pid)
    };
    table.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_lines_are_read_past_any_name() {
        assert_eq!(stat_group("12 (sh) S 1 12 12 0 -1"), Some(('S', 12)));
        assert_eq!(stat_group("12 (a) Z 9 (b)) R 1 77 12"), Some(('R', 77)));
        assert_eq!(stat_group(""), None);
    }

    #[test]
    fn ps_rows_of_the_group_are_kept_without_zombies() {
        let table = "    1     1 Ss\n  501   500 S+\n  502   500 Z\n  500   500 R\n";
        assert_eq!(ps_group(table, 500), [501, 500]);
    }

    #[test]
    fn our_own_group_lives_and_an_impossible_one_does_not() {
        assert!(living(nix::unistd::getpgrp()).contains(&std::process::id()));
        assert!(living(Pid::from_raw(i32::MAX - 1)).is_empty());
    }
}

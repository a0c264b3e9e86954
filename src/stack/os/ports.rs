//! Who listens on a loopback port: nobody, a process of our group, or a stranger?

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;

use nix::unistd::Pid;

/// Who listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::stack) enum Listening {
    /// Nobody.
    Nobody,
    /// Only processes of the group that was asked for.
    Ours,
    /// Somebody else, named as well as this user may see it (`pid 12: python3 -m http.server`).
    Stranger(String),
}

/// A loopback port that nobody uses at this moment. Another process may take it any time: see [`listening`].
pub(in crate::stack) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Who listens where a connection to `127.0.0.1:port` would end.
pub(in crate::stack) fn listening(port: u16, group: Option<Pid>) -> Listening {
    if cfg!(target_os = "linux") { from_proc(port, group) } else { from_lsof(port, group) }
}

fn from_proc(port: u16, group: Option<Pid>) -> Listening {
    let table = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let mut inodes = listening_inodes(&table("/proc/net/tcp"), port);
    inodes.extend(listening_inodes(&table("/proc/net/tcp6"), port));
    if inodes.is_empty() {
        return Listening::Nobody;
    }
    let ours: Vec<u64> = group.map(super::living).unwrap_or_default().into_iter().flat_map(sockets_of).collect();
    match inodes.iter().find(|inode| !ours.contains(inode)) {
        None => Listening::Ours,
        Some(inode) => Listening::Stranger(owner_of(*inode)),
    }
}

/// Inodes of listening sockets in a `/proc/net/tcp` table whose address takes connections to 127.0.0.1.
fn listening_inodes(table: &str, port: u16) -> Vec<u64> {
    const LISTEN: &str = "0A";
    // 0.0.0.0, 127.0.0.1, ::, ::1 (reached by `localhost`), ::ffff:127.0.0.1, each as the kernel prints it.
    const ADDRESSES: [&str; 5] = [
        "00000000",
        "0100007F",
        "00000000000000000000000000000000",
        "00000000000000000000000001000000",
        "0000000000000000FFFF00000100007F",
    ];
    let port = format!("{port:04X}");
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, of) = fields.get(1)?.split_once(':')?;
        let listens = of == port && ADDRESSES.contains(&address) && *fields.get(3)? == LISTEN;
        if listens { fields.get(9)?.parse().ok() } else { None }
    };
    table.lines().filter_map(row).collect()
}

/// Inodes of the sockets that a process holds; empty where this user may not look.
fn sockets_of(pid: u32) -> Vec<u64> {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    let inode = |path: &Path| -> Option<u64> {
        std::fs::read_link(path).ok()?.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    };
    entries.flatten().filter_map(|entry| inode(&entry.path())).collect()
}

fn owner_of(inode: u64) -> String {
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pid =
        pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).find(|pid| sockets_of(*pid).contains(&inode));
    let Some(pid) = pid else { return "a process that this user cannot see".to_owned() };
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = words.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    format!("pid {pid}: {}", words.join(" ").trim())
}

fn from_lsof(port: u16, group: Option<Pid>) -> Listening {
    let output = Command::new("lsof").args(["-nP", &format!("-iTCP:{port}"), "-sTCP:LISTEN", "-Fpgc"]).output();
    match output {
        Ok(output) => lsof_listening(&String::from_utf8_lossy(&output.stdout), group.map(Pid::as_raw)),
        Err(error) => Listening::Stranger(format!("`lsof` could not be asked ({error})")),
    }
}

/// Reads `lsof -Fpgc`: lines `pPID`, `gPGID`, `cCOMMAND` for each process.
fn lsof_listening(table: &str, group: Option<i32>) -> Listening {
    let (mut pid, mut of, mut seen) = ("", None, false);
    for line in table.lines() {
        match line.split_at_checked(1) {
            Some(("p", value)) => (pid, of, seen) = (value, None, true),
            Some(("g", value)) => of = value.parse::<i32>().ok(),
            Some(("c", command)) if group.is_none() || of != group => {
                return Listening::Stranger(format!("pid {pid}: {command}"));
            }
            _ => {}
        }
    }
    if seen { Listening::Ours } else { Listening::Nobody }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_sockets_of_the_port_are_found_in_the_kernel_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41 1 0\n\
            1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 42 1 0\n\
            2: 0100007F:1F90 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 43 1 0\n\
            3: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 44 1 0\n\
            4: 0101A8C0:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 45 1 0\n";
        assert_eq!(listening_inodes(table, 8080), [41, 42]);
        assert_eq!(listening_inodes("", 8080), Vec::<u64>::new());
    }

    #[test]
    fn lsof_tells_ours_from_strangers() {
        assert_eq!(lsof_listening("", Some(7)), Listening::Nobody);
        assert_eq!(lsof_listening("p9\ng7\ncpython\nf3\n", Some(7)), Listening::Ours);
        let stranger = Listening::Stranger("pid 10: nginx".to_owned());
        assert_eq!(lsof_listening("p9\ng7\ncpython\nf3\np10\ng10\ncnginx\nf3\n", Some(7)), stranger);
        assert_eq!(lsof_listening("p10\ng10\ncnginx\nf3\n", None), stranger);
    }

    #[test]
    fn a_real_listener_is_named() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(listening(port, Some(nix::unistd::getpgrp())), Listening::Ours);
        let Listening::Stranger(text) = listening(port, None) else { panic!("nobody was asked for, so it is a stranger") };
        assert!(text.contains(&format!("pid {}", std::process::id())), "{text}");
        drop(listener);
        assert_eq!(listening(port, None), Listening::Nobody);
    }
}

//! What do the services of a stack take: memory and processor time of their groups, beside what the machine has left.
//!
//! Shared pages count for each process that has them, so a group's sum is an upper bound.

use std::sync::{Arc, Mutex, PoisonError};

use nix::unistd::Pid;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, RefreshKind, System};

use super::{StackError, os};
use crate::event::UsageRecord;
use crate::host::free_memory;
use crate::spec::bytes::parse_bytes;

/// One service whose group is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watched {
    pub name: String,
    pub group: Pid,
    /// Most memory it may take, as the setup says it.
    pub limit: Option<String>,
}

/// The groups of a stack as they are now; a restart changes them.
pub(super) type Groups = Arc<Mutex<Vec<Watched>>>;

/// Takes samples of a stack. Taking one reads the system's list of processes: a few milliseconds.
#[derive(Debug)]
pub struct Sampler {
    system: System,
    /// With the name of their provider, where there are several.
    groups: Vec<(Option<String>, Groups)>,
}

/// A sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Each service.
    pub services: Vec<UsageRecord>,
    /// Memory that is left for a new process, where the system tells. **Units**: bytes.
    pub free: Option<u64>,
    /// The service that takes more than its setup allows, with `infra.memory`.
    pub over: Option<(String, StackError)>,
}

impl Sampler {
    /// `None` where the system tells nothing of processes.
    pub(super) fn new(groups: Vec<(Option<String>, Groups)>) -> Option<Self> {
        Some(Self { system: System::new_with_specifics(RefreshKind::nothing()).ok()?, groups })
    }

    /// Looks once. A service that is gone takes nothing.
    pub fn sample(&mut self) -> Sample {
        let mut groups: Vec<Watched> = Vec::new();
        for (provider, of_provider) in &self.groups {
            let prefix = provider.as_ref().map(|name| format!("{name}.")).unwrap_or_default();
            let watched = of_provider.lock().unwrap_or_else(PoisonError::into_inner).clone();
            groups.extend(watched.into_iter().map(|it| Watched { name: format!("{prefix}{}", it.name), ..it }));
        }
        let mut sample = Sample { services: Vec::new(), free: free_memory(), over: None };
        for watched in groups {
            let pids: Vec<sysinfo::Pid> = os::living(watched.group).into_iter().map(sysinfo::Pid::from_u32).collect();
            let what = ProcessRefreshKind::nothing().with_memory().with_cpu().without_tasks();
            self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), true, what);
            let processes = || pids.iter().filter_map(|pid| self.system.process(*pid));
            let rss = processes().map(sysinfo::Process::memory).sum();
            let peaks: Option<Vec<u64>> = pids.iter().map(|pid| os::peak_memory(pid.as_u32())).collect();
            let peak_rss = peaks.filter(|peaks| !peaks.is_empty()).map(|peaks| peaks.iter().sum());
            let cpu_ms = processes().map(sysinfo::Process::accumulated_cpu_time).sum();
            sample.over = sample.over.or_else(|| Some((watched.name.clone(), over(&watched, rss)?)));
            sample.services.push(UsageRecord { name: watched.name, rss, peak_rss, cpu_ms, processes: pids.len() as u64 });
        }
        sample
    }
}

/// Whether a service takes more than it may. A limit that cannot be read was told when the setup was.
fn over(watched: &Watched, rss: u64) -> Option<StackError> {
    let text = watched.limit.as_deref()?;
    let most = parse_bytes(text).ok()?;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let figures = format!("{:.0} MiB, over its limit of {:.0} MiB", mib(rss), mib(most));
    let next = "raise `limits: {memory: …}` in the setup, or ask less of it";
    (rss > most).then(|| StackError::memory(format!("`{}` takes {figures}; {next}", watched.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_group_takes_memory_and_time() {
        let us = |limit: Option<&str>| Watched {
            name: "us".to_owned(),
            group: nix::unistd::getpgrp(),
            limit: limit.map(str::to_owned),
        };
        let groups: Groups = Arc::new(Mutex::new(vec![us(None)]));
        let mut sampler = Sampler::new(vec![(None, Arc::clone(&groups))]).unwrap();
        let sample = sampler.sample();
        assert!(sample.services[0].rss > 1 << 20 && sample.services[0].processes >= 1, "{sample:?}");
        assert!(sample.services[0].peak_rss.is_none_or(|peak| peak >= sample.services[0].rss / 2), "{sample:?}");
        assert_eq!(sample.services[0].peak_rss.is_some(), cfg!(target_os = "linux"), "{sample:?}");
        assert!(sample.free.is_some_and(|free| free > 0) && sample.over.is_none());
        *groups.lock().unwrap() = vec![us(Some("1MiB"))];
        let (name, over) = sampler.sample().over.unwrap();
        assert_eq!(name, "us");
        assert_eq!(over.kind, "infra.memory");
        assert!(over.message.contains("MiB, over its limit of 1 MiB; raise"), "{over}");
        groups.lock().unwrap()[0].group = Pid::from_raw(i32::MAX - 1);
        assert_eq!(sampler.sample().services[0].rss, 0);
    }
}

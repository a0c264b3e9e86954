//! Ending a stack that stays: its keeper is asked; where the keeper is gone, what is left of it is ended here.
//!
//! Only processes that are the recorded ones, by number, start and boot, get a signal. What was given to another program, or
//! lived before the machine was restarted, is left alone and told.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::record::{Fate, Phase, Record, folder_of};
use crate::stack::StackError;
use crate::stack::os::{self, Listening};
use crate::stack::process::POLL;

/// Beyond the graces of its services a keeper may take this long.
const SLACK: Duration = Duration::from_secs(20);
/// For what is left without a keeper: from SIGTERM to SIGKILL, and from there to the end.
const GRACE: Duration = Duration::from_secs(5);

/// How a stack that stays was ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Nothing was written down of it.
    NotUp,
    /// It was up, and is gone; ports and groups were looked at.
    Gone {
        /// From the order to the last look.
        took: Duration,
    },
    /// It had ended before, by itself or with the machine; what was written down of it is removed.
    Forgotten {
        /// In words.
        why: String,
    },
    /// Its numbers belong to other programs now, which were left alone; what was written down of it is removed.
    Strangers {
        /// Who has them, one a line.
        who: Vec<String>,
    },
}

/// Ends the stack of a setup. `now` takes its grace away.
///
/// **Errors**: `infra.stop` where something of it survives; it stays written down.
pub async fn end(project: &Path, setup: &str, now: bool) -> Result<Ended, StackError> {
    let folder = folder_of(project, setup);
    let Some(record) = Record::load(project, setup)? else { return Ok(Ended::NotUp) };
    if record.is_of_another_boot() {
        Record::remove(&folder)?;
        return Ok(Ended::Forgotten { why: "the machine was restarted since; nothing was touched".to_owned() });
    }
    let began = Instant::now();
    let serves = record.services.iter().any(|service| service.process.fate() == Fate::Lives);
    let lived = match record.keeper.fate() {
        Fate::Lives => {
            ask_keeper(project, &record, now).await?;
            // A keeper whose services all ended is about to end as well, or has not come so far as to start them.
            serves || record.services.is_empty()
        }
        Fate::Gone | Fate::Replaced(_) => false,
    };
    let left = end_rest(&record).await?;
    verify(&record)?;
    let strangers = strangers(&record);
    // A keeper that ended in order has removed it already.
    Record::remove(&folder)?;
    Ok(if lived || left {
        Ended::Gone { took: began.elapsed() }
    } else if strangers.is_empty() {
        Ended::Forgotten { why: "it had ended before".to_owned() }
    } else {
        Ended::Strangers { who: strangers }
    })
}

async fn ask_keeper(project: &Path, record: &Record, now: bool) -> Result<(), StackError> {
    let patience = Duration::from_millis(record.stop_within_ms) + SLACK;
    let pid = record.keeper.pid();
    let send = |signal| match kill(pid, signal) {
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(error) => Err(StackError::stop(format!("cannot send {signal} to the keeper (process {pid}): {error}"))),
    };
    send(Signal::SIGTERM)?;
    let deadline = Instant::now() + patience;
    let mut hurried = !now;
    while record.keeper.fate() == Fate::Lives {
        // A second signal counts once the first was heard, which the keeper writes down.
        let heard = || matches!(Record::load(project, &record.setup), Ok(Some(now)) if now.phase == Phase::Stopping);
        if !hurried && heard() {
            hurried = true;
            send(Signal::SIGTERM)?;
        }
        if Instant::now() > deadline {
            let next = "end it with --now";
            return Err(StackError::stop(format!("the keeper (process {pid}) does not end; {next}")));
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Ends what outlived its keeper; whether there was anything.
async fn end_rest(record: &Record) -> Result<bool, StackError> {
    let mut any = false;
    for service in record.services.iter().rev().filter(|service| service.process.fate() == Fate::Lives) {
        any = true;
        let group = service.process.pid();
        for (signal, patience) in [(Signal::SIGTERM, GRACE), (Signal::SIGKILL, GRACE)] {
            os::send(group, signal)
                .map_err(|error| StackError::stop(format!("cannot send {signal} to `{}`: {error}", service.name)))?;
            until_empty(group, patience).await;
        }
    }
    // A keeper in a hurry kills a group and collects only its first process: the others may still be on their way out.
    for service in record.services.iter().filter(|service| service.process.fate() == Fate::Gone) {
        until_empty(service.process.pid(), GRACE).await;
    }
    Ok(any)
}

/// Waits until a group has no members, or for as long as that may take.
async fn until_empty(group: Pid, patience: Duration) {
    let deadline = Instant::now() + patience;
    while !os::living(group).is_empty() && Instant::now() < deadline {
        tokio::time::sleep(POLL).await;
    }
}

/// Nothing of it may be left: no process that is the recorded one, no member of its group, no port.
fn verify(record: &Record) -> Result<(), StackError> {
    for service in &record.services {
        let group = service.process.pid();
        let left = match service.process.fate() {
            // Another program has the number: whoever is in its group is none of ours.
            Fate::Replaced(_) => continue,
            Fate::Lives | Fate::Gone => os::living(group),
        };
        if !left.is_empty() {
            return Err(StackError::stop(format!("processes {left:?} of `{}` are still there", service.name)));
        }
        if os::listening(service.port, Some(group)) == Listening::Ours {
            return Err(StackError::stop(format!("port {} of `{}` is still open", service.port, service.name)));
        }
    }
    Ok(())
}

/// Programs that have a recorded number now.
fn strangers(record: &Record) -> Vec<String> {
    let keeper = ("its keeper", &record.keeper);
    let all = std::iter::once(keeper).chain(record.services.iter().map(|service| (service.name.as_str(), &service.process)));
    all.filter_map(|(name, process)| match process.fate() {
        Fate::Replaced(command) => Some(format!("process {}, once {name}, is `{command}` now", process.pid)),
        Fate::Lives | Fate::Gone => None,
    })
    .collect()
}

//! How is a stack that stays? One of five states, by the first of these rules that holds:
//!
//! | state | rule |
//! |---|---|
//! | **stopped** | nothing is written down of it (it was never brought up here, or `down` ended it), or the machine was restarted since |
//! | **crashed** | a process of ours ended without being asked to: a service (its exit status and last words are known), or its keeper |
//! | **down** | the processes live, but it is still coming up or going down, a stranger listens on the port, or health does not answer 200 within 5 s |
//! | **degraded** | health answers, but a question of one token is not answered, is refused, or takes longer than the bound |
//! | **healthy** | health answers and it really generates within the bound |
//!
//! The bound is the setup's `warm_up: {healthy_within: …}` (10 s), or `status --within`. A service without `warm_up` is not asked
//! to generate, and is healthy by its health address alone. Nothing is mended: a check only looks.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::record::{Fate, Phase, Record, ServiceRecord, millis};
use crate::event::UsageRecord;
use crate::stack::StackError;
use crate::stack::os::{self, Listening};
use crate::stack::probe::{Probe, WarmUpReply};
use crate::stack::usage::{Sampler, Watched};

/// How long health may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The five states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// It answers and generates in time.
    Healthy,
    /// It answers, and does not generate in time.
    Degraded,
    /// Its processes live, and it does not answer.
    Down,
    /// A process of it ended by itself.
    Crashed,
    /// It is not there, and nobody expects it.
    Stopped,
}

impl Health {
    /// The word of the state.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Crashed => "crashed",
            Self::Stopped => "stopped",
        }
    }
}

/// What was seen of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkup {
    /// Name of the setup.
    pub setup: String,
    /// The state.
    pub health: Health,
    /// Why, in words.
    pub reason: String,
    /// What is written down of it, without its secrets.
    #[serde(skip)]
    pub record: Option<Record>,
    /// What its services take now.
    pub usage: Vec<UsageRecord>,
    /// How long health took to answer. **Units**: milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_ms: Option<u64>,
    /// How long one token took. **Units**: milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_ms: Option<u64>,
}

/// Looks at the stack of a setup in a project. `within` is the bound for one token; `None`: the setup's.
///
/// **Errors**: a state file that cannot be read.
pub async fn checkup(project: &Path, setup: &str, within: Option<Duration>) -> Result<Checkup, StackError> {
    let record = Record::load(project, setup)?;
    let mut checkup = Checkup {
        setup: setup.to_owned(),
        health: Health::Stopped,
        reason: "it is not up here".to_owned(),
        usage: record.as_ref().filter(|record| record.keeper_lives()).map(usage).unwrap_or_default(),
        record,
        health_ms: None,
        generated_ms: None,
    };
    if let Some(record) = checkup.record.clone() {
        (checkup.health, checkup.reason) = match by_processes(&record) {
            Some(found) => found,
            None => checkup.by_answers(&record, within).await?,
        };
    }
    Ok(checkup)
}

/// What the services take that live.
fn usage(record: &Record) -> Vec<UsageRecord> {
    let living = record.services.iter().filter(|service| service.process.fate() == Fate::Lives);
    let watched = |service: &ServiceRecord| Watched { name: service.name.clone(), group: service.process.pid(), limit: None };
    let groups: Vec<Watched> = living.map(watched).collect();
    Sampler::new(vec![(None, Arc::new(Mutex::new(groups)))]).map(|mut sampler| sampler.sample().services).unwrap_or_default()
}

/// The state as far as the processes alone tell it.
fn by_processes(record: &Record) -> Option<(Health, String)> {
    if record.is_of_another_boot() {
        return Some((Health::Stopped, "the machine was restarted since it was brought up".to_owned()));
    }
    let ended = |known: bool| {
        let ended = record.services.iter().filter_map(|service| ended(service, known));
        let told = ended.collect::<Vec<_>>().join("; ");
        (!told.is_empty()).then_some((Health::Crashed, told))
    };
    if let Some(found) = ended(true) {
        return Some(found);
    }
    if record.keeper.fate() != Fate::Lives {
        let message = format!("its keeper (process {}) was killed, and what it kept was ended", record.keeper.pid);
        return Some((Health::Crashed, message));
    }
    if let Some(found) = ended(false) {
        return Some(found);
    }
    match (record.phase, &record.trouble) {
        (Phase::Starting, _) => Some((Health::Down, format!("it is coming up since {}", record.since))),
        (Phase::Stopping, None) => Some((Health::Down, format!("it is going down since {}", record.since))),
        (Phase::Stopping, Some(trouble)) => Some((Health::Down, format!("it could not be ended: {trouble}"))),
        (Phase::Up, _) => stranger(record),
    }
}

/// How a service ended, as its keeper saw it; else, one whose keeper has not seen it yet is found by its process.
fn ended(service: &ServiceRecord, seen: bool) -> Option<String> {
    let how = match &service.ended {
        Some(how) => how.as_str(),
        None if seen || service.process.fate() == Fate::Lives => return None,
        None => "its process is gone",
    };
    Some(format!("`{}` ended: {how}", service.name))
}

fn stranger(record: &Record) -> Option<(Health, String)> {
    record.services.iter().find_map(|service| match os::listening(service.port, Some(service.process.pid())) {
        Listening::Ours => None,
        Listening::Nobody => Some((Health::Down, format!("`{}` does not listen on port {}", service.name, service.port))),
        Listening::Stranger(who) => Some((Health::Down, format!("port {} of `{}` is held by {who}", service.port, service.name))),
    })
}

impl Checkup {
    /// The state by what the server answers.
    async fn by_answers(&mut self, record: &Record, within: Option<Duration>) -> Result<(Health, String), StackError> {
        let probe = Probe::new(&record.url, record.bearer(&[])?.as_deref())?;
        let began = Instant::now();
        // What stands before the API in its paths does not stand before health.
        let answer = probe.at_origin().get(&record.health, PATIENCE).await;
        self.health_ms = Some(millis(began.elapsed()));
        match answer {
            Ok(reply) if reply.status == 200 => {}
            Ok(reply) => return Ok((Health::Down, format!("GET {}: {}", record.health, reply.brief()))),
            Err(error) => return Ok((Health::Down, format!("GET {}: {error}", record.health))),
        }
        let Some(model) = &record.warm_up else {
            let reason = format!("{} answers; without `warm_up` it is not asked to generate", record.health);
            return Ok((Health::Healthy, reason));
        };
        let bound = within.unwrap_or(Duration::from_millis(record.generates_within_ms));
        let began = Instant::now();
        let reply = probe.warm_up(model, bound).await;
        let took = began.elapsed();
        self.generated_ms = Some(millis(took));
        let late = format!("`{model}` gave no token within {} s", bound.as_secs_f64());
        Ok(match reply {
            WarmUpReply::Generated if took <= bound => {
                (Health::Healthy, format!("{} answers, `{model}` generates", record.health))
            }
            WarmUpReply::Generated => (Health::Degraded, late),
            WarmUpReply::NotYet(_) if took >= bound => (Health::Degraded, late),
            WarmUpReply::NotYet(why) | WarmUpReply::Refused(why) => {
                (Health::Degraded, format!("`{model}` does not generate: {why}"))
            }
        })
    }
}

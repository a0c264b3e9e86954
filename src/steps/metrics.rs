//! When and Then: what the server tells of itself on its page of metrics; a profile says by which names. Live only.

use std::rc::Rc;
use std::time::{Duration, Instant};

use fireassay_macros::step;

use super::{Failure, Reply, StepResult, TimeSpan, World};
use crate::check::metrics::{self, Billed, Counters, Growth};
use crate::event::Mismatch;
use crate::spec::profile::Metrics;
use crate::wire::{Page, Request};

/// First pause between two looks at the page; each is longer than the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How long a server may take to end what it was left with before its counters are noted.
pub(super) const SETTLES: Duration = Duration::from_secs(30);

/// How long a server may take to count what it has answered.
const COUNTS: Duration = Duration::from_secs(5);

/// The server works on nothing any more: its own gauges of requests under way fall to 0 within this time. Live only.
///
/// For clients that hung up: a server that did not notice goes on working for them. The page is read again and again until
/// the time is over, and does not become *the reply*. The names of the gauges are in the server's profile (`metrics.running`).
#[step(then, "the server is idle within {duration}", example = "the server is idle within 5s", live)]
async fn idle_within(world: &mut World, limit: TimeSpan) -> StepResult {
    world.claim();
    idle(world, &Source::of_server(world)?, limit.0).await
}

/// Keeps the server's own counters of tokens as they stand, for `the counters grew by the usage of the replies`. Live only.
///
/// Waits first until the server works on nothing, so that what others left behind is not counted later. The names of the
/// counters are in the server's profile (`metrics.completion_tokens`, `metrics.prompt_tokens`).
#[step(when, "I note the server's counters", live)]
async fn note_counters(world: &mut World) -> StepResult {
    let server = Source::of_server(world)?;
    if world.alone {
        idle(world, &server, SETTLES).await?;
    }
    let (counters, _) = counters(world, &server).await?;
    world.noted = Some((counters, world.billed()));
    Ok(())
}

/// Since they were noted, the server's own counters of tokens grew by what the usage of all replies since then adds up to. Live only.
///
/// Exactly by that where nobody else is served: one scenario at a time (or `@serial`), on a server that we started. Else, and
/// after a reply that was hung up, by no less.
#[step(then, "the counters grew by the usage of the replies", live)]
async fn counters_grew(world: &mut World) -> StepResult {
    world.claim();
    let noted =
        world.noted.ok_or_else(|| Failure::author("no counters were noted: `When I note the server's counters` first"))?;
    let (before, billed_before) = noted;
    let billed = world.billed().since(billed_before);
    if billed.completion == 0 {
        return Err(Failure::author("no reply with usage came since the counters were noted: ask something in between"));
    }
    grew(world, &Source::of_server(world)?, before, billed).await
}

/// Waits a moment until counters have grown by what was billed, and judges them.
pub(super) async fn grew(world: &World, source: &Source, before: Counters, billed: Billed) -> StepResult {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    let (after, page) = loop {
        let (after, page) = counters(world, source).await?;
        if metrics::caught_up(before, after, billed) || started.elapsed() >= COUNTS {
            break (after, page);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    };
    let growth = if world.alone { Growth::Exactly } else { Growth::AtLeast };
    metrics::grew(before, after, billed, growth).map_err(|mut mismatch| {
        if source.service.is_some() {
            mismatch.message = format!("{} did the work", source.who());
        }
        page.blamed(mismatch)
    })
}

/// Whose page of metrics is read.
pub(super) struct Source {
    /// What its metrics are called.
    pub names: Metrics,
    /// The service that is asked; `None` = the stack's own address.
    pub service: Option<String>,
}

impl Source {
    /// The server's own, as the setup's profile names them.
    fn of_server(world: &World) -> Result<Self, Failure> {
        let names = world.cell()?.profile.as_ref().and_then(|profile| profile.metrics.clone());
        let none = || Failure::author("no profile names the metrics of this server: add `metrics:` to the profile of the setup");
        Ok(Self { names: names.ok_or_else(none)?, service: None })
    }

    /// As sentences call it.
    pub(super) fn who(&self) -> String {
        self.service.as_ref().map_or_else(|| "the server".to_owned(), |name| format!("the service `{name}`"))
    }
}

/// Waits until nobody is worked for, at most so long.
pub(super) async fn idle(world: &World, source: &Source, limit: Duration) -> StepResult {
    let names = &source.names;
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let reply = page(world, source).await?;
        let text = metrics::page(&reply.exchange).map_err(|mismatch| reply.blamed(mismatch))?;
        let page = Page::read(&text);
        // A page that cannot be judged will not get better by waiting.
        metrics::sum(&page, &names.running).map_err(|mismatch| reply.blamed(mismatch))?;
        let left = limit.saturating_sub(started.elapsed());
        match metrics::idle(&page, &names.running, &source.who(), &format!("{limit:?}")) {
            Ok(()) => return Ok(()),
            Err(mismatch) if left.is_zero() => return Err(reply.blamed(mismatch)),
            Err(_) => tokio::time::sleep(pause.min(left)).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Counters now, with the page they were read from.
pub(super) async fn counters(world: &World, source: &Source) -> Result<(Counters, Reply), Failure> {
    let names = &source.names;
    let reply = page(world, source).await?;
    let read = || -> Result<Counters, Box<Mismatch>> {
        let text = metrics::page(&reply.exchange)?;
        let page = Page::read(&text);
        let prompt = (!names.prompt_tokens.is_empty()).then(|| metrics::sum(&page, &names.prompt_tokens)).transpose()?;
        Ok(Counters { prompt, completion: metrics::sum(&page, &names.completion_tokens)? })
    };
    let counters = read().map_err(|mismatch| reply.blamed(mismatch))?;
    Ok((counters, reply))
}

/// Asks for the page with the setup's own key, or the service's, whatever the scenario has set.
async fn page(world: &World, source: &Source) -> Result<Reply, Failure> {
    let mut fresh = World::new(Rc::clone(world.cell()?), world.scenario().clone(), world.asked(), 1);
    fresh.draft.service.clone_from(&source.service);
    let request = fresh.dressed(Request::get(&source.names.path))?;
    let reply = world.exchange(request).await?;
    super::world::answered(&reply)?;
    Ok(reply)
}

//! Given, When and Then: single services of a stack that this run started. One is asked itself, dies, comes back; all are stopped.
//!
//! Where the stack was not started by this run, nothing here is judged: it is not ours to end, and only its own address is known.

use std::time::{Duration, Instant};

use fireassay_macros::step;

use super::metrics::{self, SETTLES, Source};
use super::route::is_below;
use super::world::Key;
use super::{Failure, StepResult, Text, TimeSpan, World};
use crate::check::metrics::{Billed, Counters, did_nothing};
use crate::event::{Mismatch, Trouble, Whose};
use crate::source::did_you_mean;
use crate::spec::profile::Metrics;
use crate::stack::{Address, Door, Gone, Order};
use crate::wire::Tell;

/// The services of the stack, as far as this run started them.
#[derive(Debug, Clone, Default)]
pub struct Services {
    /// All of them.
    pub all: Vec<ServiceContext>,
    /// The way to the owner of the stack.
    pub door: Option<Door>,
}

/// One service.
#[derive(Debug, Clone)]
pub struct ServiceContext {
    /// Where it can be asked itself.
    pub address: Address,
    /// The key that it is known to want.
    pub wanted_key: Option<String>,
    /// What it tells of itself, where it has a profile that says how.
    pub metrics: Option<Metrics>,
}

/// Counters of the services as they were noted.
#[derive(Debug, Clone)]
pub struct Noted {
    counters: Vec<(String, Counters)>,
    billed: Billed,
}

impl Services {
    /// The service whose address a request goes to.
    pub(super) fn at(&self, target: &str) -> Option<&ServiceContext> {
        self.all.iter().find(|service| is_below(target, &service.address.url))
    }

    /// The owner of the stack, where that is this run.
    fn door(&self) -> Result<&Door, Failure> {
        self.door.as_ref().ok_or_else(|| {
            let reason = "the stack was not started by this run: its services are not this run's to end, or to ask one by one";
            Failure::NotEvaluated(reason.to_owned())
        })
    }

    pub(super) fn named(&self, name: &str) -> Result<&ServiceContext, Failure> {
        self.door()?;
        self.all.iter().find(|service| service.address.name == name).ok_or_else(|| {
            let help = did_you_mean(name, self.all.iter().map(|service| service.address.name.as_str()));
            let help = help.map(|help| format!("; {help}")).unwrap_or_default();
            Failure::author(format!("the setup has no service `{name}`{help}"))
        })
    }
}

/// Sends requests to one service itself, not through the stack, with the key of that service. Live only.
///
/// The name is that of the service in the setup. The setup says which key it takes (`auth:` of the service).
#[step(given, "requests go to the service {text}", example = "requests go to the service \"backend\"", live)]
fn to_service(world: &mut World, name: Text) -> StepResult {
    let name = named(world, &name)?;
    world.draft.service = Some(name);
    Ok(())
}

/// Sends requests to the stack's own address again, after `requests go to the service …`.
#[step(given, "requests go to the stack")]
fn to_stack(world: &mut World) -> StepResult {
    world.draft.service = None;
    Ok(())
}

/// Sends the key of a service in place of the setup's. Live only.
#[step(given, "the API key of the service {text}", example = "the API key of the service \"backend\"", live)]
fn key_of_service(world: &mut World, name: Text) -> StepResult {
    let name = named(world, &name)?;
    let bearer = world.cell()?.services.named(&name)?.address.bearer.clone();
    let none = || Failure::author(format!("the service `{name}` has no key: the setup names none (`auth:`)"));
    world.draft.key = Key::Is(bearer.ok_or_else(none)?);
    Ok(())
}

/// Sends the setup's own key, also to a service that has another.
#[step(given, "the API key of the stack")]
fn key_of_stack(world: &mut World) -> StepResult {
    let none = || Failure::author("the stack has no key: the setup names none (`auth:`)");
    world.draft.key = Key::Is(world.cell()?.bearer.clone().ok_or_else(none)?);
    Ok(())
}

/// Ends a service as a crash would (SIGKILL), and waits until it is gone. The scenario must be `@destructive`. Live only.
///
/// It stays away until `I start the service … again`, or until the scenario ends: after it the whole stack is started again.
#[step(when, "I kill the service {text}", example = "I kill the service \"backend\"", live)]
async fn kill(world: &mut World, name: Text) -> StepResult {
    let name = named(world, &name)?;
    world.order(Order::Kill(name)).await.map(drop)
}

/// Starts a service again that was killed, on the port it had, and waits until it is ready. Live only.
#[step(when, "I start the service {text} again", example = "I start the service \"backend\" again", live)]
async fn start(world: &mut World, name: Text) -> StepResult {
    let name = named(world, &name)?;
    world.order(Order::Start(name)).await.map(drop)
}

/// Stops all services as the setup says (`stop:`), the last started first. The scenario must be `@destructive`. Live only.
#[step(when, "I stop the stack", live)]
async fn stop(world: &mut World) -> StepResult {
    let stopped = world.stop().await?;
    world.stopped = Some(stopped);
    Ok(())
}

/// Starts all services again that were stopped or killed, on the ports they had, and waits until they are ready. Live only.
#[step(when, "I start the stack again", live)]
async fn start_all(world: &mut World) -> StepResult {
    world.order(Order::StartAll).await.map(drop)
}

/// Asks for a streamed reply, kills a service once so many events have come, and reads what still comes. Live only.
///
/// The scenario must be `@destructive`.
#[step(
    when,
    "I ask {text} and kill the service {text} after {int} events",
    example = "I ask \"Count to 100.\" and kill the service \"backend\" after 5 events",
    live
)]
async fn kill_during(world: &mut World, question: Text, name: Text, events: u64) -> StepResult {
    let name = named(world, &name)?;
    let question = world.fill(&question.0)?;
    world.ask_meanwhile(&question, events, async |world| world.order(Order::Kill(name)).await.map(drop)).await.map(drop)
}

/// Asks for a streamed reply, tells the stack to stop once so many events have come, and reads what still comes. Live only.
///
/// The scenario must be `@destructive`. `the stack stopped within …` says how long that may take.
#[step(
    when,
    "I ask {text} and stop the stack after {int} events",
    example = "I ask \"Count to 100.\" and stop the stack after 5 events",
    live
)]
async fn stop_during(world: &mut World, question: Text, events: u64) -> StepResult {
    let question = world.fill(&question.0)?;
    world.cell()?.services.door()?;
    world.stopped = world.ask_meanwhile(&question, events, async |world| world.stop().await).await?;
    Ok(())
}

/// All services ended within this time after they were told to, and none had to be killed.
#[step(then, "the stack stopped within {duration}", example = "the stack stopped within 10s")]
fn stopped_within(world: &mut World, limit: TimeSpan) -> StepResult {
    let Some((gone, took)) = &world.stopped else {
        return Err(Failure::author("the stack was not stopped yet: this claim needs `I stop the stack` before it"));
    };
    world.claim();
    let mismatch = not_stopped(gone, *took, limit.0);
    mismatch.map_or(Ok(()), |mismatch| Err(mismatch.into()))
}

/// The service works on nothing any more: its own gauges of requests under way fall to 0 within this time. Live only.
///
/// For clients that hung up at a router: the backend behind it must be told. The scenario must be `@serial` or `@destructive`.
/// The names of the gauges are in the profile that the setup names for the service (`profile:`).
#[step(then, "the service {text} is idle within {duration}", example = "the service \"backend\" is idle within 5s", live)]
async fn idle_within(world: &mut World, name: Text, limit: TimeSpan) -> StepResult {
    let name = named(world, &name)?;
    world.claim();
    metrics::idle(world, &source(world, &name)?, limit.0).await
}

/// Keeps every service's own counters of tokens, for `the service … did the work` and `the service … did nothing`. Live only.
///
/// Services without a profile that names their metrics are left out.
#[step(when, "I note what the services have done", live)]
async fn note(world: &mut World) -> StepResult {
    let with_metrics = world.cell()?.services.all.iter().filter(|service| service.metrics.is_some());
    let names: Vec<String> = with_metrics.map(|service| service.address.name.clone()).collect();
    let mut noted = Vec::with_capacity(names.len());
    for name in names {
        let source = source(world, &name)?;
        if world.alone {
            metrics::idle(world, &source, SETTLES).await?;
        }
        let (counters, _) = metrics::counters(world, &source).await?;
        noted.push((name, counters));
    }
    world.services_noted = Some(Noted { counters: noted, billed: world.billed() });
    Ok(())
}

/// Since they were noted, the service's own counters of tokens grew by what the usage of all replies adds up to. Live only.
///
/// So the replies are its work and nobody else's. The scenario must be `@serial` or `@destructive`.
#[step(then, "the service {text} did the work", example = "the service \"backend\" did the work", live)]
async fn did_the_work(world: &mut World, name: Text) -> StepResult {
    let name = named(world, &name)?;
    world.claim();
    let (before, noted) = world.noted_of(&name)?;
    let billed = world.billed().since(noted);
    if billed.completion == 0 {
        return Err(Failure::author("no reply with usage came since the services were noted: ask something in between"));
    }
    metrics::grew(world, &source(world, &name)?, before, billed).await
}

/// Since they were noted, the service has generated nothing by its own counters. Live only.
///
/// The scenario must be `@serial` or `@destructive`.
#[step(then, "the service {text} did nothing", example = "the service \"second\" did nothing", live)]
async fn did_no_work(world: &mut World, name: Text) -> StepResult {
    let name = named(world, &name)?;
    world.claim();
    let (before, _) = world.noted_of(&name)?;
    let source = source(world, &name)?;
    // What is still worked on is counted when it is done.
    metrics::idle(world, &source, SETTLES).await?;
    let (after, page) = metrics::counters(world, &source).await?;
    did_nothing(before, after, &source.who()).map_err(|mismatch| page.blamed(mismatch))
}

/// The name of a service that this run started.
fn named(world: &World, name: &Text) -> Result<String, Failure> {
    let name = world.fill(&name.0)?;
    world.cell()?.services.named(&name)?;
    Ok(name)
}

/// Where the metrics of a service are read.
fn source(world: &World, name: &str) -> Result<Source, Failure> {
    let names = world.cell()?.services.named(name)?.metrics.clone();
    let none = || {
        Failure::author(format!(
            "nothing names the metrics of the service `{name}`: add `profile:` to it in the setup, of a profile with `metrics:`"
        ))
    };
    Ok(Source { names: names.ok_or_else(none)?, service: Some(name.to_owned()) })
}

/// What is wrong with how a stack stopped.
fn not_stopped(gone: &[Gone], took: Duration, limit: Duration) -> Option<Mismatch> {
    if took <= limit && gone.iter().all(|service| service.killed_after.is_none()) {
        return None;
    }
    let told = |service: &Gone| match service.killed_after {
        Some(grace) => format!("{}: killed, it did not end within {:.1} s", service.name, grace.as_secs_f64()),
        None => format!("{}: gone after {:.1} s", service.name, service.took.as_secs_f64()),
    };
    let told: Vec<String> = gone.iter().map(told).collect();
    let message = format!("the stack stopped within {limit:?}");
    let expected = format!("every service gone by itself, all within {limit:?}");
    let actual = format!("{:.1} s; {}", took.as_secs_f64(), told.join("; "));
    Some(Mismatch::new("assert.stop", Whose::Capability, message).expected(expected).actual(actual))
}

impl World {
    /// The service that is asked itself.
    pub(super) fn service(&self) -> Result<Option<&ServiceContext>, Failure> {
        self.draft.service.as_deref().map(|name| self.cell()?.services.named(name)).transpose()
    }

    /// Has the owner of the stack do something to it.
    async fn order(&self, order: Order) -> Result<Vec<Gone>, Failure> {
        let door = self.cell()?.services.door()?.clone();
        let went = door.order(order).await;
        self.new_life();
        went.map_err(|error| Trouble::new(error.kind, error.message).detail(error.detail).into())
    }

    /// Stops the stack; how each service ended, and how long it took in all.
    async fn stop(&self) -> Result<(Vec<Gone>, Duration), Failure> {
        let began = Instant::now();
        let gone = self.order(Order::Stop).await?;
        Ok((gone, began.elapsed()))
    }

    /// Asks for a streamed reply and does something once so many events have come, while the rest is read. The reply is kept
    /// whatever comes of it; `None` where the reply had an end before that many events.
    async fn ask_meanwhile<T>(
        &mut self,
        question: &str,
        events: u64,
        then: impl AsyncFnOnce(&Self) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let messages = self.draft.messages(question);
        let request = self.chat_request(&messages, true)?;
        self.begin(messages);
        let (tell, reached) = Tell::after(events);
        let world = &*self;
        let meanwhile = async {
            match reached.await {
                Ok(()) => then(world).await.map(Some),
                Err(_) => Ok(None),
            }
        };
        let (reply, done) = tokio::join!(world.exchange_and_tell(request, Some(tell)), meanwhile);
        self.batch = 1;
        self.keep(reply?)?;
        match done? {
            Some(done) => Ok(Some(done)),
            None => Err(too_short(self, events)),
        }
    }

    /// The counters of a service as they were noted, and what had been billed by then.
    fn noted_of(&self, name: &str) -> Result<(Counters, Billed), Failure> {
        let noted = self.services_noted.as_ref();
        let noted = noted.ok_or_else(|| Failure::author("nothing was noted: `When I note what the services have done` first"))?;
        match noted.counters.iter().find(|(known, _)| known == name) {
            Some((_, counters)) => Ok((*counters, noted.billed)),
            None => source(self, name).and(Err(Failure::author(format!("the service `{name}` was not noted")))),
        }
    }
}

/// The reply was over before its scenario could do anything.
fn too_short(world: &World, events: u64) -> Failure {
    let Ok(reply) = world.last() else { return Failure::author("no reply was kept") };
    let said = reply.said();
    let came = format!("{} events: ", reply.chat.events);
    let actual = said.instead.clone().unwrap_or_else(|| came + &said.shown());
    let mismatch = Mismatch::new("assert.stream", Whose::Capability, format!("the reply goes on after {events} events"))
        .expected(format!("a stream of more than {events} events"))
        .actual(actual);
    reply.blamed(Box::new(mismatch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, url: &str) -> ServiceContext {
        let address = Address { name: name.to_owned(), url: url.to_owned(), bearer: None };
        ServiceContext { address, wanted_key: None, metrics: None }
    }

    #[test]
    fn a_request_is_for_the_service_at_its_address() {
        let all = vec![service("a", "http://127.0.0.1:80"), service("b", "http://127.0.0.1:8080/v1/openai")];
        let services = Services { all, door: None };
        let at = |target: &str| services.at(target).map(|service| service.address.name.as_str());
        assert_eq!(at("http://127.0.0.1:80/v1/models"), Some("a"));
        assert_eq!(at("http://127.0.0.1:80"), Some("a"));
        assert_eq!(at("http://127.0.0.1:8080/metrics"), None);
        assert_eq!(at("http://127.0.0.1:8080/v1/openai/v1/models"), Some("b"));
        assert_eq!(at("/v1/models"), None);
    }

    #[test]
    fn a_name_is_of_a_service_of_ours_or_told() {
        let mut services = Services { all: vec![service("backend", "http://127.0.0.1:80")], door: None };
        assert!(matches!(services.named("backend"), Err(Failure::NotEvaluated(_))));
        services.door = Some(Door::new().0);
        assert!(services.named("backend").is_ok());
        let Err(Failure::Trouble(trouble)) = services.named("backnd") else { panic!("there is no such service") };
        assert_eq!(trouble.message, "the setup has no service `backnd`; did you mean `backend`?");
    }

    #[test]
    fn the_planner_knows_every_sentence_about_services() {
        use crate::plan::service_sentences;
        use crate::steps::catalogue;

        let catalogue = catalogue();
        let planned: Vec<&str> = service_sentences().map(|(sentence, _)| sentence).collect();
        for (sentence, value) in service_sentences() {
            let (_, def) = catalogue.iter().find(|(_, def)| def.sentence == sentence).expect(sentence);
            // The number of the value is that of the parameter after the word `service`.
            let before = def.sentence.split_once("service {text}").map(|(before, _)| before.matches('{').count() + 1);
            assert_eq!(value, before, "{sentence}");
        }
        // Going back to the stack, and its own key, harm nobody and need no service; what was stopped is only looked at.
        let free = ["requests go to the stack", "the API key of the stack", "the stack stopped within {duration}"];
        let of_topic = catalogue.iter().filter(|(_, def)| def.topic == "services");
        for (_, def) in of_topic.filter(|(_, def)| !free.contains(&def.sentence)) {
            assert!(planned.contains(&def.sentence), "{}", def.sentence);
        }
    }

    #[track_caller]
    fn check(gone: &[(&str, u64, Option<u64>)], took: u64, expect: Option<&str>) {
        let gone: Vec<Gone> = gone
            .iter()
            .map(|(name, took, grace)| Gone {
                name: (*name).to_owned(),
                took: Duration::from_millis(*took),
                killed_after: grace.map(Duration::from_secs),
            })
            .collect();
        let mismatch = not_stopped(&gone, Duration::from_millis(took), Duration::from_secs(5));
        assert_eq!(mismatch.and_then(|mismatch| mismatch.actual).as_deref(), expect);
    }

    #[test]
    fn a_stack_stops_in_time_and_by_itself() {
        check(&[("server", 900, None), ("backend", 100, None)], 1000, None);
        check(&[("server", 5000, None)], 5000, None);
        check(&[("server", 6000, None), ("b", 100, None)], 6100, Some("6.1 s; server: gone after 6.0 s; b: gone after 0.1 s"));
        // One that resists is killed, however short its grace is.
        check(&[("server", 2000, Some(2))], 2000, Some("2.0 s; server: killed, it did not end within 2.0 s"));
    }
}

//! Given: what happens to replies on their way. Then: which rule it breaks, and how the connection ends.
//!
//! Requests of the scenario go through a proxy of ours, started when it is first needed: a reply is the real server's own,
//! cut, repeated, reordered or delayed. What clients in a harness ask goes the same way. Faults are for the scenario that says
//! them: they end with it.

use std::cell::RefCell;
use std::sync::Arc;

use fireassay_macros::step;

use super::{Failure, StepResult, Text, TimeSpan, Word, World};
use crate::event::{Mismatch, Trouble, Whose};
use crate::tape::{Fault, Faults, Orders, Planned, Proxy, Refusing, Remote};
use crate::wire::{Base, End, Exchange, Request, TransportKind};

/// What stands between a scenario and its stack.
#[derive(Debug, Default)]
pub struct Wire {
    faults: Arc<Faults>,
    /// A proxy for each address that was asked, with that address.
    proxies: RefCell<Vec<(String, Proxy)>>,
    /// Where all connections are refused.
    refusing: Option<Refusing>,
    /// The proxy that is a service of the stack, where faults happen there.
    elsewhere: Option<Remote>,
}

/// `{breakage}`: how a connection ends without a whole reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, cucumber::Parameter)]
#[param(name = "breakage", regex = "refused|no answer|not HTTP|cut|no end in time|too long")]
pub enum Breakage {
    /// No connection.
    Refused,
    /// It ends before a head.
    NoAnswer,
    /// What comes is no HTTP.
    NotHttp,
    /// It ends within the body.
    Cut,
    /// The time limit comes first.
    NoEndInTime,
    /// The body is longer than is kept.
    TooLong,
}

impl Breakage {
    const ALL: [(Self, &'static str, TransportKind); 6] = [
        (Self::Refused, "refused", TransportKind::Connect),
        (Self::NoAnswer, "no answer", TransportKind::NoReply),
        (Self::NotHttp, "not HTTP", TransportKind::Malformed),
        (Self::Cut, "cut", TransportKind::Truncated),
        (Self::NoEndInTime, "no end in time", TransportKind::Timeout),
        (Self::TooLong, "too long", TransportKind::TooLong),
    ];
}

impl std::str::FromStr for Breakage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|(_, word, _)| *word == text);
        known.map(|(breakage, ..)| *breakage).ok_or_else(|| format!("`{text}` is no way in which a connection breaks"))
    }
}

/// The connection ends after so many events of a reply, in the middle of it. A whole reply is one event.
///
/// This and the other faults meet all requests of the scenario from here on, until another fault or `no more faults come`.
#[step(given, "the connection is cut after {int} events", example = "the connection is cut after 3 events", live)]
fn cut(world: &mut World, events: u64) -> StepResult {
    world.stays(Fault::CutAfter(count(events)))
}

/// The connection is reset (RST) after so many events of a reply.
#[step(given, "the connection is reset after {int} events", example = "the connection is reset after 3 events", live)]
fn reset(world: &mut World, events: u64) -> StepResult {
    world.stays(Fault::ResetAfter(count(events)))
}

/// The server's side of the connection is closed after so many events of a reply; what the client sends is still taken.
#[step(given, "the connection is half closed after {int} events", example = "the connection is half closed after 3 events", live)]
fn half_closed(world: &mut World, events: u64) -> StepResult {
    world.stays(Fault::HalfCloseAfter(count(events)))
}

/// Nobody listens: every connection of the scenario is refused from here on, until `no more faults come`.
#[step(given, "the connection is refused", live)]
fn refused(world: &mut World) -> StepResult {
    if world.wire.elsewhere.is_some() {
        return Err(Failure::author("a service refuses connections when it is killed: `I kill the service …`"));
    }
    let refusing = Refusing::start();
    world.wire.refusing = Some(refusing.map_err(|error| trouble(format!("no port can be had that refuses: {error}")))?);
    Ok(())
}

/// The connection stays after a reply, and ends without an answer when the next request on it begins.
#[step(given, "connections end under the next request", live)]
fn left(world: &mut World) -> StepResult {
    world.stays(Fault::Leave)
}

/// A streamed reply ends after so many events as if that were all of it.
#[step(given, "streams end after {int} events", example = "streams end after 3 events", live)]
fn ends(world: &mut World, events: u64) -> StepResult {
    world.stays(Fault::EndAfter(count(events)))
}

/// Nothing more comes after so many events, and the connection stays open. For a time limit: `the time limit is 5s`.
#[step(given, "streams stand still after {int} events", example = "streams stand still after 3 events", live)]
fn stalls(world: &mut World, events: u64) -> StepResult {
    world.stays(Fault::StallAfter(count(events)))
}

/// Bytes without meaning come in place of what follows after so many events.
#[step(given, "streams go on with noise after {int} events", example = "streams go on with noise after 3 events", live)]
fn noise(world: &mut World, events: u64) -> StepResult {
    world.stays(Fault::NoiseAfter(count(events)))
}

/// The event after so many comes again and again, without end.
#[step(given, "streams repeat themselves after {int} events", example = "streams repeat themselves after 3 events", live)]
fn repeats(world: &mut World, events: u64) -> StepResult {
    world.stays(Fault::RepeatAfter(count(events)))
}

/// The event of this number, from 1, comes twice.
#[step(given, "event {int} comes twice", example = "event 1 comes twice", live)]
fn twice(world: &mut World, event: u64) -> StepResult {
    world.stays(Fault::Double(count(event)))
}

/// The event of this number, from 1, comes after the next one.
#[step(given, "event {int} comes after the next one", example = "event 1 comes after the next one", live)]
fn swapped(world: &mut World, event: u64) -> StepResult {
    world.stays(Fault::Swap(count(event)))
}

/// Each byte of a reply comes in a chunk of its own, which is legal.
#[step(given, "replies come byte by byte", live)]
fn bytewise(world: &mut World) -> StepResult {
    world.stays(Fault::Bytewise)
}

/// Each request goes on to the server only after this time.
#[step(given, "requests are delayed by {duration}", example = "requests are delayed by 2s", live)]
fn delayed(world: &mut World, time: TimeSpan) -> StepResult {
    world.stays(Fault::Delay(time.0))
}

/// Replies come at so many bytes a second: for the client a slow writer, for the server a slow reader.
#[step(given, "replies come at {int} bytes per second", example = "replies come at 500 bytes per second", live)]
fn slow_replies(world: &mut World, rate: u64) -> StepResult {
    world.stays(Fault::SlowReply(rate))
}

/// Requests go on at so many bytes a second: for the client a slow reader, for the server a slow writer.
#[step(given, "requests go at {int} bytes per second", example = "requests go at 500 bytes per second", live)]
fn slow_requests(world: &mut World, rate: u64) -> StepResult {
    world.stays(Fault::SlowRequest(rate))
}

/// What comes in place of a reply is no HTTP.
#[step(given, "replies are garbage", live)]
fn garbage(world: &mut World) -> StepResult {
    world.stays(Fault::Garbage)
}

/// The length header of a reply promises so many bytes more than come.
#[step(given, "replies promise {int} bytes more than come", example = "replies promise 100 bytes more than come", live)]
fn longer(world: &mut World, bytes: u64) -> StepResult {
    world.stays(Fault::Longer(count(bytes)))
}

/// The length header of a reply promises so many bytes fewer than come.
#[step(given, "replies promise {int} bytes fewer than come", example = "replies promise 10 bytes fewer than come", live)]
fn shorter(world: &mut World, bytes: u64) -> StepResult {
    world.stays(Fault::Shorter(count(bytes)))
}

/// The connection ends after so many bytes of a reply's body, whose length header is right.
#[step(given, "replies are cut after {int} bytes", example = "replies are cut after 40 bytes", live)]
fn cut_at(world: &mut World, bytes: u64) -> StepResult {
    world.stays(Fault::CutAt(count(bytes)))
}

/// Replies lack a header that the server sent.
#[step(given, "replies lack the header {text}", example = "replies lack the header \"content-type\"", live)]
fn lack(world: &mut World, name: Text) -> StepResult {
    let name = world.fill(&name.0)?;
    world.stays(Fault::Without(name))
}

/// A gateway's page of HTML with this status comes in place of each reply; the server is not asked.
#[step(
    given,
    "replies are a page of HTML with the status {int}",
    example = "replies are a page of HTML with the status 502",
    live
)]
fn html(world: &mut World, status: u64) -> StepResult {
    let status = code(status)?;
    world.stays(Fault::Html(status))
}

/// Somebody before the server answers each request with this status and an error as OpenAI words it.
#[step(given, "requests get the status {int}", example = "requests get the status 503", live)]
fn status(world: &mut World, status: u64) -> StepResult {
    let status = code(status)?;
    world.stays(Fault::Status(status, None))
}

/// Somebody before the server answers so many requests with this status; those after them go on to the server.
#[step(given, "the next {int} requests get the status {int}", example = "the next 2 requests get the status 429", live)]
fn next_status(world: &mut World, times: u64, status: u64) -> StepResult {
    let status = code(status)?;
    world.fault(Some(times), Fault::Status(status, None))
}

/// So many requests get this status with a `retry-after` header of so many seconds.
#[step(
    given,
    "the next {int} requests get the status {int} and may retry after {duration}",
    example = "the next 2 requests get the status 429 and may retry after 1s",
    live
)]
fn next_status_retry(world: &mut World, times: u64, status: u64, wait: TimeSpan) -> StepResult {
    let status = code(status)?;
    world.fault(Some(times), Fault::Status(status, Some(wait.0.as_secs())))
}

/// So many requests meet a fault in its short form, which `fireassay proxy --faults` lists; those after them meet none.
#[step(given, "the next {int} requests meet the fault {text}", example = "the next 1 requests meet the fault \"cut=3\"", live)]
fn next_meet(world: &mut World, times: u64, fault: Text) -> StepResult {
    let fault = Fault::parse(&world.fill(&fault.0)?).map_err(Failure::author)?;
    world.fault(Some(times), fault)
}

/// All requests meet a fault in its short form, which `fireassay proxy --faults` lists.
#[step(given, "requests meet the fault {text}", example = "requests meet the fault \"gzip\"", live)]
fn meet(world: &mut World, fault: Text) -> StepResult {
    let fault = Fault::parse(&world.fill(&fault.0)?).map_err(Failure::author)?;
    world.stays(fault)
}

/// All faults of the scenario are over.
#[step(given, "no more faults come")]
fn over(world: &mut World) -> StepResult {
    world.wire.refusing = None;
    world.wire.faults.clear();
    world.wire.tell()
}

/// The faults of this scenario happen at a service of the stack, not between us and the stack. Live only.
///
/// The service is a proxy of ours (`<fireassay> proxy --to … --control`), as in the setup `router-faulty`. Other scenarios must
/// not ask meanwhile: the scenario must be `@serial` or `@destructive`.
#[step(given, "faults happen at the service {text}", example = "faults happen at the service \"wire\"", live)]
fn at_service(world: &mut World, name: Text) -> StepResult {
    let name = world.fill(&name.0)?;
    let url = world.cell()?.services.named(&name)?.address.url.clone();
    let remote = Remote::hold(&url).map_err(|error| trouble(format!("the service `{name}`: {error}")))?;
    world.wire.elsewhere = Some(remote);
    world.wire.tell()
}

/// Asks a question in a new conversation; a connection that breaks is for the claims that follow.
#[step(when, "I try to ask {text}", example = "I try to ask \"What is the capital of France?\"")]
async fn try_to_ask(world: &mut World, question: Text) -> StepResult {
    let question = world.fill(&question.0)?;
    let replies = world.replies.len();
    match world.ask(&question).await {
        // A reply was kept: whatever came of it is there to be looked at.
        Err(_) if world.replies.len() > replies => Ok(()),
        asked => asked,
    }
}

/// A wire rule is broken by the last replies, as it must be under a fault. What is told here no longer fails the scenario.
///
/// Every other rule still does. `fireassay rules` lists them; those that compare several exchanges cannot be claimed.
#[step(then, "the rule {name} is broken", example = "the rule W011 is broken")]
fn rule_is_broken(world: &mut World, rule: Word) -> StepResult {
    world.rule_is_broken(&rule.0)
}

/// The last exchange has no whole reply, and this is why: `refused`, `no answer`, `not HTTP`, `cut`, `no end in time`, `too long`.
#[step(then, "the connection breaks: {breakage}", example = "the connection breaks: cut")]
fn breaks(world: &mut World, breakage: Breakage) -> StepResult {
    let (_, wanted, kind) = Breakage::ALL.iter().find(|(known, ..)| *known == breakage).expect("the list has all of them");
    world.judge(|reply| {
        let found = match &reply.exchange.end {
            End::Failed(error) if error.kind == *kind => return Ok(()),
            End::Failed(error) => error.message.clone(),
            End::Complete => format!("a whole reply: {}", reply.said().shown()),
            End::HungUp => "we hung up".to_owned(),
        };
        let message = format!("the connection breaks: {wanted}");
        Err(Box::new(Mismatch::new("assert.breakage", Whose::Capability, message).expected(*wanted).actual(found)))
    })
}

/// Where a request was meant to go that was turned to a proxy: its address and target.
pub(super) struct Meant(Option<(String, String)>);

impl Meant {
    /// The exchange as one with that address: the proxy is nobody's business.
    pub(super) fn put_back(self, mut exchange: Exchange) -> Exchange {
        if let Some((url, target)) = self.0 {
            exchange.url = url;
            exchange.request.target = target;
        }
        exchange
    }
}

impl Wire {
    /// Whether requests go another way than straight to the stack.
    fn is_in_between(&self) -> bool {
        self.refusing.is_some() || !self.faults.is_empty() && self.elsewhere.is_none() || !self.proxies.borrow().is_empty()
    }

    /// Whether replies may be other ones than the server gave.
    pub(super) fn is_faulty(&self) -> bool {
        self.is_in_between() || self.elsewhere.is_some()
    }

    /// Has a client's own proxy do the same.
    pub(super) fn dress(&self, orders: Orders) -> Orders {
        if self.elsewhere.is_some() { orders } else { orders.faults(&self.faults) }
    }

    /// The address that a client is to use where all connections are refused.
    pub(super) fn refuses_at(&self) -> Option<String> {
        self.refusing.as_ref().map(Refusing::url)
    }

    /// Turns a request to the proxy before its address; what it was meant for.
    pub(super) fn turn(&self, request: &mut Request, base: &Base) -> Result<Meant, Failure> {
        if !self.is_in_between() {
            return Ok(Meant(None));
        }
        let url = base.address(&request.target);
        let from = url.find("://").map_or(0, |at| at + 3);
        let path = url[from..].find(['/', '?']).map_or(url.len(), |at| from + at);
        let (origin, path) = url.split_at(path);
        let before = match &self.refusing {
            Some(refusing) => refusing.url(),
            None => self.proxy(origin, base)?,
        };
        let target = std::mem::replace(&mut request.target, format!("{before}{path}"));
        Ok(Meant(Some((url, target))))
    }

    fn proxy(&self, origin: &str, base: &Base) -> Result<String, Failure> {
        let mut proxies = self.proxies.borrow_mut();
        if let Some((_, proxy)) = proxies.iter().find(|(known, _)| known == origin) {
            return Ok(proxy.url());
        }
        let to = Base { url: origin.to_owned(), ..base.clone() };
        let proxy = Proxy::start(Orders::to(to).faults(&self.faults).keep_nothing());
        let proxy = proxy.map_err(|error| trouble(format!("no proxy for faults: {error}")))?;
        let url = proxy.url();
        proxies.push((origin.to_owned(), proxy));
        Ok(url)
    }

    /// Tells a service of the stack what its faults are now.
    fn tell(&self) -> StepResult {
        let Some(remote) = &self.elsewhere else { return Ok(()) };
        remote.put(&self.faults.all()).map_err(|error| trouble(format!("the faults of a service: {error}")))
    }
}

impl World {
    fn stays(&mut self, fault: Fault) -> StepResult {
        self.fault(None, fault)
    }

    fn fault(&mut self, times: Option<u64>, fault: Fault) -> StepResult {
        self.wire.faults.add(Planned { times, fault });
        self.wire.tell()
    }

    fn rule_is_broken(&self, rule: &str) -> StepResult {
        if crate::contract::rule(rule).is_none() {
            return Err(Failure::author(format!("there is no rule `{rule}`; `fireassay rules` lists them")));
        }
        self.last()?;
        self.claim();
        let batch: Vec<_> = self.last_batch()?.iter().map(|reply| reply.exchange.id).collect();
        if self.docket.borrow_mut().expect(rule, &batch) {
            return Ok(());
        }
        let mut mismatch = Mismatch::new("assert.rule", Whose::Wire, format!("the rule {rule} is broken"))
            .expected(format!("{rule} broken by the last reply"))
            .actual(self.docket.borrow().told(&batch));
        mismatch.exchange = batch.last().copied();
        Err(mismatch.into())
    }
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn code(status: u64) -> Result<u16, Failure> {
    let known = u16::try_from(status).ok().filter(|status| (200..=599).contains(status));
    known.ok_or_else(|| Failure::author(format!("{status} is no status: they go from 200 to 599")))
}

fn trouble(what: String) -> Failure {
    Trouble::new("infra.proxy", what).into()
}

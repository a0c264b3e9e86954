//! The state of one scenario: [`World`]. What the next request will carry, what came back, what was saved.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::context::CellContext;
use super::faults::Wire;
use super::harness::ClientReport;
use super::route;
use super::services::Noted;
use super::{Beside, Failure, StepResult};
use crate::check::metrics::{Billed, Counters};
use crate::check::{Held, Said};
use crate::contract::{self, Docket, Judged, Judgement};
use crate::event::{ExchangeId, ExchangeRecord, Mismatch, ScenarioId, Trouble, Whose};
use crate::plan::Named;
use crate::spec::ToolSpec;
use crate::spec::setup::TEXT_ROLES;
use crate::spec::tool::Return;
use crate::stack::Gone;
use crate::wire::{Caps, ChatReply, End, Evidence, Exchange, Reading, Request, Tell, TransportKind};

/// One exchange and its folded form.
#[derive(Debug)]
pub struct Reply {
    /// Bytes and times.
    pub exchange: Exchange,
    /// Folded in the one form that claims look at, whatever came and by whatever API.
    pub chat: ChatReply,
    /// The row of the table it was asked from, where it was.
    pub row: Vec<(String, String)>,
}

impl Reply {
    /// Text of the first choice, or what came in its place.
    pub fn said(&self) -> Said<'_> {
        Said::of(&self.chat, &self.exchange)
    }

    /// A false claim about this reply, with the exchange it is about.
    #[allow(clippy::boxed_local)] // claims hand their mismatches over in boxes
    pub fn blamed(&self, mut mismatch: Box<Mismatch>) -> Failure {
        mismatch.exchange = Some(self.exchange.id);
        Failure::Mismatch(vec![*mismatch])
    }
}

/// Who the request says it is from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Key {
    /// The cell's bearer token.
    #[default]
    Cell,
    /// No authorization header.
    Absent,
    /// This token.
    Is(String),
}

/// Which API questions go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Surface {
    /// `/v1/chat/completions`.
    #[default]
    Chat,
    /// `/v1/responses`.
    Responses,
}

/// What the next request will carry.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Which API is asked.
    pub surface: Surface,
    /// Model id; `None` = not named.
    pub model: Option<String>,
    /// Parameters in order, over the cell's sampling.
    pub params: Map<String, Value>,
    /// System prompt.
    pub system: Option<String>,
    /// Messages before the question.
    pub conversation: Vec<Value>,
    /// Whether replies are streamed.
    pub streamed: bool,
    /// Whether streams are asked for usage.
    pub without_usage: bool,
    /// Extra headers.
    pub headers: Vec<(String, String)>,
    /// Authorization.
    pub key: Key,
    /// Time limit of one request.
    pub timeout: Option<Duration>,
    /// Tools offered.
    pub tools: Vec<Arc<ToolSpec>>,
    /// Whether they are offered with `strict: true`, whatever their files say.
    pub strict_tools: bool,
    /// Results by tool, in place of what its file says.
    pub scripts: Vec<(String, Vec<Return>)>,
    /// Content beside tool calls that are sent back; `None` = as it came.
    pub beside: Option<Beside>,
    /// Whether reasoning goes back with the conversation; `None` = only beside tool calls.
    pub replay_reasoning: Option<bool>,
    /// Parameters that are not sent, whoever set them.
    pub left_out: Vec<String>,
    /// The service that is asked itself, by its name; `None` = the stack.
    pub service: Option<String>,
}

/// The state of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::detached)]
pub struct World {
    cell: Option<Rc<CellContext>>,
    scenario: ScenarioId,
    asked: &'static str,
    attempt: u32,
    /// The next request.
    pub draft: Draft,
    /// Messages of the conversation so far, questions and replies.
    pub thread: Vec<Value>,
    /// How many replies there were when the conversation began.
    pub began: usize,
    /// How often tool calls of the conversation were answered.
    pub rounds: u64,
    /// All replies of the scenario in order.
    pub replies: Vec<Rc<Reply>>,
    /// How many of the last replies belong to the last When.
    pub batch: usize,
    /// Saved values.
    pub saved: BTreeMap<String, Value>,
    /// Text after the fence of the running step's doc string; cucumber's own step has no room for it.
    pub doc_media_type: Option<Arc<str>>,
    /// Whether nothing but this scenario asks the server: one at a time, on a server that we started.
    pub alone: bool,
    /// Whether a tape never answers here, so that none is asked to keep it.
    pub beyond_tapes: bool,
    /// The server's counters of tokens as they were noted, and what had been billed by then.
    pub noted: Option<(Counters, Billed)>,
    /// The counters of each service as they were noted.
    pub services_noted: Option<Noted>,
    /// How the services ended when the stack was last stopped, and how long that took in all.
    pub stopped: Option<(Vec<Gone>, Duration)>,
    /// The text of the last request for tokens.
    pub tokenized: Option<String>,
    /// What the last client said that it got or met.
    pub client: Option<ClientReport>,
    /// What stands between the scenario and the stack.
    pub(super) wire: Wire,
    billed: Cell<Billed>,
    assertions: Cell<u64>,
    made: RefCell<Vec<ExchangeId>>,
    records: RefCell<Vec<ExchangeRecord>>,
    pub(super) docket: RefCell<Docket>,
}

impl World {
    /// A world without a stack, for cucumber's own constructor; every request of it fails with a reason.
    pub(super) fn detached() -> Self {
        Self {
            cell: None,
            scenario: ScenarioId("".into()),
            asked: "text",
            attempt: 1,
            draft: Draft::default(),
            thread: Vec::new(),
            began: 0,
            rounds: 0,
            replies: Vec::new(),
            batch: 0,
            saved: BTreeMap::new(),
            doc_media_type: None,
            alone: false,
            beyond_tapes: false,
            noted: None,
            services_noted: None,
            stopped: None,
            tokenized: None,
            client: None,
            wire: Wire::default(),
            billed: Cell::default(),
            assertions: Cell::new(0),
            made: RefCell::new(Vec::new()),
            records: RefCell::new(Vec::new()),
            docket: RefCell::default(),
        }
    }

    /// The world of one attempt of a scenario, built on its worker's thread; `asked` is the role of the model that it asks.
    pub fn new(cell: Rc<CellContext>, scenario: ScenarioId, asked: &'static str, attempt: u32) -> Self {
        let mut draft = Draft { timeout: cell.sampling.timeout, ..Draft::default() };
        draft.model = usual_model(&cell.models, asked);
        let sampling = &cell.sampling;
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                draft.params.insert(key.to_owned(), value);
            }
        };
        set("temperature", sampling.temperature.map(|value| json!(value)));
        set("seed", sampling.seed.map(|value| json!(value)));
        set("max_tokens", sampling.max_tokens.map(|value| json!(value)));
        set("top_p", sampling.top_p.map(|value| json!(value)));
        for (key, value) in &sampling.extra {
            set(key, Some(value.clone()));
        }
        Self { cell: Some(cell), scenario, asked, attempt, draft, ..Self::detached() }
    }

    /// The cell's context.
    pub fn cell(&self) -> Result<&Rc<CellContext>, Failure> {
        self.cell.as_ref().ok_or_else(|| {
            Trouble::new("infra.connect", "this world has no stack: it was not built by fireassay's engine").into()
        })
    }

    /// Role of the model that is asked unless a step names another.
    pub fn asked(&self) -> &'static str {
        self.asked
    }

    /// The scenario this is the world of.
    pub fn scenario(&self) -> &ScenarioId {
        &self.scenario
    }

    /// Model id of a role, or the text itself where no role has that name.
    pub fn model_id(&self, role_or_id: &str) -> Result<String, Failure> {
        Ok(of_role(&self.cell()?.models, role_or_id).unwrap_or_else(|| role_or_id.to_owned()))
    }

    /// The last reply.
    pub fn last(&self) -> Result<&Rc<Reply>, Failure> {
        self.replies.last().ok_or_else(|| Failure::author("nothing was asked yet: this claim needs a `When` before it"))
    }

    /// The replies of the last When, oldest first.
    pub fn last_batch(&self) -> Result<&[Rc<Reply>], Failure> {
        self.last()?;
        Ok(&self.replies[self.replies.len() - self.batch.max(1).min(self.replies.len())..])
    }

    /// Fills `{{name}}` with saved values, `{{model}}` and `{{url}}`. Values are not scanned again.
    pub fn fill(&self, text: &str) -> Result<String, Failure> {
        let Some(mut from) = text.find("{{") else { return Ok(text.to_owned()) };
        let mut out = text[..from].to_owned();
        loop {
            let rest = &text[from + 2..];
            let Some(len) = rest.find("}}") else {
                out.push_str(&text[from..]);
                return Ok(out);
            };
            out.push_str(&self.saved_text(rest[..len].trim())?);
            let after = &rest[len + 2..];
            let Some(next) = after.find("{{") else {
                out.push_str(after);
                return Ok(out);
            };
            out.push_str(&after[..next]);
            from = text.len() - after.len() + next;
        }
    }

    fn saved_text(&self, name: &str) -> Result<String, Failure> {
        Ok(match self.saved_value(name)? {
            Value::String(text) => text,
            value => value.to_string(),
        })
    }

    /// The value saved under a name, or a predefined one.
    pub fn saved_value(&self, name: &str) -> Result<Value, Failure> {
        match (self.saved.get(name), name) {
            (Some(value), _) => Ok(value.clone()),
            (None, "model") => Ok(Value::String(self.draft.model.clone().unwrap_or_default())),
            (None, "url") => Ok(Value::String(self.cell()?.url.clone())),
            (None, _) => {
                if let Some(value) = self.cell.as_ref().and_then(|cell| cell.named.get(name)) {
                    return Ok(value);
                }
                let own = Named::NAMES.iter().map(|(name, _)| *name);
                let known = self.saved.keys().map(String::as_str).chain(["model", "url"]).chain(own);
                let help = crate::source::did_you_mean(name, known).unwrap_or_default();
                Err(Failure::author(format!("no value was saved as `{name}`; {help}")))
            }
        }
    }

    /// Begins a conversation with these messages.
    pub fn begin(&mut self, messages: Vec<Value>) {
        self.thread = messages;
        self.began = self.replies.len();
        self.rounds = 0;
    }

    /// Judges one claim about the last reply.
    pub fn judge(&self, claim: impl FnOnce(&Reply) -> Held) -> StepResult {
        let reply = self.last()?;
        self.claim();
        claim(reply).map_err(|mismatch| reply.blamed(mismatch))
    }

    /// Counts one evaluated claim.
    pub fn claim(&self) {
        self.assertions.set(self.assertions.get() + 1);
    }

    /// Claims evaluated so far.
    pub fn assertions(&self) -> u64 {
        self.assertions.get()
    }

    /// Tokens that all replies so far were billed for.
    pub fn billed(&self) -> Billed {
        self.billed.get()
    }

    /// Exchanges made since the last call.
    pub fn take_exchanges(&self) -> Vec<ExchangeId> {
        std::mem::take(&mut self.made.borrow_mut())
    }

    /// Evidence of all exchanges so far, taken.
    pub fn take_records(&self) -> Vec<ExchangeRecord> {
        std::mem::take(&mut self.records.borrow_mut())
    }

    /// What the wire rules found in all exchanges so far, taken.
    pub fn take_judged(&self) -> Judged {
        self.docket.take().close()
    }

    /// Services of the stack were ended or started by this scenario.
    pub(super) fn new_life(&self) {
        self.docket.borrow_mut().new_life();
    }

    /// The token that requests carry now; none where none is sent.
    pub(super) fn token(&self) -> Result<Option<String>, Failure> {
        Ok(match &self.draft.key {
            Key::Cell => match self.service()? {
                Some(service) => service.address.bearer.clone(),
                None => self.cell()?.bearer.clone(),
            },
            Key::Absent => None,
            Key::Is(token) => Some(token.clone()),
        })
    }

    /// Headers every request carries: the author's, and authorization unless an author's header replaces it.
    pub fn headers(&self) -> Result<Vec<(String, String)>, Failure> {
        let mut headers = self.draft.headers.clone();
        if let Some(token) = self.token()?
            && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        Ok(headers)
    }

    /// Sends one request without keeping its reply: for several at once. The evidence is recorded, the wire rules are held.
    pub async fn exchange(&self, request: Request) -> Result<Reply, Failure> {
        self.exchange_and_tell(request, None).await
    }

    /// As [`World::exchange`]; says when so many events of the reply have come.
    pub async fn exchange_and_tell(&self, mut request: Request, tell: Option<Tell>) -> Result<Reply, Failure> {
        let cell = self.cell()?;
        let id = ExchangeId(cell.next_exchange.fetch_add(1, Ordering::Relaxed) + 1);
        if request.timeout.is_none() {
            request.timeout = self.draft.timeout;
        }
        self.made.borrow_mut().push(id);
        cell.secrets.learn(&request);
        let url = cell.client.base().address(&request.target);
        let off_tape = |words: String| Trouble::new("infra.tape", words);
        let again = cell.rehearsal.as_ref().and_then(|rehearsal| rehearsal.reply(id, &request, url.clone()));
        if let Some(exchange) = again.transpose().map_err(off_tape)? {
            return Ok(self.recorded(cell, exchange));
        }
        let answer = cell.deck.as_ref().map_or(Ok(None), |deck| deck.reply(&request));
        if let Some(recorded) = answer.map_err(|miss| off_tape(miss.to_string()))? {
            let exchange = recorded.exchange(id, request, url);
            if let Some(rehearsal) = &cell.rehearsal {
                rehearsal.hear(&exchange);
            }
            return Ok(self.recorded(cell, exchange));
        }
        // A tape knows requests as the scenario meant them, not by which provider answers.
        let asked = cell.deck.is_some().then(|| request.clone());
        if let Some(route) = route::of(&cell.routes, &request) {
            route.apply(&mut request, cell.bearer.as_deref());
        }
        let meant = self.wire.turn(&mut request, cell.client.base())?;
        let exchange = cell.client.send_and_tell(id, request, tell).await;
        // What a fault made of a reply is not what the server said.
        let asked = asked.filter(|_| !self.wire.is_faulty() && !self.beyond_tapes);
        let exchange = meant.put_back(exchange);
        if let (Some(deck), Some(request)) = (&cell.deck, asked) {
            deck.keep(&Exchange { request, ..exchange.clone() });
        }
        Ok(self.recorded(cell, exchange))
    }

    /// Takes an exchange that somebody else made with the stack as if it were ours: numbered, recorded, judged, and the last
    /// reply from now on.
    pub fn overheard(&mut self, mut exchange: Exchange) -> StepResult {
        let cell = Rc::clone(self.cell()?);
        exchange.id = ExchangeId(cell.next_exchange.fetch_add(1, Ordering::Relaxed) + 1);
        self.made.borrow_mut().push(exchange.id);
        cell.secrets.learn(&exchange.request);
        let reply = self.recorded(&cell, exchange);
        self.replies.push(Rc::new(reply));
        Ok(())
    }

    /// The evidence of an exchange is kept, and the wire rules are held.
    fn recorded(&self, cell: &CellContext, exchange: Exchange) -> Reply {
        let reading = Reading::of(&exchange);
        let chat = reading.reply();
        cell.secrets.learn_reply(&exchange);
        let redactor = cell.secrets.redactor();
        let mask = |text: &str| redactor.text(text);
        let evidence = Evidence { scenario: &self.scenario, attempt: self.attempt, caps: Caps::default(), mask: &mask };
        self.records.borrow_mut().push(evidence.record(&exchange, chat.clocks));
        self.docket.borrow_mut().add(judgement(cell, &reading, &chat));
        self.billed.set(self.billed.get().and(&exchange, &chat));
        Reply { exchange, chat, row: Vec::new() }
    }

    /// Sends one request and keeps its reply as the last one. No connection is trouble of the test bed; no reply in time is
    /// the stack's failure; anything that came is left for the claims.
    pub async fn send(&mut self, request: Request) -> StepResult {
        let reply = self.exchange(request).await?;
        self.batch = 1;
        self.keep(reply)
    }

    /// Keeps a reply as the last one; see [`World::send`].
    pub fn keep(&mut self, reply: Reply) -> StepResult {
        let verdict = answered(&reply);
        self.replies.push(Rc::new(reply));
        verdict
    }
}

/// What the wire rules say of an exchange; its texts are evidence, so they are masked.
fn judgement(cell: &CellContext, reading: &Reading<'_>, chat: &ChatReply) -> Judgement {
    let known =
        contract::Context { key: cell.wanted_key_at(&reading.exchange.url), models: &cell.served, now: Some(SystemTime::now()) };
    let mut judgement = contract::judge(reading, chat, &known);
    let redactor = cell.secrets.redactor();
    for finding in &mut judgement.findings {
        for text in [&mut finding.found, &mut finding.right, &mut finding.excerpt] {
            *text = redactor.text(text);
        }
    }
    judgement
}

/// Whether anything came that can be judged.
pub(super) fn answered(reply: &Reply) -> StepResult {
    let End::Failed(error) = &reply.exchange.end else { return Ok(()) };
    let what = format!("{} {}", reply.exchange.request.method, reply.exchange.url);
    match error.kind {
        TransportKind::Connect => Err(Trouble::new("infra.connect", format!("{what}: {}", error.message)).into()),
        TransportKind::Timeout => {
            let mut mismatch = Mismatch::new("timeout.reply", Whose::Capability, format!("{what}: no complete reply in time"))
                .expected(format!("a reply within {:?}", reply.exchange.request.timeout.unwrap_or_default()))
                .actual(error.message.clone());
            mismatch.exchange = Some(reply.exchange.id);
            Err(mismatch.into())
        }
        TransportKind::NoReply | TransportKind::Malformed => {
            let mut mismatch =
                Mismatch::new("wire.no_reply", Whose::Wire, format!("{what}: the connection ended without a reply"))
                    .expected("an HTTP reply")
                    .actual(error.message.clone());
            mismatch.exchange = Some(reply.exchange.id);
            Err(mismatch.into())
        }
        TransportKind::NotSent => Err(Failure::author(format!("{what}: {}", error.message))),
        TransportKind::TooLong => {
            let mut mismatch = Mismatch::new("wire.too_long", Whose::Wire, format!("{what}: the reply has no end in sight"))
                .expected("a reply that ends")
                .actual(error.message.clone());
            mismatch.exchange = Some(reply.exchange.id);
            Err(mismatch.into())
        }
        // Something came; claims judge it, and say that it was cut.
        TransportKind::Truncated => Ok(()),
    }
}

/// The model of a role; the text model fills some others.
fn of_role(models: &[(String, String)], name: &str) -> Option<String> {
    let find = |name: &str| models.iter().find(|(role, _)| role == name).map(|(_, id)| id.clone());
    find(name).or_else(|| find("text").filter(|_| TEXT_ROLES.contains(&name)))
}

/// The model that a scenario asks unless a step names another.
pub(super) fn usual_model(models: &[(String, String)], asked: &str) -> Option<String> {
    let first = || models.first().map(|(_, id)| id.clone());
    of_role(models, asked).or_else(|| of_role(models, "text")).or_else(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, &str>) {
        let mut world = World::detached();
        world.draft.model = Some("m".to_owned());
        world.saved.insert("name".to_owned(), json!("Paris {{name}}"));
        world.saved.insert("count".to_owned(), json!([1, 2]));
        match (world.fill(text), expect) {
            (Ok(filled), Ok(expect)) => assert_eq!(filled, expect),
            (Err(Failure::Trouble(trouble)), Err(part)) => assert!(trouble.message.contains(part), "{}", trouble.message),
            (other, _) => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn saved_values_are_filled_in_once() {
        check("plain {text}", Ok("plain {text}"));
        check("in {{name}}!", Ok("in Paris {{name}}!"));
        check("{{ count }}{{model}}", Ok("[1,2]m"));
        check("open {{name", Ok("open {{name"));
        check("{{nmae}}", Err("did you mean `name`"));
    }

    #[test]
    fn a_world_without_a_stack_says_so() {
        assert!(matches!(World::detached().cell(), Err(Failure::Trouble(_))));
        assert!(matches!(World::detached().last(), Err(Failure::Trouble(trouble)) if trouble.kind == "author.step"));
    }
}

//! What all scenarios of a cell share: [`CellContext`].

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::route::{self, Route};
use super::services::Services;
use crate::plan::{Named, Sampling};
use crate::spec::{ProfileSpec, ToolSpec};
use crate::stack::client::Clients;
use crate::tape::{Deck, Rehearsal};
use crate::wire::{Client, Secrets};

/// What all scenarios of a cell share on one worker thread.
pub struct CellContext {
    /// The worker's own client; its base address is the stack's.
    pub client: Client,
    /// Base address, for `{{url}}`.
    pub url: String,
    /// Bearer token sent unless a scenario says otherwise.
    pub bearer: Option<String>,
    /// Model id by role.
    pub models: Vec<(String, String)>,
    /// Defaults of every request.
    pub sampling: Sampling,
    /// Values that scenarios may name.
    pub named: Named,
    /// Clients that may be asked for work; `None` where no scenario asks one.
    pub clients: Option<Arc<Clients>>,
    /// Tools that may be offered.
    pub tools: Arc<Vec<Arc<ToolSpec>>>,
    /// What is known of the server, where the setup has a profile.
    pub profile: Option<Arc<ProfileSpec>>,
    /// Whether we started the server, so that nobody else asks it.
    pub ours: bool,
    /// How many scenarios may run at once.
    pub concurrency: u32,
    /// Path that answers health.
    pub health: String,
    /// The tape that answers, or on which replies are kept.
    pub deck: Option<Arc<Deck>>,
    /// What gives the replies of a scenario again, one of them changed.
    pub rehearsal: Option<Rc<Rehearsal>>,
    /// Numbers exchanges, shared by all workers.
    pub next_exchange: Arc<AtomicU64>,
    /// What must not be written.
    pub secrets: Secrets,
    /// The key that the stack is known to want; `None` where it wants none or nobody knows.
    pub wanted_key: Option<String>,
    /// Ids of the models that the stack has; empty where nobody knows.
    pub served: Vec<String>,
    /// Where requests of a composed stack go; none for a stack of one.
    pub routes: Vec<Route>,
    /// The services of a stack of ours.
    pub services: Services,
}

impl CellContext {
    /// The key that is known to be wanted at an address: a service's own, a provider's, else the stack's.
    pub(super) fn wanted_key_at(&self, url: &str) -> Option<&str> {
        let of_service = self.services.at(url).map(|service| &service.wanted_key);
        let of_route = || self.routes.iter().find(|route| route::is_below(url, &route.url)).map(|route| &route.wanted_key);
        of_service.or_else(of_route).unwrap_or(&self.wanted_key).as_deref()
    }
}

impl std::fmt::Debug for CellContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CellContext").field("url", &self.url).field("models", &self.models).finish_non_exhaustive()
    }
}

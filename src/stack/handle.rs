//! A running stack: [`Stack`].

use std::path::PathBuf;
use std::sync::Arc;

use super::StackError;
use crate::event::StackPhase;
use crate::spec::SetupSpec;
use crate::spec::files::Project;

/// Where things go and how patient we are.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Cache folder (`FIREASSAY_CACHE`, else the platform's).
    pub cache: PathBuf,
    /// Folder of the run record; service logs are written to `logs/NAME.log` in it.
    pub record: PathBuf,
    /// Source of `assets/…`.
    pub project: Project,
}

/// Called with a phase and one line for people; may be called often (download progress).
pub type Progress = Arc<dyn Fn(StackPhase, &str) + Send + Sync>;

/// A position in the service logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogMark(pub u64);

/// A stack that answers.
#[derive(Debug)]
pub struct Stack {}

impl Stack {
    /// Provisions, starts in order, waits until ready and warm, and knows who answers.
    pub async fn up(
        _setup: &SetupSpec,
        _models: &[(String, String)],
        _options: &StackOptions,
        _progress: Progress,
    ) -> Result<Self, StackError> {
        unimplemented!("written by the stack room")
    }

    /// Attaches to a stack that runs already: identity and model list, no life.
    pub async fn attach(_url: &str, _bearer: Option<String>, _setup: &SetupSpec) -> Result<Self, StackError> {
        unimplemented!("written by the stack room")
    }

    /// Base address without trailing slash and without `/v1`.
    pub fn url(&self) -> &str {
        unimplemented!("written by the stack room")
    }

    /// Bearer token for requests; made for this run, or the author's.
    pub fn bearer(&self) -> Option<&str> {
        unimplemented!("written by the stack room")
    }

    /// Server name and version as reported or provisioned.
    pub fn server(&self) -> &str {
        unimplemented!("written by the stack room")
    }

    /// Models as listed by the server.
    pub fn models(&self) -> &[String] {
        unimplemented!("written by the stack room")
    }

    /// Where the logs stand now.
    pub fn log_mark(&self) -> LogMark {
        unimplemented!("written by the stack room")
    }

    /// Log lines since a mark, at most `cap` bytes (head and tail).
    pub fn log_since(&self, _mark: LogMark, _cap: usize) -> String {
        unimplemented!("written by the stack room")
    }

    /// Whether every service of ours still lives; the error names the one that died, with its log's tail.
    pub fn alive(&mut self) -> Result<(), StackError> {
        unimplemented!("written by the stack room")
    }

    /// Stops and starts the services again on the same ports (after a destructive scenario); attached stacks: no-op.
    pub async fn restart(&mut self, _progress: Progress) -> Result<(), StackError> {
        unimplemented!("written by the stack room")
    }

    /// Stops in reverse order; `hurry` caps the grace at 2 s. Verifies that ports are closed and groups are gone.
    pub async fn down(self, _hurry: bool, _progress: Progress) -> Result<(), StackError> {
        unimplemented!("written by the stack room")
    }
}

//! Real client libraries at work: provisioned like a server, one process for each task, under the guardian.
//!
//! A client is told what to do by a JSON file and answers with one ([`Clients::run`]). What it says on its output is log.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::guardian::Guardian;
use super::logs::Logs;
use super::process::{Launch, Process, describe};
use super::provision::{Provisioned, provision};
use super::scratch::Scratch;
use super::service::last_words;
use super::{Progress, StackError, StackOptions, fill};
use crate::spec::ClientSpec;
use crate::wire::Secrets;

/// Bytes of output that go into an error.
const SHOWN: usize = 4000;

/// Clients that are ready for work. Fields are dropped in this order: scratch, guardian.
#[derive(Debug)]
pub struct Clients {
    ready: Vec<(Arc<ClientSpec>, Provisioned)>,
    tasks: AtomicU64,
    secrets: Secrets,
    scratch: Scratch,
    guardian: Guardian,
}

impl Clients {
    /// Provisions clients; `None` without any. `secrets` are masked in what they say. **Errors**: `infra.provision`.
    pub async fn prepare(
        wanted: &[Arc<ClientSpec>],
        options: &StackOptions,
        secrets: Secrets,
        progress: &Progress,
    ) -> Result<Option<Self>, StackError> {
        if wanted.is_empty() {
            return Ok(None);
        }
        let mut ready = Vec::new();
        for client in wanted {
            ready.push((Arc::clone(client), provision(client.provision.as_ref(), options, progress).await?));
        }
        let guardian = Guardian::start()?;
        Ok(Some(Self { ready, tasks: AtomicU64::new(0), secrets, scratch: Scratch::create(&guardian)?, guardian }))
    }

    /// Starts a client with this input and waits for what it writes. **Errors**: `infra.client`: it cannot be started, fails,
    /// takes too long, or writes no JSON; with the end of its output.
    pub async fn run(&self, name: &str, input: &Value) -> Result<Value, StackError> {
        let Some((client, provisioned)) = self.ready.iter().find(|(client, _)| client.name == name) else {
            return Err(StackError::client(format!("the client `{name}` was not made ready")));
        };
        let folder = self.scratch.path().join(self.tasks.fetch_add(1, Ordering::Relaxed).to_string());
        let (given, wanted) = (folder.join("input.json"), folder.join("output.json"));
        let disk = |error: std::io::Error| StackError::client(format!("cannot write {}: {error}", given.display()));
        std::fs::create_dir_all(&folder).map_err(disk)?;
        std::fs::write(&given, input.to_string()).map_err(disk)?;
        let logs = Logs::create(None, self.secrets.clone())?;
        let launch = launch(client, provisioned, &given, &wanted, &folder)?;
        let mut process = Process::spawn(&launch, &self.guardian, &logs)?;
        let ended = tokio::time::timeout(client.within.0, process.wait()).await;
        // Whatever it left behind ends with it.
        process.stop(Signal::SIGKILL, Duration::ZERO).await?;
        let said = logs.since(0, SHOWN);
        let failed = |what: String| StackError::client(format!("the client `{name}` {what}")).with_detail(said.clone());
        let status = ended.map_err(|_| failed(format!("did not end within {}", client.within)))?;
        let output = std::fs::read(&wanted);
        if !status.success() {
            return Err(failed(format!("ended with {}; last words: {}", describe(status), last_words(&said))));
        }
        let output = output.map_err(|_| failed("ended well but wrote no `<output>`".to_owned()))?;
        let output: Value = serde_json::from_slice(&output).map_err(|error| failed(format!("wrote no JSON: {error}")))?;
        if !output.is_object() {
            return Err(failed(format!("wrote {output}; it must write an object")));
        }
        Ok(output)
    }
}

fn launch(
    client: &ClientSpec,
    provisioned: &Provisioned,
    input: &Path,
    output: &Path,
    folder: &Path,
) -> Result<Launch, StackError> {
    let value = |placeholder: &str| match placeholder {
        "input" => Some(input.display().to_string()),
        "output" => Some(output.display().to_string()),
        other => provisioned.placeholder(other),
    };
    let filled = |text: &str| {
        fill::fill(text, &value)
            .map_err(|missing| StackError::client(format!("`{missing}` has no value in the client `{}`", client.name)))
    };
    let words = client.command.iter().map(|word| filled(word)).collect::<Result<_, _>>()?;
    let mut env = Vec::new();
    for (key, text) in &client.env {
        env.push((key.clone(), Some(filled(text)?).filter(|value| !value.is_empty())));
    }
    Ok(Launch { name: client.name.clone(), words, env, folder: Some(folder.to_owned()) })
}

//! How a run is asked to end early: [`Control`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use tokio_util::sync::CancellationToken;

/// Two stages: `finish` starts nothing new, `abort` also stops what runs. Signals and `--fail-fast` use it.
#[derive(Debug, Clone, Default)]
pub struct Control {
    finish: CancellationToken,
    abort: CancellationToken,
    signal: Arc<AtomicI32>,
}

impl Control {
    /// Nothing asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a signal: the first asks to finish, the second to abort.
    pub fn signalled(&self, signal: i32) {
        self.signal.store(signal, Ordering::Relaxed);
        if self.finish.is_cancelled() {
            self.abort.cancel();
        }
        self.finish.cancel();
    }

    /// Asks to stop everything now, not because of a signal.
    pub fn abort(&self) {
        self.finish.cancel();
        self.abort.cancel();
    }

    /// The signal that came, if one did.
    pub fn signal(&self) -> Option<i32> {
        Some(self.signal.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
    }

    /// Cancelled when nothing new may start.
    pub fn finishing(&self) -> &CancellationToken {
        &self.finish
    }

    /// Cancelled when what runs must stop.
    pub fn aborting(&self) -> &CancellationToken {
        &self.abort
    }

    /// A control of one cell: ends with this one, and can be ended alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { finish: self.finish.child_token(), abort: self.abort.child_token(), signal: Arc::clone(&self.signal) }
    }
}

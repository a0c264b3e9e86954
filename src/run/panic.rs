//! Our own bugs: a panic in a step becomes `errored: internal` with its place, instead of a line in the middle of the output.

use std::cell::{Cell, RefCell};

thread_local! {
    static IN_STEP: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the process-wide hook once: panics inside a step are kept for its report, all others are printed as ever.
pub fn install_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if IN_STEP.get() {
            let place = info.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
            LAST.set(Some(place));
        } else {
            before(info);
        }
    }));
}

/// Marks that this thread is inside a step while `poll` runs.
pub(super) fn inside<T>(poll: impl FnOnce() -> T) -> T {
    let was = IN_STEP.replace(true);
    let out = poll();
    IN_STEP.set(was);
    out
}

/// Place of the last panic on this thread, taken.
pub(super) fn place() -> Option<String> {
    IN_STEP.set(false);
    LAST.take()
}

/// The words of a panic payload.
pub(super) fn words(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

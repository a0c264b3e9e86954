//! `fireassay tapes show`: what a tape is of, what was asked, and one exchange whole.

use std::collections::BTreeMap;

use super::find::{self, Numbered};
use crate::cli::args::ShowTapeArgs;
use crate::cli::exit::Exit;
use crate::cli::{reels, terminal};
use crate::tape::{Content, Edits, Ending, Recorded, Tape};
use crate::wire::{Reading, text_of};

pub(super) fn show(args: &ShowTapeArgs) -> Exit {
    // A file that was changed is shown as it is, and said to be edited.
    let tape = match find::load(&args.tape, Edits::Accepted) {
        Ok(tape) => tape,
        Err(exit) => return exit,
    };
    let Some(wanted) = &args.exchange else {
        terminal::out(&head(&tape));
        terminal::out(&list(&tape, &find::exchanges(&tape, "")));
        return Exit::Accepted;
    };
    match find::exchanges(&tape, wanted)[..] {
        [] => find::nothing(&tape, wanted),
        [(_, name, recorded)] => {
            terminal::out(&whole(&tape, name, recorded));
            Exit::Accepted
        }
        ref several => {
            terminal::out(&list(&tape, several));
            Exit::Accepted
        }
    }
}

/// What a tape is of.
fn head(tape: &Tape) -> String {
    let manifest = tape.manifest();
    let pairs =
        |of: &BTreeMap<String, String>| of.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ");
    let bytes: usize = tape.exchanges().map(|(_, recorded)| recorded.body.len()).sum();
    let edited: Vec<&str> = manifest.edited.iter().map(String::as_str).collect();
    let rows = [
        ("cell", manifest.cell.clone()),
        ("server", manifest.server.clone()),
        ("models", pairs(&manifest.models)),
        ("weights", pairs(&manifest.weights)),
        ("profile", manifest.profile.clone().unwrap_or_default()),
        ("key", if manifest.keyed { "requests carry one" } else { "" }.to_owned()),
        ("recorded", format!("{}, {}, by fireassay {}", manifest.recorded, reels::ago(manifest), manifest.fireassay)),
        ("volatile", manifest.volatile.join(", ")),
        ("exchanges", format!("{}, replies of {:.1} KiB", manifest.exchanges.len(), bytes as f64 / 1024.0)),
        ("edited", edited.join(", ")),
    ];
    let rows = rows.iter().filter(|(_, value)| !value.is_empty());
    let rows: String = rows.map(|(name, value)| format!("  {name:<9}  {}\n", plain(value))).collect();
    format!("{}\n{rows}\n", tape.place())
}

/// A line for each exchange: number, method, path, status, bytes, events, time, key, what is asked.
fn list(tape: &Tape, exchanges: &[Numbered<'_>]) -> String {
    let line = |&(number, name, recorded): &Numbered<'_>| {
        let head = &recorded.head;
        let status = head.status.map_or_else(|| "–".to_owned(), |status| status.to_string());
        let events = Reading::of(&recorded.reply()).stream.map(|stream| format!("{} events", stream.events.len()));
        let edited = if tape.manifest().edited.contains(name) { "  edited by hand" } else { "" };
        format!(
            "{number:>5}  {}  {status}  {:>7} B  {:>10}  {:>9}  {}{edited}\n",
            &head.key[..8],
            recorded.body.len(),
            events.unwrap_or_default(),
            time(head.took_us),
            plain(&recorded.line()),
        )
    };
    exchanges.iter().map(line).collect()
}

/// One exchange, request and reply.
fn whole(tape: &Tape, name: &str, recorded: &Recorded) -> String {
    let head = &recorded.head;
    let edited = if tape.manifest().edited.contains(name) { ", edited by hand" } else { "" };
    let mut text = format!("{name}, key {}{edited}\n\n{} {}\n", head.key, head.method, head.path);
    let headers =
        |headers: &[(String, String)]| headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<String>();
    text.push_str(&headers(&head.request_headers));
    if let Some(credentials) = &head.credentials {
        text.push_str(&format!("({credentials} in place of the right key)\n"));
    }
    if let Some(read) = &head.read {
        text.push_str(&format!("(read: {read})\n"));
    }
    if let Some(content) = &head.request {
        let shown = match content {
            Content::Json(value) => format!("{value:#}"),
            Content::Text(text) => text.clone(),
            Content::Base64(text) => format!("(in base64) {text}"),
        };
        text.push_str(&format!("\n{shown}\n"));
    }
    let status = head.status.map_or_else(|| "no reply".to_owned(), |status| status.to_string());
    let first = head.head_us.map_or_else(String::new, |us| format!(", its head after {}", time(us)));
    text.push_str(&format!("\n→ {status} in {}{first}\n{}", time(head.took_us), headers(&head.headers)));
    let reads = head.chunks.split(' ').filter(|read| !read.is_empty()).count();
    text.push_str(&format!("({} bytes in {reads} reads)\n", recorded.body.len()));
    match &head.end {
        Ending::Complete => {}
        Ending::HungUp => text.push_str("(then the client hung up)\n"),
        Ending::Failed(kind, message) => text.push_str(&format!("(then it failed: {kind}: {message})\n")),
    }
    let body = serde_json::from_slice::<serde_json::Value>(&recorded.body);
    let body = body.map_or_else(|_| text_of(&recorded.body).trim_end().to_owned(), |value| format!("{value:#}"));
    if !body.is_empty() {
        text.push_str(&format!("\n{body}\n"));
    }
    plain(&text)
}

/// A text that does nothing to a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// `312 µs`, `1.2 ms`, `3.45 s`.
fn time(us: u64) -> String {
    match us {
        0..1000 => format!("{us} µs"),
        1000..1_000_000 => format!("{:.1} ms", us as f64 / 1e3),
        _ => format!("{:.2} s", us as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_texts_are_shown_plainly() {
        assert_eq!([time(312), time(1_234), time(3_450_000)], ["312 µs", "1.2 ms", "3.45 s"]);
        assert_eq!(plain("a\u{1b}[31m\tb\n"), "a\u{fffd}[31m\tb\n");
    }
}

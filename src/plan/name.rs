//! Names that reports and gates rely on: slugs, class names, scenario names.
//!
//! A name is made of what the author wrote (title, row content, parameters), never of a row's number, a host or the time, so
//! that inserting a row renames nothing. Classname parts are `[a-z0-9_-]`; dots only separate.

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::event::slug;

/// Longest value inside ` [key=value]`. **Units**: characters.
const LONGEST_VALUE: usize = 40;

/// Longest name of a scenario. **Units**: bytes.
const LONGEST_NAME: usize = 250;

/// The slug of a feature or case file: its path below `features/SUITE/` or `cases/SUITE/`, without extension.
pub(super) fn file_slug(suite: &str, file: &str) -> String {
    let file = file.strip_prefix("builtin:").unwrap_or(file);
    let folder = file.rfind('/').map_or(0, |slash| slash + 1);
    let file = file.rfind('.').filter(|&dot| dot > folder).map_or(file, |dot| &file[..dot]);
    let mut parts: Vec<&str> = file.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    if parts.len() > 1 && matches!(parts[0], "features" | "cases") {
        parts.remove(0);
        if parts.len() > 1 && parts[0] == suite {
            parts.remove(0);
        }
    }
    slug(&parts.join("/"))
}

/// A scenario's name: title, then the pairs, cut to size; what is cut off is kept as a hash.
pub(super) fn scenario(title: &str, pairs: &[(&str, &str)]) -> Arc<str> {
    let mut name = one_line(title);
    let mut cut = name != title.trim();
    let mut separator = " [";
    for (key, value) in pairs {
        let flat = one_line(value);
        let short = flat.char_indices().nth(LONGEST_VALUE).map_or(flat.as_str(), |(at, _)| &flat[..at]);
        cut |= short != value.trim();
        name.push_str(separator);
        let _infallible = write!(name, "{key}={short}");
        separator = ",";
    }
    if separator == "," {
        name.push(']');
    }
    if cut || name.len() > LONGEST_NAME {
        let mut whole = Sha256::new();
        whole.update(title);
        for (key, value) in pairs {
            whole.update([0]);
            whole.update(key);
            whole.update([0]);
            whole.update(value);
        }
        name = bounded(&name, &format!(" ~{}", hex8(&whole.finalize())));
    }
    name.into()
}

/// The name of a repeat of a scenario; the first keeps the plain name, so that asking for repeats renames nothing.
pub(super) fn repeat(name: &Arc<str>, number: u32) -> Arc<str> {
    if number <= 1 {
        return name.clone();
    }
    let tail = format!(" [repeat={number}]");
    if name.len() + tail.len() <= LONGEST_NAME {
        return format!("{name}{tail}").into();
    }
    bounded(name, &format!(" ~{}{tail}", hex8(&Sha256::digest(&**name)))).into()
}

/// A name cut between characters so that it fits with its tail.
fn bounded(name: &str, tail: &str) -> String {
    let room = (LONGEST_NAME - tail.len()).min(name.len());
    format!("{}{tail}", &name[..name.floor_char_boundary(room)])
}

/// Runs of white space and control characters as one space: a name stands in an XML attribute and on one terminal line.
fn one_line(text: &str) -> String {
    if !text.contains(|c: char| c.is_control()) {
        return text.trim().to_owned();
    }
    text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn hex8(digest: &[u8]) -> String {
    digest.iter().take(4).fold(String::new(), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_the_path_below_the_suite() {
        for (suite, file, expect) in [
            ("base", "features/base/stream.feature", "stream"),
            ("base", "builtin:features/base/chat/first.feature", "chat-first"),
            ("base", "features/other/a.b.feature", "other-a_b"),
            ("base", "cases/base/capitals.yaml", "capitals"),
            ("(files)", "features/base/stream.feature", "base-stream"),
            ("(files)", "my tests/x.feature", "my-tests-x"),
            ("(files)", "/tmp/x.feature", "tmp-x"),
            ("base", "features/base.feature", "base"),
            ("base", "./x", "x"),
        ] {
            assert_eq!(file_slug(suite, file), expect, "{file}");
        }
    }

    #[test]
    fn names_are_made_of_content_and_keep_to_their_size() {
        assert_eq!(&*scenario("capital of France", &[]), "capital of France");
        assert_eq!(&*scenario("right tool", &[("city", "Paris"), ("n", "2")]), "right tool [city=Paris,n=2]");
        assert_eq!(&*repeat(&scenario("t", &[("a", "b")]), 2), "t [a=b] [repeat=2]");
        let long = "x".repeat(41);
        let one = scenario("t", &[("a", &long)]);
        assert!(one.starts_with(&format!("t [a={}] ~", "x".repeat(40))), "{one}");
        assert_ne!(one, scenario("t", &[("a", &format!("{long}y"))]));
        let wide = repeat(&scenario(&"é".repeat(300), &[("a", "b")]), 3);
        assert!(wide.len() <= LONGEST_NAME && wide.ends_with(" [repeat=3]"), "{wide}");
        assert_ne!(scenario("a\nb", &[]), scenario("a b", &[]));
        assert!(!scenario("a\u{1b}[31m\nb", &[("k", "v\tw")]).contains(char::is_control));
    }
}

//! Names that outside readers can key on: [`slug`] for ids and paths, [`bounded_name`] for titles.

use sha2::{Digest, Sha256};

/// Longest title in bytes that every JUnit reader keeps.
const NAME_LIMIT: usize = 250;

/// An id part of `[a-z0-9_-]`: ASCII in lower case, runs of anything else as one `-`, dots as `_` (a dot separates the parts of
/// a class name). Never empty and never ambiguous for want of letters: text without any becomes `x` and eight hex digits of its
/// hash. Ids of features come from their file's path, not from a title.
pub fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'a'..='z' | '0'..='9' | '_' => out.push(c),
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            '.' => out.push('_'),
            _ if out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    let plain = out.trim_matches('-');
    if plain.bytes().any(|byte| byte.is_ascii_alphanumeric()) { plain.to_owned() } else { format!("x{}", short_hash(text)) }
}

/// A title of at most 250 bytes: a longer one is cut between characters and ends in ` ~` and eight hex digits of its hash, so
/// that two long titles stay two.
pub fn bounded_name(name: &str) -> String {
    if name.len() <= NAME_LIMIT {
        return name.to_owned();
    }
    let cut = name.floor_char_boundary(NAME_LIMIT - 10);
    format!("{} ~{}", &name[..cut], short_hash(name))
}

fn short_hash(text: &str) -> String {
    let hash = format!("{:x}", Sha256::digest(text.as_bytes()));
    hash[..8].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(slug(text), expect, "{text:?}");
    }

    #[test]
    fn slugs_are_lower_case_ascii_and_never_empty() {
        check("base", "base");
        check("Tool Calling", "tool-calling");
        check("features/base/chat", "features-base-chat");
        check("gpt-4.1", "gpt-4_1");
        check("--a  b--", "a-b");
        check("snake_case", "snake_case");
        check("été 2", "t-2");
        check("東京", "x130016b2");
        check("", "xe3b0c442");
        check("___", "xbda25155");
        assert_ne!(slug("東京"), slug("大阪"));
    }

    #[test]
    fn long_names_are_cut_between_characters_and_stay_apart() {
        assert_eq!(bounded_name("short"), "short");
        let (one, two) = (format!("{}1", "é".repeat(200)), format!("{}2", "é".repeat(200)));
        assert!(bounded_name(&one).len() <= NAME_LIMIT, "{}", bounded_name(&one).len());
        assert_ne!(bounded_name(&one), bounded_name(&two));
        assert_eq!(bounded_name(&"x".repeat(NAME_LIMIT)), "x".repeat(NAME_LIMIT));
    }
}

//! `provision:` of a setup or of a client: files in parts, and the placeholders of what is made of them.

use std::sync::LazyLock;

use regex::Regex;

use super::Checks;
use crate::source::did_you_mean;
use crate::spec::setup::{MOST_PARTS, PackageFile, Provision, of_part};

/// What a provisioning command may mention.
const MAKE_WORDS: [&str; 4] = ["python", "assets", "files", "out"];

/// Checks what is fetched and made; `code` is for placeholders that nobody fills in.
pub(super) fn check(checks: &mut Checks<'_>, code: &'static str, provision: Option<&Provision>) {
    for (at, file) in provision.iter().flat_map(|provision| &provision.files).enumerate() {
        check_parts(checks, &format!("/provision/files/{at}"), file);
    }
    for (at, step) in provision.iter().flat_map(|provision| &provision.make).enumerate() {
        for (word, text) in step.run.iter().enumerate() {
            plain(checks, code, &format!("/provision/make/{at}/run/{word}"), text, &MAKE_WORDS);
        }
    }
}

/// Every `<word>` of a text must be one of those that are known there.
pub(super) fn plain(checks: &mut Checks<'_>, code: &'static str, pointer: &str, text: &str, known: &[&str]) {
    for placeholder in unknown(text, known) {
        refuse(checks, code, pointer, placeholder.whole, known);
    }
}

/// A file in parts names each of them; one that is whole names none.
fn check_parts(checks: &mut Checks<'_>, pointer: &str, file: &PackageFile) {
    let numbered = |text: &str| of_part(text, 1) != text;
    match file.parts {
        Some(parts) if !(1..=MOST_PARTS).contains(&parts) => {
            let message = format!("a file comes in 1 to {MOST_PARTS} parts");
            checks.at_value("provision/parts", &format!("{pointer}/parts"), message, None);
        }
        Some(_) if !numbered(&file.package) => {
            let help = "write `<part>` where the part's number stands".to_owned();
            checks.at_value("provision/parts", &format!("{pointer}/package"), "every part would be the same package", Some(help));
        }
        None if numbered(&file.package) || numbered(&file.path) => {
            let help = "say how many there are: `parts: 22`".to_owned();
            checks.at_value("provision/parts", &format!("{pointer}/package"), "`<part>` of how many?", Some(help));
        }
        _ => {}
    }
}

/// A `<word>`, or `<word:service>`.
pub(super) struct Placeholder<'a> {
    /// As it stands in the text.
    pub whole: &'a str,
    /// The word alone.
    pub word: &'a str,
    /// The service that it is about.
    pub service: Option<&'a str>,
}

/// The placeholders of a text that are not plainly one of those that are known.
pub(super) fn unknown<'a>(text: &'a str, known: &[&str]) -> Vec<Placeholder<'a>> {
    static PLACEHOLDER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("<([A-Za-z][A-Za-z_-]*)(?::([^<>]*))?>").expect("a valid expression"));
    let all = PLACEHOLDER.captures_iter(text).map(|found| Placeholder {
        whole: found.get_match().as_str(),
        word: found.get(1).expect("the word is there").as_str(),
        service: found.get(2).map(|service| service.as_str()),
    });
    all.filter(|one| one.service.is_some() || !known.contains(&one.word)).collect()
}

/// Says that a placeholder stays as it is, and which one may have been meant.
pub(super) fn refuse(checks: &mut Checks<'_>, code: &'static str, pointer: &str, whole: &str, known: &[&str]) {
    let known: Vec<String> = known.iter().map(|word| format!("<{word}>")).collect();
    let help = did_you_mean(whole, known.iter().map(String::as_str));
    checks.at_part(code, pointer, whole, format!("`{whole}` is not filled in here"), help);
}

//! Claims about several replies.

use super::text::{Form, has};
use super::{Held, Said, broken, counted};
use crate::event::Whose;

const KIND: &str = "assert.compare";

/// All replies have the same text; white space around it is ignored. Needs two replies with text.
pub fn all_same(replies: &[Said<'_>]) -> Held {
    let claim = if replies.len() == 2 { "both replies are the same" } else { "all replies are the same" };
    comparable(replies, claim)?;
    if replies.iter().all(|said| said.text.trim() == replies[0].text.trim()) {
        return Ok(());
    }
    broken(KIND, Whose::Capability, claim, "the same text in every reply", listed(replies))
}

/// At least two of the replies differ.
pub fn not_all_same(replies: &[Said<'_>]) -> Held {
    let claim = "not all replies are the same";
    comparable(replies, claim)?;
    if replies.iter().any(|said| said.text.trim() != replies[0].text.trim()) {
        return Ok(());
    }
    broken(KIND, Whose::Capability, claim, "at least two texts that differ", listed(replies))
}

/// Each reply mentions the text that belongs to it. **Whose**: model.
pub fn each_mentions(replies: &[(Said<'_>, &str)]) -> Held {
    let wrong: Vec<String> = replies
        .iter()
        .enumerate()
        .filter(|(_, (said, wanted))| has(said, Form::Mentions(wanted)).is_err())
        .map(|(at, (said, wanted))| format!("reply {} does not mention \"{wanted}\": {}", at + 1, said.shown()))
        .collect();
    if wrong.is_empty() && !replies.is_empty() {
        return Ok(());
    }
    let message = format!("each reply mentions its text: {} of {} do not", wrong.len(), replies.len());
    let whose = if replies.iter().all(|(said, _)| said.is_reply()) { Whose::Model } else { Whose::Capability };
    let expected = replies.iter().enumerate().map(|(at, (_, wanted))| format!("reply {}: \"{wanted}\"", at + 1));
    broken(KIND, whose, message, expected.collect::<Vec<_>>().join("\n"), wrong.join("\n"))
}

/// Two replies at least, and text in each: an error equals an error, and proves nothing.
fn comparable(replies: &[Said<'_>], claim: &str) -> Held {
    let good = replies.len() >= 2 && replies.iter().all(|said| said.is_reply() && !said.text.trim().is_empty());
    if good {
        return Ok(());
    }
    let actual =
        if replies.len() < 2 { counted(replies.len() as u64, "reply").replace("replys", "replies") } else { listed(replies) };
    broken(KIND, Whose::Capability, claim, "two or more replies with text", actual)
}

fn listed(replies: &[Said<'_>]) -> String {
    replies.iter().enumerate().map(|(at, said)| format!("reply {}: {}", at + 1, said.shown())).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(texts: &[&str], same: bool, differ: bool) {
        let replies: Vec<Said<'_>> = texts.iter().map(|text| Said::plain(text)).collect();
        assert_eq!((all_same(&replies).is_ok(), not_all_same(&replies).is_ok()), (same, differ), "{texts:?}");
    }

    #[test]
    fn both_directions() {
        check(&["a", "a ", "a"], true, false);
        check(&["a", "a", "b"], false, true);
        check(&["a"], false, false);
        check(&["", ""], false, false);
        check(&[], false, false);
    }

    #[test]
    fn each_reply_has_its_own_text() {
        let pair = |text, wanted| (Said::plain(text), wanted);
        assert!(each_mentions(&[pair("It is Paris", "paris"), pair("Rome", "Rome")]).is_ok());
        let wrong = each_mentions(&[pair("It is Paris", "paris"), pair("Oslo", "Rome")]).expect_err("Oslo is not Rome");
        assert_eq!(wrong.actual.as_deref(), Some("reply 2 does not mention \"Rome\": Oslo"));
        assert!(each_mentions(&[]).is_err());
    }
}

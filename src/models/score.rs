//! Which model is the best for an intent, here? A score out of 100 whose parts are shown, and the reason for each that is out.

use super::memory::amount;
use crate::spec::models::Intent;

/// A model that could be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Name of the catalogue, or of the server or store that has it.
    pub name: String,
    /// What it is taken for, the first before all; empty where nobody says.
    pub intents: Vec<Intent>,
    /// What it can do; empty where nobody says.
    pub abilities: Vec<String>,
    /// Number of parameters, where known.
    pub parameters: Option<f64>,
    /// Memory that has to be free for it, where known and where it would be ours. **Units**: bytes.
    pub wanted: Option<u64>,
    /// Whether it is here already, or served.
    pub here: bool,
    /// Whether a server that runs already has it, so that it takes no memory of ours.
    pub served: bool,
    /// Whether its licence has to be accepted first.
    pub gated: Option<bool>,
    /// Why fireassay cannot bring it by itself, where so, with what would.
    pub out_of_reach: Option<String>,
}

/// The parts of a score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// Up to 40: made for the intent.
    pub intent: u32,
    /// Up to 25: its parameters.
    pub size: u32,
    /// Up to 25: here already.
    pub here: u32,
    /// Up to 10: nothing to accept first.
    pub free: u32,
}

impl Score {
    /// Out of 100.
    pub fn total(self) -> u32 {
        self.intent + self.size + self.here + self.free
    }
}

/// What the reason of a model begins with that lacks the ability.
pub const CANNOT: &str = "cannot do ";

/// Scores a candidate; the error is why it is out. **Units** of `budget`: bytes.
pub fn score(candidate: &Candidate, intent: Intent, budget: u64) -> Result<Score, String> {
    if !candidate.abilities.is_empty() && !candidate.abilities.iter().any(|ability| ability == intent.ability()) {
        return Err(format!("{CANNOT}`{}`", intent.ability()));
    }
    if let Some(why) = &candidate.out_of_reach {
        return Err(why.clone());
    }
    if !candidate.served {
        match candidate.wanted {
            Some(wanted) if wanted > budget => {
                return Err(format!("needs {} of memory, the budget is {}", amount(wanted), amount(budget)));
            }
            Some(_) => {}
            None => return Err("nobody states its size".to_owned()),
        }
    }
    Ok(Score {
        intent: match candidate.intents.iter().position(|one| *one == intent) {
            Some(0) => 40,
            Some(_) => 30,
            None if candidate.intents.is_empty() => 20,
            None => 10,
        },
        size: candidate.parameters.map_or(0, size),
        here: if candidate.here { 25 } else { 10 },
        free: match candidate.gated {
            Some(false) => 10,
            None => 5,
            Some(true) => 0,
        },
    })
}

/// Five points for each doubling twice over 32 million parameters.
fn size(parameters: f64) -> u32 {
    let points = 2.5 * (parameters / 32e6).log2();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded on both sides")]
    let points = points.clamp(0.0, 25.0).round() as u32;
    points
}

/// Candidates with their scores, the best first, then those that are out.
pub fn ranked(candidates: Vec<Candidate>, intent: Intent, budget: u64) -> Vec<(Candidate, Result<Score, String>)> {
    let mut all: Vec<_> =
        candidates.into_iter().map(|one| (score(&one, intent, budget), one)).map(|(score, one)| (one, score)).collect();
    // Equal scores keep the order in which they were found.
    all.sort_by_key(|(_, score)| std::cmp::Reverse(score.as_ref().ok().map(|score| score.total())));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str) -> Candidate {
        Candidate {
            name: name.to_owned(),
            intents: vec![Intent::Chat],
            abilities: vec!["chat".to_owned()],
            parameters: Some(135e6),
            wanted: Some(1 << 30),
            here: false,
            served: false,
            gated: Some(false),
            out_of_reach: None,
        }
    }

    #[track_caller]
    fn check(candidate: &Candidate, intent: Intent, expect: Result<u32, &str>) {
        let found = score(candidate, intent, 2 << 30).map(Score::total);
        assert_eq!(found, expect.map_err(str::to_owned));
    }

    #[test]
    fn parts_add_up_and_reasons_are_given() {
        let one = candidate("a");
        check(&one, Intent::Chat, Ok(40 + 5 + 10 + 10));
        check(&Candidate { here: true, parameters: Some(8e9), ..one.clone() }, Intent::Chat, Ok(40 + 20 + 25 + 10));
        check(&one, Intent::Code, Ok(10 + 5 + 10 + 10));
        check(&one, Intent::Vision, Err("cannot do `vision`"));
        check(
            &Candidate { wanted: Some(3 << 30), ..one.clone() },
            Intent::Chat,
            Err("needs 3.0 GiB of memory, the budget is 2.0 GiB"),
        );
        check(&Candidate { wanted: None, ..one.clone() }, Intent::Chat, Err("nobody states its size"));
        check(&Candidate { wanted: None, served: true, ..one.clone() }, Intent::Chat, Ok(65));
        check(&Candidate { out_of_reach: Some("ollama pull a".to_owned()), ..one.clone() }, Intent::Chat, Err("ollama pull a"));
        let unknown = Candidate { intents: Vec::new(), abilities: Vec::new(), parameters: None, gated: None, ..one };
        check(&unknown, Intent::Vision, Ok(20 + 10 + 5));
    }

    #[test]
    fn the_best_comes_first_and_those_that_are_out_last() {
        let out = Candidate { wanted: None, ..candidate("out") };
        let here = Candidate { here: true, ..candidate("here") };
        let names: Vec<String> = ranked(vec![out, candidate("a"), candidate("b"), here], Intent::Chat, 2 << 30)
            .into_iter()
            .map(|(one, _)| one.name)
            .collect();
        assert_eq!(names, ["here", "a", "b", "out"]);
    }
}

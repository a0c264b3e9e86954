//! Names near a misspelt one.

/// The candidates nearest to `word`, best first, at most `limit`, with no bound on the distance.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, limit: usize) -> Vec<&'a str> {
    let lower = word.to_lowercase();
    let mut scored: Vec<(usize, &str)> = candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .collect();
    scored.sort_unstable();
    scored.truncate(limit);
    scored.into_iter().map(|(_, candidate)| candidate).collect()
}

/// `did you mean `x`?` where a candidate is close.
pub fn meant<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let best = nearest(word, candidates, 1).into_iter().next()?;
    is_near(word, best).then(|| format!("did you mean `{best}`?"))
}

/// More names than this are not listed whole, but only the nearest few.
const MANY: usize = 16;
const FEW: usize = 12;

/// `did you mean `x`?` where a candidate is close, else what is allowed.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if candidates.is_empty() {
        return None;
    }
    if let Some(near) = meant(word, candidates.iter().copied()) {
        return Some(near);
    }
    let shown = if candidates.len() > MANY { nearest(word, candidates.iter().copied(), FEW) } else { candidates.clone() };
    let list: Vec<String> = shown.iter().map(|candidate| format!("`{candidate}`")).collect();
    let more =
        if candidates.len() > shown.len() { format!(" and {} more", candidates.len() - shown.len()) } else { String::new() };
    Some(format!("known here: {}{more}", list.join(", ")))
}

/// Whether a word may be a misspelt form of a name.
pub fn is_near(word: &str, name: &str) -> bool {
    let distance = strsim::damerau_levenshtein(&word.to_lowercase(), &name.to_lowercase());
    distance <= reach(word) && distance < name.chars().count()
}

/// How many letters may be wrong in a word that is still meant: a third, but one to three. A part of a long name is another name.
fn reach(word: &str) -> usize {
    (word.chars().count() / 3).clamp(1, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_offered_and_a_far_one_lists_what_is_known() {
        assert_eq!(did_you_mean("sutie", ["suite", "setup"]).as_deref(), Some("did you mean `suite`?"));
        assert_eq!(did_you_mean("xyzzy", ["suite", "setup"]).as_deref(), Some("known here: `suite`, `setup`"));
        assert_eq!(did_you_mean("x", std::iter::empty()), None);
        let many: Vec<String> = (10..30).map(|number| format!("setup-{number}")).collect();
        let shown = did_you_mean("xyzzy", many.iter().map(String::as_str)).unwrap();
        assert!(shown.starts_with("known here: `setup-10`, ") && shown.ends_with("`setup-21` and 8 more"), "{shown}");
        assert_eq!(did_you_mean("acceptance", ["accepting"]).as_deref(), Some("did you mean `accepting`?"));
        assert_eq!(did_you_mean("LAB_MODEL_TOKEN", ["LAB_MODEL_URL"]).as_deref(), Some("known here: `LAB_MODEL_URL`"));
    }
}

//! Version bounds of profile entries: `<=b9999`, `>=0.32.2`.

/// Whether a reported version meets a bound; an unknown version does not.
pub(super) fn meets(bound: &str, version: &str) -> bool {
    let bound = bound.trim();
    let split = bound.find(|c: char| !"<>=!".contains(c)).unwrap_or(bound.len());
    let (operator, wanted) = bound.split_at(split);
    let odd = !wanted.trim_start().starts_with(|c: char| c.is_ascii_alphanumeric());
    let (wanted, found) = (numbers(wanted), numbers(version));
    if odd || wanted.is_empty() || found.is_empty() {
        return false;
    }
    match operator {
        "<" => found < wanted,
        "<=" => found <= wanted,
        ">" => found > wanted,
        ">=" => found >= wanted,
        "" | "=" | "==" => found == wanted,
        _ => false,
    }
}

/// The numbers of the first word that has digits: `llama.cpp (xllamacpp 2026.10.11549)` → 2026, 10, 11549.
fn numbers(text: &str) -> Vec<u64> {
    text.split(|c: char| c.is_whitespace() || "()".contains(c))
        .find(|word| word.contains(|c: char| c.is_ascii_digit()))
        .into_iter()
        .flat_map(|word| word.split(|c: char| !c.is_ascii_digit()))
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::meets;

    #[test]
    fn bounds_compare_numbers() {
        for (bound, version, expect) in [
            ("<=b9999", "b9999", true),
            ("<=b9999", "b10000", false),
            (">=0.32.2", "mlx-lm 0.32.10", true),
            ("<2026.11", "llama.cpp (xllamacpp 2026.10.11549)", true),
            ("<=1.0", "unknown", false),
            ("~1", "1", false),
        ] {
            assert_eq!(meets(bound, version), expect, "{bound} {version}");
        }
    }
}

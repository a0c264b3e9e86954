//! Claims that a JSON value fits a schema.

use super::json_path::{Subject, pretty};
use super::{Held, broken, counted};
use crate::schema::Schema;

const KIND: &str = "assert.schema";

/// Faults that are listed; the rest is counted.
const SHOWN: usize = 20;

/// The value fits; every fault is listed with its place.
pub fn fits(subject: &Subject<'_>, schema: &Schema) -> Held {
    let faults = schema.validate(subject.value);
    let Some(first) = faults.first() else { return Ok(()) };
    let more =
        if faults.len() > 1 { format!(" (and {})", counted(faults.len() as u64 - 1, "more fault")) } else { String::new() };
    let message = format!("{} fits the schema: {first}{more}", subject.name);
    let mut lines: Vec<String> = faults.iter().take(SHOWN).map(ToString::to_string).collect();
    if faults.len() > SHOWN {
        lines.push(format!("… and {} more", faults.len() - SHOWN));
    }
    lines.push(format!("in: {}", pretty(subject.value)));
    broken(KIND, subject.whose, message, "JSON that fits the schema", lines.join("\n"))
}

/// The value does not fit.
pub fn does_not_fit(subject: &Subject<'_>, schema: &Schema) -> Held {
    if !schema.fits(subject.value) {
        return Ok(());
    }
    let message = format!("{} does not fit the schema", subject.name);
    broken(KIND, subject.whose, message, "JSON that does not fit the schema", pretty(subject.value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::Whose;

    #[test]
    fn both_directions_with_all_faults() {
        let schema = Schema::compile(&json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"maxLength": 1}}}))
            .expect("good");
        let (good, bad) = (json!({"a": 1}), json!({"a": "x", "b": "yy"}));
        let subject = |value| Subject { value, name: "the reply", whose: Whose::Model };
        assert!(fits(&subject(&good), &schema).is_ok());
        assert!(does_not_fit(&subject(&good), &schema).is_err());
        assert!(does_not_fit(&subject(&bad), &schema).is_ok());
        let mismatch = fits(&subject(&bad), &schema).expect_err("two faults");
        let actual = mismatch.actual.expect("faults are listed");
        assert!(actual.contains("/a") && actual.contains("/b"), "{actual}");
        assert!(mismatch.message.contains("1 more fault"), "{}", mismatch.message);
    }
}

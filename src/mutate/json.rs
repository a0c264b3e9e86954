//! A sheet for programs.
//!
//! **Shape**: `{operators, killed, survived, false_alarms, not_exercised, score, cell, …, contracts: […], by_operator: […],
//! by_scenario: […], rows: […]}`. The counts on top are those of the first contract; `rows` are the changes that were not
//! noticed, held against a legal reply, or could not be judged.

use serde_json::{Value, json};

use super::fate::Fate;
use super::groups::changes;
use super::sheet::{Counts, Row, Sheet, Tried};

/// Lines of each reply's difference.
const LINES: usize = 20;

/// A sheet as JSON.
pub fn json(sheet: &Sheet) -> Value {
    let first = sheet.counts(0, |_| true);
    let not_exercised: Vec<&str> = sheet.not_exercised().iter().map(|operator| operator.id).collect();
    json!({
        "operators": sheet.operators.len(),
        "killed": first.killed,
        "survived": first.survived,
        "false_alarms": first.false_alarms,
        "not_exercised": not_exercised.len(),
        "score": first.score(),
        "cell": sheet.cell,
        "server": sheet.server,
        "recorded": sheet.recorded,
        "changes": sheet.rows.len(),
        "contracts": per_contract(sheet, |_| true),
        "operators_not_exercised": not_exercised,
        "vacuous": places(&sheet.vacuous()),
        "idle_claims": places(&sheet.idle_claims()),
        "untouched": sheet.untouched().iter().map(|(tried, reason)| {
            let mut place = scenario(tried);
            place["reason"] = json!(reason);
            place
        }).collect::<Vec<_>>(),
        "by_operator": sheet.operators.iter().map(|operator| json!({
            "operator": operator.id,
            "family": operator.family.word(),
            "expect": operator.expect.word(),
            "rules": operator.rules,
            "what": operator.what,
            "contracts": per_contract(sheet, |row| row.operator.id == operator.id),
        })).collect::<Vec<_>>(),
        "by_scenario": sheet.scenarios.iter().enumerate().map(|(number, tried)| {
            let mut place = scenario(tried);
            place["outcomes"] = tried.outcomes.iter().map(|outcome| outcome.word()).collect();
            place["exchanges"] = json!(tried.replies.len());
            place["contracts"] = per_contract(sheet, |row| row.scenario == number);
            place
        }).collect::<Vec<_>>(),
        "rows": sheet.rows.iter().filter(|row| row.fates.iter().copied().any(is_told)).map(|row| told(sheet, row)).collect::<Vec<_>>(),
    })
}

fn is_told(fate: Fate) -> bool {
    matches!(fate, Fate::Survived | Fate::FalseAlarm | Fate::Errored)
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Killed { .. } => "killed",
        Fate::Survived => "survived",
        Fate::Granted => "granted",
        Fate::Moot => "moot",
        Fate::Passed => "passed",
        Fate::FalseAlarm => "false alarm",
        Fate::Errored => "errored",
    }
}

fn told(sheet: &Sheet, row: &Row) -> Value {
    let mut place = scenario(&sheet.scenarios[row.scenario]);
    place["exchange"] = json!(row.exchange + 1);
    place["operator"] = json!(row.operator.id);
    let fates = sheet.contracts.iter().zip(&row.fates);
    place["fates"] = fates.map(|(contract, fate)| (contract.word().to_owned(), json!(word(*fate)))).collect();
    place["failed"] = json!(row.words);
    place["difference"] = json!(changes(sheet, row, LINES));
    place
}

fn scenario(tried: &Tried) -> Value {
    json!({"scenario": tried.name, "file": tried.at.file, "line": tried.at.line})
}

fn places(list: &[&Tried]) -> Vec<Value> {
    list.iter().map(|tried| scenario(tried)).collect()
}

fn per_contract(sheet: &Sheet, which: impl Fn(&Row) -> bool) -> Value {
    let counts = |(number, contract): (usize, &crate::plan::Contract)| {
        let counts = sheet.counts(number, &which);
        let Counts { killed, survived, granted, moot, passed, false_alarms, errored } = counts;
        json!({"contract": contract.word(), "killed": killed, "survived": survived, "granted": granted, "moot": moot, "errored": errored,
            "passed": passed, "false_alarms": false_alarms, "score": counts.score()})
    };
    sheet.contracts.iter().enumerate().map(counts).collect()
}

//! Rows of a sheet under what they have in common, for all who show it: [`Group`] by operator, with an example.

use super::difference;
use super::fate::Fate;
use super::operator::Operator;
use super::sheet::{Row, Sheet};

/// What became of one operator's changes alike.
#[derive(Debug)]
pub(super) struct Group<'s> {
    pub(super) operator: &'static Operator,
    pub(super) rows: Vec<&'s Row>,
}

/// Rows with this fate under any contract, by operator, in the order of the table.
pub(super) fn groups(sheet: &Sheet, fate: Fate) -> Vec<Group<'_>> {
    let mut rows: Vec<&Row> = sheet.of(fate).collect();
    let mut groups = Vec::new();
    for operator in sheet.operators.iter().copied() {
        let (mine, rest): (Vec<&Row>, Vec<&Row>) = rows.into_iter().partition(|row| row.operator.id == operator.id);
        rows = rest;
        if !mine.is_empty() {
            groups.push(Group { operator, rows: mine });
        }
    }
    groups
}

/// Where a row stands: file, line, name of the scenario, number of the exchange from 1.
pub(super) fn place(sheet: &Sheet, row: &Row) -> String {
    let tried = &sheet.scenarios[row.scenario];
    format!("{}:{} {} (exchange {} of {})", tried.at.file, tried.at.line, tried.name, row.exchange + 1, tried.replies.len())
}

/// How the changed reply of a row differs.
pub(super) fn changes(sheet: &Sheet, row: &Row, most: usize) -> Vec<String> {
    sheet.changed(row).map(|(before, after)| difference::lines(before, &after, most)).unwrap_or_default()
}

/// The words of the contracts under which a row has this fate.
pub(super) fn under(sheet: &Sheet, row: &Row, fate: Fate) -> Vec<&'static str> {
    let with = sheet.contracts.iter().zip(&row.fates).filter(|(_, known)| **known == fate);
    with.map(|(contract, _)| contract.word()).collect()
}

/// A share in per cent.
pub(super) fn percent(score: Option<f64>) -> String {
    // Rounded down: what is not all is not shown as all.
    score.map_or_else(|| "–".to_owned(), |score| format!("{:.1} %", (score * 10.0).floor() / 10.0))
}

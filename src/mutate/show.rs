//! A sheet for people at a terminal, and as Markdown.

use super::fate::Fate;
use super::groups::{Group, changes, groups, percent, place, under};
use super::operator::Family;
use super::sheet::{Counts, Sheet, Tried};

/// How much is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// Examples of each operator that was not noticed.
    pub examples: usize,
    /// Lines of each reply's difference.
    pub lines: usize,
    /// As Markdown.
    pub markdown: bool,
}

impl Shown {
    /// One example of each.
    pub const SHORT: Self = Self { examples: 1, lines: 6, markdown: false };
}

/// A sheet as text.
pub fn render(sheet: &Sheet, shown: Shown) -> String {
    let mut out = Page { text: String::new(), markdown: shown.markdown };
    let exchanges: usize = sheet.scenarios.iter().map(|tried| tried.replies.len()).sum();
    out.title(&format!("Would {} notice?", sheet.cell));
    out.line(&format!("{}, recorded {}", sheet.server, sheet.recorded));
    let (operators, changes) = (sheet.operators.len(), sheet.rows.len());
    out.line(&format!(
        "{operators} operators, {exchanges} exchanges of {} scenarios, {changes} changed replies",
        sheet.scenarios.len()
    ));
    contracts(sheet, &mut out);
    families(sheet, &mut out);
    list(sheet, shown, "Survived", Fate::Survived, &mut out);
    list(sheet, shown, "False alarms", Fate::FalseAlarm, &mut out);
    list(sheet, shown, "Could not be judged", Fate::Errored, &mut out);
    let idle = sheet.not_exercised();
    if !idle.is_empty() {
        let ids: Vec<&str> = idle.iter().map(|operator| operator.id).collect();
        out.title(&format!("Not exercised ({})", ids.len()));
        out.line(&ids.join(", "));
    }
    scenarios(&sheet.vacuous(), "Vacuous scenarios: no change of any reply makes them fail", &mut out);
    scenarios(&sheet.idle_claims(), "Idle claims: no change makes a claim fail, only rules of the wire notice", &mut out);
    let untouched = sheet.untouched();
    if !untouched.is_empty() {
        out.title(&format!("Not touched ({})", untouched.len()));
        for (tried, reason) in untouched {
            out.item(&format!("{}:{} {}: {reason}", tried.at.file, tried.at.line, tried.name));
        }
    }
    out.text
}

fn contracts(sheet: &Sheet, out: &mut Page) {
    let head = ["contract", "killed", "survived", "granted", "moot", "not judged", "legal", "false alarms", "score"];
    let row = |(number, contract): (usize, &crate::plan::Contract)| {
        let counts = sheet.counts(number, |_| true);
        let Counts { killed, survived, granted, moot, passed, false_alarms, errored } = counts;
        let numbers = [killed, survived, granted, moot, errored, passed, false_alarms].map(|count| count.to_string());
        [vec![contract.word().to_owned()], numbers.to_vec(), vec![percent(counts.score())]].concat()
    };
    out.table(&head, &sheet.contracts.iter().enumerate().map(row).collect::<Vec<_>>());
}

fn families(sheet: &Sheet, out: &mut Page) {
    let mut head = vec!["family".to_owned(), "operators".to_owned()];
    for contract in &sheet.contracts {
        let word = contract.word();
        head.extend(["killed", "missed", "score"].map(|column| format!("{word}: {column}")));
    }
    head.push("false alarms".to_owned());
    let mut rows = Vec::new();
    for family in Family::ALL {
        let operators = sheet.operators.iter().filter(|operator| operator.family == family).count();
        let all: Vec<Counts> =
            (0..sheet.contracts.len()).map(|number| sheet.counts(number, |row| row.operator.family == family)).collect();
        if operators == 0 {
            continue;
        }
        let mut row = vec![family.word().to_owned(), operators.to_string()];
        for counts in &all {
            row.extend([counts.killed.to_string(), counts.missed().to_string(), percent(counts.score())]);
        }
        row.push(all.iter().map(|counts| counts.false_alarms).max().unwrap_or(0).to_string());
        rows.push(row);
    }
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    out.table(&head, &rows);
}

fn list(sheet: &Sheet, shown: Shown, title: &str, fate: Fate, out: &mut Page) {
    let groups = groups(sheet, fate);
    if groups.is_empty() {
        return;
    }
    let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
    out.title(&format!("{title} ({rows} of {} operators)", groups.len()));
    for Group { operator, rows } in groups {
        let rules = if operator.rules.is_empty() { String::new() } else { format!(" · {}", operator.rules.join(" ")) };
        out.item(&format!("{} · {} · {} times{rules}", out.code(operator.id), operator.what, rows.len()));
        for row in rows.iter().take(shown.examples) {
            let contracts = under(sheet, row, fate);
            let of =
                if contracts.len() < sheet.contracts.len() { format!(", under {}", contracts.join(", ")) } else { String::new() };
            out.below(&format!("{}{of}", place(sheet, row)));
            if fate != Fate::Survived && !row.words.is_empty() {
                out.below(&row.words);
            }
            out.block(&changes(sheet, row, shown.lines));
        }
    }
}

fn scenarios(list: &[&Tried], title: &str, out: &mut Page) {
    if list.is_empty() {
        return;
    }
    out.title(&format!("{title} ({})", list.len()));
    for tried in list {
        out.item(&format!("{}:{} {}", tried.at.file, tried.at.line, tried.name));
    }
}

/// Text of one of the two forms.
struct Page {
    text: String,
    markdown: bool,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push_str(if self.markdown { "  \n" } else { "\n" });
    }

    fn title(&mut self, title: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        let title = match (self.markdown, self.text.is_empty()) {
            (true, true) => format!("# {title}\n\n"),
            (true, false) => format!("{gap}## {title}\n\n"),
            (false, _) => format!("{gap}{title}\n"),
        };
        self.text.push_str(&title);
    }

    fn code(&self, word: &str) -> String {
        if self.markdown { format!("`{word}`") } else { word.to_owned() }
    }

    fn item(&mut self, line: &str) {
        let mark = if self.markdown { "- " } else { "  " };
        self.text.push_str(&format!("{mark}{line}\n"));
    }

    fn below(&mut self, line: &str) {
        let mark = if self.markdown { "  - " } else { "      " };
        self.text.push_str(&format!("{mark}{line}\n"));
    }

    fn block(&mut self, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        if self.markdown {
            self.text.push_str("\n    ```diff\n");
        }
        for line in lines {
            let indent = if self.markdown { "    " } else { "        " };
            self.text.push_str(&format!("{indent}{line}\n"));
        }
        if self.markdown {
            self.text.push_str("    ```\n\n");
        }
    }

    /// The first column to the left, numbers to the right.
    fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.text.push('\n');
        if self.markdown {
            self.text.push_str(&format!("| {} |\n", head.join(" | ")));
            let lines: Vec<&str> = (0..head.len()).map(|column| if column == 0 { ":--" } else { "--:" }).collect();
            self.text.push_str(&format!("| {} |\n", lines.join(" | ")));
            for row in rows {
                self.text.push_str(&format!("| {} |\n", row.join(" | ")));
            }
            return;
        }
        let head: Vec<String> = head.iter().map(|word| (*word).to_owned()).collect();
        let wide = |column: usize| {
            rows.iter().chain([&head]).filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(wide).collect();
        for row in std::iter::once(&head).chain(rows) {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            self.text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            self.text.push('\n');
        }
    }
}

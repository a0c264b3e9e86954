//! Which files hold the cases? `NAME.xml`, and `NAME-p2.xml` … where one would be too large for its readers.

use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, Utc};

use super::JunitProfile;
use super::case::{Case, Counters, Said, Verdict, scenario_case};
use super::cell::{SuiteHead, begin, suite_head, unfinished_cases, whole};
use super::xml::{CaseRenderer, SuiteBody, render_file};
use crate::report::cause::closed_kind;
use crate::report::file::{ReportError, Staged, remove_file};
use crate::report::summary::RunSummary;

/// Cases that every reader takes in one file.
const CASE_LIMIT: u64 = 5000;
/// Bytes that every reader takes in one file.
const BYTE_LIMIT: usize = 24_000_000;
/// Server logs in one suite. **Units**: bytes.
const ERR_LIMIT: usize = 1024 * 1024;

/// Writes the run as JUnit and returns the files, first one first. The first file gets its name last: where it is, all are.
pub fn write_junit(summary: &RunSummary, path: &Path, profile: JunitProfile) -> Result<Vec<PathBuf>, ReportError> {
    let heads: Vec<SuiteHead> = summary.cells.iter().map(|cell| suite_head(summary, cell)).collect();
    let run = SuiteHead {
        name: "fireassay".to_owned(),
        took_us: summary.took_us(),
        timestamp: begin(summary).map(|begin| begin.to_rfc3339_opts(SecondsFormat::Millis, true)),
        ..SuiteHead::default()
    };
    let mut parts = Parts {
        path,
        profile,
        renderer: CaseRenderer::new(profile),
        run: &run,
        suites: Vec::new(),
        cases: 0,
        bytes: 0,
        staged: Vec::new(),
    };
    let begin = begin(summary);
    for (cell, head) in summary.cells.iter().zip(&heads) {
        let mut err_room = ERR_LIMIT;
        parts.open(head);
        for scenario in &cell.scenarios {
            parts.push(head, &scenario_case(scenario, begin, &mut err_room))?;
        }
        for case in unfinished_cases(summary, cell) {
            parts.push(head, &case)?;
        }
    }
    parts.finish()
}

/// Writes one error case, for a run that ended before it had scenarios: no older green file survives it.
pub fn write_error_junit(path: &Path, kind: &str, message: &str) -> Result<PathBuf, ReportError> {
    remove_stale(path)?;
    let head = SuiteHead {
        name: "fireassay".to_owned(),
        id: "fireassay".to_owned(),
        timestamp: Some(Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)),
        ..SuiteHead::default()
    };
    let kind = closed_kind(kind).unwrap_or("infra.other");
    let first = message.lines().find(|line| !line.trim().is_empty()).unwrap_or("the run did not happen");
    let case = whole("fireassay.run", "(the run did not happen)", Verdict::Error(Said::new(kind, first, message)));
    let mut counters = Counters::default();
    counters.add(&case.verdict);
    // What the strict profile admits, every reader admits.
    let suite = SuiteBody { head: &head, counters, cases: CaseRenderer::new(JunitProfile::Strict).render(&case).to_vec() };
    stage(path, &head, vec![suite], JunitProfile::Strict)?.name()
}

/// Removes the file and its further parts, so that no report of an earlier run is taken for this one's.
pub fn remove_stale(path: &Path) -> Result<(), ReportError> {
    remove_file(path)?;
    remove_parts_from(path, 2)
}

fn remove_parts_from(path: &Path, first: usize) -> Result<(), ReportError> {
    for number in first.. {
        if !remove_file(&part_path(path, number))? {
            break;
        }
    }
    Ok(())
}

/// `out/junit.xml`, `out/junit-p2.xml`, ….
fn part_path(path: &Path, number: usize) -> PathBuf {
    if number == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map_or_else(String::new, |extension| format!(".{}", extension.to_string_lossy()));
    path.with_file_name(format!("{stem}-p{number}{extension}"))
}

/// The part that is being filled, and those that are written.
struct Parts<'a> {
    path: &'a Path,
    profile: JunitProfile,
    renderer: CaseRenderer,
    run: &'a SuiteHead,
    suites: Vec<SuiteBody<'a>>,
    cases: u64,
    bytes: usize,
    staged: Vec<Staged>,
}

impl<'a> Parts<'a> {
    fn open(&mut self, head: &'a SuiteHead) {
        self.suites.push(SuiteBody { head, counters: Counters::default(), cases: Vec::new() });
    }

    fn push(&mut self, head: &'a SuiteHead, case: &Case<'_>) -> Result<(), ReportError> {
        let length = self.renderer.render(case).len();
        if self.cases == CASE_LIMIT || (self.cases > 0 && self.bytes + length > BYTE_LIMIT) {
            self.close()?;
            self.open(head);
        }
        self.cases += 1;
        self.bytes += length;
        let suite = self.suites.last_mut().expect("a suite is open while cases are pushed");
        suite.counters.add(&case.verdict);
        suite.cases.extend_from_slice(self.renderer.rendered());
        Ok(())
    }

    fn close(&mut self) -> Result<(), ReportError> {
        let path = part_path(self.path, self.staged.len() + 1);
        let suites = std::mem::take(&mut self.suites);
        self.staged.push(stage(&path, self.run, suites, self.profile)?);
        (self.cases, self.bytes) = (0, 0);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<PathBuf>, ReportError> {
        self.close()?;
        remove_parts_from(self.path, self.staged.len() + 1)?;
        let mut paths = Vec::new();
        for staged in self.staged.into_iter().rev() {
            paths.push(staged.name()?);
        }
        paths.reverse();
        Ok(paths)
    }
}

fn stage(path: &Path, run: &SuiteHead, suites: Vec<SuiteBody<'_>>, profile: JunitProfile) -> Result<Staged, ReportError> {
    let pieces = render_file(run, suites, profile);
    Staged::write(path, |file| pieces.iter().try_for_each(|piece| file.write_all(piece)))
}

//! What does a page of metrics say? Prometheus' text format, version 0.0.4 → [`Page`]: its samples, and every line that is none.
//!
//! Written here because the readers that there are pass bad lines over, or stop at the first: a page is judged by its bad lines,
//! at their places. A page that ends with `# EOF` is OpenMetrics, which may have exemplars and times with fractions.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A page of metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page<'a> {
    /// In the order of the page.
    pub samples: Vec<Sample<'a>>,
    /// What cannot be read, in the order of the page.
    pub faults: Vec<Fault>,
    kinds: HashMap<&'a str, &'a str>,
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample<'a> {
    /// Name of the metric.
    pub name: &'a str,
    /// Name with labels, as written.
    pub series: &'a str,
    /// Value.
    pub value: f64,
}

/// A line that is no line of the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands in the page.
    pub bytes: Range<usize>,
    /// What is wrong with it.
    pub what: &'static str,
}

const KINDS: &[&str] = &["counter", "gauge", "histogram", "summary", "untyped"];
const OPEN_KINDS: &[&str] = &["unknown", "info", "stateset", "gaugehistogram"];

impl<'a> Page<'a> {
    /// Reads a page. **Source**: Prometheus, exposition formats, "Text format details".
    pub fn read(text: &'a str) -> Self {
        let open = text.trim_end().ends_with("# EOF");
        let mut page = Self::default();
        let mut seen = HashSet::new();
        let mut at = 0;
        for whole in text.split_inclusive('\n') {
            let line = whole.strip_suffix('\n').unwrap_or(whole);
            if let Err(what) = page.line(line, open, &mut seen) {
                page.faults.push(Fault { bytes: at..at + line.len(), what });
            }
            at += whole.len();
        }
        page
    }

    /// Sum of a metric over all its labels; `None` where the page does not have it.
    pub fn sum(&self, name: &str) -> Option<f64> {
        let mut values = self.samples.iter().filter(|sample| sample.name == name).map(|sample| sample.value);
        values.next().map(|first| values.fold(first, |sum, value| sum + value))
    }

    /// What only grows: counters, what is called `…_total` without a kind, and the counts of histograms.
    pub fn counters(&self) -> impl Iterator<Item = &Sample<'a>> {
        self.samples.iter().filter(|sample| self.grows(sample.name))
    }

    fn grows(&self, name: &str) -> bool {
        let counts = || ["_bucket", "_count"].iter().filter_map(|ending| name.strip_suffix(ending));
        match self.kinds.get(name) {
            Some(kind) => *kind == "counter",
            // OpenMetrics declares a counter without its ending.
            None => {
                name.ends_with("_total")
                    || counts().any(|histogram| self.kinds.get(histogram).is_some_and(|kind| *kind == "histogram"))
            }
        }
    }

    fn line(&mut self, line: &'a str, open: bool, seen: &mut HashSet<&'a str>) -> Result<(), &'static str> {
        let text = line.trim_matches(BLANK);
        if text.is_empty() {
            return Ok(());
        }
        if let Some(comment) = text.strip_prefix('#') {
            return self.comment(comment.trim_start_matches(BLANK), open);
        }
        let sample = sample(text, open)?;
        if !seen.insert(sample.series) {
            return Err("the same series twice");
        }
        self.samples.push(sample);
        Ok(())
    }

    fn comment(&mut self, text: &'a str, open: bool) -> Result<(), &'static str> {
        let mut words = text.split(BLANK).filter(|word| !word.is_empty());
        match words.next() {
            Some("HELP") => match words.next() {
                Some(name) if is_name(name) => Ok(()),
                _ => Err("a HELP line without the name of a metric"),
            },
            Some("TYPE") => match (words.next().filter(|name| is_name(name)), words.next(), words.next()) {
                (Some(name), Some(kind), None) if KINDS.contains(&kind) || open && OPEN_KINDS.contains(&kind) => {
                    if self.kinds.insert(name, kind).is_some() {
                        Err("a second TYPE line for the same metric")
                    } else if self.samples.iter().any(|sample| sample.name == name) {
                        Err("a TYPE line after a sample of its metric")
                    } else {
                        Ok(())
                    }
                }
                _ => Err("a TYPE line without a name and one of counter, gauge, histogram, summary, untyped"),
            },
            _ => Ok(()),
        }
    }
}

/// What may stand between the parts of a line.
const BLANK: [char; 2] = [' ', '\t'];

const NO_SAMPLE: &str = "a line that is no sample";

fn sample(text: &str, open: bool) -> Result<Sample<'_>, &'static str> {
    let end = text.find(|c: char| !is_of_name(c)).unwrap_or(text.len());
    let name = &text[..end];
    if !is_name(name) {
        return Err(NO_SAMPLE);
    }
    let rest = text[end..].trim_start_matches(BLANK);
    let rest = rest.strip_prefix('{').map_or(Ok(rest), labels)?;
    let series = text[..text.len() - rest.len()].trim_end_matches(BLANK);
    let rest = if open { rest.split_once(" # {").map_or(rest, |(before, _)| before) } else { rest };
    let mut words = rest.split(BLANK).filter(|word| !word.is_empty());
    let value = words.next().ok_or(NO_SAMPLE)?.parse().map_err(|_| "a value that is no number")?;
    let timely = |time: &str| if open { time.parse::<f64>().is_ok() } else { time.parse::<i64>().is_ok() };
    if words.next().is_some_and(|time| !timely(time)) || words.next().is_some() {
        return Err("more than a value and a time");
    }
    Ok(Sample { name, series, value })
}

/// Reads labels behind their opening brace; what is left behind the closing one.
fn labels(mut text: &str) -> Result<&str, &'static str> {
    const BAD: &str = "labels that cannot be read";
    loop {
        text = text.trim_start_matches(BLANK);
        if let Some(rest) = text.strip_prefix('}') {
            return Ok(rest);
        }
        let (name, rest) = text.split_once('=').ok_or(BAD)?;
        let name = name.trim_end_matches(BLANK);
        let value = rest.trim_start_matches(BLANK).strip_prefix('"').ok_or(BAD)?;
        if !is_name(name) || name.contains(':') {
            return Err(BAD);
        }
        let rest = &value[quoted(value).ok_or(BAD)?..].trim_start_matches(BLANK);
        text = match rest.strip_prefix(',') {
            Some(more) => more,
            None if rest.starts_with('}') => rest,
            None => return Err(BAD),
        };
    }
}

/// Length of a quoted text with its closing quote; `\\`, `\"` and `\n` are its escapes.
fn quoted(text: &str) -> Option<usize> {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some(at + 1),
            '\\' if !matches!(chars.next(), Some((_, '\\' | '"' | 'n'))) => return None,
            _ => {}
        }
    }
    None
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_of_name) && !text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: Result<(&str, &str, f64), &str>) {
        let page = Page::read(line);
        let faults: Vec<&str> = page.faults.iter().map(|fault| fault.what).collect();
        match expect {
            Ok((name, series, value)) => {
                assert_eq!(faults, [""; 0], "{line}");
                let found: Vec<_> = page.samples.iter().map(|sample| (sample.name, sample.series)).collect();
                assert_eq!(found, [(name, series)], "{line}");
                let is = page.samples[0].value;
                assert!(is.total_cmp(&value).is_eq() || is.is_nan() && value.is_nan(), "{line}: {is}");
            }
            Err(what) => assert!(faults.len() == 1 && faults[0].contains(what), "{line}: {faults:?}"),
        }
    }

    #[test]
    fn samples_are_read_as_the_format_has_them() {
        check("a:b_total 3\n", Ok(("a:b_total", "a:b_total", 3.0)));
        check("a 1.5e+03 1395066363000", Ok(("a", "a", 1500.0)));
        check("  a\t-1 ", Ok(("a", "a", -1.0)));
        check("a{} 1", Ok(("a", "a{}", 1.0)));
        check(r#"a{b="c",d="e}\" \\ \n",} +Inf"#, Ok(("a", r#"a{b="c",d="e}\" \\ \n",}"#, f64::INFINITY)));
        check(r#"a { b = "c d" } NaN"#, Ok(("a", r#"a { b = "c d" }"#, f64::NAN)));
        check("a 1 # {id=\"x\"} 1 1.5\n# EOF\n", Ok(("a", "a", 1.0)));
        check("a 1 1.5\n# EOF", Ok(("a", "a", 1.0)));
    }

    #[test]
    fn what_is_no_sample_is_said() {
        check("<html>", Err("no sample"));
        check("1a 1", Err("no sample"));
        check("a", Err("no sample"));
        check("a = 1", Err("a value that is no number"));
        check("a one hundred", Err("a value that is no number"));
        check("a 1\r\n", Err("a value that is no number"));
        check("a 1 2 3", Err("more than"));
        check("a 1 1.5", Err("more than"));
        check("a 1 # {id=\"x\"} 1", Err("more than"));
        check("a{b=c} 1", Err("labels"));
        check("a{b=\"c} 1", Err("labels"));
        check("a{b=\"\\t\"} 1", Err("labels"));
        check("a{b=\"c\" d=\"e\"} 1", Err("labels"));
        check("a{b=\"c\"}", Err("no sample"));
        check("a{b:c=\"d\"} 1", Err("labels"));
        check("a{b=\"1\"} 1\na{b=\"2\"} 1\na{b=\"1\"} 2", Err("twice"));
        check("# TYPE a number", Err("TYPE"));
        check("# TYPE a counter\n# TYPE a counter", Err("second TYPE"));
        check("a 1\n# TYPE a counter", Err("after a sample"));
        check("# HELP", Err("HELP"));
    }

    #[test]
    fn a_fault_has_its_place() {
        let page = Page::read("# a comment\n\nok 1\nüber 1\nok2 2\n");
        assert_eq!(page.faults, [Fault { bytes: 18..25, what: NO_SAMPLE }]);
        assert_eq!(page.samples.len(), 2);
    }

    #[test]
    fn sums_go_over_labels_and_only_counters_count() {
        let page = Page::read(
            "# TYPE runs gauge\nruns{engine=\"0\"} 1\nruns{engine=\"1\"} 2\n# TYPE odd gauge\nodd_total 1\nodd 3\n\
             # TYPE n counter\nn 4\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum -2\nh_count 5\nx_count 6\n",
        );
        assert_eq!(page.faults, []);
        assert_eq!((page.sum("runs"), page.sum("run"), page.sum("n")), (Some(3.0), None, Some(4.0)));
        let counters: Vec<&str> = page.counters().map(|sample| sample.name).collect();
        assert_eq!(counters, ["odd_total", "n", "h_bucket", "h_count"]);
    }
}

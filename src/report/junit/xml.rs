//! How is a case, a suite, a file spelt? The only code that knows element and attribute names and their order.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::JunitProfile;
use super::case::{Case, Counters, Retry, Said, Verdict};
use super::cell::SuiteHead;
use crate::report::text::xml_text;

/// Cases of one suite within one file, rendered.
#[derive(Debug)]
pub(super) struct SuiteBody<'a> {
    pub(super) head: &'a SuiteHead,
    pub(super) counters: Counters,
    pub(super) cases: Vec<u8>,
}

/// Renders into memory: nothing here can fail but for want of it.
type Xml = Writer<Vec<u8>>;
const FITS: &str = "a vector takes all bytes";

/// Renders cases at the depth they have in a file.
pub(super) struct CaseRenderer {
    xml: Xml,
    profile: JunitProfile,
}

impl CaseRenderer {
    pub(super) fn new(profile: JunitProfile) -> Self {
        let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
        // The elements around a case are opened to have its indentation; their text is never used.
        start(&mut xml, BytesStart::new("testsuites"));
        start(&mut xml, BytesStart::new("testsuite"));
        Self { xml, profile }
    }

    /// The text of one case, until the next one is rendered.
    pub(super) fn render(&mut self, case: &Case<'_>) -> &[u8] {
        self.xml.get_mut().clear();
        write_case(&mut self.xml, case, self.profile);
        self.rendered()
    }

    /// The text of the last case.
    pub(super) fn rendered(&self) -> &[u8] {
        self.xml.get_ref()
    }
}

fn write_case(xml: &mut Xml, case: &Case<'_>, profile: JunitProfile) {
    let rich = profile == JunitProfile::Rich;
    let mut tag = BytesStart::new("testcase");
    attribute(&mut tag, "classname", &case.classname);
    attribute(&mut tag, "name", &case.name);
    attribute(&mut tag, "time", &seconds(case.took_us));
    if rich {
        if let Some(timestamp) = &case.timestamp {
            attribute(&mut tag, "timestamp", timestamp);
        }
        if let Some(at) = case.at {
            attribute(&mut tag, "file", &at.file.replace('\\', "/"));
            attribute(&mut tag, "line", &at.line.to_string());
        }
        if let Some(assertions) = case.assertions {
            attribute(&mut tag, "assertions", &assertions.to_string());
        }
    }
    let properties = if rich { case.properties.as_slice() } else { &[] };
    let silent = case.system_out.is_empty() && case.system_err.is_empty() && case.retries.is_empty();
    if silent && properties.is_empty() && matches!(case.verdict, Verdict::Passed) {
        return xml.write_event(Event::Empty(tag)).expect(FITS);
    }
    start(xml, tag);
    write_properties(xml, properties);
    match &case.verdict {
        Verdict::Passed => {}
        Verdict::Failure(said) => write_said(xml, "failure", said),
        Verdict::Error(said) => write_said(xml, "error", said),
        Verdict::Skipped(said) => write_said(xml, "skipped", said),
    }
    for retry in &case.retries {
        write_retry(xml, retry, matches!(case.verdict, Verdict::Passed));
    }
    write_text(xml, "system-out", &case.system_out);
    write_text(xml, "system-err", &case.system_err);
    end(xml, "testcase");
}

fn write_said(xml: &mut Xml, name: &str, said: &Said) {
    let mut tag = BytesStart::new(name);
    attribute(&mut tag, "type", &said.kind);
    attribute(&mut tag, "message", &said.message);
    start(xml, tag);
    let text = xml_text(&said.text);
    // Some readers take an empty verdict for a pass.
    text_event(xml, if text.trim().is_empty() { &said.kind } else { &text });
    end(xml, name);
}

/// An earlier attempt: of a case that passed in the end, or that failed again.
fn write_retry(xml: &mut Xml, retry: &Retry, passed: bool) {
    let name = match (passed, retry.error) {
        (true, false) => "flakyFailure",
        (true, true) => "flakyError",
        (false, false) => "rerunFailure",
        (false, true) => "rerunError",
    };
    let mut tag = BytesStart::new(name);
    attribute(&mut tag, "type", &retry.said.kind);
    attribute(&mut tag, "message", &retry.said.message);
    start(xml, tag);
    write_text(xml, "stackTrace", &retry.said.text);
    write_text(xml, "system-out", &retry.system_out);
    end(xml, name);
}

/// A whole file of suites.
pub(super) fn render_file(run: &SuiteHead, suites: Vec<SuiteBody<'_>>, profile: JunitProfile) -> Vec<Vec<u8>> {
    let total = suites.iter().fold(Counters::default(), |sum, suite| sum.plus(suite.counters));
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))).expect(FITS);
    let mut tag = BytesStart::new("testsuites");
    attribute(&mut tag, "name", &run.name);
    attribute(&mut tag, "tests", &total.tests.to_string());
    attribute(&mut tag, "failures", &total.failures.to_string());
    attribute(&mut tag, "errors", &total.errors.to_string());
    if profile == JunitProfile::Rich {
        attribute(&mut tag, "skipped", &total.skipped.to_string());
    }
    attribute(&mut tag, "time", &seconds(run.took_us));
    if profile == JunitProfile::Rich
        && let Some(timestamp) = &run.timestamp
    {
        attribute(&mut tag, "timestamp", timestamp);
    }
    start(&mut xml, tag);
    let mut pieces = Vec::new();
    for suite in suites {
        start_suite(&mut xml, &suite);
        pieces.push(std::mem::take(xml.get_mut()));
        pieces.push(suite.cases);
        end(&mut xml, "testsuite");
    }
    end(&mut xml, "testsuites");
    xml.get_mut().push(b'\n');
    pieces.push(xml.into_inner());
    pieces
}

fn start_suite(xml: &mut Xml, suite: &SuiteBody<'_>) {
    let (head, counters) = (suite.head, suite.counters);
    let mut tag = BytesStart::new("testsuite");
    attribute(&mut tag, "name", &head.name);
    attribute(&mut tag, "id", &head.id);
    attribute(&mut tag, "tests", &counters.tests.to_string());
    attribute(&mut tag, "failures", &counters.failures.to_string());
    attribute(&mut tag, "errors", &counters.errors.to_string());
    attribute(&mut tag, "skipped", &counters.skipped.to_string());
    attribute(&mut tag, "time", &seconds(head.took_us));
    if let Some(timestamp) = &head.timestamp {
        attribute(&mut tag, "timestamp", timestamp);
    }
    if !head.hostname.is_empty() {
        attribute(&mut tag, "hostname", &head.hostname);
    }
    start(xml, tag);
    write_properties(xml, &head.properties);
}

fn write_properties(xml: &mut Xml, properties: &[(String, String)]) {
    if properties.is_empty() {
        return;
    }
    start(xml, BytesStart::new("properties"));
    for (name, value) in properties {
        let mut tag = BytesStart::new("property");
        attribute(&mut tag, "name", name);
        attribute(&mut tag, "value", value);
        xml.write_event(Event::Empty(tag)).expect(FITS);
    }
    end(xml, "properties");
}

fn write_text(xml: &mut Xml, name: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    start(xml, BytesStart::new(name));
    text_event(xml, &xml_text(text));
    end(xml, name);
}

fn text_event(xml: &mut Xml, text: &str) {
    xml.write_event(Event::Text(BytesText::new(text))).expect(FITS);
}

fn start(xml: &mut Xml, tag: BytesStart<'_>) {
    xml.write_event(Event::Start(tag)).expect(FITS);
}

fn end(xml: &mut Xml, name: &str) {
    xml.write_event(Event::End(BytesEnd::new(name))).expect(FITS);
}

fn attribute(tag: &mut BytesStart<'_>, name: &str, value: &str) {
    tag.push_attribute((name, xml_text(value).as_ref()));
}

/// **Units**: microseconds in, seconds with three decimals out.
fn seconds(us: u64) -> String {
    let ms = (us + 500) / 1000;
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

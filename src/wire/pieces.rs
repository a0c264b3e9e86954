//! Texts that a stream says piece by piece: its events, JSON line by line → [`Joined`], one for each place in them.

use std::collections::HashMap;
use std::ops::Range;

/// Values nest no deeper than this.
const DEEPEST: usize = 64;

/// What stands at one place of all events, one after another, as it is written in JSON.
#[derive(Debug, Default)]
pub(super) struct Joined {
    /// The pieces in order.
    pub joined: Vec<u8>,
    /// Where each piece begins: in `joined`, and in the stream.
    starts: Vec<(usize, usize)>,
}

impl Joined {
    /// Where a part of the joined text stands in the stream.
    pub(super) fn places(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let ends = self.starts.iter().skip(1).map(|(start, _)| *start).chain([self.joined.len()]);
        let pieces = self.starts.iter().zip(ends);
        let within = pieces.map(|((start, at), end)| {
            let (from, to) = (range.start.max(*start), range.end.min(end));
            at + from.saturating_sub(*start)..at + to.saturating_sub(*start)
        });
        within.filter(|place| place.start < place.end).collect()
    }
}

/// The texts of a stream's events that come in more than one piece; none where it is no stream.
pub(super) fn of_stream(bytes: &[u8]) -> Vec<Joined> {
    let mut found: HashMap<String, Joined> = HashMap::new();
    let mut at = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        let skip = if line.starts_with(b"data:") { 5 } else { 0 };
        let blanks = line[skip..].iter().take_while(|byte| **byte == b' ').count();
        if line.get(skip + blanks) == Some(&b'{') {
            let mut reader = Reader { bytes: line, at: skip + blanks, offset: at, found: &mut found };
            // A line that is no JSON, or cut, is read as far as it goes.
            reader.value(&mut String::new(), 0);
        }
        at += line.len() + 1;
    }
    found.into_values().filter(|joined| joined.starts.len() > 1).collect()
}

/// Reads one value, and takes down its texts by their places.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Of the line in the stream.
    offset: usize,
    found: &'a mut HashMap<String, Joined>,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn takes(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        (self.bytes.get(self.at) == Some(&byte)).then(|| self.at += 1)
    }

    /// Within a text's quotes.
    fn text(&mut self) -> Option<Range<usize>> {
        self.takes(b'"')?;
        let start = self.at;
        loop {
            match self.bytes.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(start..self.at - 1)
    }

    fn value(&mut self, path: &mut String, depth: usize) -> Option<()> {
        self.blanks();
        match self.bytes.get(self.at)? {
            _ if depth > DEEPEST => None,
            b'"' => {
                let range = self.text()?;
                let joined = self.found.entry(path.clone()).or_default();
                joined.starts.push((joined.joined.len(), self.offset + range.start));
                joined.joined.extend_from_slice(&self.bytes[range]);
                Some(())
            }
            b'{' => self.object(path, depth),
            b'[' => self.array(path, depth),
            _ => {
                let rest = &self.bytes[self.at..];
                self.at += rest.iter().position(|byte| b",]}".contains(byte)).unwrap_or(rest.len());
                Some(())
            }
        }
    }

    fn object(&mut self, path: &mut String, depth: usize) -> Option<()> {
        self.takes(b'{')?;
        let length = path.len();
        // Choices and calls that come by turns are told apart by their numbers.
        let mut number = String::new();
        while self.takes(b'}').is_none() {
            let name = self.text()?;
            self.takes(b':')?;
            let name = String::from_utf8_lossy(&self.bytes[name]).into_owned();
            path.push_str(&number);
            path.push('.');
            path.push_str(&name);
            let start = self.at;
            self.value(path, depth + 1)?;
            path.truncate(length);
            if name == "index" {
                number = format!("#{}", String::from_utf8_lossy(&self.bytes[start..self.at]).trim());
            }
            if self.takes(b',').is_none() {
                return self.takes(b'}');
            }
        }
        Some(())
    }

    fn array(&mut self, path: &mut String, depth: usize) -> Option<()> {
        self.takes(b'[')?;
        path.push_str("[]");
        while self.takes(b']').is_none() {
            self.value(path, depth + 1)?;
            if self.takes(b',').is_none() {
                self.takes(b']')?;
                break;
            }
        }
        path.truncate(path.len() - 2);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stream: &str, expect: &[&str]) {
        let mut found: Vec<String> =
            of_stream(stream.as_bytes()).iter().map(|it| String::from_utf8_lossy(&it.joined).into_owned()).collect();
        found.sort();
        assert_eq!(found, expect);
    }

    #[test]
    fn texts_are_joined_by_their_places() {
        check("{\"a\": \"whole\"}", &[]);
        check("data: {\"a\": [{\"b\":\"x\\\"\"}]}\n\ndata: {\"a\":[{\"b\": \"y\"}], \"c\":1}\n\ndata: [DONE]\n\n", &["x\\\"y"]);
        check("{\"response\":\"x\"}\n{\"response\":\"y\",\"done\":true}\n", &["xy"]);
        let turns = [(0, "a"), (1, "x"), (0, "b"), (1, "y")];
        let turns = turns.map(|(index, text)| format!("data: {{\"choices\":[{{\"index\":{index},\"text\":\"{text}\"}}]}}\n"));
        check(&turns.concat(), &["ab", "xy"]);
        check("data: {\"a\":\"x\"}\ndata: {\"a\":\"y\ndata: {\"a\":\n", &[]);
        check("data: {\"a\":\"x\"}\ndata: {\"a\":\"y\"", &["xy"]);
    }

    #[test]
    fn places_lead_back() {
        let stream = b"data: {\"a\":\"abc\"}\ndata: {\"a\":\"de\"}\ndata: {\"a\":\"fg\"}\n";
        let joined = of_stream(stream).remove(0);
        let places: Vec<&[u8]> = joined.places(2..6).into_iter().map(|place| &stream[place]).collect();
        assert_eq!(places, [&b"c"[..], b"de", b"f"]);
    }
}

//! The reader over a complete body: lines, fields, dispatch.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::{DONE, EventStream, FramingFault, FramingFaultKind, SseEvent};

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Reads a whole body.
pub fn read(body: &[u8]) -> EventStream<'_> {
    let mut reader =
        Reader { body, text: std::str::from_utf8(body).ok(), out: EventStream::default(), open: Open::default(), done: false };
    let mut at = 0;
    if body.starts_with(BOM) {
        reader.fault(FramingFaultKind::Bom, 0);
        at = BOM.len();
    }
    while let Some(line) = reader.next_line(at) {
        if line.closed || line.end > line.start {
            reader.line(&line);
        }
        at = line.next;
    }
    reader.finish();
    reader.out
}

/// One line without its end; `closed` is false for a last line without an end.
struct Line {
    start: usize,
    end: usize,
    next: usize,
    closed: bool,
}

/// The event being read.
#[derive(Default)]
struct Open<'a> {
    name: Option<Cow<'a, str>>,
    data: Option<Cow<'a, str>>,
    start: Option<usize>,
}

struct Reader<'a> {
    body: &'a [u8],
    /// The body as text where all of it is UTF-8, which is the fast path.
    text: Option<&'a str>,
    out: EventStream<'a>,
    open: Open<'a>,
    done: bool,
}

impl<'a> Reader<'a> {
    fn next_line(&mut self, start: usize) -> Option<Line> {
        let rest = self.body.get(start..).filter(|rest| !rest.is_empty())?;
        let Some(length) = memchr2(b'\n', b'\r', rest) else {
            let end = self.body.len();
            return Some(Line { start, end, next: end, closed: false });
        };
        let end = start + length;
        let mut next = end + 1;
        if self.body[end] == b'\r' {
            if self.body.get(next) == Some(&b'\n') {
                next += 1;
            } else {
                self.fault(FramingFaultKind::BareCr, end);
            }
        }
        Some(Line { start, end, next, closed: true })
    }

    fn line(&mut self, line: &Line) {
        if line.start == line.end {
            return self.dispatch(line.next);
        }
        let bytes = &self.body[line.start..line.end];
        if memchr(0, bytes).is_some() {
            self.fault(FramingFaultKind::Nul, line.start);
        }
        let colon = memchr(b':', bytes);
        if colon == Some(0) {
            self.out.comments += 1;
            // A comment is decoded as well: the reader of an SDK that is strict about UTF-8 fails on it.
            self.decode(line.start, line.end);
            return;
        }
        self.open.start.get_or_insert(line.start);
        let (name, mut value) = match colon {
            Some(colon) => (&bytes[..colon], line.start + colon + 1),
            None => (bytes, line.end),
        };
        if value < line.end && self.body[value] == b' ' {
            value += 1;
        }
        let value = self.decode(value, line.end);
        match name {
            b"data" => match &mut self.open.data {
                Some(data) => {
                    let data = data.to_mut();
                    data.push('\n');
                    data.push_str(&value);
                }
                empty => *empty = Some(value),
            },
            b"event" => self.open.name = Some(value).filter(|name| !name.is_empty()),
            b"id" => self.fault(FramingFaultKind::Id, line.start),
            b"retry" => {
                if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
                    self.fault(FramingFaultKind::BadRetry, line.start);
                }
            }
            name => {
                if std::str::from_utf8(name).is_err() {
                    self.fault(FramingFaultKind::BadUtf8, line.start);
                }
                self.fault(FramingFaultKind::UnknownField, line.start);
            }
        }
    }

    /// The text of a part of a line; replacement characters where it is not UTF-8.
    fn decode(&mut self, start: usize, end: usize) -> Cow<'a, str> {
        if let Some(text) = self.text {
            return Cow::Borrowed(&text[start..end]);
        }
        let bytes = &self.body[start..end];
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(error) => {
                self.fault(FramingFaultKind::BadUtf8, start + error.valid_up_to());
                String::from_utf8_lossy(bytes)
            }
        }
    }

    fn dispatch(&mut self, end: usize) {
        let open = std::mem::take(&mut self.open);
        let Some(start) = open.start else { return };
        let Some(data) = open.data else {
            return self.fault(FramingFaultKind::NoData, start);
        };
        if data.is_empty() {
            self.fault(FramingFaultKind::EmptyData, start);
        }
        if self.done {
            self.fault(FramingFaultKind::AfterDone, start);
        }
        self.done |= data == DONE;
        self.out.events.push(SseEvent { name: open.name, data, start, end });
    }

    fn finish(&mut self) {
        let open = std::mem::take(&mut self.open);
        let (Some(start), Some(data)) = (open.start, open.data) else { return };
        let kind = if data == DONE { FramingFaultKind::UnterminatedDone } else { FramingFaultKind::Unterminated };
        self.fault(kind, start);
        if self.done {
            self.fault(FramingFaultKind::AfterDone, start);
        }
        self.out.tail = Some(SseEvent { name: open.name, data, start, end: self.body.len() });
    }

    fn fault(&mut self, kind: FramingFaultKind, offset: usize) {
        match self.out.faults.iter_mut().find(|fault| fault.kind == kind) {
            Some(fault) => fault.count += 1,
            None => self.out.faults.push(FramingFault { kind, offset, count: 1 }),
        }
    }
}

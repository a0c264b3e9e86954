//! How many events have been dispatched so far? Counts while bytes arrive, whatever the cuts between reads.

use memchr::memchr2;

/// Counts dispatched events of a stream that arrives in pieces. Agrees with [`super::read`] over the whole.
#[derive(Debug, Clone, Default)]
pub struct EventCounter {
    events: u64,
    /// The line's first bytes: enough for a byte order mark, `data` and the byte after it.
    head: [u8; 8],
    length: usize,
    has_data: bool,
    after_cr: bool,
    past_first_line: bool,
}

impl EventCounter {
    /// Takes the next bytes; returns the number of events so far.
    pub fn feed(&mut self, mut bytes: &[u8]) -> u64 {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = memchr2(b'\n', b'\r', bytes) else {
                self.extend(bytes);
                break;
            };
            self.extend(&bytes[..end]);
            self.end_line();
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
        }
        self.events
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.length < self.head.len() {
            let taken = bytes.len().min(self.head.len() - self.length);
            self.head[self.length..self.length + taken].copy_from_slice(&bytes[..taken]);
        }
        self.length += bytes.len();
    }

    fn end_line(&mut self) {
        let head = &self.head[..self.length.min(self.head.len())];
        let bom = !self.past_first_line && head.starts_with(b"\xEF\xBB\xBF");
        let line = if bom { &head[3..] } else { head };
        if line.is_empty() {
            self.events += u64::from(std::mem::take(&mut self.has_data));
        } else if line.strip_prefix(b"data").is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b':')) {
            self.has_data = true;
        }
        self.past_first_line = true;
        self.length = 0;
    }
}

//! What did the services say? Lines go to `logs/NAME.log` as they come, and the latest are kept in memory for windows.
//!
//! Secrets are replaced before a byte is written anywhere. A file that is full becomes `NAME.old.log`, in place of an earlier
//! one, so that a service that never stops talking takes no more than two files.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::StackError;
use crate::wire::Secrets;

/// Bytes of log that are kept in memory.
const KEPT: u64 = 4 * 1024 * 1024;
/// A longer line is cut into pieces of this size.
const LONGEST_LINE: u64 = 64 * 1024;
/// A log file of this size is full.
const FULL: u64 = 16 * 1024 * 1024;

/// The logs of one stack; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Logs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Folder of the files; without one, lines are only kept in memory.
    folder: Option<PathBuf>,
    secrets: Secrets,
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<Line>,
    /// Bytes that ever came.
    end: u64,
}

#[derive(Debug)]
struct Line {
    at: u64,
    service: Arc<str>,
    text: String,
}

impl Logs {
    /// Logs with files in `folder`, which is made if absent.
    pub(super) fn create(folder: Option<PathBuf>, secrets: Secrets) -> Result<Self, StackError> {
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder)
                .map_err(|error| StackError::start(format!("cannot make the log folder {}: {error}", folder.display())))?;
        }
        Ok(Self(Arc::new(Inner { folder, secrets, ring: Mutex::default() })))
    }

    /// Reads `from` to its end on a thread of its own.
    pub(super) fn pump(
        &self,
        service: &str,
        from: impl Read + Send + 'static,
    ) -> Result<std::thread::JoinHandle<()>, StackError> {
        let mut file = self.0.folder.as_deref().map(|folder| LogFile::open(folder, service)).transpose()?;
        let (logs, service) = (self.clone(), Arc::<str>::from(service));
        std::thread::Builder::new()
            .name(format!("log {service}"))
            .spawn(move || {
                let mut from = BufReader::new(from);
                let mut raw = Vec::new();
                // A read error means that the other end is gone, as its end does.
                while matches!((&mut from).take(LONGEST_LINE).read_until(b'\n', &mut raw), Ok(1..)) {
                    let text = logs.0.secrets.text(&String::from_utf8_lossy(&raw));
                    raw.clear();
                    let text = if text.ends_with('\n') { text } else { text + "\n" };
                    // A full disk must not stop the service by a full pipe: the lines then live in memory only.
                    if file.as_mut().is_some_and(|file| file.write(text.as_bytes()).is_err()) {
                        file = None;
                    }
                    logs.push(&service, text);
                }
            })
            .map_err(|error| StackError::start(format!("cannot start a thread: {error}")))
    }

    /// Where the logs stand now. **Units**: bytes that ever came.
    pub(super) fn mark(&self) -> u64 {
        self.ring().end
    }

    /// Lines since a mark, at most `cap` bytes: the head and the tail, with a line between that says how much is left out.
    pub(super) fn since(&self, mark: u64, cap: usize) -> String {
        let ring = self.ring();
        let several = ring.lines.iter().any(|line| line.service != ring.lines[0].service);
        let mut text = String::new();
        for line in ring.lines.iter().filter(|line| line.at >= mark) {
            if several {
                text.push_str(&line.service);
                text.push_str(": ");
            }
            text.push_str(&line.text);
        }
        head_and_tail(&text, cap)
    }

    /// The last lines of one service.
    pub(super) fn tail(&self, service: &str, lines: usize) -> String {
        let ring = self.ring();
        let mut last: Vec<&str> =
            ring.lines.iter().rev().filter(|line| &*line.service == service).take(lines).map(|l| l.text.as_str()).collect();
        last.reverse();
        last.concat()
    }

    fn push(&self, service: &Arc<str>, text: String) {
        let mut ring = self.ring();
        let at = ring.end;
        ring.end += text.len() as u64;
        ring.lines.push_back(Line { at, service: Arc::clone(service), text });
        while ring.lines.front().is_some_and(|line| ring.end - line.at > KEPT) {
            ring.lines.pop_front();
        }
    }

    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log of one service on disk.
#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
}

impl LogFile {
    fn open(folder: &Path, service: &str) -> Result<Self, StackError> {
        let path = folder.join(format!("{service}.log"));
        let open = || -> std::io::Result<(File, u64)> {
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            let size = file.metadata()?.len();
            Ok((file, size))
        };
        let (file, size) =
            open().map_err(|error| StackError::start(format!("cannot write the log {}: {error}", path.display())))?;
        Ok(Self { path, file, size })
    }

    fn write(&mut self, text: &[u8]) -> std::io::Result<()> {
        if self.size + text.len() as u64 > FULL {
            std::fs::rename(&self.path, self.path.with_extension("old.log"))?;
            self.file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            self.size = 0;
        }
        self.size += text.len() as u64;
        self.file.write_all(text)
    }
}

/// Cuts the middle out of a text that is longer than `cap` bytes, at line ends.
fn head_and_tail(text: &str, cap: usize) -> String {
    if text.len() <= cap {
        return text.to_owned();
    }
    let head = text[..text.floor_char_boundary(cap / 3)].rfind('\n').map_or(0, |at| at + 1);
    let tail_from = text.ceil_char_boundary(text.len() - cap.saturating_sub(head));
    let tail = text[tail_from..].find('\n').map_or(tail_from, |at| tail_from + at + 1);
    format!("{}… {} bytes left out …\n{}", &text[..head], tail - head, &text[tail..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(secrets: &[&str]) -> Logs {
        Logs::create(None, Secrets::of(secrets.iter().copied(), Vec::new())).unwrap()
    }

    fn pump(logs: &Logs, service: &str, text: &[u8]) {
        logs.pump(service, std::io::Cursor::new(text.to_vec())).unwrap().join().unwrap();
    }

    #[test]
    fn windows_begin_at_their_mark_and_name_services_when_there_are_several() {
        let logs = logs(&[]);
        pump(&logs, "server", b"one\ntwo\n");
        let mark = logs.mark();
        pump(&logs, "server", b"three");
        assert_eq!(logs.since(mark, 100), "three\n");
        assert_eq!(logs.since(0, 100), "one\ntwo\nthree\n");
        pump(&logs, "proxy", b"four\n");
        assert_eq!(logs.since(mark, 100), "server: three\nproxy: four\n");
        assert_eq!(logs.tail("server", 2), "two\nthree\n");
    }

    #[test]
    fn secrets_are_replaced_before_anything_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let logs = Logs::create(Some(folder.path().to_owned()), Secrets::of(["s3cret", ""], Vec::new())).unwrap();
        pump(&logs, "server", b"key s3cret, again s3cret\n\xff\n");
        assert_eq!(logs.tail("server", 9), "key ***, again ***\n\u{fffd}\n");
        let written = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
        assert_eq!(written, logs.tail("server", 9));
    }

    #[test]
    fn a_full_file_gives_way_and_the_newest_lines_stay() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = LogFile::open(folder.path(), "server").unwrap();
        let line = [b"x".repeat((FULL / 4) as usize), b"\n".to_vec()].concat();
        for _ in 0..20 {
            file.write(&line).unwrap();
        }
        file.write(b"the last\n").unwrap();
        let sizes: Vec<u64> =
            ["server.log", "server.old.log"].map(|name| folder.path().join(name).metadata().unwrap().len()).to_vec();
        assert!(sizes.iter().all(|size| *size <= FULL), "{sizes:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(std::fs::read_to_string(folder.path().join("server.log")).unwrap().ends_with("the last\n"));
        // Opened again, it goes on where it stood.
        assert_eq!(LogFile::open(folder.path(), "server").unwrap().size, sizes[0]);
    }

    #[test]
    fn memory_is_bounded() {
        let logs = logs(&[]);
        pump(&logs, "server", &b"0123456789abcde\n".repeat(600_000));
        assert!(logs.since(0, usize::MAX).len() as u64 <= KEPT);
        assert_eq!(logs.mark(), 9_600_000);
    }

    #[test]
    fn long_windows_keep_head_and_tail() {
        let text = (0..100).map(|n| format!("line {n}\n")).collect::<Vec<_>>().concat();
        let cut = head_and_tail(&text, 90);
        assert!(cut.starts_with("line 0\n") && cut.ends_with("line 99\n"), "{cut}");
        assert!(cut.contains(" bytes left out …\n") && cut.len() < 90 + 40, "{cut}");
        assert_eq!(head_and_tail("short\n", 90), "short\n");
    }
}

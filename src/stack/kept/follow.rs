//! What the services of a stack that stays say while a run uses it: their log files, read on from where they stood.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::record::folder_of;
use crate::stack::StackError;
use crate::stack::logs::Logs;
use crate::wire::Secrets;

/// How often a file is looked at for more.
const LOOK: Duration = Duration::from_millis(20);

/// Logs that are followed until this is dropped.
#[derive(Debug)]
pub(in crate::stack) struct Followed {
    logs: Logs,
    over: Arc<AtomicBool>,
}

impl Followed {
    /// Follows the logs of a stack's services; one without a file says nothing. **Errors**: no thread can be started.
    pub(in crate::stack) fn begin<'a>(
        project: &Path,
        setup: &str,
        services: impl Iterator<Item = &'a str>,
    ) -> Result<Self, StackError> {
        let folder = folder_of(project, setup).join("logs");
        // What stands in the files was redacted when it was written.
        let followed = Self { logs: Logs::create(None, Secrets::default())?, over: Arc::default() };
        for service in services {
            let path = folder.join(format!("{service}.log"));
            if let Ok(mut file) = File::open(&path) {
                let end = file.seek(SeekFrom::End(0)).and_then(|_| inode(&path));
                let from = Growing { path, inode: end.unwrap_or_default(), file, over: Arc::clone(&followed.over) };
                // The thread ends with the end of what it reads.
                drop(followed.logs.pump(service, from)?);
            }
        }
        Ok(followed)
    }

    /// What was said since.
    pub(in crate::stack) fn logs(&self) -> &Logs {
        &self.logs
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn inode(path: &Path) -> std::io::Result<u64> {
    path.metadata().map(|meta| meta.ino())
}

/// A file that grows, and gives way to a new one of its name when it is full.
#[derive(Debug)]
struct Growing {
    path: PathBuf,
    inode: u64,
    file: File,
    over: Arc<AtomicBool>,
}

impl Read for Growing {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let read = self.file.read(into)?;
            if read > 0 {
                return Ok(read);
            }
            // Between its full file and its new one, a log has none for a moment.
            match inode(&self.path) {
                Ok(new) if new != self.inode => (self.file, self.inode) = (File::open(&self.path)?, new),
                _ if self.over.load(Ordering::Relaxed) => return Ok(0),
                _ => std::thread::park_timeout(LOOK),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Instant;

    use super::*;

    /// Waits until what was said is this.
    #[track_caller]
    fn says(followed: &Followed, expect: &str) {
        let end = Instant::now() + Duration::from_secs(30);
        while followed.logs().since(0, 1000) != expect && Instant::now() < end {
            std::thread::park_timeout(LOOK);
        }
        assert_eq!(followed.logs().since(0, 1000), expect);
    }

    #[test]
    fn logs_are_read_on_from_where_they_stood_also_in_a_new_file() {
        let project = tempfile::tempdir().unwrap();
        let folder = folder_of(project.path(), "s").join("logs");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("server.log");
        std::fs::write(&path, "before\n").unwrap();
        let followed = Followed::begin(project.path(), "s", ["server", "absent"].into_iter()).unwrap();
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"one\n").unwrap();
        says(&followed, "one\n");
        std::fs::rename(&path, folder.join("server.old.log")).unwrap();
        std::fs::write(&path, "two\n").unwrap();
        says(&followed, "one\ntwo\n");
    }
}

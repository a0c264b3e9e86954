//! Reading one file into the source map, and saying why not.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::Path;

use super::{BUILTIN, Project, builtin};
use crate::source::{At, Diagnostic, FileId, SourceMap, did_you_mean};

/// Largest file that is read. **Units**: bytes.
const LARGEST: u64 = 64 << 20;

impl Project {
    /// Reads one file (`suites/base.yaml`), disk first, and adds it to the map.
    ///
    /// **Errors**: `file/not-found`, `file/is-folder`, `file/too-big` (more than 64 MiB), `file/unreadable`, without a place;
    /// `file/not-utf8`, `file/not-text` (a NUL byte), at their place where one is known.
    pub fn read(&self, map: &mut SourceMap, path: &str) -> Result<FileId, Diagnostic> {
        let shown = self.shown(path.strip_prefix(BUILTIN).unwrap_or(path));
        if !path.starts_with(BUILTIN) {
            match on_disk(&self.root.join(&shown), &shown) {
                Ok(Some(bytes)) => return add(map, shown, bytes.into()),
                Ok(None) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        match builtin::get(&shown) {
            Some(bytes) => add(map, format!("{BUILTIN}{shown}"), bytes),
            None => Err(self.not_found(path, &shown)),
        }
    }

    fn not_found(&self, path: &str, shown: &str) -> Diagnostic {
        let folder = shown.rsplit_once('/').map_or("", |(folder, _)| folder);
        let beside = |path: &&str| path.rsplit_once('/').map_or("", |(folder, _)| folder) == folder;
        let mut near: Vec<String> = builtin::paths().filter(beside).map(str::to_owned).collect();
        if !path.starts_with(BUILTIN) {
            let entries = std::fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
            let files = entries.filter(|entry| entry.path().is_file()).map(|entry| entry.file_name());
            near.extend(files.map(|name| super::plain(&format!("{folder}/{}", name.to_string_lossy()), shown.starts_with('/'))));
        }
        near.sort_unstable();
        near.dedup();
        let help = did_you_mean(shown, near.iter().map(String::as_str));
        Diagnostic::error("file/not-found", None, format!("there is no file `{path}`")).help(help)
    }
}

fn on_disk(path: &Path, shown: &str) -> Result<Option<Vec<u8>>, Diagnostic> {
    let unreadable = |why: &str| Diagnostic::error("file/unreadable", None, format!("`{shown}` cannot be read: {why}"));
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            let Ok(target) = std::fs::read_link(path) else { return Ok(None) };
            let help = "mend the link, or remove it".to_owned();
            return Err(unreadable(&format!("it is a link to `{}`, which is not there", target.display())).help(help));
        }
        Err(error) => return Err(unreadable(&error.to_string())),
    };
    if meta.is_dir() {
        let ending = shown.rsplit_once('.').map_or("", |(_, ending)| ending);
        let help = match ending {
            "feature" | "yaml" | "yml" => format!("rename the folder to a name without `.{ending}`, or move it away"),
            _ => "name a file in it".to_owned(),
        };
        let message = format!("`{shown}` is a folder, where a file is expected");
        return Err(Diagnostic::error("file/is-folder", None, message).help(help));
    }
    if !meta.is_file() {
        return Err(unreadable("it is not a regular file"));
    }
    if meta.len() > LARGEST {
        let text = format!("`{shown}` has {} MiB; at most {} MiB are read", meta.len() >> 20, LARGEST >> 20);
        return Err(Diagnostic::error("file/too-big", None, text).help("split it into several files".to_owned()));
    }
    std::fs::read(path).map(Some).map_err(|error| unreadable(&error.to_string()))
}

/// Adds bytes as text, without a byte order mark.
fn add(map: &mut SourceMap, shown: String, bytes: Cow<'_, [u8]>) -> Result<FileId, Diagnostic> {
    let help = "save it as UTF-8".to_owned();
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let text = format!("`{shown}` is UTF-16, and only UTF-8 is read");
        return Err(Diagnostic::error("file/not-utf8", None, text).help(help));
    }
    let text = match String::from_utf8(bytes.into_owned()) {
        Ok(text) => text,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = memchr::memchr_iter(b'\n', &error.as_bytes()[..at]).count() + 1;
            let text = format!("`{shown}` is not UTF-8: byte {at} (line {line}) begins no character");
            // Shown with its place, each unreadable byte as `�`: what is before the first one is as it is in the file.
            let at = point(map.add(shown, String::from_utf8_lossy(error.as_bytes())), at, '\u{fffd}'.len_utf8());
            return Err(Diagnostic::error("file/not-utf8", at, text).help(help));
        }
    };
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    if let Some(at) = memchr::memchr(0, text.as_bytes()) {
        let message = format!("`{shown}` holds a NUL byte: it is no text");
        let at = point(map.add(shown, text), at, 1);
        return Err(Diagnostic::error("file/not-text", at, message).help("name a text file, or take the byte out".to_owned()));
    }
    Ok(map.add(shown, text))
}

fn point(file: FileId, at: usize, len: usize) -> At {
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    At { file, start: narrow(at), end: narrow(at + len) }
}

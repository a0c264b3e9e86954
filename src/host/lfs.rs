//! Files that are no weights but Git LFS pointers to them: 130 bytes of text where a model is expected.

use std::io::Read;
use std::path::{Path, PathBuf};

/// What a pointer begins with. **Source**: the LFS specification, `docs/spec.md`.
const BEGINNING: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
/// A pointer is shorter than this. **Units**: bytes.
const LONGEST: u64 = 1024;

/// Whether a file is a pointer.
pub fn is_pointer(path: &Path) -> bool {
    let short = path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() < LONGEST);
    let mut bytes = [0; BEGINNING.len()];
    short && std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).is_ok() && bytes == BEGINNING
}

/// The pointers below a folder.
pub fn pointers_in(folder: &Path) -> Vec<PathBuf> {
    let skipped = |name: &std::ffi::OsStr| name == ".git" || name == "target" || name == "node_modules" || name == ".fireassay";
    let walk = walkdir::WalkDir::new(folder).max_depth(8).into_iter().filter_entry(|entry| !skipped(entry.file_name()));
    // What cannot be listed holds no pointer that we could know of.
    walk.filter_map(Result::ok).map(walkdir::DirEntry::into_path).filter(|path| is_pointer(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_told_from_weights() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("m.gguf", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n");
        write("n.gguf", "GGUF");
        write("long", &format!("version https://git-lfs.github.com/spec/v1\n{}", "x".repeat(2000)));
        assert_eq!(pointers_in(folder.path()), [folder.path().join("m.gguf")]);
    }
}

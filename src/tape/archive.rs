//! A tape as one packed file (`NAME.tar.gz`), for those that are built in or handed on: [`pack`], [`unpack`].
//!
//! What comes packed may come from anywhere: no name leads out of the tape, and it is not unpacked beyond a bound.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Longest tape that is unpacked. **Units**: bytes.
const LONGEST: u64 = 256 << 20;
/// Folder of long texts within a tape.
pub(super) const BLOBS: &str = "blobs";

/// The files of a tape by their names within it.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Packs files; the same files give the same bytes. **Errors**: a name is too long for the format.
pub(super) fn pack(files: &Files) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes.as_slice())?;
    }
    archive.into_inner()?.finish()
}

/// Unpacks files. **Errors**: it is no such archive, is longer than any tape, or holds something that is no file of a tape.
pub(super) fn unpack(bytes: &[u8]) -> Result<Files, String> {
    // One byte more than is taken tells a long one from one that just fits.
    let mut archive = tar::Archive::new(GzDecoder::new(bytes).take(LONGEST + 1));
    let broken = |error: std::io::Error| format!("it is no packed tape: {error}");
    let mut files = Files::new();
    let mut length = 0;
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() || !is_name(&name) {
            return Err(format!("`{name}` is no file of a tape"));
        }
        length += entry.size();
        if length > LONGEST {
            return Err(format!("unpacked, it is longer than {} MiB", LONGEST >> 20));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        if files.insert(name.clone(), content).is_some() {
            return Err(format!("`{name}` is there twice"));
        }
    }
    Ok(files)
}

/// Whether a name is that of a file of a tape: of one of its own, or of a long text.
pub(super) fn is_name(name: &str) -> bool {
    let name = name.strip_prefix(BLOBS).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name);
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(all: &[(&str, &str)]) -> Files {
        all.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn what_is_packed_is_unpacked_and_is_the_same_each_time() {
        let all = files(&[("tape.json", "{}"), ("blobs/12ab", "x"), ("models-1.http", "a\n---\nb")]);
        let packed = pack(&all).unwrap();
        assert_eq!(pack(&all).unwrap(), packed);
        assert_eq!(unpack(&packed).unwrap(), all);
        let cut = unpack(&packed[..packed.len() - 20]).unwrap_err();
        assert!(cut.starts_with("it is no packed tape"), "{cut}");
    }

    /// An archive with this name in it, which the writer of the format would refuse.
    fn named(name: &str, kind: tar::EntryType, size: u64) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::Write::write_all(&mut out, header.as_bytes()).unwrap();
        std::io::copy(&mut std::io::repeat(0).take(size.min(4).next_multiple_of(512) + 1024), &mut out).unwrap();
        out.finish().unwrap()
    }

    #[track_caller]
    fn refused(name: &str, kind: tar::EntryType, size: u64, expect: &str) {
        assert_eq!(unpack(&named(name, kind, size)).unwrap_err(), expect);
    }

    #[test]
    fn what_leads_out_of_a_tape_is_refused() {
        let file = tar::EntryType::Regular;
        for name in ["../x", "/etc/x", "a/b", "blobs/../x", "blobs/a/b", ".hidden", "a\\b"] {
            refused(name, file, 4, &format!("`{name}` is no file of a tape"));
        }
        refused("x", tar::EntryType::Symlink, 0, "`x` is no file of a tape");
        refused("x", tar::EntryType::Directory, 0, "`x` is no file of a tape");
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        refused("x", tar::EntryType::Regular, 1 << 30, "unpacked, it is longer than 256 MiB");
    }
}

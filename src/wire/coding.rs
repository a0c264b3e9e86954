//! What is in a body that comes packed, though nobody asked for that: [`Unpack`]. Legal HTTP, so no rule is broken by it.

use std::borrow::Cow;
use std::io::{self, Write};

use flate2::write::{GzDecoder, ZlibDecoder};

/// Unpacks a body piece by piece, so that the events of a stream are seen as they come.
pub(crate) enum Unpack {
    /// As it is: unpacked, or packed in a way that nobody may use unasked.
    Plain,
    Gzip(GzDecoder<Vec<u8>>),
    Deflate(ZlibDecoder<Vec<u8>>),
}

impl Unpack {
    /// By the value of `content-encoding`.
    pub(crate) fn of(coding: Option<&[u8]>) -> Self {
        match coding.map(|coding| coding.trim_ascii().to_ascii_lowercase()).as_deref() {
            Some(b"gzip" | b"x-gzip") => Self::Gzip(GzDecoder::new(Vec::new())),
            Some(b"deflate") => Self::Deflate(ZlibDecoder::new(Vec::new())),
            _ => Self::Plain,
        }
    }

    /// What a piece brings. **Errors**: it is not packed as the header says.
    pub(crate) fn feed<'a>(&mut self, piece: &'a [u8]) -> io::Result<Cow<'a, [u8]>> {
        match self {
            Self::Plain => Ok(Cow::Borrowed(piece)),
            Self::Gzip(packed) => {
                packed.write_all(piece)?;
                packed.flush()?;
                Ok(Cow::Owned(std::mem::take(packed.get_mut())))
            }
            Self::Deflate(packed) => {
                packed.write_all(piece)?;
                packed.flush()?;
                Ok(Cow::Owned(std::mem::take(packed.get_mut())))
            }
        }
    }

    /// What was still inside at the end of the body. **Errors**: the packed data has no end.
    pub(crate) fn end(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(Vec::new()),
            Self::Gzip(packed) => packed.try_finish().map(|()| std::mem::take(packed.get_mut())),
            Self::Deflate(packed) => packed.try_finish().map(|()| std::mem::take(packed.get_mut())),
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    const EVENTS: &[u8] = b"data: {\"a\": 1}\n\ndata: [DONE]\n\n";

    fn gzip() -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(EVENTS).expect("memory");
        out.finish().expect("memory")
    }

    fn deflate() -> Vec<u8> {
        let mut out = ZlibEncoder::new(Vec::new(), Compression::fast());
        out.write_all(EVENTS).expect("memory");
        out.finish().expect("memory")
    }

    fn unpack(coding: &str, packed: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let mut unpack = Unpack::of(Some(coding.as_bytes()));
        let mut all = Vec::new();
        for piece in packed.chunks(piece) {
            all.extend_from_slice(&unpack.feed(piece)?);
        }
        all.extend(unpack.end()?);
        Ok(all)
    }

    #[test]
    fn cuts_do_not_matter() {
        for piece in [1, 2, 7, 1000] {
            assert_eq!(unpack("gzip", &gzip(), piece).expect("gzip"), EVENTS, "{piece}");
            assert_eq!(unpack(" X-GZIP", &gzip(), piece).expect("gzip"), EVENTS, "{piece}");
            assert_eq!(unpack("deflate", &deflate(), piece).expect("deflate"), EVENTS, "{piece}");
            assert_eq!(unpack("identity", EVENTS, piece).expect("plain"), EVENTS, "{piece}");
        }
    }

    #[test]
    fn what_is_not_packed_or_has_no_end_is_said() {
        assert!(unpack("gzip", EVENTS, 7).is_err());
        let packed = gzip();
        assert!(unpack("gzip", &packed[..packed.len() - 4], 7).is_err());
    }

    #[test]
    fn an_event_is_seen_when_it_comes() {
        let mut pack = GzEncoder::new(Vec::new(), Compression::fast());
        pack.write_all(b"data: 1\n\n").expect("memory");
        pack.flush().expect("memory");
        let first = std::mem::take(pack.get_mut());
        assert_eq!(&*Unpack::of(Some(b"gzip")).feed(&first).expect("gzip"), b"data: 1\n\n");
    }
}

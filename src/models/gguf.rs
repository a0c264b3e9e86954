//! What does a GGUF file say of itself? Its header alone is read: shape, context, chat template, sizes of the tensors.
//!
//! The file is hostile until proved otherwise: every length is held against the bytes that are left in the file, texts that
//! are kept have a bound, lists are stepped over, and nothing is reserved by a length that the file names.
//! **Source**: the format's description in ggml's `docs/gguf.md`, versions 2 and 3 (little-endian).

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

/// Longest text that is kept. **Units**: bytes.
const LONGEST_TEXT: u64 = 4 << 20;
/// Most entries and tensors of a header.
const MOST: u64 = 1 << 20;
/// Most items of a list of texts; the vocabularies of models stay far below.
const MOST_ITEMS: u64 = 1 << 24;

/// What a header says. Fields that it does not have are `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gguf {
    /// `general.architecture`: `llama`, `qwen2`.
    pub architecture: Option<String>,
    /// `general.name`.
    pub name: Option<String>,
    /// Quantization by `general.file_type`: `Q4_K_M`.
    pub quant: Option<String>,
    /// Longest context. **Units**: tokens.
    pub context: Option<u64>,
    /// Layers.
    pub layers: Option<u64>,
    /// Heads of keys and values, summed over the layers.
    pub kv_heads: Option<u64>,
    /// Numbers in a head's key and value together.
    pub kv_length: Option<u64>,
    /// `tokenizer.chat_template`.
    pub template: Option<String>,
    /// Numbers in all tensors.
    pub parameters: u64,
    /// Length of the file. **Units**: bytes.
    pub bytes: u64,
}

/// Why a header was not read.
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    /// The system said no.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no GGUF file, or a broken one.
    #[error("{path} is no whole GGUF file: {why}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl Gguf {
    /// Reads the header of a file.
    pub fn read(path: &Path) -> Result<Self, GgufError> {
        let fail = |source| GgufError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(fail)?;
        let bytes = file.metadata().map_err(fail)?.len();
        parse(BufReader::with_capacity(1 << 16, file), bytes).map_err(|failure| match failure {
            Failure::Io(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => fail(source),
            Failure::Io(_) => GgufError::Broken { path: path.to_owned(), why: "it ends within its header".to_owned() },
            Failure::Broken(why) => GgufError::Broken { path: path.to_owned(), why },
        })
    }

    /// Bytes that one token takes in a cache of keys and values in 16 bits.
    pub fn kv_bytes_per_token(&self) -> Option<u64> {
        self.kv_heads?.checked_mul(self.kv_length?)?.checked_mul(2)
    }
}

enum Failure {
    Io(std::io::Error),
    Broken(String),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads a header out of a stream of so many bytes.
fn parse<R: Read + Seek>(input: R, bytes: u64) -> Result<Gguf, Failure> {
    let mut reader = Reader { input, left: bytes };
    if &reader.array::<4>()? != b"GGUF" {
        return Err(Failure::Broken("it does not begin with GGUF".to_owned()));
    }
    let version = reader.u32()?;
    if !(2..=3).contains(&version) {
        return Err(Failure::Broken(format!("version {version} of the format is not known")));
    }
    let (tensors, entries) = (reader.u64()?, reader.u64()?);
    if tensors > MOST || entries > MOST {
        return Err(Failure::Broken(format!("{tensors} tensors and {entries} entries are too many")));
    }
    let mut header = Header::default();
    for _ in 0..entries {
        let key = reader.text()?;
        let kind = reader.u32()?;
        let value = reader.value(kind)?;
        header.take(&key, value);
    }
    let mut parameters = 0_u64;
    for _ in 0..tensors {
        reader.skip_text()?;
        let dimensions = reader.u32()?;
        if dimensions > 8 {
            return Err(Failure::Broken(format!("a tensor of {dimensions} dimensions")));
        }
        let mut numbers = 1_u64;
        for _ in 0..dimensions {
            numbers = numbers.saturating_mul(reader.u64()?);
        }
        parameters = parameters.saturating_add(numbers);
        reader.skip(12)?;
    }
    Ok(header.finish(parameters, bytes))
}

/// A value that is kept.
enum Kept {
    Number(u64),
    Text(String),
    Numbers(Vec<u64>),
    Other,
}

/// Entries whose meaning depends on the architecture, which may come after them.
#[derive(Default)]
struct Header {
    texts: Vec<(String, String)>,
    numbers: Vec<(String, Vec<u64>)>,
}

impl Header {
    fn take(&mut self, key: &str, value: Kept) {
        match value {
            Kept::Text(text) => self.texts.push((key.to_owned(), text)),
            Kept::Number(number) => self.numbers.push((key.to_owned(), vec![number])),
            Kept::Numbers(numbers) => self.numbers.push((key.to_owned(), numbers)),
            Kept::Other => {}
        }
    }

    fn finish(mut self, parameters: u64, bytes: u64) -> Gguf {
        let mut text = |key: &str| {
            let at = self.texts.iter().position(|(name, _)| name == key)?;
            Some(self.texts.swap_remove(at).1)
        };
        let architecture = text("general.architecture");
        let (name, template) = (text("general.name"), text("tokenizer.chat_template"));
        let numbers = |key: &str| self.numbers.iter().find(|(name, _)| name == key).map(|(_, numbers)| numbers.as_slice());
        let of = |key: &str| numbers(&format!("{}.{key}", architecture.as_deref()?));
        let number = |key: &str| of(key)?.first().copied();
        let layers = number("block_count");
        // One number for all layers, or one for each.
        let per_layer = |key: &str| {
            let numbers = of(key)?;
            match numbers {
                [one] => one.checked_mul(layers?),
                all => Some(all.iter().fold(0_u64, |sum, heads| sum.saturating_add(*heads))),
            }
        };
        let head = || number("embedding_length")?.checked_div(number("attention.head_count")?);
        let length = |key: &str| number(key).or_else(head);
        let both = length("attention.key_length").zip(length("attention.value_length"));
        Gguf {
            quant: numbers("general.file_type").and_then(<[u64]>::first).map(|kind| file_type(*kind)),
            context: number("context_length"),
            layers,
            kv_heads: per_layer("attention.head_count_kv").or_else(|| per_layer("attention.head_count")),
            kv_length: both.and_then(|(key, value)| key.checked_add(value)),
            architecture,
            name,
            template,
            parameters,
            bytes,
        }
    }
}

/// The name of a `general.file_type`. **Source**: `enum llama_ftype` of llama.cpp.
fn file_type(kind: u64) -> String {
    let name = match kind {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        7 => "Q8_0",
        8 => "Q5_0",
        9 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K_S",
        12 => "Q3_K_M",
        13 => "Q3_K_L",
        14 => "Q4_K_S",
        15 => "Q4_K_M",
        16 => "Q5_K_S",
        17 => "Q5_K_M",
        18 => "Q6_K",
        25 => "IQ4_NL",
        30 => "IQ4_XS",
        32 => "BF16",
        other => return format!("type {other}"),
    };
    name.to_owned()
}

/// Reads numbers and steps over the rest, never beyond the file.
struct Reader<R> {
    input: R,
    left: u64,
}

impl<R: Read + Seek> Reader<R> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let mut bytes = [0; N];
        self.spend(N as u64)?;
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, Failure> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, Failure> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Takes bytes off what is left of the file.
    fn spend(&mut self, bytes: u64) -> Result<(), Failure> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or_else(|| Failure::Broken("a length in its header reaches beyond its end".to_owned()))?;
        Ok(())
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Failure> {
        self.spend(bytes)?;
        let offset = i64::try_from(bytes).map_err(|_| Failure::Broken("a length that no file has".to_owned()))?;
        Ok(self.input.seek_relative(offset)?)
    }

    fn skip_text(&mut self) -> Result<(), Failure> {
        let length = self.u64()?;
        self.skip(length)
    }

    fn text(&mut self) -> Result<String, Failure> {
        let length = self.u64()?;
        if length > LONGEST_TEXT {
            return Err(Failure::Broken(format!("a text of {length} bytes in its header")));
        }
        self.spend(length)?;
        let mut bytes = Vec::new();
        if (&mut self.input).take(length).read_to_end(&mut bytes)? as u64 != length {
            return Err(Failure::Io(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn value(&mut self, kind: u32) -> Result<Kept, Failure> {
        Ok(match kind {
            0 | 1 | 7 => Kept::Number(u64::from(self.array::<1>()?[0])),
            2 | 3 => Kept::Number(u64::from(u16::from_le_bytes(self.array()?))),
            4 | 5 => Kept::Number(u64::from(self.u32()?)),
            10 | 11 => Kept::Number(self.u64()?),
            8 => Kept::Text(self.text()?),
            9 => self.list()?,
            6 | 12 => {
                self.skip(if kind == 6 { 4 } else { 8 })?;
                Kept::Other
            }
            other => return Err(Failure::Broken(format!("a value of the unknown type {other}"))),
        })
    }

    /// A list: short ones of whole numbers are kept (heads of each layer), all others stepped over.
    fn list(&mut self) -> Result<Kept, Failure> {
        let kind = self.u32()?;
        let count = self.u64()?;
        let width: u64 = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            10..=12 => 8,
            8 if count <= MOST_ITEMS => {
                for _ in 0..count {
                    self.skip_text()?;
                }
                return Ok(Kept::Other);
            }
            8 => return Err(Failure::Broken(format!("a list of {count} texts"))),
            other => return Err(Failure::Broken(format!("a list of the unknown type {other}"))),
        };
        if matches!(kind, 4 | 5) && count <= 4096 {
            let mut numbers = Vec::new();
            for _ in 0..count {
                numbers.push(u64::from(self.u32()?));
            }
            return Ok(Kept::Numbers(numbers));
        }
        let bytes = count.checked_mul(width).ok_or_else(|| Failure::Broken(format!("a list of {count} numbers")))?;
        self.skip(bytes)?;
        Ok(Kept::Other)
    }
}

#[cfg(test)]
mod tests;

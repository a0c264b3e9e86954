//! Headers written by hand, whole and broken.

use std::io::Cursor;

use super::*;

/// A header under construction.
#[derive(Default)]
struct Draft {
    entries: u64,
    tensors: u64,
    body: Vec<u8>,
    tail: Vec<u8>,
}

impl Draft {
    fn text_of(bytes: &mut Vec<u8>, text: &str) {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }

    fn entry(mut self, key: &str, kind: u32, value: &[u8]) -> Self {
        Self::text_of(&mut self.body, key);
        self.body.extend(kind.to_le_bytes());
        self.body.extend(value);
        self.entries += 1;
        self
    }

    fn number(self, key: &str, value: u32) -> Self {
        self.entry(key, 4, &value.to_le_bytes())
    }

    fn text(self, key: &str, value: &str) -> Self {
        let mut bytes = Vec::new();
        Self::text_of(&mut bytes, value);
        self.entry(key, 8, &bytes)
    }

    fn tensor(mut self, dimensions: &[u64]) -> Self {
        Self::text_of(&mut self.tail, "w");
        self.tail.extend(u32::try_from(dimensions.len()).unwrap().to_le_bytes());
        for one in dimensions {
            self.tail.extend(one.to_le_bytes());
        }
        self.tail.extend([0; 12]);
        self.tensors += 1;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3_u32.to_le_bytes());
        bytes.extend(self.tensors.to_le_bytes());
        bytes.extend(self.entries.to_le_bytes());
        bytes.extend(&self.body);
        bytes.extend(&self.tail);
        bytes
    }
}

fn read(bytes: &[u8]) -> Result<Gguf, String> {
    parse(Cursor::new(bytes), bytes.len() as u64).map_err(|failure| match failure {
        Failure::Io(error) => format!("io: {error}"),
        Failure::Broken(why) => why,
    })
}

fn small() -> Draft {
    let vocabulary = {
        let mut bytes = 8_u32.to_le_bytes().to_vec();
        bytes.extend(2_u64.to_le_bytes());
        Draft::text_of(&mut bytes, "a");
        Draft::text_of(&mut bytes, "b");
        bytes
    };
    // The architecture may come after what depends on it.
    Draft::default()
        .number("llama.context_length", 8192)
        .number("llama.block_count", 30)
        .number("llama.embedding_length", 576)
        .number("llama.attention.head_count", 9)
        .number("llama.attention.head_count_kv", 3)
        .entry("tokenizer.ggml.tokens", 9, &vocabulary)
        .entry("llama.rope.freq_base", 6, &1.0_f32.to_le_bytes())
        .text("general.architecture", "llama")
        .text("tokenizer.chat_template", "{{ messages }}")
        .number("general.file_type", 3)
        .tensor(&[576, 10])
        .tensor(&[7])
}

#[test]
fn a_header_tells_shape_template_and_size() {
    let bytes = small().bytes();
    let header = read(&bytes).unwrap();
    assert_eq!((header.context, header.layers, header.kv_heads, header.kv_length), (Some(8192), Some(30), Some(90), Some(128)));
    assert_eq!(header.kv_bytes_per_token(), Some(23_040));
    assert_eq!((header.quant.as_deref(), header.template.as_deref()), (Some("Q4_1"), Some("{{ messages }}")));
    assert_eq!((header.parameters, header.bytes), (5767, bytes.len() as u64));
}

#[test]
fn heads_may_be_told_for_each_layer() {
    let mut heads = 4_u32.to_le_bytes().to_vec();
    heads.extend(3_u64.to_le_bytes());
    for one in [1_u32, 0, 4] {
        heads.extend(one.to_le_bytes());
    }
    let draft = Draft::default().text("general.architecture", "x").number("x.block_count", 3);
    let draft = draft.entry("x.attention.head_count_kv", 9, &heads).number("x.attention.key_length", 64);
    let header = read(&draft.number("x.attention.value_length", 32).bytes()).unwrap();
    assert_eq!((header.kv_heads, header.kv_length), (Some(5), Some(96)));
}

#[test]
fn a_header_that_ends_anywhere_is_refused() {
    let bytes = small().bytes();
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end]).is_err(), "{end} of {}", bytes.len());
    }
}

#[test]
fn lengths_are_not_believed() {
    #[track_caller]
    fn check(bytes: &[u8], expect: &str) {
        let error = read(bytes).unwrap_err();
        assert!(error.contains(expect), "{error}");
    }
    let huge = u64::MAX.to_le_bytes();
    check(b"GGML....", "does not begin");
    check(b"GGUF\x01\0\0\0", "version 1");
    check(&[b"GGUF\x03\0\0\0".as_slice(), &huge, &huge].concat(), "too many");
    let list = |kind: u32| Draft::default().entry("k", 9, &[&kind.to_le_bytes()[..], &huge].concat()).bytes();
    check(&list(8), "texts");
    check(&list(10), "numbers");
    check(&list(0), "beyond its end");
    check(&list(9), "unknown type 9");
    check(&Draft::default().entry("k", 8, &huge).bytes(), "a text of");
    check(&Draft::default().entry("k", 8, &(1_u64 << 20).to_le_bytes()).bytes(), "beyond its end");
    check(&Draft::default().entry("k", 13, &[]).bytes(), "unknown type 13");
    check(&Draft::default().tensor(&[1; 9]).bytes(), "9 dimensions");
    let vast = Draft::default().tensor(&[u64::MAX, u64::MAX]).tensor(&[u64::MAX]).bytes();
    assert_eq!(read(&vast).unwrap().parameters, u64::MAX);
}

proptest::proptest! {
    #[test]
    fn any_byte_may_be_any_other(at in 0_usize..400, byte in 0_u8..=255) {
        let mut bytes = small().bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        drop(read(&bytes));
    }
}

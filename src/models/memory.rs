//! What does a model take of memory? Weights, and the cache of keys and values for a context; with room to spare.

use super::Gguf;
use crate::spec::ModelSpec;
use crate::spec::bytes::parse_bytes;

/// Room to spare over weights and cache: buffers of the engine, the process itself, other requests.
pub const SPARE: f64 = 1.5;

/// An estimate. **Units**: bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// The weights.
    pub weights: u64,
    /// Keys and values of a context, where the model's shape is known, and the context.
    pub kv: Option<(u64, u64)>,
    /// What it was measured to take, which then stands in place of the estimate.
    pub measured: Option<u64>,
}

impl Estimate {
    /// Of weights on disk, for a context of so many tokens (default: the longest of the model).
    pub fn of_file(header: &Gguf, context: Option<u64>) -> Self {
        let context = context.or(header.context);
        let kv = header.kv_bytes_per_token().zip(context);
        let kv = kv.and_then(|(token, context)| Some((token.checked_mul(context)?, context)));
        Self { weights: header.bytes, kv, measured: None }
    }

    /// Of a catalogue's entry; `None` where it states neither size nor memory.
    pub fn of_entry(model: &ModelSpec, context: Option<u64>) -> Option<Self> {
        let amount = |text: &Option<String>| text.as_deref().and_then(|text| parse_bytes(text).ok());
        let (weights, measured) = (amount(&model.size), amount(&model.memory));
        let context = context.or(model.context.map(u64::from));
        // Keys and values, two bytes each.
        let token = model.kv.map(|kv| 4 * u64::from(kv.layers) * u64::from(kv.heads) * u64::from(kv.length));
        let kv = token.zip(context).and_then(|(token, context)| Some((token.checked_mul(context)?, context)));
        if weights.is_none() && measured.is_none() {
            return None;
        }
        Some(Self { weights: weights.unwrap_or_default(), kv, measured })
    }

    /// What has to be free.
    pub fn wanted(&self) -> u64 {
        let sum = self.weights.saturating_add(self.kv.map_or(0, |(bytes, _)| bytes));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size times 1.5, bounded by saturation")]
        let estimate = (sum as f64 * SPARE) as u64;
        self.measured.unwrap_or(estimate)
    }
}

impl std::fmt::Display for Estimate {
    /// `0.7 GiB of memory (weights 0.3 GiB + keys and values of 8192 tokens 0.2 GiB, × 1.5)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of memory", amount(self.wanted()))?;
        if self.measured.is_some() {
            return write!(f, " (as measured)");
        }
        write!(f, " (weights {}", amount(self.weights))?;
        match self.kv {
            Some((bytes, context)) => write!(f, " + keys and values of {context} tokens {}", amount(bytes))?,
            None => write!(f, ", keys and values not known")?,
        }
        write!(f, ", × {SPARE})")
    }
}

/// An amount for people: `0.5 GiB`, `98 MiB`.
pub fn amount(bytes: u64) -> String {
    let gib = bytes as f64 / f64::from(1 << 30);
    if gib < 0.1 { format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20)) } else { format!("{gib:.1} GiB") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::models::KvSpec;

    #[test]
    fn an_estimate_is_weights_and_cache_with_room() {
        let header = Gguf { bytes: 1 << 30, kv_heads: Some(90), kv_length: Some(128), context: Some(8192), ..Gguf::default() };
        let estimate = Estimate::of_file(&header, None);
        assert_eq!(estimate.kv, Some((188_743_680, 8192)));
        assert_eq!(estimate.wanted(), 1_893_728_256);
        let expect = "1.8 GiB of memory (weights 1.0 GiB + keys and values of 8192 tokens 0.2 GiB, × 1.5)";
        assert_eq!(estimate.to_string(), expect);
        assert_eq!(Estimate::of_file(&header, Some(0)).wanted(), (1 << 30) * 3 / 2);
        let unknown = Estimate::of_file(&Gguf { kv_heads: None, ..header }, None);
        assert_eq!(unknown.to_string(), "1.5 GiB of memory (weights 1.0 GiB, keys and values not known, × 1.5)");
    }

    #[test]
    fn an_entry_says_as_much_as_it_states() {
        let kv = Some(KvSpec { layers: 30, heads: 3, length: 64 });
        let entry = ModelSpec { size: Some("1GiB".to_owned()), context: Some(8192), kv, ..ModelSpec::default() };
        assert_eq!(Estimate::of_entry(&entry, None).unwrap().wanted(), 1_893_728_256);
        let measured = ModelSpec { memory: Some("2GiB".to_owned()), ..entry };
        assert_eq!(Estimate::of_entry(&measured, None).unwrap().to_string(), "2.0 GiB of memory (as measured)");
        assert_eq!(Estimate::of_entry(&ModelSpec::default(), Some(1)), None);
    }
}

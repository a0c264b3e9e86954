//! An amount of memory as people write it: `2GiB`, `512 MB`.

/// Bytes of an amount. **Shape**: a number and one of `B`, `kB`, `MB`, `GB`, `TB` (1000) or `KiB`, `MiB`, `GiB`, `TiB` (1024).
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is not an amount of memory; write a number and a unit, such as `2GiB` or `512MB`");
    let trimmed = text.trim();
    let split = trimmed.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(bad)?;
    let number: f64 = trimmed[..split].trim().parse().map_err(|_| bad())?;
    let unit: f64 = match trimmed[split..].trim() {
        "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        "TiB" => 1_099_511_627_776.0,
        _ => return Err(bad()),
    };
    let bytes = number * unit;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded on both sides")]
    if (0.0..9e18).contains(&bytes) { Ok(bytes as u64) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read() {
        for (text, expect) in
            [("2GiB", 2 << 30), (" 512 MB ", 512_000_000), ("1.5KiB", 1536), ("0B", 0), ("3TB", 3_000_000_000_000)]
        {
            assert_eq!(parse_bytes(text), Ok(expect), "{text}");
        }
        for text in ["", "2", "GiB", "-1GiB", "2 gigs", "1e300TB", "infGB"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}

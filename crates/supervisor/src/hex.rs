//! Bytes as text.

/// Bytes as lowercase hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
        text
    })
}

/// Bytes from hexadecimal; `None` for anything else.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_bytes_when_written_as_hex_then_they_come_back() {
        for bytes in [&b""[..], b"\x00\xff\x10", b"abc"] {
            assert_eq!(unhex(&hex(bytes)).as_deref(), Some(bytes));
        }
        for bad in ["0", "0g", "é0"] {
            assert_eq!(unhex(bad), None);
        }
    }
}

//! The id of an agent.

/// An agent's `instance_uid`: 16 bytes, not all zero (OpAMP S053, S054). Shown as a lowercase UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceUid([u8; 16]);

/// Why bytes or text are no uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUid {
    /// Not 16 bytes long.
    #[error("instance_uid has {0} bytes, 16 are required")]
    Length(usize),
    /// All bytes are zero.
    #[error("instance_uid is all zero")]
    Zero,
    /// Not a UUID in text.
    #[error("not a UUID (expected the form 01234567-89ab-cdef-0123-456789abcdef)")]
    Text,
}

impl InstanceUid {
    /// Checks bytes from the wire.
    ///
    /// # Errors
    /// [`InvalidUid`] when they are not 16 or all zero.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidUid> {
        let uid: [u8; 16] = bytes.try_into().map_err(|_| InvalidUid::Length(bytes.len()))?;
        if uid == [0; 16] { Err(InvalidUid::Zero) } else { Ok(Self(uid)) }
    }

    /// A UUID of version 7 (RFC 9562) from a time in milliseconds since 1970 and ten random bytes.
    #[must_use]
    pub fn v7(unix_millis: u64, random: [u8; 10]) -> Self {
        let mut uid = [0; 16];
        uid[..6].copy_from_slice(&unix_millis.to_be_bytes()[2..]);
        uid[6..].copy_from_slice(&random);
        uid[6] = 0x70 | (uid[6] & 0x0F);
        uid[8] = 0x80 | (uid[8] & 0x3F);
        Self(uid)
    }

    /// The bytes for the wire.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The bytes as a message's field.
    #[must_use]
    pub fn to_wire(&self) -> bytes::Bytes {
        bytes::Bytes::copy_from_slice(&self.0)
    }
}

impl std::fmt::Display for InstanceUid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for InstanceUid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for InstanceUid {
    type Err = InvalidUid;

    /// Reads a UUID with or without hyphens, in either case.
    fn from_str(text: &str) -> Result<Self, InvalidUid> {
        let bytes = text.as_bytes();
        let hyphenated = bytes.len() == 36;
        if !hyphenated && bytes.len() != 32 {
            return Err(InvalidUid::Text);
        }
        let mut uid = [0u8; 16];
        let mut nibbles = 0;
        for (index, byte) in bytes.iter().enumerate() {
            if hyphenated && matches!(index, 8 | 13 | 18 | 23) {
                if *byte != b'-' {
                    return Err(InvalidUid::Text);
                }
                continue;
            }
            let digit = char::from(*byte).to_digit(16).ok_or(InvalidUid::Text)?;
            uid[nibbles / 2] = (uid[nibbles / 2] << 4) | u8::try_from(digit).map_err(|_| InvalidUid::Text)?;
            nibbles += 1;
        }
        Self::from_bytes(&uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_text_when_read_then_only_uuids_pass() {
        let uid = "01902d3c-7a5e-7000-8000-00000000abcd";
        assert_eq!(uid.parse::<InstanceUid>().unwrap().to_string(), uid);
        assert_eq!(uid.replace('-', "").to_uppercase().parse::<InstanceUid>().unwrap().to_string(), uid);
        for bad in ["", "abc", "01902d3c-7a5e-7000-8000-00000000abc", "01902d3c_7a5e_7000_8000_00000000abcd"]
        {
            assert_eq!(bad.parse::<InstanceUid>(), Err(InvalidUid::Text), "{bad}");
        }
        assert_eq!("00000000-0000-0000-0000-000000000000".parse::<InstanceUid>(), Err(InvalidUid::Zero));
    }

    #[test]
    fn given_a_time_and_randomness_when_made_then_version_and_variant_are_set() {
        let text = InstanceUid::v7(0x0190_2d3c_7a5e, [0xFF; 10]).to_string();
        assert_eq!(text, "01902d3c-7a5e-7fff-bfff-ffffffffffff");
    }
}

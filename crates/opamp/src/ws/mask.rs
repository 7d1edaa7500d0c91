//! Masking: XOR with four bytes, over and over.

/// Masks or unmasks `bytes`, which stand `offset` bytes into their frame's payload.
pub(super) fn apply(bytes: &mut [u8], mut key: [u8; 4], offset: usize) {
    if key == [0; 4] {
        return;
    }
    key.rotate_left(offset % 4);
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, tail) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip([a, b, c, d, a, b, c, d]) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_any_length_and_offset_when_masked_then_each_byte_meets_its_own_key_byte() {
        let key = [0x12, 0x34, 0x56, 0x78];
        for length in 0..40 {
            for offset in 0..9 {
                let mut bytes: Vec<u8> = (0..length).collect();
                apply(&mut bytes, key, offset);
                let expected: Vec<u8> =
                    (0..length).map(|at| at ^ key[(usize::from(at) + offset) % 4]).collect();
                assert_eq!(bytes, expected, "length {length}, offset {offset}");
            }
        }
    }
}

//! Numbers of one byte where they are small: seven bits a byte, the highest says that more follow.

/// Appends a number.
pub(crate) fn put(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Reads a number at `*at` and moves `at` behind it; `None` past the end, or where it has more than 32 bits.
#[inline]
pub(crate) fn take(bytes: &[u8], at: &mut usize) -> Option<u32> {
    let first = *bytes.get(*at)?;
    *at += 1;
    if first < 0x80 {
        return Some(first.into());
    }
    let mut number = u32::from(first & 0x7f);
    for shift in [7, 14, 21, 28] {
        let byte = *bytes.get(*at)?;
        *at += 1;
        number |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    proptest::proptest! {
        #[test]
        fn numbers_come_back(numbers: Vec<u32>) {
            let mut bytes = Vec::new();
            numbers.iter().for_each(|&n| super::put(&mut bytes, n));
            let mut at = 0;
            for n in numbers {
                assert_eq!(super::take(&bytes, &mut at), Some(n));
            }
            assert_eq!(super::take(&bytes, &mut at), None);
        }
    }
}

/// The reference, and the kernel of targets without one of their own.
pub fn dot_coarse(codes: &[u8], query: &[i8]) -> i32 {
    codes
        .iter()
        .zip(query)
        .map(|(&c, &q)| i32::from(c) * i32::from(q))
        .sum()
}

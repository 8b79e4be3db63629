//! Room in buffers that are used again.

/// Gives a buffer `length` numbers, whatever they are. A larger buffer is made when the one before is gone, of one of few sizes:
/// the memory of a wasm module never shrinks, and buffers that grow by little, or double, leave holes in it.
pub(crate) fn resize<T: Copy + Default>(buffer: &mut Vec<T>, length: usize) {
    if buffer.capacity() < length {
        *buffer = Vec::new();
        let step = (length.next_power_of_two() / 4).max(1);
        buffer.reserve_exact(length.next_multiple_of(step));
    }
    buffer.resize(length, T::default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_grows_in_steps_and_shrinks_in_place() {
        let mut buffer: Vec<f32> = Vec::new();
        for length in [10, 1000, 1001, 40, 1100] {
            resize(&mut buffer, length);
            assert_eq!(buffer.len(), length);
            assert!(buffer.capacity() <= 1536);
        }
    }
}

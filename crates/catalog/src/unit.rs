//! Vectors of length 1.

/// A vector of length 1 in the same direction; one of zeros stays.
pub(crate) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let squares = vector.iter().map(|&x| f64::from(x) * f64::from(x));
    let norm = squares.sum::<f64>().sqrt();
    if norm > 0.0 {
        for x in &mut vector {
            *x = (f64::from(*x) / norm) as f32;
        }
    }
    vector
}

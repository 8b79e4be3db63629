//! Matrix products on the CPU, by the `gemm` crate: sums go in an order that the shapes alone decide, so
//! that results are the same for every number of threads.

use gemm::Parallelism;

/// A matrix in memory: element (r, c) is at `r · row + c · column`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row: usize,
    column: usize,
}

impl<'a> Matrix<'a> {
    /// `[rows][columns]`, row-major.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// `[rows][columns]` with `row` numbers from one row to the next.
    pub fn strided(data: &'a [f32], rows: usize, columns: usize, row: usize) -> Self {
        Matrix {
            data,
            rows,
            columns,
            row,
            column: 1,
        }
    }

    /// The transposed matrix.
    pub fn t(self) -> Self {
        Matrix {
            rows: self.columns,
            columns: self.rows,
            row: self.column,
            column: self.row,
            ..self
        }
    }

    /// One past the last element.
    fn end(&self) -> usize {
        match (self.rows, self.columns) {
            (0, _) | (_, 0) => 0,
            (rows, columns) => (rows - 1) * self.row + (columns - 1) * self.column + 1,
        }
    }
}

/// Whether a product is written over what is there, or added to it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Into {
    Replace,
    Add,
}

/// out = a · b or out += a · b, for a row-major `out` with `stride` numbers from row to row, on all of
/// rayon's threads.
pub(crate) fn multiply(a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32], stride: usize, into: Into) {
    product(a, b, out, stride, into, Parallelism::Rayon(0));
}

/// [`multiply`] on this thread alone.
pub(crate) fn multiply_here(
    a: Matrix<'_>,
    b: Matrix<'_>,
    out: &mut [f32],
    stride: usize,
    into: Into,
) {
    product(a, b, out, stride, into, Parallelism::None);
}

fn product(
    a: Matrix<'_>,
    b: Matrix<'_>,
    out: &mut [f32],
    stride: usize,
    into: Into,
    parallelism: Parallelism,
) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    assert_eq!(k, b.rows, "inner dimensions");
    assert!(a.end() <= a.data.len() && b.end() <= b.data.len());
    if m == 0 || n == 0 {
        return;
    }
    assert!(n <= stride && (m - 1) * stride + n <= out.len());
    // SAFETY: the assertions above keep every element of the three matrices inside its slice, and `out`
    // is borrowed alone.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride as isize,
            into == Into::Add,
            a.data.as_ptr(),
            a.column as isize,
            a.row as isize,
            b.data.as_ptr(),
            b.column as isize,
            b.row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_definition() {
        let a: Vec<f32> = (0..15).map(|i| (i * 7 % 11) as f32 - 4.0).collect();
        let b: Vec<f32> = (0..20).map(|i| (i * 5 % 13) as f32 - 6.0).collect();
        // a is [3][5]; b is [4][5] and taken transposed.
        let mut out = vec![1f32; 3 * 6];
        let b = Matrix::new(&b, 4, 5);
        multiply(Matrix::new(&a, 3, 5), b.t(), &mut out, 6, Into::Add);
        for r in 0..3 {
            for c in 0..6 {
                let sum: f32 = (0..5)
                    .map(|k| {
                        if c < 4 {
                            a[r * 5 + k] * b.data[c * 5 + k]
                        } else {
                            0.0
                        }
                    })
                    .sum();
                assert_eq!(out[r * 6 + c], 1.0 + sum);
            }
        }
    }

    #[test]
    #[should_panic = "inner dimensions"]
    fn shapes_that_do_not_fit_are_refused() {
        let x = [0f32; 6];
        let a = Matrix::new(&x, 2, 3);
        multiply_here(a, a, &mut [0.0; 9], 3, Into::Replace);
    }
}

//! Linear layers, quantized or not.

use std::sync::Arc;

use nearshelf_kernels::{Weights, in_range, quantize_weights};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::einsum::EinSum;

use super::view::{Found, View, contracted};

/// y = x · Wᵀ + b.
pub(crate) struct FoundLinear {
    /// x, before it is shaped and quantized.
    pub input: OutletId,
    pub inputs: usize,
    pub name: String,
    codes: Codes,
    scales: Vec<f32>,
    bias: Vec<f32>,
    center: Vec<f32>,
    gain: Vec<f32>,
}

/// Weights, `[inputs][outputs]`.
enum Codes {
    /// A constant of the graph.
    Stored(Arc<Tensor>),
    Made(Vec<i8>),
}

impl Codes {
    fn as_slice(&self) -> &[i8] {
        match self {
            Codes::Stored(tensor) => bytes(tensor).unwrap_or_default(),
            Codes::Made(codes) => codes,
        }
    }
}

impl FoundLinear {
    /// The layer's weights, as kernels want them.
    pub fn weights(&self) -> Weights<'_> {
        Weights {
            codes: self.codes.as_slice().into(),
            scales: self.scales.clone(),
            bias: self.bias.clone(),
            center: self.center.clone(),
            gain: self.gain.clone(),
        }
    }
}

fn bytes(tensor: &Tensor) -> Option<&[i8]> {
    tensor.try_as_plain_ram().ok()?.as_slice::<i8>().ok()
}

/// Recognises a linear layer that ends in `outlet`:
///
/// - with f32 weights, which are quantized here;
/// - ONNX Runtime's dynamic quantization: DynamicQuantizeLinear → MatMulInteger → Cast → Mul → Add;
/// - this project's export: a scale and a middle for each token, spelled out in standard operators.
pub(crate) fn linear(view: View<'_>, outlet: OutletId) -> Found<FoundLinear> {
    let outlet = view.skip(outlet);
    let Some((product, bias)) = view.with_constant(outlet, "Add") else {
        return view.miss(outlet, "a linear layer with a bias");
    };
    let found = match view.einsum(product) {
        Some(_) => plain(view, product),
        None => quantized(view, product),
    };
    let Some(mut found) = found else {
        return view.miss(product, "a product with constant weights");
    };
    let outputs = found.scales.len();
    found.bias = match bias.len() {
        1 => vec![bias[0]; outputs],
        n if n == outputs => bias,
        _ => return view.miss(outlet, "a bias for each output"),
    };
    found.name = view.node(outlet).name.clone();
    Ok(found)
}

/// A product in f32 with a constant on its right.
fn plain(view: View<'_>, outlet: OutletId) -> Option<FoundLinear> {
    let (node, op) = view.einsum(outlet)?;
    let &[x, w] = &node.inputs[..] else {
        return None;
    };
    if view.fact(w).datum_type != f32::datum_type() {
        return None;
    }
    let matrix = matrix(view, op, x, w)?;
    let (codes, scales) = quantize_weights(&matrix.columns(view.floats(w)?), matrix.outputs);
    Some(found(x, matrix.inputs, Codes::Made(codes), scales))
}

fn found(input: OutletId, inputs: usize, codes: Codes, scales: Vec<f32>) -> FoundLinear {
    FoundLinear {
        input,
        inputs,
        name: String::new(),
        codes,
        scales,
        bias: Vec::new(),
        center: Vec::new(),
        gain: Vec::new(),
    }
}

/// Layout of a constant operand in memory.
struct Matrix {
    inputs: usize,
    outputs: usize,
    /// `[outputs][inputs]` rather than `[inputs][outputs]`.
    transposed: bool,
}

impl Matrix {
    /// The elements as `[inputs][outputs]`.
    fn columns<T: Copy>(&self, elements: Vec<T>) -> Vec<T> {
        if !self.transposed {
            return elements;
        }
        let column = |i: usize| elements.iter().skip(i).step_by(self.inputs).copied();
        (0..self.inputs).flat_map(column).collect()
    }
}

/// The product's last axis against one of a matrix, each row of which makes an output.
fn matrix(view: View<'_>, op: &EinSum, x: OutletId, w: OutletId) -> Option<Matrix> {
    let (in_x, in_w) = contracted(op)?;
    let dims = view.dims(w).into_iter().collect::<Option<Vec<usize>>>()?;
    let matrix_from = dims.len().checked_sub(2)?;
    let batch = dims[..matrix_from].iter().product::<usize>();
    let inputs = *dims.get(in_w)?;
    let last = in_x + 1 == view.fact(x).rank();
    if batch != 1 || !last || in_w < matrix_from || view.width(x) != Some(inputs) {
        return None;
    }
    let transposed = in_w != matrix_from;
    Some(Matrix {
        inputs,
        outputs: dims[if transposed {
            matrix_from
        } else {
            matrix_from + 1
        }],
        transposed,
    })
}

/// An integer product that is scaled back: cast(Σ codes · codes) · scales [+ middle · constants].
fn quantized(view: View<'_>, outlet: OutletId) -> Option<FoundLinear> {
    let Some((a, b)) = view.binary(outlet, "Add") else {
        return scaled_back(view, outlet, None);
    };
    let middle = |outlet: OutletId| {
        let (middle, constants) = view.with_constant(outlet, "Mul")?;
        Some((view.skip(middle), constants))
    };
    match (middle(a), middle(b)) {
        // The term of the middle has a constant factor at its top, but so may the other.
        (Some(term), _) if view.width(term.0) == Some(1) => scaled_back(view, b, Some(term)),
        (_, Some(term)) if view.width(term.0) == Some(1) => scaled_back(view, a, Some(term)),
        _ => None,
    }
}

/// `middle` is a token's middle and what each output multiplies it with.
fn scaled_back(
    view: View<'_>,
    outlet: OutletId,
    middle: Option<(OutletId, Vec<f32>)>,
) -> Option<FoundLinear> {
    let Factors {
        sum: (node, op),
        scale,
        constants,
    } = factors(view, outlet)?;
    let &[codes, w, bias, zero, _, weight_zero, ..] = &node.inputs[..] else {
        return None;
    };
    if view.scalar(bias) != Some(0.0) {
        return None;
    }
    let quantizer = quantizer(view, codes, zero)?;
    if view.unshaped(quantizer.scale) != view.unshaped(scale?)
        || quantizer.middle != middle.as_ref().map(|m| m.0)
    {
        return None;
    }
    let matrix = matrix(view, op, codes, w)?;
    let outputs = matrix.outputs;
    let mut scales = vec![1f32; outputs];
    for values in &constants {
        match values.len() {
            1 => scales.iter_mut().for_each(|s| *s *= values[0]),
            n if n == outputs => scales.iter_mut().zip(values).for_each(|(s, v)| *s *= v),
            _ => return None,
        }
    }
    let mut found = with_codes(view, &quantizer, &matrix, [w, weight_zero], scales)?;
    if let Some((_, given)) = &middle
        && !is_middle_of(given, &found, outputs)
    {
        return None;
    }
    found.center = quantizer.center;
    found.gain = quantizer.gain;
    Some(found)
}

/// The factors of a quantized product.
struct Factors<'a> {
    /// The sum over codes.
    sum: (&'a TypedNode, &'a EinSum),
    /// The scale of each token.
    scale: Option<OutletId>,
    /// Scales of the weights.
    constants: Vec<Vec<f32>>,
}

fn factors(view: View<'_>, outlet: OutletId) -> Option<Factors<'_>> {
    let mut sum = None;
    let mut scale = None;
    let mut constants: Vec<Vec<f32>> = Vec::new();
    for factor in leaves(view, outlet) {
        if let Some(values) = view.floats(factor) {
            constants.push(values);
        } else if let Some(inner) = view.unary(factor, "Cast")
            && let Some((node, op)) = view.einsum(inner)
        {
            if sum.replace((node, op)).is_some() {
                return None;
            }
        } else if scale.replace(factor).is_some() {
            return None;
        }
    }
    Some(Factors {
        sum: sum?,
        scale,
        constants,
    })
}

/// A layer with the codes of its weights `w`, as they are stored or made of them.
fn with_codes(
    view: View<'_>,
    quantizer: &Quantizer,
    matrix: &Matrix,
    [w, weight_zero]: [OutletId; 2],
    scales: Vec<f32>,
) -> Option<FoundLinear> {
    let stored = view.constant(w)?;
    let zeros = view.floats(weight_zero)?;
    let small = stored.datum_type() == i8::datum_type() && zeros.iter().all(|&z| z == 0.0);
    let found = |codes, scales| found(quantizer.input, matrix.inputs, codes, scales);
    if let Some(codes) = bytes(&stored).filter(|codes| small && in_range(codes)) {
        let codes = match matrix.transposed {
            true => Codes::Made(matrix.columns(codes.to_vec())),
            false => Codes::Stored(stored.clone()),
        };
        return Some(found(codes, scales));
    }
    // 8-bit codes lose one bit.
    let mut rows = matrix.columns(view.floats(w)?);
    for row in rows.chunks_exact_mut(matrix.outputs) {
        for (o, w) in row.iter_mut().enumerate() {
            let zero = zeros.get(o).or(zeros.first()).copied().unwrap_or_default();
            *w = (*w - zero) * scales[o];
        }
    }
    let (codes, scales) = quantize_weights(&rows, matrix.outputs);
    Some(found(Codes::Made(codes), scales))
}

/// Whether `given` is what each output multiplies a token's middle with: the sum of its weights.
fn is_middle_of(given: &[f32], found: &FoundLinear, outputs: usize) -> bool {
    let mut sums = vec![0i32; outputs];
    for row in found.codes.as_slice().chunks_exact(outputs) {
        let pairs = sums.iter_mut().zip(row);
        pairs.for_each(|(sum, &c)| *sum += i32::from(c));
    }
    let pairs = sums.iter().zip(&found.scales);
    let mut sums = pairs.map(|(sum, scale)| *sum as f32 * scale).zip(given);
    let close = |(sum, given): (f32, &f32)| (sum - given).abs() <= 1e-3 * (1.0 + sum.abs());
    given.len() == outputs && sums.all(close)
}

/// Factors, through changes of shape: ONNX Runtime multiplies two scales before it broadcasts them.
fn leaves(view: View<'_>, outlet: OutletId) -> Vec<OutletId> {
    let inner = view.unshaped(outlet);
    match view.binary(inner, "Mul") {
        None => vec![view.skip(outlet)],
        Some((a, b)) => [a, b].into_iter().flat_map(|x| leaves(view, x)).collect(),
    }
}

/// x = scale · code + middle, for t = (input - center) · gain.
struct Quantizer {
    input: OutletId,
    scale: OutletId,
    middle: Option<OutletId>,
    center: Vec<f32>,
    gain: Vec<f32>,
}

/// The quantizer behind `codes` with the zero point `zero`.
fn quantizer(view: View<'_>, codes: OutletId, zero: OutletId) -> Option<Quantizer> {
    let codes = view.skip(codes);
    let node = view.node(codes);
    if node.op.name() == "DynamicQuantizeLinearU8" {
        return (view.unshaped(zero) == OutletId::new(node.id, 2)).then(|| Quantizer {
            input: view.skip(node.inputs[0]),
            scale: OutletId::new(node.id, 1),
            middle: None,
            center: Vec::new(),
            gain: Vec::new(),
        });
    }
    // code = cast(round((t - middle) / scale) + zero)
    let zero = view.scalar(zero)?;
    let to = node.op_as::<Cast>()?.to;
    if to != i8::datum_type() && to != u8::datum_type() {
        return None;
    }
    let shifted = node.inputs[0];
    let rounded = match view.with_constant(shifted, "Add") {
        Some((x, by)) if by == [zero] => x,
        None if zero == 0.0 => shifted,
        _ => return None,
    };
    let (x, scale) = view.binary(view.unary(rounded, "RoundHalfToEven")?, "Div")?;
    let (x, middle) = match view.binary(x, "Sub") {
        Some((x, middle)) if view.constant(middle).is_none() => (x, Some(view.skip(middle))),
        _ => (x, None),
    };
    let width = view.width(x)?;
    let constants = |outlet: OutletId| view.floats(outlet).filter(|c| c.len() == width);
    let (mut x, mut center, mut gain) = (view.skip(x), Vec::new(), Vec::new());
    if let Some((inner, by)) = view.with_constant(x, "Mul")
        && by.len() == width
    {
        (x, gain) = (view.skip(inner), by);
    }
    if let Some((inner, by)) = view.binary(x, "Sub")
        && let Some(by) = constants(by)
    {
        (x, center) = (view.skip(inner), by);
    }
    Some(Quantizer {
        input: x,
        scale,
        middle,
        center,
        gain,
    })
}

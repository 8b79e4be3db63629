//! Whole layers: the same bits on every instruction set, alone and packed, and what bad weights get.

#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(
    clippy::single_range_in_vec_init,
    reason = "one text is a range of tokens"
)]

use nearshelf_kernels::{
    Activation, Embedding, Error, Isa, Layer, LayerNorm, LayerParts, Linear, Scratch, Weights,
    embed, quantize_weights,
};

const CHANNELS: usize = 128;
const INNER: usize = 192;

/// Numbers between -0.5 and 0.5, the same every time.
fn numbers(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    }
}

fn weights(seed: u64, inputs: usize, outputs: usize) -> Weights<'static> {
    let mut next = numbers(seed);
    let values: Vec<f32> = (0..inputs * outputs).map(|_| next() * 0.3).collect();
    let (codes, scales) = quantize_weights(&values, outputs);
    Weights {
        codes: codes.into(),
        scales,
        bias: (0..outputs).map(|_| next()).collect(),
        center: (0..inputs).map(|_| next() * 0.2).collect(),
        gain: (0..inputs).map(|_| 1.0 + next()).collect(),
    }
}

fn norm(seed: u64) -> LayerNorm {
    let mut next = numbers(seed);
    let weight: Vec<f32> = (0..CHANNELS).map(|_| 1.0 + next()).collect();
    let bias: Vec<f32> = (0..CHANNELS).map(|_| next()).collect();
    LayerNorm::new("norm", weight, bias, 1e-12).unwrap()
}

fn layer(heads: usize, activation: Activation) -> Layer {
    let linear = |seed, inputs, outputs, activation| {
        Linear::new(
            "linear",
            inputs,
            &weights(seed, inputs, outputs),
            activation,
        )
        .unwrap()
    };
    let parts = LayerParts {
        qkv: linear(1, CHANNELS, 3 * CHANNELS, Activation::None),
        heads,
        out: linear(2, CHANNELS, CHANNELS, Activation::None),
        attention_norm: norm(3),
        inner: linear(4, CHANNELS, INNER, activation),
        outer: linear(5, INNER, CHANNELS, Activation::None),
        output_norm: norm(6),
    };
    Layer::new("layer", parts).unwrap()
}

fn hidden(tokens: usize, seed: u64) -> Vec<f32> {
    let mut next = numbers(seed);
    (0..tokens * CHANNELS).map(|_| next() * 4.0).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for activation in [Activation::Gelu, Activation::Relu] {
        let layer = layer(4, activation);
        for tokens in [1, 2, 13, 25, 130] {
            let run = |isa: Isa| {
                let mut x = hidden(tokens, 7);
                layer.run(isa, &mut x, &[0..tokens], &mut Scratch::default());
                bits(&x)
            };
            let available = Isa::available();
            let expected = run(available[0]);
            assert!(expected.iter().all(|x| f32::from_bits(*x).is_finite()));
            for isa in available {
                assert_eq!(run(isa), expected, "{isa:?}, {tokens} tokens");
            }
        }
    }
}

#[test]
fn packed_texts_are_what_they_are_alone() {
    let layer = layer(8, Activation::Gelu);
    let lengths = [3, 1, 40, 70, 8];
    let texts: Vec<Vec<f32>> = lengths.iter().map(|&n| hidden(n, n as u64)).collect();
    let mut packed = texts.concat();
    let mut start = 0;
    let ranges = lengths.map(|n| {
        start += n;
        start - n..start
    });
    let mut scratch = Scratch::default();
    layer.run(Isa::detect(), &mut packed, &ranges, &mut scratch);
    for (range, mut text) in ranges.into_iter().zip(texts) {
        let tokens = range.len();
        // The buffers of the batch serve for what is smaller.
        layer.run(Isa::detect(), &mut text, &[0..tokens], &mut scratch);
        let packed = &packed[range.start * CHANNELS..range.end * CHANNELS];
        assert_eq!(bits(packed), bits(&text), "{tokens} tokens");
    }
}

#[test]
fn a_linear_layer_is_close_to_its_weights() {
    let (inputs, outputs) = (128, 48);
    let weights = weights(9, inputs, outputs);
    let linear = Linear::new("linear", inputs, &weights, Activation::None).unwrap();
    let mut next = numbers(10);
    let x: Vec<f32> = (0..3 * inputs).map(|_| next()).collect();
    let mut y = vec![0f32; 3 * outputs];
    linear.run(Isa::detect(), &x, &mut y, &mut Scratch::default());
    for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact(outputs)) {
        for (o, y) in y.iter().enumerate() {
            let term = |i: usize| {
                let code = f32::from(weights.codes[i * outputs + o]);
                (x[i] - weights.center[i]) * weights.gain[i] * code * weights.scales[o]
            };
            let exact: f32 = (0..inputs).map(term).sum::<f32>() + weights.bias[o];
            assert!((exact - y).abs() < 0.02, "{exact} {y}");
        }
    }
}

#[test]
fn embeddings_are_rows_and_positions() {
    let codes: Vec<i8> = (0..3 * CHANNELS)
        .map(|i| (i * 37 % 255) as u8 as i8)
        .collect();
    let scales = [0.01, 0.02, 0.03];
    let positions = hidden(4, 1);
    let norm = norm(2);
    let tables = Embedding {
        codes: &codes,
        scales: &scales,
        positions: &positions,
        norm: &norm,
    };
    tables.check().unwrap();
    let tokens = [(2, 0), (0, 3)];
    let mut expected: Option<Vec<u32>> = None;
    for isa in Isa::available() {
        let mut out = vec![0f32; 2 * CHANNELS];
        embed(isa, &tables, tokens.into_iter(), &mut out).unwrap();
        assert_eq!(expected.get_or_insert(bits(&out)), &bits(&out), "{isa:?}");
    }
    for (token, message) in [
        ((3, 0), "word"),
        ((0, 4), "position"),
        ((usize::MAX >> 8, 0), "word"),
    ] {
        let mut out = vec![0f32; CHANNELS];
        let error = embed(Isa::detect(), &tables, [token].into_iter(), &mut out).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
}

fn linear_error(change: impl FnOnce(&mut Weights<'_>)) -> Error {
    let mut weights = weights(1, 64, 32);
    change(&mut weights);
    Linear::new("node", 64, &weights, Activation::None).unwrap_err()
}

#[test]
fn bad_weights_are_errors_that_name_the_node() {
    for error in [
        linear_error(|w| w.scales[3] = f32::NAN),
        linear_error(|w| w.bias[0] = f32::INFINITY),
        linear_error(|w| w.center[0] = f32::NAN),
        linear_error(|w| w.codes.to_mut()[5] = 64),
        linear_error(|w| w.codes.to_mut()[5] = -65),
    ] {
        assert!(matches!(error, Error::Value { .. }), "{error}");
        assert!(error.to_string().starts_with("node: expected"), "{error}");
    }
    for error in [
        linear_error(|w| w.codes.to_mut().truncate(1)),
        linear_error(|w| w.bias.truncate(1)),
        linear_error(|w| w.gain.truncate(1)),
        Linear::new("node", 60, &weights(1, 60, 32), Activation::None).unwrap_err(),
        Linear::new("node", 64, &weights(1, 64, 17), Activation::None).unwrap_err(),
        LayerNorm::new("node", vec![1.0; 16], vec![0.0; 17], 1e-12).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Shape { .. }), "{error}");
    }
}

#[test]
fn weights_that_could_overflow_are_refused() {
    let mut huge = weights(1, CHANNELS, CHANNELS);
    huge.scales.fill(1e30);
    let linear = |w: &Weights<'_>| Linear::new("l", CHANNELS, w, Activation::None).unwrap();
    let inner = Linear::new(
        "i",
        CHANNELS,
        &weights(4, CHANNELS, INNER),
        Activation::Gelu,
    )
    .unwrap();
    let outer = Linear::new("o", INNER, &weights(5, INNER, CHANNELS), Activation::None).unwrap();
    let parts = LayerParts {
        qkv: linear(&weights(1, CHANNELS, 3 * CHANNELS)),
        heads: 4,
        out: linear(&huge),
        attention_norm: norm(1),
        inner,
        outer,
        output_norm: norm(2),
    };
    let error = Layer::new("node", parts).unwrap_err();
    assert!(error.to_string().contains("cannot overflow"), "{error}");
}

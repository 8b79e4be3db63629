//! Gradients of the network against finite differences.

use super::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A small network of random parameters.
pub(crate) fn small(seed: u64) -> Bert {
    let config: BertConfig = serde_json::from_value(serde_json::json!({
        "model_type": "bert", "hidden_size": 24, "intermediate_size": 48, "num_attention_heads": 3,
        "num_hidden_layers": 2, "vocab_size": 50, "max_position_embeddings": 16,
        "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
    }))
    .unwrap();
    let sizes = Sizes::of(&config);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tensors = HashMap::new();
    let names = embedding_names(sizes)
        .into_iter()
        .chain((0..sizes.layers).flat_map(|l| layer_names(sizes, l)));
    for named in names {
        let middle = if named.name.ends_with("LayerNorm.weight") {
            1.0
        } else {
            0.0
        };
        let values: Vec<f32> = (0..named.len())
            .map(|_| middle + rng.random_range(-0.4..0.4))
            .collect();
        tensors.insert(
            named.name,
            Tensor::from_vec(values, named.shape, &Device::Cpu).unwrap(),
        );
    }
    Bert::from_tensors(config, &tensors, Path::new("small"), &Device::Cpu).unwrap()
}

fn texts() -> Packed {
    Packed::new(&[vec![1, 7, 7, 2], vec![3, 49], (4..20).collect()])
}

/// Σ of token and text vectors, each weighted differently, and its gradients.
fn objective(bert: &Bert, composed: bool) -> (f32, Vec<Vec<f32>>) {
    let texts = texts();
    let (hidden, mean, cls) = if composed {
        let hidden = composed::forward(bert.network(), &texts).unwrap();
        let mean = composed::pool(&hidden, &texts, Pooling::Mean).unwrap();
        let cls = composed::pool(&hidden, &texts, Pooling::Cls).unwrap();
        (hidden, mean, cls)
    } else {
        let hidden = bert.forward(&texts, true).unwrap();
        let mean = bert.pool(&hidden, &texts, Pooling::Mean).unwrap();
        let cls = bert.pool(&hidden, &texts, Pooling::Cls).unwrap();
        (hidden, mean, cls)
    };
    let all = Tensor::cat(&[hidden, mean, cls], 0).unwrap();
    let weights: Vec<f32> = (0..all.elem_count())
        .map(|i| ((i * 37) % 19) as f32 / 19.0 - 0.4)
        .collect();
    let weights = Tensor::from_vec(weights, all.shape(), &Device::Cpu).unwrap();
    let sum = (all * weights).unwrap().sum_all().unwrap();
    let gradients = sum.backward().unwrap();
    let gradients = bert
        .parameters()
        .iter()
        .map(|p| gradients.get(p.var).unwrap().to_vec1().unwrap())
        .collect();
    (sum.to_scalar().unwrap(), gradients)
}

#[test]
fn the_fused_network_is_the_composed_one_forward_and_backward() {
    let bert = small(1);
    let (fused, gradients) = objective(&bert, false);
    let (composed, expected) = objective(&bert, true);
    assert!((fused - composed).abs() < 1e-4, "{fused} {composed}");
    for (block, (gradients, expected)) in gradients.iter().zip(&expected).enumerate() {
        let largest = expected.iter().fold(0f32, |a, b| a.max(b.abs()));
        for (i, (a, b)) in gradients.iter().zip(expected).enumerate() {
            assert!(
                (a - b).abs() < 1e-5 * largest.max(1.0),
                "block {block}, {i}: {a} {b}"
            );
        }
    }
}

#[test]
fn gradients_are_the_slopes_of_the_objective() {
    let bert = small(2);
    let (_, gradients) = objective(&bert, false);
    let step = 1e-2;
    for (parameter, gradient) in bert.parameters().iter().zip(&gradients) {
        // Some in every tensor of the block, the first of each with the largest slope.
        let mut start = 0;
        for (length, _) in &parameter.parts {
            let range = start..start + length;
            start = range.end;
            let at = range
                .max_by(|&a, &b| gradient[a].abs().total_cmp(&gradient[b].abs()))
                .unwrap();
            let values: Vec<f32> = parameter.var.to_vec1().unwrap();
            let with = |shift: f32| {
                let mut values = values.clone();
                values[at] += shift;
                let values = Tensor::from_vec(values, parameter.var.shape(), &Device::Cpu).unwrap();
                parameter.var.set(&values).unwrap();
                objective(&bert, false).0
            };
            let numeric = (with(step) - with(-step)) / (2.0 * step);
            with(0.0);
            let scale = gradient[at].abs().max(1.0);
            assert!(
                (numeric - gradient[at]).abs() < 2e-2 * scale,
                "{at}: {numeric} {}",
                gradient[at]
            );
        }
    }
}

#[test]
fn a_text_has_the_same_vectors_in_any_company_and_on_any_number_of_threads() {
    let bert = small(3);
    let run = |texts: &Packed, threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            bert.forward(texts, false)
                .unwrap()
                .to_vec2::<f32>()
                .unwrap()
        })
    };
    assert_eq!(run(&texts(), 1), run(&texts(), 3));
}

#[test]
fn what_does_not_fit_the_tables_is_refused() {
    let bert = small(4);
    for (text, expected) in [
        (vec![50u32], "ids below 50"),
        (vec![1; 17], "1 to 16 tokens"),
    ] {
        let error = bert
            .forward(&Packed::new(&[text]), false)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

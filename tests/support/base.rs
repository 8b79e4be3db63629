//! An encoder of random weights.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use serde_json::{Value, json};

use crate::root;

const HIDDEN: usize = 32;
const INNER: usize = 64;

/// An encoder of random weights with the demo's tokenizer, in `dir/base`; `size` is how large they are. Its layers are
/// smaller than the kernels take, so that its graph is not recognised.
pub fn random_base(dir: &Path, size: f32) -> PathBuf {
    let dir = dir.join("base");
    fs::create_dir_all(&dir).unwrap();
    let tokenizer = fs::read(root().join("assets/model/tokenizer.json")).unwrap();
    fs::write(dir.join("tokenizer.json"), &tokenizer).unwrap();
    let tokenizer: Value = serde_json::from_slice(&tokenizer).unwrap();
    let vocabulary = tokenizer["model"]["vocab"].as_object().unwrap().len();
    let config = json!({
        "model_type": "bert", "hidden_size": HIDDEN, "intermediate_size": INNER,
        "num_attention_heads": 2, "num_hidden_layers": 2, "vocab_size": vocabulary,
        "max_position_embeddings": 64, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
    });
    fs::write(dir.join("config.json"), config.to_string()).unwrap();
    let mut shapes: Vec<(String, Vec<usize>)> = [
        (
            "embeddings.word_embeddings.weight",
            vec![vocabulary, HIDDEN],
        ),
        ("embeddings.position_embeddings.weight", vec![64, HIDDEN]),
        ("embeddings.token_type_embeddings.weight", vec![2, HIDDEN]),
        ("embeddings.LayerNorm.weight", vec![HIDDEN]),
        ("embeddings.LayerNorm.bias", vec![HIDDEN]),
    ]
    .map(|(name, shape)| (name.to_owned(), shape))
    .into();
    for layer in 0..2 {
        for (part, out, inputs) in [
            ("attention.self.query", HIDDEN, HIDDEN),
            ("attention.self.key", HIDDEN, HIDDEN),
            ("attention.self.value", HIDDEN, HIDDEN),
            ("attention.output.dense", HIDDEN, HIDDEN),
            ("intermediate.dense", INNER, HIDDEN),
            ("output.dense", HIDDEN, INNER),
        ] {
            let name = format!("encoder.layer.{layer}.{part}");
            shapes.push((format!("{name}.weight"), vec![out, inputs]));
            shapes.push((format!("{name}.bias"), vec![out]));
        }
        for norm in ["attention.output.LayerNorm", "output.LayerNorm"] {
            for part in ["weight", "bias"] {
                shapes.push((format!("encoder.layer.{layer}.{norm}.{part}"), vec![HIDDEN]));
            }
        }
    }
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let values: Vec<(String, Vec<usize>, Vec<u8>)> = shapes
        .into_iter()
        .map(|(name, shape)| {
            let middle = if name.ends_with("LayerNorm.weight") {
                1.0
            } else {
                0.0
            };
            let count: usize = shape.iter().product();
            let bytes = (0..count)
                .flat_map(|_| (middle + size * rng.random_range(-0.15f32..0.15)).to_le_bytes());
            (name, shape, bytes.collect())
        })
        .collect();
    let views: HashMap<&str, TensorView<'_>> = values
        .iter()
        .map(|(name, shape, bytes)| {
            (
                name.as_str(),
                TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
            )
        })
        .collect();
    serialize_to_file(views, None, &dir.join("model.safetensors")).unwrap();
    dir
}

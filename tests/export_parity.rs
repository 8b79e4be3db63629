//! Exports, and the runtime that reads them, against ONNX Runtime and a float64 reference.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use nearshelf_encoder::Encoder;
use nearshelf_export::{Precision, export};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::Tensor;
use support::{
    base_model, cosine, mean_and_worst, python, read_npy, root, run_python, set_up, varied_texts,
};

/// Token ids and vectors of the varied texts, by the float64 reference.
fn reference(python: &Path, base: &Path, out: &Path) -> (Vec<Vec<u32>>, Vec<Vec<f32>>) {
    let texts = root().join("tests/golden/varied-texts.txt");
    let vectors = out.join("reference.npy");
    run_python(
        python,
        &root().join("tests/reference/bert.py"),
        &[base, &texts, &vectors],
    );
    let ids = fs::read(out.join("reference.ids.json")).unwrap();
    (serde_json::from_slice(&ids).unwrap(), read_npy(&vectors))
}

/// Mean-pooled unit vectors of ONNX Runtime, a text at a time.
fn onnx_runtime(model: &Path, ids: &[Vec<u32>]) -> Vec<Vec<f32>> {
    // One for the process: another cannot be made.
    static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| ort::init().build().unwrap());
    let mut session = Session::builder(&ENVIRONMENT)
        .unwrap()
        .commit_from_file(model)
        .unwrap();
    ids.iter()
        .map(|ids| {
            let shape = [1, ids.len()];
            let row = |value: &dyn Fn(u32) -> i64| {
                Tensor::from_array((shape, ids.iter().map(|&id| value(id)).collect::<Vec<i64>>()))
                    .unwrap()
            };
            let outputs = session
                .run(ort::inputs![
                    "input_ids" => row(&i64::from),
                    "attention_mask" => row(&|_| 1),
                    "token_type_ids" => row(&|_| 0),
                ])
                .unwrap();
            let (_, hidden) = outputs[0].try_extract_tensor::<f32>().unwrap();
            let dims = hidden.len() / ids.len();
            (0..dims)
                .map(|d| hidden.iter().skip(d).step_by(dims).sum::<f32>())
                .collect()
        })
        .collect()
}

fn compare(what: &str, a: &[Vec<f32>], b: &[Vec<f32>]) -> (f64, f64) {
    assert_eq!(a.len(), b.len());
    let cosines: Vec<f64> = a.iter().zip(b).map(|(a, b)| cosine(a, b)).collect();
    let (mean, worst) = mean_and_worst(&cosines);
    println!(
        "{what}: cosine {mean:.6} mean, {worst:.6} worst of {}",
        cosines.len()
    );
    (mean, worst)
}

#[test]
fn exports_agree_with_the_reference() {
    let test = "exports against ONNX Runtime";
    let (Some(python), Some(base), Some(_)) = (
        python(test),
        base_model(test),
        set_up(test, "ORT_DYLIB_PATH"),
    ) else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let (ids, expected) = reference(&python, &base, directory.path());
    assert_eq!(ids.len(), 200);
    let texts = varied_texts();
    let runtime = |model: &Path| -> Vec<Vec<f32>> {
        let encoder = Encoder::open(model).unwrap();
        for (text, ids) in texts.iter().zip(&ids) {
            assert_eq!(&encoder.tokenize(text).unwrap(), ids, "tokens of {text:?}");
        }
        let encoded = encoder.encode_batch(&texts, 2, &|_| ()).unwrap();
        encoded.into_iter().map(|e| e.vector).collect()
    };

    let f32 = directory.path().join("f32");
    export(&base, &f32, Precision::F32, &[]).unwrap();
    let (_, worst) = compare(
        "f32, ONNX Runtime",
        &expected,
        &onnx_runtime(&f32.join("model.onnx"), &ids),
    );
    assert!(worst >= 0.99999);
    let (_, worst) = compare("f32, this runtime", &expected, &runtime(&f32));
    assert!(worst >= 0.99999);

    let int8 = directory.path().join("int8");
    let exported = export(&base, &int8, Precision::Int8, &[]).unwrap();
    assert!(exported.model_bytes < 24_000_000);
    let (mean, worst) = compare(
        "INT8, ONNX Runtime",
        &expected,
        &onnx_runtime(&int8.join("model.onnx"), &ids),
    );
    assert!(mean >= 0.998 && worst >= 0.99);
    let (mean, worst) = compare("INT8, this runtime", &expected, &runtime(&int8));
    assert!(mean >= 0.998 && worst >= 0.99);

    // A quantizer's file with nothing beside it but the tokenizer.
    let foreign = directory.path().join("onnxruntime");
    fs::create_dir(&foreign).unwrap();
    fs::copy(base.join("tokenizer.json"), foreign.join("tokenizer.json")).unwrap();
    let script = root().join("tests/reference/quantize.py");
    run_python(
        &python,
        &script,
        &[&f32.join("model.onnx"), &foreign.join("model.onnx")],
    );
    let theirs = onnx_runtime(&foreign.join("model.onnx"), &ids);
    let ours = runtime(&foreign);
    compare(
        "INT8 by ONNX Runtime's quantizer, ONNX Runtime",
        &expected,
        &theirs,
    );
    let (mean, worst) = compare(
        "INT8 by ONNX Runtime's quantizer, this runtime",
        &expected,
        &ours,
    );
    assert!(mean >= 0.98 && worst >= 0.9);
}

#[test]
fn what_cannot_be_exported_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let message = |base: &Path| {
        let error = export(base, &directory.path().join("out"), Precision::Int8, &[]).unwrap_err();
        assert!(!directory.path().join("out/encoder.json").exists());
        error.to_string()
    };
    let base = directory.path().join("base");
    fs::create_dir(&base).unwrap();
    assert!(message(&base).contains("config.json: "));
    fs::write(base.join("config.json"), "{").unwrap();
    assert!(message(&base).contains("config.json: EOF"));
    let config = |kind: &str, heads: usize| {
        format!(
            r#"{{"model_type":"{kind}","hidden_size":8,"intermediate_size":8,"num_attention_heads":{heads},
            "num_hidden_layers":1,"vocab_size":9,"max_position_embeddings":8,"type_vocab_size":2,
            "layer_norm_eps":1e-12,"hidden_act":"gelu"}}"#
        )
    };
    fs::write(base.join("config.json"), config("gpt2", 2)).unwrap();
    assert!(message(&base).contains("field model_type: expected \"bert\", found gpt2"));
    fs::write(base.join("config.json"), config("bert", 3)).unwrap();
    assert!(message(&base).contains("field num_attention_heads: expected a divisor"));
    fs::write(base.join("config.json"), config("bert", 2)).unwrap();
    fs::write(base.join("model.safetensors"), b"nonsense").unwrap();
    assert!(message(&base).contains("model.safetensors: expected the safetensors format"));
    let mut empty = 2u64.to_le_bytes().to_vec();
    empty.extend_from_slice(b"{}");
    fs::write(base.join("model.safetensors"), empty).unwrap();
    fs::write(base.join("tokenizer.json"), "{}").unwrap();
    assert!(message(&base).contains("tokenizer.json: expected a Hugging Face tokenizer"));
    let demo = support::demo_model();
    fs::copy(
        demo.path().join("tokenizer.json"),
        base.join("tokenizer.json"),
    )
    .unwrap();
    let words = |count: usize| {
        let vocabulary = format!(r#""vocab_size":{count}"#);
        let config = config("bert", 2).replace(r#""vocab_size":9"#, &vocabulary);
        fs::write(base.join("config.json"), config).unwrap();
    };
    words(3);
    assert!(message(&base).contains("expected token ids below 3, the rows of the embedding table"));
    words(11_000);
    assert!(message(&base).contains("tensor embeddings.word_embeddings.weight: expected a tensor"));
}

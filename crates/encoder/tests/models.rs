//! Models that are not as the exporter writes them: what still runs, and what is refused and how.

#![allow(clippy::unwrap_used, reason = "a test")]

#[allow(dead_code, reason = "what this test needs of it")]
mod demo;

use demo::model as file;
use nearshelf_encoder::{Bytes, Encoder, Error, ModelFiles};
use nearshelf_lower::pb::tensor_proto::DataType;
use nearshelf_lower::pb::{GraphProto, ModelProto, NodeProto, TensorProto};
use prost::Message;

fn open(model: Vec<u8>) -> Result<Encoder, Error> {
    Encoder::from_onnx(&ModelFiles {
        config: None,
        model: Bytes::from(model),
        tokenizer: &file("tokenizer.json"),
        checked: false,
    })
}

fn edited(edit: impl FnOnce(&mut ModelProto)) -> Result<Encoder, Error> {
    let mut model = ModelProto::decode(&*file("model.onnx")).unwrap();
    edit(&mut model);
    open(model.encode_to_vec())
}

fn edited_graph(edit: impl FnOnce(&mut GraphProto)) -> Result<Encoder, Error> {
    edited(|model| edit(model.graph.as_mut().unwrap()))
}

fn tensor<'a>(graph: &'a mut GraphProto, name: &str) -> &'a mut TensorProto {
    graph
        .initializer
        .iter_mut()
        .find(|t| t.name == name)
        .unwrap()
}

fn node<'a>(graph: &'a mut GraphProto, name: &str) -> &'a mut NodeProto {
    graph.node.iter_mut().find(|n| n.name == name).unwrap()
}

/// The error, which is one of the model's and says all of `parts`.
fn refused(result: Result<Encoder, Error>, parts: &[&str]) {
    let Err(error) = result else {
        panic!("expected an error that says {parts:?}")
    };
    let text = error.to_string();
    assert!(text.starts_with("model.onnx"), "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

/// Puts `x = -(-x)` behind a node, which changes nothing but the form.
fn negate_twice(graph: &mut GraphProto, name: &str) {
    let place = graph.node.iter().position(|n| n.name == name).unwrap();
    for user in &mut graph.node[place + 1..] {
        for input in user.input.iter_mut().filter(|input| *input == name) {
            *input = format!("{name}.twice");
        }
    }
    for (i, (from, to)) in [("", ".once"), (".once", ".twice")].into_iter().enumerate() {
        let negation = NodeProto {
            name: format!("{name}{to}"),
            op_type: "Neg".into(),
            input: vec![format!("{name}{from}")],
            output: vec![format!("{name}{to}")],
            ..Default::default()
        };
        graph.node.insert(place + 1 + i, negation);
    }
}

#[test]
fn what_is_not_recognised_runs_unfused_and_is_named() {
    let fused = open(file("model.onnx")).unwrap();
    assert!(fused.fusion().complete(), "{}", fused.fusion());
    for (changed, layers, embeddings) in [
        ("encoder.layer.1.attention.output.dense", 3, true),
        ("encoder.layer.3.intermediate.dense", 3, true),
        ("encoder.layer.0.attention.self.query", 3, true),
        ("embeddings.words_and_types", 4, false),
    ] {
        let encoder = edited_graph(|graph| negate_twice(graph, changed)).unwrap();
        let fusion = encoder.fusion();
        assert_eq!(
            (fusion.layers, fusion.embeddings),
            (layers, embeddings),
            "{fusion}"
        );
        assert!(!fusion.complete() && fusion.unfused > 0, "{fusion}");
        let (node, _) = fusion.differs.as_ref().unwrap();
        assert!(
            node.starts_with(changed) || changed.starts_with(node.as_str()),
            "{fusion}"
        );
        for text in [
            "rain jacket",
            "a somewhat longer text, so that it is padded to a length",
        ] {
            let (a, b) = (fused.encode(text).unwrap(), encoder.encode(text).unwrap());
            let cosine: f32 = a.vector.iter().zip(&b.vector).map(|(a, b)| a * b).sum();
            assert!(cosine > 0.995, "{changed}: {cosine}");
        }
    }
}

#[test]
fn a_layer_that_is_no_longer_one_is_not_fused() {
    // Scores over queries instead of keys: the shapes are the same, the meaning is not.
    let encoder = edited_graph(|graph| {
        let softmax = node(graph, "encoder.layer.2.attention.self.probabilities");
        softmax.attribute[0].i = -2;
    });
    assert_eq!(encoder.unwrap().fusion().layers, 3);
    // A mask that adds something to the scores of tokens.
    let encoder = edited_graph(|graph| {
        let one = tensor(graph, "mask.one");
        one.raw_data = 1.5f32.to_le_bytes().to_vec();
    });
    assert_eq!(encoder.unwrap().fusion().layers, 0);
    // A middle that is given back as something else than was taken.
    let encoder = edited_graph(|graph| {
        let sums = tensor(graph, "encoder.layer.1.output.dense.sums");
        sums.raw_data.fill(0);
    });
    assert_eq!(encoder.unwrap().fusion().layers, 3);
}

#[test]
fn unknown_operators_and_versions_are_refused() {
    let name = "encoder.layer.2.intermediate.gelu.erf";
    refused(
        edited_graph(|graph| node(graph, name).op_type = "Frobnicate".into()),
        &[name, "Frobnicate"],
    );
    for version in [7, 99] {
        refused(
            edited(|model| model.opset_import[0].version = version),
            &["opset", "11 to 21", &version.to_string()],
        );
    }
    refused(
        edited(|model| model.opset_import.clear()),
        &["opset", "none"],
    );
    refused(edited(|model| model.graph = None), &["expected a graph"]);
}

#[test]
fn weights_that_are_no_weights_are_refused() {
    for (name, value) in [
        ("encoder.layer.0.attention.self.key.scales", f32::NAN),
        ("encoder.layer.3.output.LayerNorm.weight", f32::NAN),
        ("encoder.layer.2.intermediate.dense.bias", f32::INFINITY),
        ("embeddings.word_embeddings.scales", f32::NAN),
    ] {
        let node = name.rsplit_once('.').unwrap().0;
        let node = node.strip_suffix(".LayerNorm").unwrap_or(node);
        let result = edited_graph(|graph| {
            tensor(graph, name).raw_data[..4].copy_from_slice(&value.to_le_bytes());
        });
        refused(result, &[node, "expected"]);
    }
}

#[test]
fn weights_of_another_type_or_shape_are_refused() {
    let name = "encoder.layer.1.attention.output.dense.codes";
    for kind in [DataType::Int16, DataType::Double, DataType::String] {
        refused(
            edited_graph(|graph| tensor(graph, name).data_type = kind as i32),
            &[],
        );
    }
    refused(
        edited_graph(|graph| tensor(graph, name).dims = vec![384, 383]),
        &[],
    );
    refused(
        edited_graph(|graph| tensor(graph, name).raw_data.truncate(1000)),
        &[],
    );
}

#[test]
fn a_tokenizer_with_more_ids_than_embeddings_is_refused() {
    let rows = 10_000;
    let result = edited_graph(|graph| {
        for (name, bytes) in [("codes", 384), ("scales", 4)] {
            let table = tensor(graph, &format!("embeddings.word_embeddings.{name}"));
            table.dims[0] = rows;
            table.raw_data.truncate(rows as usize * bytes);
        }
    });
    let error = result.err().unwrap();
    assert!(
        matches!(
            error,
            Error::TokenRange {
                rows: 10_000,
                id: 10_000,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn flipped_bits_never_panic() {
    let model = file("model.onnx");
    // Where names, shapes and operators are: weights lie in between.
    for i in 0..60 {
        let mut damaged = model.clone();
        let place = match i % 2 {
            0 => i * 31,
            _ => damaged.len() - 1 - i * 61,
        };
        damaged[place] ^= 1 << (i % 8);
        // Refused or not, it must be an answer.
        if let Ok(encoder) = open(damaged) {
            let _ = encoder.encode("rain jacket");
        }
    }
    for length in [0, 1, 100, model.len() / 2, model.len() - 1] {
        refused(open(model[..length].to_vec()), &[]);
    }
}

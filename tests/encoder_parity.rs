//! The same vectors on every instruction set of this machine and in wasm, through the command line and
//! Node. What holds them to the golden file is the encoder's own test.

use std::fs;
use std::path::Path;
use std::process::Command;

use nearshelf_encoder::{Encoder, Isa};
use support::{demo_model, nearshelf, outcome, root, set_up, varied_texts};

fn bytes(vectors: impl IntoIterator<Item = Vec<f32>>) -> Vec<u8> {
    let numbers = vectors.into_iter().flatten();
    numbers.flat_map(f32::to_le_bytes).collect()
}

fn expected(model: &Path) -> Vec<u8> {
    let encoder = Encoder::open(model).unwrap();
    bytes(
        varied_texts()
            .iter()
            .map(|text| encoder.encode(text).unwrap().vector),
    )
}

#[test]
fn instruction_sets_agree() {
    let model = demo_model();
    let directory = tempfile::tempdir().unwrap();
    let expected = expected(model.path());
    let available = Isa::available();
    println!("instruction sets: {available:?}");
    for isa in available {
        let out = directory.path().join(format!("{}.npy", isa.name()));
        let (code, _, error) = outcome(
            nearshelf()
                .env(Isa::VARIABLE, isa.name())
                .args(["encode", "--threads", "2", "--model"])
                .arg(model.path())
                .arg("--input")
                .arg(root().join("tests/golden/varied-texts.txt"))
                .arg("--out")
                .arg(&out),
        );
        assert_eq!(code, 0, "{error}");
        let file = fs::read(&out).unwrap();
        let header = file.len() - expected.len();
        assert!(file[header..] == expected, "{isa:?} gives other bits");
    }
}

#[test]
fn wasm_agrees() {
    let test = "the wasm module against native code";
    let (Some(modules), Some(node)) = (
        set_up(test, "NEARSHELF_WEB"),
        set_up(test, "NEARSHELF_NODE"),
    ) else {
        return;
    };
    let model = demo_model();
    let expected = expected(model.path());
    let out = model.path().join("vectors");
    // Set-up installs a Node that knows both; the machine's own may be older.
    for node in [node.as_path(), Path::new("node")] {
        for build in ["simd128", "relaxed-simd"] {
            let mut command = Command::new(node);
            command
                .arg(root().join("tests/reference/encode.mjs"))
                .arg(modules.join(build))
                .arg(model.path())
                .arg(root().join("tests/golden/varied-texts.txt"))
                .arg(&out);
            let (code, output, error) = outcome(&mut command);
            if code == 3 {
                println!(
                    "skipped: {build} in {}, which does not know it",
                    node.display()
                );
                continue;
            }
            assert_eq!(code, 0, "{error}");
            assert!(
                output.contains(&format!("{build}: embeddings, 4 layers fused")),
                "{output}"
            );
            assert!(
                fs::read(&out).unwrap() == expected,
                "{build} gives other bits"
            );
        }
    }
}

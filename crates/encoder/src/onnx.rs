//! Models as ONNX: read, run, and made into network files.

use nearshelf_container::{Bytes, sha256, trim_heap};
use nearshelf_lower::Graph;

use crate::config::{EncoderConfig, Precision};
use crate::encoder::{Encoder, Engine};
use crate::error::{Error, Result};
use crate::network_file::write;
use crate::tokenizer::Tokenizer;

/// The bytes of a model directory's portable files.
#[derive(Debug, Clone)]
pub struct ModelFiles<'a> {
    /// `encoder.json`; without it the defaults of sentence-transformers hold: mean pooling, 256
    /// tokens of at most 512 positions.
    pub config: Option<&'a [u8]>,
    /// `model.onnx`. The encoder may hold on to the bytes and read its word embeddings from them.
    pub model: Bytes,
    /// `tokenizer.json`.
    pub tokenizer: &'a [u8],
    /// Whether the caller compared the files with the digests in `config`. They are compared here otherwise.
    pub checked: bool,
}

/// A model that has been read, before it is decided how it runs.
struct Read {
    config: EncoderConfig,
    tokenizer: Tokenizer,
    graph: Graph,
}

impl Encoder {
    /// Opens a model from the bytes of its portable files. A graph that is recognised runs as its network file
    /// does, any other on tract.
    ///
    /// # Errors
    /// A digest other than `encoder.json`'s, a tokenizer or graph that cannot be read, dimensions
    /// other than those stated.
    pub fn from_onnx(files: &ModelFiles<'_>) -> Result<Self> {
        let Read {
            config,
            tokenizer,
            graph,
        } = read(files)?;
        let engine = match graph.network()? {
            Some(network) => Engine::Network(network),
            None => Engine::Graph(Box::new(graph)),
        };
        trim_heap();
        Ok(Encoder::of(config, tokenizer, engine))
    }
}

/// Makes the network file of a model; `None` where its graph is not recognised whole, or is to run in f32.
///
/// # Errors
/// Those of [`Encoder::from_onnx`].
pub fn network_file(files: &ModelFiles<'_>) -> Result<Option<Vec<u8>>> {
    let Read { config, graph, .. } = read(files)?;
    match graph.network()? {
        Some(network) => write(&config, files.tokenizer, &network).map(Some),
        None => Ok(None),
    }
}

fn read(files: &ModelFiles<'_>) -> Result<Read> {
    let stated = files.config.map(EncoderConfig::from_json).transpose()?;
    let stated = stated.as_ref();
    let max_positions = stated.map_or(512, |c| c.max_positions);
    let precision = stated.map_or(Precision::Int8, |c| c.precision);
    let digest = |file, bytes: &[u8], expected: Option<&str>| match expected {
        Some(expected) if files.checked => Ok(expected.to_owned()),
        expected => checked_digest(file, bytes, expected),
    };
    // The two halves of the work have nothing to do with each other.
    let (tokenizer, model) = side_by_side(
        || {
            let expected = stated.map(|c| &*c.tokenizer_sha256);
            let digest = digest("tokenizer.json", files.tokenizer, expected)?;
            Ok::<_, Error>((digest, Tokenizer::from_json(files.tokenizer)?))
        },
        || {
            let expected = stated.map(|c| &*c.model_sha256);
            let digest = digest("model.onnx", &files.model, expected)?;
            let quantize = precision == Precision::Int8;
            Ok::<_, Error>((digest, Graph::load(&files.model, max_positions, quantize)?))
        },
    );
    let ((model_sha256, graph), (tokenizer_sha256, tokenizer)) = (model?, tokenizer?);
    if let Some(rows) = graph.vocabulary()
        && let Some(id) = tokenizer.beyond(rows)
    {
        let file = "tokenizer.json".into();
        return Err(Error::TokenRange { file, rows, id });
    }
    let config = match stated {
        Some(config) => config.clone(),
        None => EncoderConfig {
            pooling: Default::default(),
            heads: vec![],
            normalize: true,
            max_tokens: 256,
            max_positions,
            dims: graph.dims(),
            precision,
            model_sha256,
            tokenizer_sha256,
        },
    };
    let dims = graph.dims() * config.heads.len().max(1);
    if config.dims != dims {
        return Err(nearshelf_lower::Error::Model {
            place: "first output".into(),
            expected: format!("{} dimensions (by encoder.json)", config.dims),
            found: dims.to_string(),
        }
        .into());
    }
    Ok(Read {
        config,
        tokenizer,
        graph,
    })
}

/// The SHA-256 of a file, which is compared with the one that is expected.
fn checked_digest(file: &'static str, bytes: &[u8], expected: Option<&str>) -> Result<String> {
    let found = sha256(bytes).to_string();
    match expected {
        Some(expected) if expected != found => Err(Error::Digest {
            file: file.into(),
            expected: expected.to_owned(),
            found,
        }),
        _ => Ok(found),
    }
}

/// Runs two functions, at the same time where there are threads.
fn side_by_side<A: Send, B>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B) -> (A, B) {
    #[cfg(target_arch = "wasm32")]
    return (a(), b());
    #[cfg(not(target_arch = "wasm32"))]
    std::thread::scope(|scope| {
        let a = scope.spawn(a);
        let b = b();
        (a.join().unwrap_or_else(|p| std::panic::resume_unwind(p)), b)
    })
}

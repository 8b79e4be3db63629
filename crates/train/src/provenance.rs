//! The provenance of a model: a name for all that decides its weights, and the account beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nearshelf_datasets::Split;
use serde::Serialize;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::error::{Error, Result};
use crate::examples::Summary;
use crate::material::Material;
use crate::recipe::Recipe;
use crate::tower::write_whole;

/// The account of a model's data, written beside it.
#[derive(Serialize)]
struct Provenance<'a> {
    run: &'a str,
    recipe: &'a Recipe,
    hash: &'static str,
    splits: BTreeMap<&'a str, Split>,
    data: BTreeMap<&'a str, &'a Summary>,
}

/// Writes the account of the run `run` to a file, and gives it back.
pub(crate) fn write(
    path: &Path,
    run: &str,
    recipe: &Recipe,
    material: &Material,
) -> Result<serde_json::Value> {
    let about = Provenance {
        run,
        recipe,
        hash: "xxh3-64 of the lower-cased text, with the seed, as a share of 2^64",
        splits: recipe
            .data
            .iter()
            .filter_map(|(n, d)| Some((n.as_str(), d.split?)))
            .collect(),
        data: material.summaries(),
    };
    let about = serde_json::to_value(&about).expect("plain fields");
    let json = serde_json::to_vec_pretty(&about).expect("a value");
    write_whole(path, &json)?;
    Ok(about)
}

/// A name for what decides the weights: the model that a run starts from, and of its recipe all but what is
/// done with the weights afterwards.
pub(crate) fn identity(recipe: &Recipe, base: &Path) -> Result<String> {
    let path = base.join("model.safetensors");
    let weights = fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let names: Vec<&String> = recipe.stages.iter().flat_map(|stage| &stage.data).collect();
    let used = |name: &&String| names.contains(name);
    let decisive = serde_json::json!([
        recipe.seed,
        recipe.max_tokens,
        recipe.heads,
        recipe
            .data
            .iter()
            .filter(|(name, _)| used(name))
            .collect::<Vec<_>>(),
        recipe
            .catalogs
            .iter()
            .filter(|(name, _)| used(name))
            .collect::<Vec<_>>(),
        recipe.stages,
    ]);
    let decisive = xxh3_64(decisive.to_string().as_bytes());
    Ok(format!("{decisive:016x}-{:032x}", xxh3_128(&weights)))
}

use nearshelf::{FileRef, Hit, SearchOptions, Shelf as Inner};
use serde_json::{Map, Value, json};
use wasm_bindgen::prelude::*;

use crate::encoder::{Vector, encode};
use crate::error::to_js;

/// A shelf, of which at first nothing but the manifest is there.
#[wasm_bindgen]
pub struct Shelf(Inner);

#[wasm_bindgen]
impl Shelf {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Those of [`Inner::from_manifest`].
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &[u8]) -> Result<Shelf, JsValue> {
        Inner::from_manifest(manifest).map(Shelf).map_err(to_js)
    }

    /// The manifest as JSON, digests in hexadecimal.
    pub fn manifest(&self) -> String {
        let manifest = self.0.manifest();
        let file = |file: &FileRef| json!({ "name": file.name, "bytes": file.bytes, "sha256": file.sha256.to_string() });
        let shards = manifest
            .shards
            .iter()
            .map(|shard| json!({ "file": file(&shard.file), "items": shard.items }));
        let fields = manifest
            .fields
            .iter()
            .map(|field| json!({ "name": field.name, "kind": field.kind }));
        json!({
            "builtBy": manifest.built_by,
            "dims": manifest.dims,
            "items": manifest.items(),
            "idField": manifest.id_field,
            "textFields": manifest.text_fields,
            "fields": fields.collect::<Vec<_>>(),
            "encoder": manifest.encoder.iter().map(file).collect::<Vec<_>>(),
            "shards": shards.collect::<Vec<_>>(),
            "probe": manifest.search.probe,
            "ef": manifest.search.ef,
        })
        .to_string()
    }

    /// Gives the shelf one of its files, which the caller compared with the manifest's digest.
    ///
    /// # Errors
    /// Those of [`Inner::attach`].
    pub fn attach(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.0.attach(name, bytes.into(), true).map_err(to_js)
    }

    /// Loads the encoder, whose files are attached.
    ///
    /// # Errors
    /// Those of [`Inner::encoder`].
    #[wasm_bindgen(js_name = loadEncoder)]
    pub fn load_encoder(&self) -> Result<(), JsValue> {
        self.0.encoder().map(drop).map_err(to_js)
    }

    /// The unit vector of a text.
    ///
    /// # Errors
    /// Those of [`nearshelf::Encoder::encode`].
    pub fn encode(&self, text: &str) -> Result<Vector, JsValue> {
        encode(self.0.encoder().map_err(to_js)?, text)
    }

    /// Numbers of the shards that a search would look at and that are not attached, nearest first.
    pub fn missing(&self, vector: &[f32], k: usize, probe: Option<usize>) -> Vec<u32> {
        let options = SearchOptions { k, probe, ef: None };
        let missing = self.0.catalog().missing(vector, &options);
        missing.into_iter().map(|number| number as u32).collect()
    }

    /// The nearest items as JSON: `{ hits: [{ id, score, fields }], probed, missing, distances }`.
    ///
    /// # Errors
    /// Those of [`Inner::search_vector`].
    pub fn search(
        &self,
        vector: &[f32],
        k: usize,
        probe: Option<usize>,
        ef: Option<usize>,
    ) -> Result<String, JsValue> {
        let options = SearchOptions { k, probe, ef };
        let found = self.0.search_vector(vector, &options).map_err(to_js)?;
        Ok(json!({
            "hits": found.hits.iter().map(hit).collect::<Vec<_>>(),
            "probed": found.stats.probed,
            "missing": found.stats.missing,
            "distances": found.stats.distances,
        })
        .to_string())
    }

    /// What of the encoder runs fused, for people.
    ///
    /// # Errors
    /// Those of [`Inner::encoder`].
    pub fn fusion(&self) -> Result<String, JsValue> {
        Ok(self.0.encoder().map_err(to_js)?.fusion().to_string())
    }
}

fn hit(hit: &Hit<'_>) -> Value {
    let fields: Map<String, Value> = hit
        .fields()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({ "id": hit.id, "score": hit.score, "fields": fields })
}

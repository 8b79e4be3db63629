//! A shelf that is given its files one by one.

use std::collections::HashMap;

use nearshelf::{
    AlignedBytes, EncoderFiles, FileRef, Filter, Hit, Query, SearchOptions, Shelf as Inner,
};
use serde_json::{Map, Value, json};
use wasm_bindgen::prelude::*;

use crate::encoder::{Vector, encode};
use crate::error::to_js;

/// A shelf, of which at first nothing but the manifest is there.
#[wasm_bindgen]
pub struct Shelf {
    inner: Inner,
    /// Room for files that are on their way.
    reserved: HashMap<String, AlignedBytes>,
}

#[wasm_bindgen]
impl Shelf {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Those of [`Inner::from_manifest`].
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &[u8]) -> Result<Shelf, JsValue> {
        let inner = Inner::from_manifest(manifest).map_err(to_js)?;
        Ok(Shelf {
            inner,
            reserved: HashMap::new(),
        })
    }

    /// The manifest as JSON, digests in hexadecimal.
    pub fn manifest(&self) -> String {
        let manifest = self.inner.manifest();
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
            "encoder": manifest.encoder.files().into_iter().map(file).collect::<Vec<_>>(),
            "onnx": matches!(manifest.encoder, EncoderFiles::Onnx { .. }),
            "shards": shards.collect::<Vec<_>>(),
            "probe": manifest.search.probe,
            "ef": manifest.search.ef,
        })
        .to_string()
    }

    /// Makes room in the module's memory for a file of a length, which is written there as it comes: it is never in
    /// memory twice.
    pub fn reserve(&mut self, name: &str, length: usize) {
        let room = AlignedBytes::zeros(length);
        self.reserved.insert(name.to_owned(), room);
    }

    /// The address of the room for a file in the module's memory; 0 where there is none.
    pub fn reserved(&mut self, name: &str) -> usize {
        let room = self.reserved.get_mut(name);
        room.map_or(0, |room| room.bytes_mut().as_ptr().addr())
    }

    /// Gives the shelf the file that was written to its room, and that the caller compared with the manifest's digest.
    ///
    /// # Errors
    /// Those of [`Inner::attach`].
    #[wasm_bindgen(js_name = attachReserved)]
    pub fn attach_reserved(&mut self, name: &str) -> Result<(), JsValue> {
        let room = self.reserved.remove(name);
        let bytes = room.unwrap_or_else(|| AlignedBytes::zeros(0));
        self.inner.attach(name, bytes.into(), true).map_err(to_js)
    }

    /// Gives up the room for a file that did not come.
    pub fn discard(&mut self, name: &str) {
        self.reserved.remove(name);
    }

    /// Loads the encoder, whose files are attached.
    ///
    /// # Errors
    /// Those of [`Inner::encoder`].
    #[wasm_bindgen(js_name = loadEncoder)]
    pub fn load_encoder(&self) -> Result<(), JsValue> {
        self.inner.encoder().map(drop).map_err(to_js)
    }

    /// The unit vector of a text.
    ///
    /// # Errors
    /// Those of [`nearshelf::Encoder::encode`].
    pub fn encode(&self, text: &str) -> Result<Vector, JsValue> {
        encode(self.inner.encoder().map_err(to_js)?, text)
    }

    /// Numbers of the shards that a search would look at and that are not attached, nearest first.
    ///
    /// # Errors
    /// Those of [`Inner::missing`].
    pub fn missing(
        &self,
        vector: &[f32],
        k: usize,
        probe: Option<usize>,
        ef: Option<usize>,
        filter: Option<String>,
    ) -> Result<Vec<u32>, JsValue> {
        let options = options(k, probe, ef, filter)?;
        let missing = self.inner.missing(Query::Vector(vector), &options);
        let missing = missing.map_err(to_js)?;
        Ok(missing.into_iter().map(|number| number as u32).collect())
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
        filter: Option<String>,
    ) -> Result<String, JsValue> {
        let options = options(k, probe, ef, filter)?;
        let found = self.inner.search_vector(vector, &options).map_err(to_js)?;
        Ok(json!({
            "hits": found.hits.iter().map(hit).collect::<Vec<_>>(),
            "probed": found.stats.probed,
            "missing": found.stats.missing,
            "distances": found.stats.distances,
        })
        .to_string())
    }

    /// The share of the encoder that runs fused, for people.
    ///
    /// # Errors
    /// Those of [`Inner::encoder`].
    pub fn fusion(&self) -> Result<String, JsValue> {
        Ok(self.inner.encoder().map_err(to_js)?.fusion().to_string())
    }
}

fn options(
    k: usize,
    probe: Option<usize>,
    ef: Option<usize>,
    filter: Option<String>,
) -> Result<SearchOptions, JsValue> {
    let filter = filter.map(|text| text.parse::<Filter>()).transpose();
    Ok(SearchOptions {
        k,
        probe,
        ef,
        filter: filter.map_err(|error| to_js(nearshelf::Error::from(error)))?,
    })
}

fn hit(hit: &Hit<'_>) -> Value {
    let fields: Map<String, Value> = hit
        .fields()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({ "id": hit.id, "score": hit.score, "fields": fields })
}

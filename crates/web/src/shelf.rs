//! A shelf that is given its files one by one.

use std::collections::HashMap;

use nearshelf::{
    AlignedBytes, EncoderFiles, FileRef, Filter, Hit, Naming, Query, SearchOptions, Shelf as Inner,
    ValueRef, WordQuery,
};
use serde::Deserialize;
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
            "words": manifest.words.as_ref().map(|words| file(&words.file)),
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

    /// The unit vector of a text that is searched for with these options.
    ///
    /// # Errors
    /// Those of [`Inner::encode_query`].
    #[wasm_bindgen(js_name = encodeQuery)]
    pub fn encode_query(&self, text: &str, options: &str) -> Result<Vector, JsValue> {
        let (options, _) = settings(options)?;
        let encoded = self.inner.encode_query(text, &options).map_err(to_js)?;
        Ok(Vector::from(encoded))
    }

    /// Numbers of the shards that a search would look at and that are not attached.
    ///
    /// # Errors
    /// Those of [`Inner::missing`].
    pub fn missing(
        &self,
        text: Option<String>,
        vector: Option<Vec<f32>>,
        options: &str,
    ) -> Result<Vec<u32>, JsValue> {
        let (options, _) = settings(options)?;
        let missing = match (text, vector) {
            (Some(text), vector) => self
                .inner
                .missing_encoded(&text, vector.as_deref(), &options),
            (None, vector) => {
                let vector = vector.unwrap_or_default();
                self.inner.missing(Query::Vector(&vector), &options)
            }
        };
        let missing = missing.map_err(to_js)?;
        Ok(missing.into_iter().map(|number| number as u32).collect())
    }

    /// The best items for a text and its vector, for either alone, as JSON:
    /// `{ hits: [{ id, score, weak, fields, why }], probed, missing, weak, corrected, unknownWords }`.
    ///
    /// # Errors
    /// Those of [`Inner::search_encoded`].
    pub fn search(
        &self,
        text: Option<String>,
        vector: Option<Vec<f32>>,
        options: &str,
    ) -> Result<String, JsValue> {
        let (options, why) = settings(options)?;
        let found = match (text, vector) {
            (Some(text), vector) => self
                .inner
                .search_encoded(&text, vector.as_deref(), &options),
            (None, vector) => self
                .inner
                .search_vector(&vector.unwrap_or_default(), &options),
        };
        let found = found.map_err(to_js)?;
        let words = found.words.as_ref();
        let hit = |hit: &Hit<'_>| {
            let mut value = json_hit(hit);
            if let Some(words) = words.filter(|_| why) {
                value["why"] = json_why(&self.inner, words, hit);
            }
            value
        };
        let corrected = words.map_or(&[][..], WordQuery::corrected).iter();
        Ok(json!({
            "hits": found.hits.iter().map(hit).collect::<Vec<_>>(),
            "probed": found.stats.probed,
            "missing": found.stats.missing,
            "weak": found.hits.first().is_none_or(Hit::is_weak),
            "corrected": corrected.map(|c| json!({ "from": c.from, "to": c.to })).collect::<Vec<_>>(),
            "unknownWords": words.map_or(&[][..], WordQuery::unknown),
        })
        .to_string())
    }

    /// The likeliest completions of a text as JSON: `[{ text, weight }]`.
    pub fn suggest(&self, text: &str, k: usize) -> String {
        let found = self.inner.suggest(text, k).into_iter();
        let found = found.map(|s| json!({ "text": s.text, "weight": s.weight }));
        found.collect::<Value>().to_string()
    }

    /// The share of the encoder that runs fused, for people.
    ///
    /// # Errors
    /// Those of [`Inner::encoder`].
    pub fn fusion(&self) -> Result<String, JsValue> {
        Ok(self.inner.encoder().map_err(to_js)?.fusion().to_string())
    }
}

/// Options as JavaScript gives them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    k: usize,
    probe: Option<usize>,
    ef: Option<usize>,
    #[serde(rename = "where")]
    filter: Option<String>,
    mode: Option<String>,
    weight: Option<f32>,
    typing: bool,
    leave_weak: bool,
    why: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            k: SearchOptions::default().k,
            probe: None,
            ef: None,
            filter: None,
            mode: None,
            weight: None,
            typing: false,
            leave_weak: false,
            why: false,
        }
    }
}

/// The options of a search, which JavaScript has checked, and whether hits come with their reasons.
fn settings(json: &str) -> Result<(SearchOptions, bool), JsValue> {
    let wrong = |error: String| JsValue::from(js_sys::Error::new(&error));
    let settings: Settings = serde_json::from_str(json).map_err(|e| wrong(e.to_string()))?;
    let filter = settings
        .filter
        .map(|text| text.parse::<Filter>())
        .transpose();
    let mode = settings.mode.map(|name| name.parse()).transpose();
    let options = SearchOptions {
        k: settings.k,
        mode: mode.map_err(wrong)?.unwrap_or_default(),
        weight: settings.weight,
        typing: settings.typing,
        leave_weak: settings.leave_weak,
        probe: settings.probe,
        ef: settings.ef,
        filter: filter.map_err(|error| to_js(nearshelf::Error::from(error)))?,
    };
    Ok((options, settings.why))
}

fn json_hit(hit: &Hit<'_>) -> Value {
    let fields: Map<String, Value> = hit
        .fields()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({ "id": hit.id, "score": hit.score, "weak": hit.is_weak(), "fields": fields })
}

/// The reasons of a hit; places of words in the units of JavaScript's strings.
fn json_why(shelf: &Inner, words: &WordQuery, hit: &Hit<'_>) -> Value {
    let places = shelf.why(words, hit).fields.into_iter();
    let places: Map<String, Value> = places
        .map(|(name, places)| {
            let text = match hit.field(name) {
                Some(ValueRef::Text(text)) => text,
                _ => "",
            };
            let units = |at: usize| text.get(..at).map_or(0, |text| text.encode_utf16().count());
            let places = places
                .into_iter()
                .map(|p| json!([units(p.start), units(p.end)]));
            (name.to_owned(), places.collect())
        })
        .collect();
    let parts = hit.parts;
    json!({
        "meaning": parts.meaning,
        "words": parts.words,
        "coverage": parts.coverage,
        "named": parts.named != Naming::None,
        "fields": places,
    })
}

//! A shelf that is given its files one by one.

use std::collections::HashMap;

use nearshelf::{
    AlignedBytes, Boost, EncoderFiles, FacetQuery, FileRef, Filter, Hit, Naming, Overlay, Query,
    Recommend, SearchOptions, Shelf as Inner, Sort, ValueRef, WordQuery,
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
        let shards = manifest.shards.iter().map(|shard| {
            let front = shard.front.as_ref();
            let front =
                front.map(|front| json!({ "file": file(&front.file), "bytes": front.bytes }));
            json!({ "file": file(&shard.file), "front": front, "items": shard.items })
        });
        let fields = manifest
            .fields
            .iter()
            .map(|field| json!({ "name": field.name, "kind": field.kind }));
        json!({
            "builtBy": manifest.built_by,
            "dims": manifest.dims,
            "idField": manifest.id_field,
            "textFields": manifest.text_fields,
            "fields": fields.collect::<Vec<_>>(),
            "encoder": manifest.encoder.files().into_iter().map(file).collect::<Vec<_>>(),
            "words": manifest.words.as_ref().map(|words| file(&words.file)),
            "addedWords": manifest.words.as_ref().and_then(|words| words.added.as_ref()).map(file),
            "changes": manifest.changes.iter().map(file).collect::<Vec<_>>(),
            "onnx": matches!(manifest.encoder, EncoderFiles::Onnx { .. }),
            "shards": shards.collect::<Vec<_>>(),
            "probe": manifest.search.probe,
            "ef": manifest.search.ef,
        })
        .to_string()
    }

    /// Attaches what another shelf of this module has of the same files, and takes over its news. Both can be used afterwards.
    pub fn share(&mut self, other: &Shelf) {
        self.inner.share(&other.inner);
    }

    /// Whether a file of the manifest is here.
    #[wasm_bindgen(js_name = hasFile)]
    pub fn has_file(&self, name: &str) -> bool {
        self.inner.has_file(name)
    }

    /// Items of the shelf that are not gone, when its changes are attached.
    pub fn total(&self) -> usize {
        self.inner.total()
    }

    /// Lays news of items over the shelf, as JSON: `{ id: { field: value } }`, null for an item that is gone.
    ///
    /// # Errors
    /// Those of [`Inner::overlay`].
    pub fn overlay(&mut self, news: &str) -> Result<(), JsValue> {
        let news: Overlay =
            serde_json::from_str(news).map_err(|e| wrong(format!("overlay: {e}")))?;
        self.inner.overlay(&news).map_err(to_js)
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

    /// Gives the shelf the first bytes of a shard: with those that hold its words and fields it is searched by words.
    ///
    /// # Errors
    /// Those of [`Inner::attach_head`].
    #[wasm_bindgen(js_name = attachFront)]
    pub fn attach_front(&mut self, name: &str, first: &[u8]) -> Result<(), JsValue> {
        self.inner.attach_head(name, first).map_err(to_js)
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
    pub fn load_encoder(&mut self) -> Result<(), JsValue> {
        self.inner.release_encoder_files().map_err(to_js)
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
    /// Those of [`Inner::missing_encoded`].
    pub fn missing(
        &self,
        query: &str,
        vector: Option<Vec<f32>>,
        options: &str,
    ) -> Result<Vec<u32>, JsValue> {
        let (options, _) = settings(options)?;
        let asked = Asked::read(query)?;
        let missing = asked.with(vector.as_deref(), |query, vector| {
            self.inner.missing_encoded(query, vector, &options)
        });
        let missing = missing.map_err(to_js)?;
        Ok(missing.into_iter().map(|number| number as u32).collect())
    }

    /// The best items for a query, given with the vector of its text, as JSON:
    /// `{ hits: [{ id, score, weak, fields, variants, why }], probed, missing, weak, corrected, unknownWords, matches, facets }`.
    ///
    /// # Errors
    /// Those of [`Inner::search_encoded`].
    pub fn search(
        &self,
        query: &str,
        vector: Option<Vec<f32>>,
        options: &str,
    ) -> Result<String, JsValue> {
        let (options, why) = settings(options)?;
        let asked = Asked::read(query)?;
        let found = asked.with(vector.as_deref(), |query, vector| {
            self.inner.search_encoded(query, vector, &options)
        });
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
        let matches = found.matches.as_ref();
        Ok(json!({
            "hits": found.hits.iter().map(hit).collect::<Vec<_>>(),
            "probed": found.stats.probed,
            "missing": found.stats.missing,
            "weak": found.hits.first().is_none_or(Hit::is_weak),
            "corrected": corrected.map(|c| json!({ "from": c.from, "to": c.to })).collect::<Vec<_>>(),
            "unknownWords": words.map_or(&[][..], WordQuery::unknown),
            "matches": matches.map(|m| json!({ "count": m.count, "exact": m.exact })),
            "facets": found.facets,
        })
        .to_string())
    }

    /// The number of the shard that the item with an id is in; nothing where no attached shard has it.
    #[wasm_bindgen(js_name = shardOf)]
    pub fn shard_of(&self, id: &str) -> Option<u32> {
        self.inner.get(id).ok()?.map(|hit| hit.shard)
    }

    /// The item with an id as JSON: `{ id, fields }`; nothing where no attached shard has it.
    ///
    /// # Errors
    /// Those of [`Inner::get`].
    pub fn get(&self, id: &str) -> Result<Option<String>, JsValue> {
        let hit = self.inner.get(id).map_err(to_js)?;
        Ok(hit.map(|hit| json!({ "id": hit.id, "fields": fields(&hit) }).to_string()))
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

/// A query as JavaScript gives it: a text, an item, items, or none of them, which is a vector.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    text: Option<String>,
    similar: Option<String>,
    like: Option<Vec<String>>,
    unlike: Vec<String>,
    weights: Vec<f32>,
}

impl Asked {
    fn read(json: &str) -> Result<Self, JsValue> {
        serde_json::from_str(json).map_err(|error| wrong(error.to_string()))
    }

    /// Does something with the query and the vector of its text.
    fn with<T>(
        &self,
        vector: Option<&[f32]>,
        work: impl FnOnce(&Query<'_>, Option<&[f32]>) -> T,
    ) -> T {
        if let Some(id) = &self.similar {
            return work(&Query::Similar(id), vector);
        }
        if let Some(like) = &self.like {
            let like: Vec<&str> = like.iter().map(String::as_str).collect();
            let unlike: Vec<&str> = self.unlike.iter().map(String::as_str).collect();
            let asked = Recommend {
                like: &like,
                unlike: &unlike,
                weights: &self.weights,
                text: self.text.as_deref(),
            };
            return work(&Query::Recommend(asked), vector);
        }
        match &self.text {
            Some(text) => work(&Query::Text(text), vector),
            None => work(&Query::Vector(vector.unwrap_or_default()), None),
        }
    }
}

/// Options as JavaScript gives them.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    k: Option<usize>,
    offset: usize,
    probe: Option<usize>,
    ef: Option<usize>,
    #[serde(rename = "where")]
    filter: Option<String>,
    mode: Option<String>,
    weight: Option<f32>,
    typing: bool,
    leave_weak: bool,
    why: bool,
    sort: Vec<String>,
    boosts: Vec<Boost>,
    pin: Vec<String>,
    hide: Vec<String>,
    distinct: Option<String>,
    facets: Vec<FacetQuery>,
    diversity: f32,
}

/// An error of a call that JavaScript did not check.
fn wrong(message: String) -> JsValue {
    let error = js_sys::Error::new(&message);
    // Setting a property of a plain object cannot fail.
    let _ = js_sys::Reflect::set(&error, &"code".into(), &"query".into());
    error.into()
}

/// The options of a search, and whether hits come with their reasons.
fn settings(json: &str) -> Result<(SearchOptions, bool), JsValue> {
    let settings: Settings = serde_json::from_str(json).map_err(|e| wrong(e.to_string()))?;
    let filter = settings
        .filter
        .map(|text| text.parse::<Filter>())
        .transpose();
    let mode = settings.mode.map(|name| name.parse()).transpose();
    let sort = settings.sort.iter().map(|sort| {
        let sort = sort.parse::<Sort>();
        sort.map_err(|error| wrong(format!("sort: {error}")))
    });
    let options = SearchOptions {
        k: settings.k.unwrap_or(SearchOptions::default().k),
        offset: settings.offset,
        mode: mode.map_err(wrong)?.unwrap_or_default(),
        weight: settings.weight,
        typing: settings.typing,
        leave_weak: settings.leave_weak,
        probe: settings.probe,
        ef: settings.ef,
        filter: filter.map_err(|error| to_js(nearshelf::Error::from(error)))?,
        sort: sort.collect::<Result<_, _>>()?,
        boosts: settings.boosts,
        pin: settings.pin,
        hide: settings.hide,
        distinct: settings.distinct,
        facets: settings.facets,
        diversity: settings.diversity,
    };
    Ok((options, settings.why))
}

fn json_hit(hit: &Hit<'_>) -> Value {
    let mut json =
        json!({ "id": hit.id, "score": hit.score, "weak": hit.is_weak(), "fields": fields(hit) });
    if let Some(variants) = hit.variants {
        json["variants"] = json!(variants);
    }
    json
}

fn fields(hit: &Hit<'_>) -> Map<String, Value> {
    let fields = hit.fields();
    let fields = fields.map(|(name, value)| (name.to_owned(), json!(value)));
    fields.collect()
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

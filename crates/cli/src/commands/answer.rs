//! Answers as tables and as JSON.

use nearshelf::{
    Answer, Facet, FacetCounts, FieldKind, Hit, Naming, Parts, RangeCount, SearchOptions, Shelf,
    ValueRef,
};
use serde_json::{Map, Value, json};

use crate::output::{shorten, table, thousands};

/// Characters of a title or a field that a line shows.
const TITLE_WIDTH: usize = 72;
const FIELD_WIDTH: usize = 24;
/// Columns beside score, id and title.
const FIELDS_SHOWN: usize = 2;

/// Score, id and title, then the fields that hits are ordered by, then price, then whatever else is short.
pub fn hits_table(shelf: &Shelf, answer: &Answer<'_>, options: &SearchOptions) -> String {
    let hits = &answer.hits;
    if hits.is_empty() {
        return "no hits\n".into();
    }
    let manifest = shelf.manifest();
    let title = manifest
        .text_fields
        .first()
        .filter(|title| manifest.fields.iter().any(|f| &f.name == *title))
        .map_or("id", String::as_str);
    let mut fields: Vec<_> = manifest.fields.iter().filter(|f| f.name != title).collect();
    let sorts = |name: &str| options.sort.iter().any(|sort| sort.field == name);
    fields.sort_by_key(|f| match f.kind {
        _ if sorts(&f.name) => 0,
        _ if f.name == "price" => 1,
        FieldKind::Tags | FieldKind::Number | FieldKind::Text => 2,
        FieldKind::Bool => 3,
    });
    fields.truncate(FIELDS_SHOWN);
    let has_variants = hits.iter().any(|hit| hit.variants.is_some());
    let mut header = vec!["score", "id", title];
    header.extend(fields.iter().map(|f| f.name.as_str()));
    header.extend(has_variants.then_some("variants"));
    let has_words = answer.words.is_some();
    header.extend(has_words.then_some("because of"));
    let rows = hits
        .iter()
        .map(|hit| {
            let name = match hit.field(title) {
                Some(ValueRef::Text(text)) => text,
                _ => hit.id,
            };
            let mut row = vec![
                format!("{:.3}", hit.score),
                shorten(hit.id, FIELD_WIDTH),
                shorten(name, TITLE_WIDTH),
            ];
            row.extend(fields.iter().map(|f| {
                let text = match hit.field(&f.name) {
                    None => String::new(),
                    Some(ValueRef::Text(text)) => text.to_owned(),
                    Some(ValueRef::Number(n)) if f.name == "price" => format!("{n:.2}"),
                    Some(ValueRef::Number(n)) => n.to_string(),
                    Some(ValueRef::Bool(value)) => value.to_string(),
                    Some(ValueRef::Tags(tags)) => tags.join(", "),
                };
                shorten(&text, FIELD_WIDTH)
            }));
            let variants = hit
                .variants
                .map_or_else(String::new, |count| count.to_string());
            row.extend(has_variants.then_some(variants));
            row.extend(has_words.then(|| because(answer, hit)));
            row
        })
        .collect();
    let numbers: Vec<usize> = std::iter::once(0)
        .chain(
            (3..)
                .zip(&fields)
                .filter(|(_, f)| f.kind == FieldKind::Number)
                .map(|(i, _)| i),
        )
        .collect();
    table(&header, rows, &numbers)
}

/// The reasons of a hit in a few words: its words, how near its meaning is, or that it is weak.
fn because(answer: &Answer<'_>, hit: &Hit<'_>) -> String {
    let why = answer.why(hit);
    let mut words: Vec<&str> = Vec::new();
    for (name, places) in &why.fields {
        let Some(ValueRef::Text(text)) = hit.field(name) else {
            continue;
        };
        let said = places.iter().filter_map(|place| text.get(place.clone()));
        for word in said {
            if !words.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                words.push(word);
            }
        }
    }
    let mut reasons = Vec::new();
    if !words.is_empty() {
        reasons.push(shorten(&words.join(" "), FIELD_WIDTH));
    }
    reasons.extend(hit.parts.meaning.map(|cosine| format!("cos {cosine:.2}")));
    reasons.extend(hit.is_weak().then(|| "weak".to_owned()));
    reasons.join(", ")
}

/// The facets of an answer, and how many items match.
pub fn facets_text(answer: &Answer<'_>) -> String {
    let mut text = String::new();
    if let Some(matches) = answer.matches {
        let least = if matches.exact { "" } else { " at least" };
        text += &format!("\n{} items match{least}\n", thousands(matches.count));
    }
    for facet in &answer.facets {
        text += &format!("{}: {}\n", facet.field, facet_text(facet));
    }
    text
}

fn facet_text(facet: &Facet) -> String {
    let range = |range: &RangeCount| {
        let end = |end: Option<f64>| end.map_or_else(String::new, |number| format!("{number:.2}"));
        format!(
            "{}..{} {}",
            end(range.from),
            end(range.to),
            thousands(range.count)
        )
    };
    match &facet.counts {
        FacetCounts::Values { values, distinct } => {
            let told = values.iter();
            let mut told: Vec<String> = told
                .map(|value| format!("{} {}", value.value, thousands(value.count)))
                .collect();
            if *distinct > values.len() {
                told.push(format!(
                    "and {} more",
                    thousands((distinct - values.len()) as u64)
                ));
            }
            told.join(" · ")
        }
        FacetCounts::Numbers {
            min,
            max,
            ranges,
            histogram,
        } => {
            let ends = min.zip(*max).map(|(min, max)| format!("{min} to {max}"));
            let ranges = ranges.iter().chain(histogram).map(range);
            ends.into_iter()
                .chain(ranges)
                .collect::<Vec<_>>()
                .join(" · ")
        }
    }
}

/// An answer as JSON.
pub fn to_json(answer: &Answer<'_>) -> Value {
    let hits: Vec<Value> = answer
        .hits
        .iter()
        .map(|hit| {
            let fields: Map<String, Value> = hit
                .fields()
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect();
            let why = answer.why(hit);
            let places: Map<String, Value> = (why.fields.iter())
                .map(|(name, places)| {
                    let places = places.iter().map(|place| json!([place.start, place.end]));
                    ((*name).to_owned(), places.collect())
                })
                .collect();
            let Parts { meaning, words, .. } = hit.parts;
            let mut json = json!({
                "id": hit.id,
                "score": hit.score,
                "weak": hit.is_weak(),
                "why": { "meaning": meaning, "words": words, "coverage": hit.parts.coverage, "named": hit.parts.named != Naming::None, "fields": places },
                "fields": fields,
            });
            if let Some(variants) = hit.variants {
                json["variants"] = json!(variants);
            }
            json
        })
        .collect();
    let mut json = json!({
        "hits": hits,
        "weak": answer.is_weak(),
        "corrected": answer.corrected().iter().map(|c| json!({ "from": c.from, "to": c.to })).collect::<Vec<_>>(),
        "unknown_words": answer.unknown_words(),
        "tokens": answer.tokens,
        "truncated": answer.truncated(),
        "unknown": answer.unknown,
        "shards_probed": answer.stats.probed,
        "distances": answer.stats.distances,
    });
    if let Some(matches) = answer.matches {
        json["matches"] = json!({ "count": matches.count, "exact": matches.exact });
    }
    if !answer.facets.is_empty() {
        json["facets"] = json!(answer.facets);
    }
    json
}

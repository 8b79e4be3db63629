//! `nearshelf search`.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nearshelf::{Answer, FieldKind, Hit, Mode, Naming, Parts, SearchOptions, Shelf, ValueRef};
use nearshelf_eval::{Run, read_queries, write_run};
use serde_json::{Map, Value, json};

use crate::args::{Cli, SearchArgs, SearchFlags};
use crate::commands::{open, write_whole};
use crate::demo;
use crate::output::{print, print_json, shorten, table, thousands};

/// Characters of a title or a field that a line shows.
const TITLE_WIDTH: usize = 72;
const FIELD_WIDTH: usize = 24;
/// Columns beside score and title.
const FIELDS_SHOWN: usize = 2;

impl SearchFlags {
    pub fn options(&self, k: usize) -> SearchOptions {
        SearchOptions {
            k,
            mode: self.mode,
            weight: self.weight,
            typing: self.typing,
            leave_weak: self.leave_weak,
            probe: self.probe,
            ef: self.ef,
            filter: self.filter.clone(),
        }
    }
}

pub fn run(args: &SearchArgs) -> Result<()> {
    let options = args.search.options(args.k);
    match (args.target.as_slice(), &args.queries, &args.run) {
        ([shelf], Some(queries), Some(run)) => {
            run_queries(&open(Path::new(shelf))?, queries, run, &options, args.json)
        }
        ([], Some(queries), Some(run)) => {
            run_queries(&demo::open()?, queries, run, &options, args.json)
        }
        ([query], None, _) if !Path::new(query).join("shelf.nsm").is_file() => {
            if Path::new(query).exists() || (query.contains('/') && !query.contains(' ')) {
                eprintln!("note: there is no shelf at {query:?}; it was searched for in the demo");
            }
            answer(&demo::open()?, query, &options, args.json)
        }
        ([shelf, query], None, _) => answer(&open(Path::new(shelf))?, query, &options, args.json),
        _ => {
            use clap::CommandFactory;
            let message = "expected [SHELF] QUERY, or [SHELF] --queries FILE --run FILE";
            let kind = clap::error::ErrorKind::WrongNumberOfValues;
            Cli::command().error(kind, message).exit()
        }
    }
}

fn answer(shelf: &Shelf, query: &str, options: &SearchOptions, as_json: bool) -> Result<()> {
    let start = Instant::now();
    let answer = shelf.search_with(query, options)?;
    let first = start.elapsed();
    // Once more: the first query also loads the model and makes its plan for this length.
    let (mut vector, mut encoding) = (None, Duration::ZERO);
    if options.mode != Mode::Words {
        let start = Instant::now();
        vector = Some(shelf.encode_query(query, options)?.vector);
        encoding = start.elapsed();
    }
    let start = Instant::now();
    shelf.search_encoded(query, vector.as_deref(), options)?;
    let searching = start.elapsed();
    let loading = first.saturating_sub(encoding + searching);
    if as_json {
        return print_json(&to_json(query, &answer, [loading, encoding, searching]));
    }
    if answer.truncated() {
        eprintln!(
            "note: the query has {} tokens; the first {} were used",
            thousands(answer.untruncated as u64),
            answer.tokens,
        );
    }
    let unread = answer.unknown > 0 && answer.unknown + 2 >= answer.tokens;
    if unread && answer.is_weak() {
        eprintln!("note: the encoder knows no word of the query; the hits are chance");
    }
    if query.trim().is_empty() {
        eprintln!("note: the query is empty; nothing is near it");
    }
    for corrected in answer.corrected() {
        eprintln!(
            "note: {:?} is no word of the catalog; {} was looked for",
            corrected.from,
            corrected.to.join(", ")
        );
    }
    // By meaning they need not be there.
    if options.mode == Mode::Words && !answer.unknown_words().is_empty() {
        let words = answer.unknown_words().join(", ");
        eprintln!("note: the catalog has no word like {words}");
    }
    if answer.is_weak() && !answer.hits.is_empty() && !unread {
        eprintln!("note: nothing fits well; the hits are the nearest that there is");
    }
    let mut text = hits_table(shelf, &answer);
    text += &format!(
        "\n{} tokens encoded in {:.1} ms, {} items in {} of {} shards searched in {:.2} ms (model loaded in {:.0} ms)\n",
        answer.tokens,
        milliseconds(encoding),
        thousands(shelf.len() as u64),
        answer.stats.probed,
        shelf.manifest().shards.len(),
        milliseconds(searching),
        milliseconds(loading),
    );
    print(&text)
}

/// Score and title, then price, then whatever else is short.
fn hits_table(shelf: &Shelf, answer: &Answer<'_>) -> String {
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
    fields.sort_by_key(|f| match f.kind {
        _ if f.name == "price" => 0,
        FieldKind::Tags | FieldKind::Number => 1,
        FieldKind::Bool => 2,
        FieldKind::Text => 1,
    });
    fields.truncate(FIELDS_SHOWN);
    let mut header = vec!["score", title];
    header.extend(fields.iter().map(|f| f.name.as_str()));
    let has_words = answer.words.is_some();
    header.extend(has_words.then_some("because of"));
    let rows = hits
        .iter()
        .map(|hit| {
            let name = match hit.field(title) {
                Some(ValueRef::Text(text)) => text,
                _ => hit.id,
            };
            let mut row = vec![format!("{:.3}", hit.score), shorten(name, TITLE_WIDTH)];
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
            row.extend(has_words.then(|| because(answer, hit)));
            row
        })
        .collect();
    let numbers: Vec<usize> = std::iter::once(0)
        .chain(
            (2..)
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

fn to_json(query: &str, answer: &Answer<'_>, times: [Duration; 3]) -> Value {
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
            json!({
                "id": hit.id,
                "score": hit.score,
                "weak": hit.is_weak(),
                "why": { "meaning": meaning, "words": words, "coverage": hit.parts.coverage, "named": hit.parts.named != Naming::None, "fields": places },
                "fields": fields,
            })
        })
        .collect();
    json!({
        "query": query,
        "hits": hits,
        "weak": answer.is_weak(),
        "corrected": answer.corrected().iter().map(|c| json!({ "from": c.from, "to": c.to })).collect::<Vec<_>>(),
        "unknown_words": answer.unknown_words(),
        "tokens": answer.tokens,
        "truncated": answer.truncated(),
        "unknown": answer.unknown,
        "shards_probed": answer.stats.probed,
        "distances": answer.stats.distances,
        "load_ms": milliseconds(times[0]),
        "encode_ms": milliseconds(times[1]),
        "search_ms": milliseconds(times[2]),
    })
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn run_queries(
    shelf: &Shelf,
    queries: &Path,
    out: &Path,
    options: &SearchOptions,
    as_json: bool,
) -> Result<()> {
    let queries = read_queries(queries)?;
    let start = Instant::now();
    let run = shelf_run(shelf, &queries, options)?;
    let seconds = start.elapsed().as_secs_f64();
    write_whole(out, |file| {
        write_run(&mut { file }, &run, "nearshelf").context("TREC run")
    })?;
    if as_json {
        return print_json(&json!({ "run": out, "queries": queries.len(), "seconds": seconds }));
    }
    print(&format!(
        "{}: {} queries in {seconds:.1} s, {:.1} ms each\n",
        out.display(),
        thousands(queries.len() as u64),
        seconds * 1e3 / queries.len() as f64,
    ))
}

/// Searches for every query by text.
pub fn shelf_run(
    shelf: &Shelf,
    queries: &[nearshelf_eval::Query],
    options: &SearchOptions,
) -> Result<Run> {
    let mut run = Run::new();
    for query in queries {
        let answer = shelf
            .search_with(&query.text, options)
            .with_context(|| format!("query {:?}", query.id))?;
        let hits = answer
            .hits
            .iter()
            .map(|hit| (hit.id.to_owned(), hit.score))
            .collect();
        run.insert(query.id.clone(), hits);
    }
    Ok(run)
}

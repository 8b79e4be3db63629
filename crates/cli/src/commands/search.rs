//! `nearshelf search`.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nearshelf::{Filter, Hit, Mode, Query, SearchOptions, Shelf};
use nearshelf_eval::{Ranking, Run, read_queries, write_run};
use serde_json::json;

use crate::args::{Cli, PageFlags, SearchArgs, SearchFlags};
use crate::commands::answer::{facets_text, hits_table, to_json};
use crate::commands::{open, write_whole};
use crate::demo;
use crate::output::{print, print_json, thousands};

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
            ..SearchOptions::default()
        }
    }
}

impl PageFlags {
    /// The options of a search with these flags.
    pub fn options(&self) -> SearchOptions {
        SearchOptions {
            offset: self.offset,
            sort: self.sort.clone(),
            boosts: self.boosts.clone(),
            pin: self.pin.clone(),
            hide: self.hide.clone(),
            distinct: self.distinct.clone(),
            facets: self.facets.clone(),
            diversity: self.diversity,
            ..self.search.options(self.k)
        }
    }
}

pub fn run(args: &SearchArgs) -> Result<()> {
    let options = args.page.options();
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
    let is_browsing = query.trim().is_empty();
    if options.mode != Mode::Words && !is_browsing {
        let start = Instant::now();
        vector = Some(shelf.encode_query(query, options)?.vector);
        encoding = start.elapsed();
    }
    let start = Instant::now();
    shelf.search_encoded(&Query::Text(query), vector.as_deref(), options)?;
    let searching = start.elapsed();
    let loading = first.saturating_sub(encoding + searching);
    if as_json {
        let mut json = to_json(&answer);
        json["query"] = json!(query);
        json["load_ms"] = json!(milliseconds(loading));
        json["encode_ms"] = json!(milliseconds(encoding));
        json["search_ms"] = json!(milliseconds(searching));
        return print_json(&json);
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
    let mut text = hits_table(shelf, &answer, options);
    text += &facets_text(&answer);
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
        let options = filtered(query, options)?;
        let answer = shelf
            .search_with(&query.text, &options)
            .with_context(|| format!("query {:?}", query.id))?;
        run.insert(query.id.clone(), ranking(&answer.hits));
    }
    Ok(run)
}

/// Hits as a run has them.
pub fn ranking(hits: &[Hit<'_>]) -> Ranking {
    hits.iter()
        .map(|hit| (hit.id.to_owned(), hit.score))
        .collect()
}

/// The options of a query, which may have a filter of its own beside the one of all.
pub fn filtered(query: &nearshelf_eval::Query, options: &SearchOptions) -> Result<SearchOptions> {
    let mut options = options.clone();
    if let Some(text) = &query.filter {
        let own: Filter = text
            .parse()
            .with_context(|| format!("query {:?}", query.id))?;
        options.filter = Some(match options.filter {
            Some(all) => all.and(own),
            None => own,
        });
    }
    Ok(options)
}

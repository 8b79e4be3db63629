//! `nearshelf similar` and `nearshelf recommend`.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use nearshelf::{Query, Recommend, SearchOptions, Shelf};
use serde_json::json;

use crate::args::{RecommendArgs, SimilarArgs};
use crate::commands::answer::{facets_text, hits_table, to_json};
use crate::commands::open_or_demo;
use crate::output::{print, print_json, thousands};

pub fn similar(args: &SimilarArgs) -> Result<()> {
    let (shelf, id) = match args.target.as_slice() {
        [shelf, id] => (open_or_demo(Some(Path::new(shelf)))?, id),
        [id, ..] => (open_or_demo(None)?, id),
        [] => unreachable!("clap asks for one or two"),
    };
    let options = args.page.options();
    answer(&shelf, Query::Similar(id), &options, args.json)
}

pub fn recommend(args: &RecommendArgs) -> Result<()> {
    let shelf = open_or_demo(args.shelf.as_deref())?;
    let [like, unlike] = [&args.like, &args.unlike].map(|ids| {
        let ids = ids.iter().map(String::as_str);
        ids.collect::<Vec<_>>()
    });
    let asked = Recommend {
        like: &like,
        unlike: &unlike,
        weights: &args.weights,
        text: args.text.as_deref(),
    };
    let options = args.page.options();
    answer(&shelf, Query::Recommend(asked), &options, args.json)
}

fn answer(shelf: &Shelf, query: Query<'_>, options: &SearchOptions, as_json: bool) -> Result<()> {
    let start = Instant::now();
    let answer = shelf.search_with(query, options)?;
    let ms = start.elapsed().as_secs_f64() * 1e3;
    if as_json {
        let mut json = to_json(&answer);
        json["ms"] = json!(ms);
        return print_json(&json);
    }
    let mut text = hits_table(shelf, &answer, options) + &facets_text(&answer);
    text += &format!(
        "\n{} items in {} of {} shards searched in {ms:.2} ms\n",
        thousands(shelf.len() as u64),
        answer.stats.probed,
        shelf.manifest().shards.len(),
    );
    print(&text)
}

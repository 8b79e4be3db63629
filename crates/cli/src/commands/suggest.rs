//! `nearshelf suggest`.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::args::SuggestArgs;
use crate::commands::open;
use crate::demo;
use crate::output::{print, print_json, table, thousands};

pub fn run(args: &SuggestArgs) -> Result<()> {
    let (shelf, text) = match args.target.as_slice() {
        [shelf, text] => (open(Path::new(shelf))?, text),
        [text, ..] => (demo::open()?, text),
        [] => unreachable!("clap asks for one or two"),
    };
    let found = shelf.suggest(text, args.k);
    if args.json {
        let found = found
            .iter()
            .map(|s| json!({ "text": s.text, "weight": s.weight }));
        return print_json(&found.collect());
    }
    if found.is_empty() {
        return print("no suggestions\n");
    }
    let row = |s: &nearshelf::Suggestion| vec![s.text.clone(), thousands(s.weight)];
    print(&table(
        &["text", "items"],
        found.iter().map(row).collect(),
        &[1],
    ))
}

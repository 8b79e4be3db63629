//! The words of a shelf: the items' texts, counted by field, and what queries are completed with.

use std::path::{Path, PathBuf};

use nearshelf_lexical::{Analyzer, CatalogWords, Language, MAX_FIELDS, Words, WordsWriter};

use crate::error::{Error, Result};
use crate::items::{ItemOptions, Items};

/// Options of the words of a shelf.
#[derive(Debug, Clone, Default)]
pub struct WordOptions {
    /// The language whose stems words are counted by.
    pub language: Language,
    /// A file of synonyms: `couch, sofa` both ways, `sneaker => trainer` one way, a line each.
    pub synonyms: Option<PathBuf>,
    /// A file of queries that others are completed with, one a line, the most frequent counted by a number behind a tab;
    /// without it phrases of the items.
    pub suggestions: Option<PathBuf>,
}

/// The files of [`WordOptions`], read.
#[derive(Debug, Clone, Default)]
pub(crate) struct WordTexts {
    /// Lines of synonyms.
    pub synonyms: String,
    /// Queries with their weights.
    pub queries: Vec<(String, u64)>,
}

impl WordTexts {
    /// Reads the files.
    ///
    /// # Errors
    /// Files that cannot be read, or whose lines are none.
    pub fn read(options: &WordOptions) -> Result<Self> {
        let synonyms = options.synonyms.as_deref().map(read).transpose()?;
        let queries = options
            .suggestions
            .as_deref()
            .map(suggestions)
            .transpose()?;
        Ok(WordTexts {
            synonyms: synonyms.unwrap_or_default(),
            queries: queries.unwrap_or_default(),
        })
    }
}

/// Checks the text fields and their weights.
pub(crate) fn check(options: &ItemOptions) -> Result<()> {
    let error = |expected: String, found: String| Error::Option {
        option: "text",
        expected,
        found,
    };
    if options.text.len() > MAX_FIELDS {
        let expected = format!("at most {MAX_FIELDS} fields");
        return Err(error(expected, options.text.len().to_string()));
    }
    for field in &options.text {
        if !(field.weight > 0.0 && field.weight.is_finite()) {
            let expected = format!("a weight of {} above 0", field.name);
            return Err(error(expected, field.weight.to_string()));
        }
    }
    Ok(())
}

/// Counts the words of items that are cut into shards.
///
/// # Errors
/// Synonyms that are none.
pub(crate) fn words(
    items: &Items,
    text: &ItemOptions,
    options: &WordOptions,
    texts: &WordTexts,
    members: &[Vec<u32>],
) -> Result<CatalogWords> {
    let fields: Vec<(String, f32)> = (text.text.iter())
        .map(|field| (field.name.clone(), field.weight))
        .collect();
    let writer = WordsWriter::new(
        Analyzer::new(options.language),
        &fields,
        &text.exact,
        &texts.synonyms,
    );
    let mut writer = writer.map_err(|reason| Error::Lines {
        path: options.synonyms.clone().unwrap_or_default(),
        reason,
    })?;
    add(&mut writer, items, fields.len());
    Ok(writer.write(members, &texts.queries))
}

/// Counts the words of items that are added to a shelf.
pub(crate) fn words_behind(words: &Words, items: &Items, members: &[Vec<u32>]) -> CatalogWords {
    let mut writer = WordsWriter::behind(words);
    add(&mut writer, items, words.fields().count());
    writer.write(members, &[])
}

fn add(writer: &mut WordsWriter<'_>, items: &Items, fields: usize) {
    for item in 0..items.ids.len() {
        let texts: Vec<&str> = (0..fields).map(|field| items.part(item, field)).collect();
        let identifiers = items.identifiers.get(item).map_or(&[][..], Vec::as_slice);
        let identifiers: Vec<&str> = identifiers.iter().map(String::as_str).collect();
        writer.add(&texts, &identifiers);
    }
}

/// Queries, one a line, each with the number behind its last tab, or 1.
fn suggestions(path: &Path) -> Result<Vec<(String, u64)>> {
    let text = read(path)?;
    let lines = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty());
    let query = |(number, line): (u64, &str)| match line.rsplit_once('\t') {
        None => Ok((line.to_owned(), 1)),
        Some((query, count)) => match count.trim().parse() {
            Ok(count) => Ok((query.to_owned(), count)),
            Err(_) => Err(Error::Lines {
                path: path.to_owned(),
                reason: format!(
                    "line {number}: expected a query, or a query, a tab and a whole number, found {line:?}"
                ),
            }),
        },
    };
    lines.map(query).collect()
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| Error::io(path, e))
}

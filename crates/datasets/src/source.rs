//! Sources of data: files, formats, filters.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::judged::Judged;
use crate::mapped::Mapping;
use crate::{amazon_reviews, beir, canonical, click_log, esci, mapped, wands};

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The format and its files.
    #[serde(flatten)]
    pub format: Format,
    /// Leaves rows out that are not what they have to be, instead of failing.
    #[serde(default)]
    pub skip_bad: bool,
}

/// The formats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "kebab-case")]
pub enum Format {
    /// nearshelf's own.
    Canonical {
        /// The file.
        path: PathBuf,
    },
    /// Any JSON Lines, CSV, TSV or Parquet, by the names of its fields.
    Table(Mapping),
    /// Amazon Reviews 2023 (Hou et al. 2024): reviews and the metadata of their items.
    AmazonReviews {
        /// `….jsonl.gz` of reviews.
        reviews: PathBuf,
        /// `meta_….jsonl.gz`.
        metadata: PathBuf,
    },
    /// Amazon's Shopping Queries (ESCI, Reddy et al. 2022).
    AmazonEsci {
        /// `shopping_queries_dataset_examples.parquet`.
        examples: PathBuf,
        /// `shopping_queries_dataset_products.parquet`.
        products: PathBuf,
        /// `us`, `es` or `jp`.
        #[serde(default = "us")]
        locale: String,
        /// `train` or `test`; both when left out.
        #[serde(default)]
        part: Option<String>,
    },
    /// Wayfair's annotated data set (Chen et al. 2022): a folder with query.csv, product.csv, label.csv.
    Wands {
        /// The folder.
        folder: PathBuf,
    },
    /// A BEIR folder (Thakur et al. 2021): corpus.jsonl, queries.jsonl, qrels/PART.tsv.
    Beir {
        /// The folder.
        folder: PathBuf,
        /// The judgements' name.
        #[serde(default = "train")]
        part: String,
    },
    /// Items shown, clicked and ordered: `{"query", "shown", "clicked", "ordered"}` with ids, and a
    /// table of items.
    ClickLog {
        /// The log.
        log: PathBuf,
        /// The items.
        items: mapped::ItemTable,
    },
}

fn us() -> String {
    "us".into()
}

fn train() -> String {
    "train".into()
}

impl Source {
    /// The files and folders that it names.
    pub fn files(&self) -> Vec<&Path> {
        match &self.format {
            Format::Canonical { path } => vec![path],
            Format::Table(mapping) => {
                let items = mapping.items.iter().map(|items| items.path.as_path());
                std::iter::once(mapping.path.as_path())
                    .chain(items)
                    .collect()
            }
            Format::AmazonReviews { reviews, metadata } => vec![reviews, metadata],
            Format::AmazonEsci {
                examples, products, ..
            } => vec![examples, products],
            Format::Wands { folder } | Format::Beir { folder, .. } => vec![folder],
            Format::ClickLog { log, items } => vec![log, &items.path],
        }
    }
}

/// Rows, and what was left out of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dataset {
    /// The rows, in the order of the file.
    pub rows: Vec<Judged>,
    /// Rows that were left out.
    pub skipped: Skipped,
}

/// Rows that were left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Skipped {
    /// Their number.
    pub rows: u64,
    /// The fault of the first.
    pub first: Option<String>,
}

/// Reads a source; relative paths start at `root`.
///
/// # Errors
/// A file that cannot be read, a row that is not what it has to be (unless those are skipped), no row.
pub fn read(source: &Source, root: &Path) -> Result<Dataset> {
    let mut sink = Sink {
        skip_bad: source.skip_bad,
        dataset: Dataset::default(),
    };
    let at = |path: &PathBuf| root.join(path);
    let path = match &source.format {
        Format::Canonical { path } => {
            canonical::read(&at(path), &mut sink)?;
            path
        }
        Format::Table(mapping) => {
            mapped::read(mapping, root, &mut sink)?;
            &mapping.path
        }
        Format::AmazonReviews { reviews, metadata } => {
            amazon_reviews::read(&at(reviews), &at(metadata), &mut sink)?;
            reviews
        }
        Format::AmazonEsci {
            examples,
            products,
            locale,
            part,
        } => {
            let wanted = esci::Wanted {
                locale,
                part: part.as_deref(),
            };
            esci::read(&at(examples), &at(products), wanted, &mut sink)?;
            examples
        }
        Format::Wands { folder } => {
            wands::read(&at(folder), &mut sink)?;
            folder
        }
        Format::Beir { folder, part } => {
            beir::read(&at(folder), part, &mut sink)?;
            folder
        }
        Format::ClickLog { log, items } => {
            click_log::read(&at(log), items, root, &mut sink)?;
            log
        }
    };
    if sink.dataset.rows.is_empty() {
        let first = sink.dataset.skipped.first;
        return Err(Error::Empty {
            path: at(path),
            first: first.map_or_else(String::new, |f| format!("; first left out: {f}")),
        });
    }
    Ok(sink.dataset)
}

/// Where readers put their rows.
pub(crate) struct Sink {
    skip_bad: bool,
    dataset: Dataset,
}

impl Sink {
    /// Reads a file's rows; `make` turns each into judged rows.
    pub fn rows(
        &mut self,
        path: &Path,
        make: &mut dyn FnMut(&Fields<'_>, &mut Vec<Judged>) -> Result<()>,
    ) -> Result<()> {
        let mut failed = None;
        each(path, &mut |fields| {
            let mut rows = Vec::new();
            let made = fields.and_then(|fields| make(&fields, &mut rows));
            match made {
                Ok(()) => self.dataset.rows.append(&mut rows),
                Err(error @ Error::Row { .. }) if self.skip_bad => {
                    self.dataset.skipped.rows += 1;
                    let first = &mut self.dataset.skipped.first;
                    first.get_or_insert_with(|| error.to_string());
                }
                Err(error) => failed = failed.take().or(Some(error)),
            }
        })?;
        failed.map_or(Ok(()), Err)
    }
}

/// Gives each row of a file to `work`.
pub(crate) fn each(path: &Path, work: &mut dyn FnMut(Result<Fields<'_>>)) -> Result<()> {
    nearshelf_tables::rows(path, &mut |(line, row)| {
        work(match row {
            Ok(fields) => Ok(Fields { path, line, fields }),
            Err(reason) => Err(Error::Row {
                path: path.to_owned(),
                line,
                expected: "a row".into(),
                found: reason,
            }),
        });
    })?;
    Ok(())
}

/// Reads a table whose rows others refer to; the first bad row is an error.
pub(crate) fn table(path: &Path, make: &mut dyn FnMut(&Fields<'_>) -> Result<()>) -> Result<()> {
    let mut failed = None;
    each(path, &mut |fields| {
        if failed.is_none() {
            failed = fields.and_then(|fields| make(&fields)).err();
        }
    })?;
    failed.map_or(Ok(()), Err)
}

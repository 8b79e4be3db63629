//! Sources of data: files, formats, filters.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::mapped::Mapping;
use crate::sink::{Dataset, Sink};
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

/// Reads a source; relative paths start at `root`.
///
/// # Errors
/// A file that cannot be read, a row that is not what it has to be (unless those are skipped), no row.
pub fn read(source: &Source, root: &Path) -> Result<Dataset> {
    let mut sink = Sink::new(source.skip_bad);
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
    let dataset = sink.into_dataset();
    if dataset.rows.is_empty() {
        let first = dataset.skipped.first;
        return Err(Error::Empty {
            path: at(path),
            first: first.map_or_else(String::new, |f| format!("; first left out: {f}")),
        });
    }
    Ok(dataset)
}

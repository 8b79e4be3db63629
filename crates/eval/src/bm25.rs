//! The lexical baseline (Robertson and Zaragoza 2009), by the `bm25` crate.

use bm25::{Document, SearchEngine, SearchEngineBuilder, Tokenizer};

/// BM25 over texts, k1 = 1.2 and b = 0.75.
pub struct Bm25 {
    engine: SearchEngine<u32, u32, Words>,
}

/// Runs of letters and digits, in lower case; no stemming and no stop words.
#[derive(Default)]
struct Words;

impl Tokenizer for Words {
    fn tokenize(&self, text: &str) -> Vec<String> {
        text.to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

impl Bm25 {
    /// Indexes texts.
    pub fn new<T: AsRef<str>>(texts: &[T]) -> Self {
        let documents = (0..).zip(texts).map(|(id, text)| Document {
            id,
            contents: text.as_ref().into(),
        });
        let engine = SearchEngineBuilder::<u32, u32, Words>::with_tokenizer_and_documents(
            Words,
            documents.collect::<Vec<_>>(),
        )
        .k1(1.2)
        .b(0.75)
        .build();
        Bm25 { engine }
    }

    /// The places and scores of the best `k` texts that share a word with the query; equal scores in the
    /// order of the texts.
    pub fn search(&self, query: &str, k: usize) -> Vec<(usize, f32)> {
        let mut found = self.engine.search(query, None);
        found.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then(a.document.id.cmp(&b.document.id))
        });
        found.truncate(k);
        found
            .into_iter()
            .map(|hit| (hit.document.id as usize, hit.score))
            .collect()
    }
}

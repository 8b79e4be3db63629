//! BEIR folders.

use std::collections::HashMap;
use std::path::Path;

use crate::error::Result;
use crate::judged::{Judged, Judgement};
use crate::sink::{Sink, table};

pub(crate) fn read(folder: &Path, part: &str, sink: &mut Sink) -> Result<()> {
    let [corpus_file, query_file] = ["corpus.jsonl", "queries.jsonl"].map(|name| folder.join(name));
    let texts = |path: &Path, names: &[&str]| -> Result<HashMap<String, String>> {
        let mut texts = HashMap::new();
        table(path, &mut |fields| {
            texts.insert(fields.required("_id")?, fields.joined(names)?);
            Ok(())
        })?;
        Ok(texts)
    };
    let corpus = texts(&corpus_file, &["title", "text"])?;
    let queries = texts(&query_file, &["text"])?;
    let judgements = folder.join("qrels").join(format!("{part}.tsv"));
    sink.rows(&judgements, &mut |fields, rows| {
        let score = fields.number("score")?;
        rows.push(Judged {
            query: fields.lookup("query-id", &queries, &query_file)?.clone(),
            item: fields.lookup("corpus-id", &corpus, &corpus_file)?.clone(),
            item_id: Some(fields.required("corpus-id")?),
            judgement: Judgement::Grade(
                score.ok_or_else(|| fields.error("a number in \"score\"", "none"))?,
            ),
            weight: 1.0,
            vertical: None,
        });
        Ok(())
    })
}

//! Runs: rankings by query, read and written in TREC's format.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Items with their scores, best first.
pub type Ranking = Vec<(String, f32)>;
/// Rankings by query.
pub type Run = BTreeMap<String, Ranking>;

/// Writes a run in TREC's format: `query Q0 item rank score tag`.
///
/// trec_eval orders by score and breaks ties by item, whatever the ranks say. Where scores are equal,
/// those written therefore go down by the least step, so that its order is the one of the ranks.
///
/// # Errors
/// Those of `out`.
pub fn write_run(out: &mut impl Write, run: &Run, tag: &str) -> io::Result<()> {
    for (query, ranking) in run {
        let mut last = f32::INFINITY;
        for (rank, (item, score)) in (1..).zip(ranking) {
            let score = if *score < last {
                *score
            } else {
                last.next_down()
            };
            last = score;
            writeln!(
                out,
                "{} Q0 {} {rank} {score:?} {tag}",
                word(query),
                word(item)
            )?;
        }
    }
    Ok(())
}

/// Reads a run in TREC's format, each query's items by falling score.
///
/// # Errors
/// A line without the six columns, a score that is no number, no line at all.
pub fn read_run(path: &Path) -> Result<Run> {
    let text = crate::beir::read(path)?;
    let mut run = Run::new();
    for (line, row) in (1..)
        .zip(text.lines())
        .filter(|(_, row)| !row.trim().is_empty())
    {
        let error = || Error::Line {
            path: path.to_owned(),
            line,
            expected: "query, Q0, item, rank, score and tag".into(),
            found: format!("{row:?}"),
        };
        let columns: Vec<&str> = row.split_whitespace().collect();
        let [query, _, item, _, score, _] = columns[..] else {
            return Err(error());
        };
        let score: f32 = score.parse().map_err(|_| error())?;
        let ranking = run.entry(query.to_owned()).or_default();
        ranking.push((item.to_owned(), score));
    }
    if run.is_empty() {
        return Err(Error::Empty {
            path: path.to_owned(),
            expected: "at least one line",
        });
    }
    for ranking in run.values_mut() {
        ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
    }
    Ok(run)
}

/// TREC's columns are separated by white space, which ids therefore cannot hold.
fn word(id: &str) -> String {
    id.split_whitespace().collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_comes_back_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.trec");
        let ranking = |items: &[(&str, f32)]| -> Ranking {
            items
                .iter()
                .map(|(item, score)| ((*item).to_owned(), *score))
                .collect()
        };
        let run = Run::from([
            ("q1".into(), ranking(&[("a", 0.75), ("b", 0.5)])),
            ("q2".into(), ranking(&[("c", -1.5)])),
        ]);
        let mut out = Vec::new();
        write_run(&mut out, &run, "tag").unwrap();
        std::fs::write(&path, out).unwrap();
        assert_eq!(read_run(&path).unwrap(), run);
        std::fs::write(&path, "q1 Q0 a 1 high tag\n").unwrap();
        let error = read_run(&path).unwrap_err().to_string();
        assert!(
            error.contains("line 1: expected query, Q0, item"),
            "{error}"
        );
    }

    #[test]
    fn scores_go_down_strictly() {
        let ranking = vec![("b".into(), 0.5), ("a c".into(), 0.5), ("d".into(), 0.25)];
        let mut out = Vec::new();
        write_run(&mut out, &Run::from([("q 1".into(), ranking)]), "tag").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "q_1 Q0 b 1 0.5 tag\nq_1 Q0 a_c 2 0.49999997 tag\nq_1 Q0 d 3 0.25 tag\n"
        );
    }
}

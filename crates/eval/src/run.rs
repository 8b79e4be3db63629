use std::collections::BTreeMap;
use std::io::{self, Write};

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

/// TREC's columns are separated by white space, which ids therefore cannot hold.
fn word(id: &str) -> String {
    id.split_whitespace().collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

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

//! Time and recall of search, against the same searches by other libraries.

pub mod curve;
pub mod data;
mod instant;
pub mod ours;
mod python;

use anyhow::Result;
use xtask::shell::cache;

use curve::{Curve, at_recall};
use data::Data;
use ours::Own;

const TARGETS: [f64; 3] = [0.95, 0.98, 0.995];
const INSTANT_DISTANCE: &str = "instant-distance";

pub fn run(data: &Data, own: &Own, peers: &[String], ef_construction: usize) -> Result<()> {
    let work = cache().join("bench");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut results = vec![("nearshelf".to_owned(), own.measure(data, &work)?)];
    let (in_rust, in_python): (Vec<&str>, Vec<&str>) = peers
        .iter()
        .map(String::as_str)
        .partition(|peer| *peer == INSTANT_DISTANCE);
    if !in_python.is_empty() {
        results.extend(python::measure(data, &in_python, ef_construction, threads)?);
    }
    if !in_rust.is_empty() {
        let (seconds, curves) = instant::measure(data, ef_construction)?;
        println!("{INSTANT_DISTANCE}: built in {seconds:.0} s");
        results.push((INSTANT_DISTANCE.to_owned(), curves));
    }
    for (i, set) in data.sets.iter().enumerate() {
        println!(
            "\n{}: queries a second on one thread at equal recall@10 (nearshelf ÷ peer)",
            set.name
        );
        print_table(&results, i);
    }
    Ok(())
}

/// The curves of one query set, each beside the first.
fn print_table(results: &[(String, Vec<Curve>)], set: usize) {
    print!("{:>18}", "recall@10");
    TARGETS.iter().for_each(|target| print!("{target:>22}"));
    println!();
    for (name, curves) in results {
        print!("{name:>18}");
        for target in TARGETS {
            let ours = at_recall(&results[0].1[set], target);
            match (at_recall(&curves[set], target), ours) {
                (None, _) => print!("{:>22}", "not reached"),
                (Some(qps), None) => print!("{qps:>22.0}"),
                (Some(qps), Some(ours)) => {
                    print!("{:>22}", format!("{qps:.0} ({:.2})", ours / qps));
                }
            }
        }
        println!();
    }
}

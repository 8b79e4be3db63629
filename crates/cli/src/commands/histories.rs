//! `nearshelf eval --histories`: is what came last in a history recommended from what came before?

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use anyhow::{Result, bail};
use nearshelf::{Mode, Recommend, SearchOptions, Shelf, ValueRef};
use nearshelf_eval::{Qrels, Ranking, Run, read_histories};

use crate::args::{Baseline, EvalArgs};
use crate::commands::report::Report;
use crate::commands::search::ranking;
use crate::output::thousands;

/// Items of a history that are looked at, from the last on.
const LATEST: usize = 100;

/// A history without its last item.
struct Case {
    id: String,
    seen: Vec<String>,
    last: String,
}

pub fn run(shelf: &Shelf, path: &Path, args: &EvalArgs) -> Result<()> {
    let cases = cases(shelf, path)?;
    let mut runs = vec![("nearshelf", recommended(shelf, &cases, args)?)];
    for baseline in &args.baseline {
        runs.push(match baseline {
            Baseline::Popular => ("popular", popular(&cases, args.k)),
            Baseline::Words => ("words", by_words(shelf, &cases, args)?),
            Baseline::Mean => ("mean", by_mean(shelf, &cases, args)?),
            Baseline::Bm25 | Baseline::Exact => {
                bail!("--baseline bm25, exact: expected --queries, found --histories")
            }
        });
    }
    let last = cases.iter().map(|case| (case.last.clone(), args.relevant));
    let ids = cases.iter().map(|case| case.id.clone());
    let qrels: Qrels = ids
        .zip(last.map(|judged| HashMap::from([judged])))
        .collect();
    let mut report = Report::new(runs, &qrels, args);
    report.compare_first();
    report.print(args)
}

/// The histories whose last item can be recommended: it is in the shelf, and was not seen before.
fn cases(shelf: &Shelf, path: &Path) -> Result<Vec<Case>> {
    let histories = read_histories(path)?;
    let known: HashSet<&str> = shelf.items().map(|(id, ..)| id).collect();
    let all = histories.len();
    let cases: Vec<Case> = histories
        .into_iter()
        .filter_map(|mut history| {
            history.items.retain(|id| known.contains(id.as_str()));
            let last = history.items.pop()?;
            // Of an item that is there twice, the last time counts.
            let mut met = HashSet::new();
            let mut seen: Vec<String> = history.items.into_iter().rev().collect();
            seen.retain(|id| met.insert(id.clone()));
            let is_new = !seen.is_empty() && !met.contains(&last);
            seen.truncate(LATEST);
            seen.reverse();
            is_new.then_some(Case {
                id: history.line.to_string(),
                seen,
                last,
            })
        })
        .collect();
    if cases.len() < all {
        eprintln!(
            "note: {} of {} histories were left out: their last item is not in the shelf, was seen before, or stands alone",
            thousands((all - cases.len()) as u64),
            thousands(all as u64),
        );
    }
    if cases.is_empty() {
        bail!(
            "{}: expected histories of the shelf's items, found none",
            path.display()
        );
    }
    Ok(cases)
}

/// The rankings that `ask` gives for all cases.
fn run_of(cases: &[Case], mut ask: impl FnMut(&Case) -> Result<Ranking>) -> Result<Run> {
    let ranked = cases.iter().map(|case| Ok((case.id.clone(), ask(case)?)));
    ranked.collect()
}

/// The options of a search that leaves out what was seen.
fn unseen(case: &Case, args: &EvalArgs) -> SearchOptions {
    SearchOptions {
        hide: case.seen.clone(),
        ..args.search.options(args.k)
    }
}

fn recommended(shelf: &Shelf, cases: &[Case], args: &EvalArgs) -> Result<Run> {
    let options = args.search.options(args.k);
    run_of(cases, |case| {
        let like: Vec<&str> = case.seen.iter().map(String::as_str).collect();
        let asked = Recommend {
            like: &like,
            ..Default::default()
        };
        Ok(ranking(&shelf.recommend(&asked, &options)?.hits))
    })
}

/// The items that are in most histories before their last, without those that were seen.
fn popular(cases: &[Case], k: usize) -> Run {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for id in cases.iter().flat_map(|case| &case.seen) {
        *counts.entry(id).or_default() += 1;
    }
    let mut ranked: Vec<(&str, u32)> = counts.into_iter().collect();
    ranked.sort_by_key(|(id, count)| (std::cmp::Reverse(*count), *id));
    let ranking = |case: &Case| {
        let seen: HashSet<&str> = case.seen.iter().map(String::as_str).collect();
        let new = ranked.iter().filter(|(id, _)| !seen.contains(id));
        new.take(k)
            .map(|(id, count)| ((*id).to_owned(), *count as f32))
            .collect()
    };
    cases
        .iter()
        .map(|case| (case.id.clone(), ranking(case)))
        .collect()
}

/// A search for the words of the seen items' texts, the last ones first.
fn by_words(shelf: &Shelf, cases: &[Case], args: &EvalArgs) -> Result<Run> {
    run_of(cases, |case| {
        let options = SearchOptions {
            mode: Mode::Words,
            ..unseen(case, args)
        };
        let answer = shelf.search_with(&text(shelf, case), &options)?;
        Ok(ranking(&answer.hits))
    })
}

fn text(shelf: &Shelf, case: &Case) -> String {
    let mut text = String::new();
    for id in case.seen.iter().rev() {
        let Ok(Some(hit)) = shelf.get(id) else {
            continue;
        };
        for field in &shelf.manifest().text_fields {
            if let Some(ValueRef::Text(part)) = hit.field(field) {
                text.push_str(part);
                text.push(' ');
            }
        }
    }
    text
}

/// A search for the mean of the seen items' vectors.
fn by_mean(shelf: &Shelf, cases: &[Case], args: &EvalArgs) -> Result<Run> {
    run_of(cases, |case| {
        let mut mean = vec![0f32; shelf.manifest().dims as usize];
        for id in &case.seen {
            for (sum, x) in mean.iter_mut().zip(shelf.vector(id)?.unwrap_or_default()) {
                *sum += x;
            }
        }
        let squares = mean.iter().map(|x| x * x).sum::<f32>();
        let norm = squares.sqrt().max(f32::MIN_POSITIVE);
        for x in &mut mean {
            *x /= norm;
        }
        let found = shelf.search_vector(&mean, &unseen(case, args))?;
        Ok(ranking(&found.hits))
    })
}

//! The end of a training run: the model is exported, measured against what it has to be compared with,
//! and put under its name if INT8 is as good as it has to be.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nearshelf_encoder::{Encoder, Head, NETWORK_NAME};
use nearshelf_eval::{Stratum, compare, strata};
use nearshelf_export::{Precision, export};

use crate::error::{Error, Result};
use crate::evaluate::{EvalSet, Measured};
use crate::examples::catalog_texts;
use crate::journal::{self, Record};
use crate::material::Material;
use crate::options::{Observer, Options, stage_dir, training_dir};
use crate::query_tower::{Domain, distill};
use crate::recipe::{MaxTokens, QueryTower, Recipe};
use crate::report;
use crate::results::{EvalReport, ModelReport, StageSpeed, SystemReport, Trained, Worst};
use crate::seed::mix;
use crate::tower::{Tower, write_whole};
use crate::trainer;

/// Texts that INT8 weights are chosen for, besides random ones.
const CALIBRATION: usize = 200;
/// Queries that the report shows of an eval.
const WORST: usize = 12;

/// A model to compare with: an encoder in the form of sentence-transformers.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// Its name in the report.
    pub name: String,
    /// Its directory.
    pub dir: PathBuf,
}

/// Runs a recipe from the first step to the model directory and its report.
///
/// # Errors
/// What can be wrong with recipe, data, base and disk; a loss that is not finite; an INT8 model that
/// loses too much.
pub fn run(
    recipe: &Recipe,
    options: &Options,
    baselines: &[Baseline],
    observer: &dyn Observer,
) -> Result<Trained> {
    let base = Tower::open(&options.base, &[], &options.device)?;
    let tower = Tower::open(&options.base, &recipe.heads, &options.device)?;
    // Before hours of training, not after them.
    let sets = recipe
        .evals
        .iter()
        .map(|eval| EvalSet::read(eval, &options.data))
        .collect::<Result<Vec<_>>>()?;
    let (material, data) = trainer::train(recipe, options, &tower, &base, observer)?;
    let dir = training_dir(&options.out);
    let domain = domain(recipe, options, material)?;

    let item_dir = dir.join("int8");
    let item_f32 = recipe.stages.last().map_or_else(
        || options.base.clone(),
        |stage| stage_dir(&options.out, stage),
    );
    observer.say("quantizing");
    let mut models = vec![quantize("trained", &item_f32, &item_dir, &domain)?];
    let mut query = None;
    if let Some(rule) = &recipe.query_tower {
        let (tower, model) = query_tower(&tower, rule, &domain, recipe, &dir, observer)?;
        models.push(model);
        query = Some(tower);
    }
    let systems = Systems {
        base: &base,
        baselines: named(
            baselines.iter().map(|b| (&b.name, b.dir.clone())),
            &[],
            options,
        )?,
        stages: named(
            recipe
                .stages
                .iter()
                .map(|stage| (&stage.name, stage_dir(&options.out, stage))),
            &recipe.heads,
            options,
        )?,
        int8: Encoder::open(&item_dir)?,
        query: query.as_ref(),
    };
    let mut evals = Vec::new();
    for set in &sets {
        observer.say(&format!("measuring on {}", set.name));
        let measured = systems.measure(set, &mut models)?;
        for (name, measured) in &measured {
            observer.say(&format!("{}: {name} {:.4}", set.name, measured.mean()));
        }
        evals.push(eval_report(set, &measured, recipe.seed));
    }

    let records = journal::records(&dir.join("metrics.jsonl"))?;
    let trained = Trained {
        title: recipe.title.clone(),
        about: recipe.about.clone(),
        evals,
        models,
        data,
        speed: speeds(&records),
    };
    let json = serde_json::to_vec_pretty(&trained).expect("plain fields");
    write_whole(&dir.join("report.json"), &json)?;
    let html = report::html(&trained, &records);
    write_whole(&options.out.join("report.html"), html.as_bytes())?;
    check_quality(&trained, recipe.int8_keeps)?;
    if let Some(query) = &query {
        publish(&query.dir, &options.out.join("query"))?;
    }
    publish(&item_dir, &options.out)?;
    Ok(trained)
}

/// Every model keeps at least the share `least` of f32's metric on every eval.
fn check_quality(trained: &Trained, least: f64) -> Result<()> {
    for model in &trained.models {
        for eval in &trained.evals {
            let kept = model.keeps.get(&eval.name).copied().unwrap_or(f64::NAN);
            if kept.is_nan() || kept < least {
                return Err(Error::Quality {
                    eval: format!("{} ({})", eval.name, model.name),
                    metric: eval.metric.into(),
                    expected: least,
                    found: kept,
                });
            }
        }
    }
    Ok(())
}

/// A distilled query tower, before and after quantization.
struct QueryEncoder {
    f32: Tower,
    int8: Encoder,
    /// The directory of the quantized one.
    dir: PathBuf,
}

fn query_tower(
    teacher: &Tower,
    rule: &QueryTower,
    domain: &Domain,
    recipe: &Recipe,
    dir: &Path,
    observer: &dyn Observer,
) -> Result<(QueryEncoder, ModelReport)> {
    let query_dir = dir.join("query");
    fs::create_dir_all(&query_dir).map_err(|e| Error::io(&query_dir, e))?;
    let seed = mix(recipe.seed, u64::MAX);
    let (student, records) = distill(
        teacher,
        rule,
        domain,
        recipe.max_tokens,
        seed,
        &query_dir,
        observer,
    )?;
    journal::append(&dir.join("metrics.jsonl"), &records)?;
    let int8 = query_dir.join("int8");
    let report = quantize("query tower", &query_dir.join("f32"), &int8, domain)?;
    let encoder = QueryEncoder {
        f32: student,
        int8: Encoder::open(&int8)?,
        dir: int8,
    };
    Ok((encoder, report))
}

/// Towers with the names that they have in the report.
fn named<'a>(
    models: impl Iterator<Item = (&'a String, PathBuf)>,
    heads: &[Head],
    options: &Options,
) -> Result<Vec<(String, Tower)>> {
    models
        .map(|(name, dir)| Ok((name.clone(), Tower::open(&dir, heads, &options.device)?)))
        .collect()
}

/// The encoders that are compared on every eval.
struct Systems<'a> {
    base: &'a Tower,
    baselines: Vec<(String, Tower)>,
    stages: Vec<(String, Tower)>,
    int8: Encoder,
    query: Option<&'a QueryEncoder>,
}

impl Systems<'_> {
    /// Measures all systems, in the report's order, and notes what INT8 keeps: `models[0]` is the item
    /// encoder's report, `models[1]` the query tower's.
    fn measure(
        &self,
        set: &EvalSet,
        models: &mut [ModelReport],
    ) -> Result<Vec<(String, Measured)>> {
        let mut systems: Vec<(String, Measured)> = vec![("BM25".into(), set.by_words())];
        let by_base = set.by_tower(self.base, self.limits(self.base))?;
        // INT8 is made of the last stage's weights, or of the base's where there is no stage.
        let mut f32_value = by_base.mean();
        systems.push(("base".into(), by_base));
        for (name, tower) in &self.baselines {
            systems.push((name.clone(), set.by_tower(tower, self.limits(tower))?));
        }
        for (name, tower) in &self.stages {
            let measured = set.by_tower(tower, self.limits(tower))?;
            f32_value = measured.mean();
            systems.push((name.clone(), measured));
        }
        let dims = self.int8.dims();
        let queries = encoded(&self.int8, &set.queries)?;
        let items = encoded(&self.int8, &set.items)?;
        let int8 = set.by_vectors(&queries, &items, dims);
        let kept = int8.mean() / f32_value;
        models[0].keeps.insert(set.name.clone(), kept);
        systems.push(("INT8".into(), int8));
        if let Some(query) = self.query {
            let limit = query.int8.config().max_tokens;
            let texts = set.queries.iter();
            let tokens = texts.map(|text| query.f32.tokenize(text, limit));
            let tokens = tokens.collect::<Result<Vec<_>>>()?;
            let exact = set.by_vectors(&query.f32.encode(&tokens)?, &items, dims);
            let queries = encoded(&query.int8, &set.queries)?;
            let measured = set.by_vectors(&queries, &items, dims);
            let kept = measured.mean() / exact.mean();
            models[1].keeps.insert(set.name.clone(), kept);
            systems.push(("INT8, query tower".into(), measured));
        }
        Ok(systems)
    }

    /// The length at which texts are cut: where the exported encoder cuts them, not where training does, so
    /// that all systems read the same.
    fn limits(&self, tower: &Tower) -> MaxTokens {
        let limit = self.int8.config().max_tokens;
        let limit = limit.min(tower.bert().sizes().positions);
        MaxTokens {
            query: limit,
            item: limit,
        }
    }
}

/// Texts of the recipe's data: what INT8 is calibrated on and a query tower learns.
fn domain(recipe: &Recipe, options: &Options, material: Material) -> Result<Domain> {
    let mut domain = Domain {
        queries: vec![],
        items: vec![],
    };
    for examples in material.data.into_values() {
        domain.queries.extend(examples.queries.texts);
        domain.items.push(examples.items.texts);
    }
    for catalog in recipe.catalogs.values() {
        domain.items.push(catalog_texts(catalog, &options.data)?);
    }
    Ok(domain)
}

fn quantize(name: &str, from: &Path, to: &Path, domain: &Domain) -> Result<ModelReport> {
    let half = |texts: &[String]| -> Vec<String> {
        let step = (texts.len() / (CALIBRATION / 2)).max(1);
        texts
            .iter()
            .step_by(step)
            .take(CALIBRATION / 2)
            .cloned()
            .collect()
    };
    let texts = [half(&domain.queries), half(&domain.items.concat())].concat();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let exported = export(from, to, Precision::Int8, &texts)?;
    let size = |path: PathBuf| -> Result<u64> {
        Ok(fs::metadata(&path).map_err(|e| Error::io(&path, e))?.len())
    };
    Ok(ModelReport {
        name: name.into(),
        bytes: (size(from.join("model.safetensors"))?, exported.model_bytes),
        tokenizer_bytes: size(to.join("tokenizer.json"))?,
        keeps: BTreeMap::new(),
    })
}

fn encoded(encoder: &Encoder, texts: &[String]) -> Result<Vec<f32>> {
    let threads = rayon::current_num_threads();
    let encoded = encoder.encode_batch(texts, threads, &|_| {})?;
    Ok(encoded.into_iter().flat_map(|text| text.vector).collect())
}

/// Copies a model directory; `encoder.json` comes last, so that a directory with it is complete. A graph that is
/// not recognised has no network file, and one of an earlier run goes.
fn publish(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(|e| Error::io(to, e))?;
    for name in ["model.onnx", "tokenizer.json", NETWORK_NAME, "encoder.json"] {
        let (path, copy) = (from.join(name), to.join(name));
        match fs::read(&path) {
            Ok(bytes) => write_whole(&copy, &bytes)?,
            Err(e) if name == NETWORK_NAME && e.kind() == ErrorKind::NotFound => remove(&copy)?,
            Err(e) => return Err(Error::io(&path, e)),
        }
    }
    Ok(())
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io(path, e)),
        _ => Ok(()),
    }
}

fn eval_report(set: &EvalSet, systems: &[(String, Measured)], seed: u64) -> EvalReport {
    let values = |measured: &Measured| -> Vec<f64> { measured.values.values().copied().collect() };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let counted: Vec<usize> = systems
        .first()
        .map(|(_, m)| m.values.keys().copied().collect())
        .unwrap_or_default();
    let frequencies: Vec<f64> = counted.iter().map(|&q| f64::from(set.weights[q])).collect();
    let strata = strata(&frequencies);
    let mut reports = Vec::new();
    for (number, (name, measured)) in systems.iter().enumerate() {
        let own = values(measured);
        let mut against = BTreeMap::new();
        if name != "BM25" && name != "base" {
            let others = systems[..number].iter().filter(|(n, _)| n != "BM25");
            for (other, theirs) in others {
                against.insert(other.clone(), compare(&own, &values(theirs), seed));
            }
        }
        let mut by_stratum: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
        for (value, stratum) in own.iter().zip(strata.iter().flatten()) {
            let stratum: &Stratum = stratum;
            by_stratum.entry(stratum.name()).or_default().push(*value);
        }
        let mut by_vertical: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (value, &query) in own.iter().zip(&counted) {
            if let Some(vertical) = &set.verticals[query] {
                by_vertical
                    .entry(vertical.clone())
                    .or_default()
                    .push(*value);
            }
        }
        reports.push(SystemReport {
            name: name.clone(),
            value: measured.mean(),
            metrics: measured.metrics.clone(),
            against,
            strata: by_stratum
                .into_iter()
                .map(|(s, v)| (s, (v.len(), mean(&v))))
                .collect(),
            verticals: by_vertical
                .into_iter()
                .map(|(s, v)| (s, (v.len(), mean(&v))))
                .collect(),
        });
    }
    EvalReport {
        name: set.name.clone(),
        metric: set.metric.name(),
        queries: counted.len(),
        items: set.items.len(),
        systems: reports,
        worst: worst(set, systems),
    }
}

fn worst(set: &EvalSet, systems: &[(String, Measured)]) -> Vec<Worst> {
    let of = |name: &str| systems.iter().find(|(n, _)| n == name).map(|(_, m)| m);
    let (Some(base), Some(trained)) = (of("base"), of("INT8")) else {
        return vec![];
    };
    let mut losses: Vec<(usize, f64, f64)> = base
        .values
        .iter()
        .filter_map(|(&query, &before)| Some((query, before, *trained.values.get(&query)?)))
        .filter(|(_, before, after)| after < before)
        .collect();
    losses.sort_by(|a, b| (a.2 - a.1).total_cmp(&(b.2 - b.1)).then(a.0.cmp(&b.0)));
    losses
        .into_iter()
        .take(WORST)
        .map(|(query, before, after)| {
            let ranking = trained.run.get(&query.to_string());
            let items = ranking.into_iter().flatten().take(3);
            let titles = items.filter_map(|(item, _)| set.items.get(item.parse::<usize>().ok()?));
            Worst {
                query: set.queries[query].clone(),
                values: (before, after),
                found: titles.cloned().collect(),
            }
        })
        .collect()
}

fn speeds(records: &[Record]) -> Vec<StageSpeed> {
    let timed = |record: &&Record| record.seconds.is_some();
    let timed: Vec<&Record> = records.iter().filter(timed).collect();
    timed
        .chunk_by(|a, b| a.stage == b.stage)
        .map(|stage| {
            let seconds: f64 = stage.iter().filter_map(|r| r.seconds).sum();
            let queries: usize = stage.iter().filter_map(|r| r.queries).sum();
            StageSpeed {
                stage: stage[0].stage.clone(),
                steps: stage.len(),
                seconds,
                queries_per_second: queries as f64 / seconds.max(1e-9),
            }
        })
        .collect()
}

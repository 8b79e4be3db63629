//! A query encoder that is smaller than the item encoder: some of its layers, the part of its vocabulary
//! that the texts use, and distillation into the same space. Items keep the full tower, and the edge
//! downloads little.

use std::path::Path;
use std::time::Instant;

use candle_core::{Device, Tensor};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

use crate::bert::Packed;
use crate::checkpoint::{self, Position};
use crate::error::{Error, Result};
use crate::hybrid::draw_query;
use crate::journal::Record;
use crate::losses::cosine_distance;
use crate::optimizer::{AdamW, Update, schedule};
use crate::options::Observer;
use crate::prune::prune;
use crate::recipe::{MaxTokens, QueryTower, default_words};
use crate::seed::mix;
use crate::step::of_parameters;
use crate::tower::Tower;

/// The texts that a query tower is made for.
pub(crate) struct Domain {
    /// Texts of shoppers, as far as they are known.
    pub queries: Vec<String>,
    /// Titles of items, catalog by catalog: each counts as much as the others, however large.
    pub items: Vec<Vec<String>>,
}

/// Queries that are drawn from items' texts, at most.
const DRAWN: usize = 80_000;
/// Texts of words drawn from the vocabulary, which know no domain.
const WORDS_ALONE: usize = 60_000;
/// Items' texts that are learned as they are, at most.
const WHOLE: usize = 240_000;
/// Updates between checkpoints.
const CHECKPOINT: usize = 500;
/// The distillation's name in metrics and checkpoints.
pub(crate) const STAGE: &str = "query-tower";

/// Makes a query tower in `dir`, trained to give the vectors of `teacher`.
pub(crate) fn distill(
    teacher: &Tower,
    rule: &QueryTower,
    domain: &Domain,
    max_tokens: MaxTokens,
    seed: u64,
    dir: &Path,
    observer: &dyn Observer,
) -> Result<(Tower, Vec<Record>)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let sources = sources(domain, &mut rng);
    let start = dir.join("start");
    let words = prune(teacher, rule, &sources, &start)?;
    let mut texts = sources.concat();
    texts.extend((0..WORDS_ALONE).map(|_| draw_words(&words, &mut rng)));
    let student = Tower::open(&start, teacher.heads(), teacher.bert().device())?;
    observer.say(&format!(
        "stage {STAGE}: {} layers, {} tokens, {} of {} parameters; {} texts",
        student.bert().sizes().layers,
        student.bert().sizes().vocabulary,
        student.bert().sizes().parameters(),
        teacher.bert().sizes().parameters(),
        texts.len()
    ));
    let lesson = Lesson::new(teacher, &student, &texts, max_tokens.item)?;
    drop(texts);

    let mut optimizer = AdamW::new(&student.bert().parameters());
    let learned = xxh3_64(json!([rule, lesson.texts]).to_string().as_bytes());
    let mut position = Position::start(format!("{:016x}", mix(seed, learned)), 0);
    if let Some((path, found)) = checkpoint::find(dir, "last")?
        && found.run == position.run
    {
        checkpoint::load(&path, student.bert(), Some(&mut optimizer))?;
        optimizer.step = found.updates;
        position = found;
    }
    let mut order: Vec<usize> = (0..lesson.texts.len()).collect();
    order.shuffle(&mut rng);
    let mut records = Vec::new();
    for step in position.step..rule.steps {
        // Every text once before any comes again.
        let drawn: Vec<usize> = (0..rule.batch)
            .map(|i| order[(step * rule.batch + i) % order.len()])
            .collect();
        let record = learn(&student, &mut optimizer, rule, step, &lesson, &drawn)?;
        let finite = |number: Option<f64>| number.is_some_and(f64::is_finite);
        if !finite(record.loss) || !finite(record.gradient) {
            return Err(Error::NotFinite {
                stage: STAGE.into(),
                step: step + 1,
                found: record.loss.unwrap_or(f64::NAN),
                kept: dir.join("last"),
            });
        }
        position.step = step + 1;
        position.updates = optimizer.step;
        observer.step(&record, rule.steps);
        records.push(record);
        if position.step.is_multiple_of(CHECKPOINT) || position.step == rule.steps {
            checkpoint::save(dir, "last", &position, student.bert(), &optimizer)?;
        }
    }
    student.save(&dir.join("f32"))?;
    Ok((student, records))
}

/// The texts to learn from: the shoppers' own, then for each catalog drawn queries and whole texts.
fn sources(domain: &Domain, rng: &mut ChaCha8Rng) -> Vec<Vec<String>> {
    let catalogs: Vec<&Vec<String>> = domain.items.iter().filter(|c| !c.is_empty()).collect();
    let mut sources = vec![domain.queries.clone()];
    for items in &catalogs {
        let mut texts = Vec::new();
        for _ in 0..(DRAWN / catalogs.len()).min(20 * items.len()) {
            let item = &items[rng.random_range(0..items.len())];
            let words: Vec<&str> = item.split_whitespace().collect();
            let query = draw_query(&words, default_words(), rng);
            if !query.is_empty() {
                texts.push(query);
            }
        }
        let mut whole = (*items).clone();
        whole.shuffle(rng);
        whole.truncate(WHOLE / catalogs.len());
        texts.extend(whole);
        sources.push(texts);
    }
    sources
}

/// Texts in the student's tokens, with the teacher's vectors of them.
struct Lesson {
    texts: Vec<Vec<u32>>,
    /// `[texts][dims]`.
    targets: Vec<f32>,
    dims: usize,
}

impl Lesson {
    fn new(teacher: &Tower, student: &Tower, texts: &[String], max_tokens: usize) -> Result<Self> {
        let tokens = |tower: &Tower| -> Result<Vec<Vec<u32>>> {
            let tokens = texts.iter().map(|text| tower.tokenize(text, max_tokens));
            tokens.collect()
        };
        Ok(Lesson {
            targets: teacher.encode(&tokens(teacher)?)?,
            texts: tokens(student)?,
            dims: teacher.dims(),
        })
    }

    /// Some of the texts, and their targets `[drawn][dims]`.
    fn batch(&self, drawn: &[usize], device: &Device) -> Result<(Packed, Tensor)> {
        let batch: Vec<&[u32]> = drawn.iter().map(|&text| &self.texts[text][..]).collect();
        let target: Vec<f32> = drawn
            .iter()
            .flat_map(|&text| &self.targets[text * self.dims..][..self.dims])
            .copied()
            .collect();
        let target = Tensor::from_vec(target, (drawn.len(), self.dims), device)?;
        Ok((Packed::new(&batch), target))
    }
}

/// One update of the student, as the journal records it.
fn learn(
    student: &Tower,
    optimizer: &mut AdamW,
    rule: &QueryTower,
    step: usize,
    lesson: &Lesson,
    drawn: &[usize],
) -> Result<Record> {
    let began = Instant::now();
    let (packed, target) = lesson.batch(drawn, student.bert().device())?;
    let loss = cosine_distance(&student.vectors(&packed, true)?, &target)?;
    let parameters = student.bert().parameters();
    let gradients = of_parameters(loss.backward()?, &parameters)?;
    let update = Update {
        learning_rate: rule.learning_rate * schedule(step, rule.steps, rule.steps / 20),
        weight_decay: 0.01,
        clip: 1.0,
    };
    let loss = f64::from(loss.to_device(&Device::Cpu)?.to_scalar::<f32>()?);
    let norm = optimizer.update(&parameters, &gradients, update)?;
    Ok(Record {
        stage: STAGE.into(),
        step: step + 1,
        loss: Some(loss),
        learning_rate: Some(update.learning_rate),
        gradient: Some(norm),
        tokens: Some(packed.tokens()),
        queries: Some(rule.batch),
        seconds: Some(began.elapsed().as_secs_f64()),
        ..Record::default()
    })
}

/// One to eight words of a vocabulary in which the frequent ones stand first: they are drawn more often, as
/// they are in what people write.
fn draw_words(words: &[String], rng: &mut ChaCha8Rng) -> String {
    let count = rng.random_range(1..=8);
    let words = (0..count).map(|_| {
        let share = rng.random_range(0f64..1.0).powi(2);
        words[(share * words.len() as f64) as usize].as_str()
    });
    words.collect::<Vec<_>>().join(" ")
}

//! A query encoder that is smaller than the item encoder: some of its layers, the part of its vocabulary
//! that the texts use, and distillation into the same space. Items keep the full tower, and the edge
//! downloads little.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use candle_core::{Device, Tensor};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value as Json, json};
use xxhash_rust::xxh3::xxh3_64;

use crate::bert::Packed;
use crate::checkpoint::{self, Position};
use crate::draws::mix;
use crate::error::{Error, Result};
use crate::hybrid::draw_query;
use crate::journal::Record;
use crate::losses::cosine_distance;
use crate::optimizer::{AdamW, Update, schedule};
use crate::recipe::{MaxTokens, QueryTower, default_words};
use crate::step::of_parameters;
use crate::tower::{Tower, write_whole};
use crate::trainer::Observer;

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
    let catalogs: Vec<&Vec<String>> = domain.items.iter().filter(|c| !c.is_empty()).collect();
    let mut sources = vec![domain.queries.clone()];
    for items in &catalogs {
        let mut texts = Vec::new();
        for _ in 0..(DRAWN / catalogs.len()).min(20 * items.len()) {
            let item = &items[rng.random_range(0..items.len())];
            let words: Vec<&str> = item.split_whitespace().collect();
            let query = draw_query(&words, default_words(), &mut rng);
            if !query.is_empty() {
                texts.push(query);
            }
        }
        let mut whole = (*items).clone();
        whole.shuffle(&mut rng);
        whole.truncate(WHOLE / catalogs.len());
        texts.extend(whole);
        sources.push(texts);
    }

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
    let tokens = |tower: &Tower| -> Result<Vec<Vec<u32>>> {
        texts
            .iter()
            .map(|text| tower.tokenize(text, max_tokens.item))
            .collect()
    };
    let targets = teacher.encode(&tokens(teacher)?)?;
    let texts = tokens(&student)?;
    let dims = teacher.dims();

    let mut optimizer = AdamW::new(&student.bert().parameters());
    let learned = xxh3_64(json!([rule, texts]).to_string().as_bytes());
    let mut position = Position::start(format!("{:016x}", mix(seed, learned)), 0);
    if let Some((path, found)) = checkpoint::find(dir, "last")?
        && found.run == position.run
    {
        checkpoint::load(&path, student.bert(), Some(&mut optimizer))?;
        optimizer.step = found.updates;
        position = found;
    }
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.shuffle(&mut rng);
    let mut records = Vec::new();
    for step in position.step..rule.steps {
        let began = Instant::now();
        // Every text once before any comes again.
        let drawn: Vec<usize> = (0..rule.batch)
            .map(|i| order[(step * rule.batch + i) % order.len()])
            .collect();
        let batch: Vec<&[u32]> = drawn.iter().map(|&text| &texts[text][..]).collect();
        let packed = Packed::new(&batch);
        let target: Vec<f32> = drawn
            .iter()
            .flat_map(|&text| &targets[text * dims..][..dims])
            .copied()
            .collect();
        let target = Tensor::from_vec(target, (rule.batch, dims), student.bert().device())?;
        let loss = cosine_distance(&student.vectors(&packed, true)?, &target)?;
        let parameters = student.bert().parameters();
        let gradients = of_parameters(loss.backward()?, &parameters)?;
        let rate = rule.learning_rate * schedule(step, rule.steps, rule.steps / 20);
        let update = Update {
            learning_rate: rate,
            weight_decay: 0.01,
            clip: 1.0,
        };
        let loss = f64::from(loss.to_device(&Device::Cpu)?.to_scalar::<f32>()?);
        let norm = optimizer.update(&parameters, &gradients, update)?;
        if !loss.is_finite() || !norm.is_finite() {
            return Err(Error::NotFinite {
                stage: STAGE.into(),
                step: step + 1,
                found: loss,
                kept: dir.join("last"),
            });
        }
        position.step = step + 1;
        position.updates = optimizer.step;
        let record = Record {
            stage: STAGE.into(),
            step: step + 1,
            loss: Some(loss),
            learning_rate: Some(rate),
            gradient: Some(norm),
            tokens: Some(packed.tokens()),
            queries: Some(rule.batch),
            seconds: Some(began.elapsed().as_secs_f64()),
            ..Record::default()
        };
        observer.step(&record, rule.steps);
        records.push(record);
        if position.step.is_multiple_of(CHECKPOINT) || position.step == rule.steps {
            checkpoint::save(dir, "last", &position, student.bert(), &optimizer)?;
        }
    }
    student.save(&dir.join("f32"))?;
    Ok((student, records))
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

/// Writes the tower that distillation starts from: some layers, some rows of the embeddings, and the
/// tokenizer with as many tokens. Gives the whole words among them, in the order of the vocabulary.
fn prune(
    teacher: &Tower,
    rule: &QueryTower,
    sources: &[Vec<String>],
    out: &Path,
) -> Result<Vec<String>> {
    std::fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
    let sizes = teacher.bert().sizes();
    if !(1..=sizes.layers).contains(&rule.layers) {
        return Err(Error::Option {
            option: "query tower's layers",
            expected: format!("1 to {}", sizes.layers),
            found: rule.layers.to_string(),
        });
    }
    let path = teacher.base().join("tokenizer.json");
    let json = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let tokenizer: Json = serde_json::from_slice(&json).map_err(|e| Error::Base {
        path: path.clone(),
        expected: "JSON".into(),
        found: e.to_string(),
    })?;
    // How often a token comes in a million of each source's, so that none drowns the others.
    let mut counts = vec![0u64; sizes.vocabulary];
    for texts in sources {
        let mut own = vec![0u64; sizes.vocabulary];
        for text in texts {
            for id in teacher.tokenize(text, sizes.positions)? {
                own[id as usize] += 1;
            }
        }
        let all = own.iter().sum::<u64>().max(1);
        for (count, own) in counts.iter_mut().zip(own) {
            *count += (own * 1_000_000).div_ceil(all);
        }
    }
    let kept = vocabulary(&tokenizer, &counts, rule.vocabulary).ok_or_else(|| Error::Base {
        path: path.clone(),
        expected: "a WordPiece tokenizer".into(),
        found: "another".into(),
    })?;
    if kept.len() > rule.vocabulary {
        return Err(Error::Option {
            option: "query tower's vocabulary",
            expected: format!("{} or more, which every text needs", kept.len()),
            found: rule.vocabulary.to_string(),
        });
    }
    let smaller = renumbered(tokenizer, &kept);
    let mut words: Vec<(u64, &String)> = smaller["model"]["vocab"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(word, _)| word.chars().all(char::is_alphabetic))
        .filter_map(|(word, id)| Some((id.as_u64()?, word)))
        .collect();
    words.sort_unstable();
    let words: Vec<String> = words.into_iter().map(|(_, word)| word.clone()).collect();
    if words.is_empty() {
        return Err(Error::Base {
            path,
            expected: "words in the vocabulary".into(),
            found: "none".into(),
        });
    }
    write_whole(&out.join("tokenizer.json"), smaller.to_string().as_bytes())?;

    let config_path = teacher.base().join("config.json");
    let config = std::fs::read(&config_path).map_err(|e| Error::io(&config_path, e))?;
    let mut config: Json = serde_json::from_slice(&config).map_err(|e| Error::Base {
        path: config_path,
        expected: "JSON".into(),
        found: e.to_string(),
    })?;
    config["num_hidden_layers"] = rule.layers.into();
    config["vocab_size"] = kept.len().into();
    write_whole(&out.join("config.json"), config.to_string().as_bytes())?;
    let sentence = teacher.base().join("sentence_bert_config.json");
    if sentence.is_file() {
        std::fs::copy(&sentence, out.join("sentence_bert_config.json"))
            .map_err(|e| Error::io(&sentence, e))?;
    }

    // Layers spread evenly from the first to the last.
    let last = sizes.layers - 1;
    let steps = rule.layers.saturating_sub(1).max(1);
    let layers: Vec<usize> = (0..rule.layers)
        .map(|i| (i * last + steps / 2) / steps)
        .collect();
    let mut tensors = HashMap::new();
    for (name, tensor) in teacher.bert().tensors()? {
        if name == "embeddings.word_embeddings.weight" {
            let rows = Tensor::new(&kept[..], &Device::Cpu)?;
            tensors.insert(name, tensor.index_select(&rows, 0)?);
        } else if let Some(rest) = name.strip_prefix("encoder.layer.") {
            let Some((number, rest)) = rest.split_once('.') else {
                continue;
            };
            let places = (0..)
                .zip(&layers)
                .filter(|(_, layer)| layer.to_string() == number);
            for (place, _) in places {
                let name: String = format!("encoder.layer.{place}.{rest}");
                tensors.insert(name, tensor.clone());
            }
        } else {
            tensors.insert(name, tensor);
        }
    }
    let path = out.join("model.safetensors");
    candle_core::safetensors::save(&tensors, &path)?;
    Ok(words)
}

/// The ids that are kept, rising: special tokens and single characters, without which a text could not
/// be told from another, then the most frequent; of those that no text has the first, since vocabularies
/// have common words before rare ones.
fn vocabulary(tokenizer: &Json, counts: &[u64], size: usize) -> Option<Vec<u32>> {
    let tokens = tokenizer["model"]["vocab"].as_object()?;
    let special: Vec<u64> = tokenizer["added_tokens"]
        .as_array()?
        .iter()
        .filter_map(|token| token["id"].as_u64())
        .collect();
    let mut kept: Vec<u32> = Vec::new();
    let mut rest: Vec<u32> = Vec::new();
    for (token, id) in tokens {
        let id = id.as_u64()?;
        let piece = token.trim_start_matches("##");
        let single = piece.chars().count() == 1 && piece.is_ascii();
        // Placeholders and other scripts are kept where texts have them.
        let word = piece.bytes().all(|b| b.is_ascii_alphanumeric());
        let seen = counts.get(id as usize).is_some_and(|&count| count > 0);
        match special.contains(&id) || single {
            true => kept.push(id as u32),
            false if seen || word => rest.push(id as u32),
            false => {}
        }
    }
    let count = |id: &u32| counts.get(*id as usize).copied().unwrap_or(0);
    rest.sort_by(|a, b| count(b).cmp(&count(a)).then(a.cmp(b)));
    rest.truncate(size.saturating_sub(kept.len()));
    kept.extend(rest);
    kept.sort_unstable();
    Some(kept)
}

/// The tokenizer with the kept tokens alone, numbered from 0 in their order.
fn renumbered(mut tokenizer: Json, kept: &[u32]) -> Json {
    let numbers: HashMap<u64, usize> = kept.iter().map(|&id| u64::from(id)).zip(0..).collect();
    let renumber = |id: &Json| {
        id.as_u64()
            .and_then(|id| numbers.get(&id))
            .map(|&n| json!(n))
    };
    if let Some(tokens) = tokenizer["model"]["vocab"].as_object() {
        let mut fewer: Vec<(&String, Json)> = tokens
            .iter()
            .filter_map(|(token, id)| Some((token, renumber(id)?)))
            .collect();
        fewer.sort_by_key(|(_, id)| id.as_u64());
        let fewer: serde_json::Map<String, Json> = fewer
            .into_iter()
            .map(|(token, id)| (token.clone(), id))
            .collect();
        tokenizer["model"]["vocab"] = Json::Object(fewer);
    }
    for token in tokenizer["added_tokens"]
        .as_array_mut()
        .into_iter()
        .flatten()
    {
        if let Some(id) = renumber(&token["id"]) {
            token["id"] = id;
        }
    }
    let specials = tokenizer["post_processor"]["special_tokens"].as_object_mut();
    for special in specials.into_iter().flat_map(|s| s.values_mut()) {
        for id in special["ids"].as_array_mut().into_iter().flatten() {
            if let Some(number) = renumber(id) {
                *id = number;
            }
        }
    }
    if let Some(id) = renumber(&tokenizer["padding"]["pad_id"]) {
        tokenizer["padding"]["pad_id"] = id;
    }
    tokenizer
}

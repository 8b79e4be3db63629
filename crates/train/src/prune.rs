//! The start of a query tower: some layers of the teacher, and the part of its vocabulary that the texts use.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use serde_json::{Value as Json, json};

use crate::error::{Error, Result};
use crate::recipe::QueryTower;
use crate::tower::{Tower, write_whole};

/// Writes the tower that distillation starts from: some layers, some rows of the embeddings, and the
/// tokenizer with as many tokens. Gives the whole words among them, in the order of the vocabulary.
pub(crate) fn prune(
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
    let tokenizer = read_json(&path)?;
    let base = |expected: &str, found: &str| Error::Base {
        path: path.clone(),
        expected: expected.into(),
        found: found.into(),
    };
    let kept = vocabulary(&tokenizer, &frequencies(teacher, sources)?, rule.vocabulary)
        .ok_or_else(|| base("a WordPiece tokenizer", "another"))?;
    if kept.len() > rule.vocabulary {
        return Err(Error::Option {
            option: "query tower's vocabulary",
            expected: format!("{} or more, which every text needs", kept.len()),
            found: rule.vocabulary.to_string(),
        });
    }
    let smaller = renumbered(tokenizer, &kept);
    let words = whole_words(&smaller);
    if words.is_empty() {
        return Err(base("words in the vocabulary", "none"));
    }
    write_whole(&out.join("tokenizer.json"), smaller.to_string().as_bytes())?;

    let mut config = read_json(&teacher.base().join("config.json"))?;
    config["num_hidden_layers"] = rule.layers.into();
    config["vocab_size"] = kept.len().into();
    write_whole(&out.join("config.json"), config.to_string().as_bytes())?;
    let sentence = teacher.base().join("sentence_bert_config.json");
    if sentence.is_file() {
        std::fs::copy(&sentence, out.join("sentence_bert_config.json"))
            .map_err(|e| Error::io(&sentence, e))?;
    }
    let tensors = tensors(teacher, rule.layers, &kept)?;
    candle_core::safetensors::save(&tensors, out.join("model.safetensors"))?;
    Ok(words)
}

fn read_json(path: &Path) -> Result<Json> {
    let json = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    serde_json::from_slice(&json).map_err(|e| Error::Base {
        path: path.to_owned(),
        expected: "JSON".into(),
        found: e.to_string(),
    })
}

/// The frequency of each token: in a million of each source's, so that none drowns the others.
fn frequencies(teacher: &Tower, sources: &[Vec<String>]) -> Result<Vec<u64>> {
    let sizes = teacher.bert().sizes();
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
    Ok(counts)
}

/// The tokens that are words of letters, in the order of the vocabulary.
fn whole_words(tokenizer: &Json) -> Vec<String> {
    let mut words: Vec<(u64, &String)> = tokenizer["model"]["vocab"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(word, _)| word.chars().all(char::is_alphabetic))
        .filter_map(|(word, id)| Some((id.as_u64()?, word)))
        .collect();
    words.sort_unstable();
    words.into_iter().map(|(_, word)| word.clone()).collect()
}

/// The teacher's tensors: `layers` of its layers, spread evenly from the first to the last, and the embedding
/// rows `kept`.
fn tensors(teacher: &Tower, layers: usize, kept: &[u32]) -> Result<HashMap<String, Tensor>> {
    let last = teacher.bert().sizes().layers - 1;
    let steps = layers.saturating_sub(1).max(1);
    let layers: Vec<usize> = (0..layers)
        .map(|i| (i * last + steps / 2) / steps)
        .collect();
    let mut tensors = HashMap::new();
    for (name, tensor) in teacher.bert().tensors()? {
        if name == "embeddings.word_embeddings.weight" {
            let rows = Tensor::new(kept, &Device::Cpu)?;
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
    Ok(tensors)
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

//! A `tokenizer.json` of BERT's kind as tables.

use std::collections::HashMap;

use nearshelf_container::wire::Record;
use serde::Deserialize;
use serde_json::Value;

use super::library::Library;
use super::word_piece::{Rules, Special, WordPiece};

/// The tokenizer as tables; `None` where it is of another kind, or where tables give another answer than
/// `library` for any of its own pieces or a text of all sorts.
pub(super) fn convert(json: &[u8], library: &Library) -> Option<WordPiece> {
    let file: File = serde_json::from_slice(json).ok()?;
    let tables = file.tables()?;
    let agrees = |text: &str| {
        let both = (
            library.encode(text, usize::MAX),
            tables.encode(text, usize::MAX),
        );
        matches!(both, (Ok(expected), Ok(found)) if expected == found)
    };
    let vocabulary: Vec<&str> = file.model.vocab.keys().map(String::as_str).collect();
    let lines = vocabulary.chunks(64).map(|words| words.join(" "));
    let joined = vocabulary.chunks(3).map(|words| words.concat());
    let sorts = SORTS.iter().map(|&text| text.to_owned());
    lines
        .chain(joined)
        .chain(sorts)
        .all(|text| agrees(&text))
        .then_some(tables)
}

/// Texts that tokenizers of other rules part ways on.
const SORTS: [&str; 12] = [
    "",
    "  Crème BRÛLÉE – 2×4\" (İstanbul)  ",
    "naïve\u{301} e\u{301}\u{327} ﬁligree ǅungla straße ẞ",
    "雨衣 중국어 ひらがな a中b文c \u{20000}\u{2b740}",
    "\t tabs\nand\r\nlines\u{b}\u{c}\u{85}\u{a0}\u{2003}\u{3000}end",
    "null\0 bell\u{7} soft\u{ad}hyphen zero\u{200b}width\u{feff} \u{fffd} \u{e000} \u{378}",
    "«quotes» “curly” ‘single’ ¿why? … ‽ · • ₤ € £ $5.00 + = < > ^ ` | ~",
    "don't e-mail 3/4\" 1,000.50 #8-32 A.B.C. __init__ C++",
    "[CLS] a [SEP][MASK] [mask] [ PAD] [UNK]x",
    "🧥☔️ 👨‍👩‍👧 🏳️‍🌈 मानक हिन्दी עִבְרִית معطف مطر ไทย",
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b",
];

#[derive(Deserialize)]
struct File {
    added_tokens: Vec<Added>,
    normalizer: Value,
    pre_tokenizer: Value,
    post_processor: Option<Value>,
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    unk_token: String,
    continuing_subword_prefix: String,
    max_input_chars_per_word: u32,
    vocab: HashMap<String, u32>,
}

impl File {
    fn tables(&self) -> Option<WordPiece> {
        let model = &self.model;
        let kinds = [&self.normalizer, &self.pre_tokenizer].map(|part| part["type"].as_str());
        let bert = matches!(kinds[0], Some("BertNormalizer" | "Bert"))
            && matches!(kinds[1], Some("BertPreTokenizer"))
            && matches!(model.kind.as_deref(), None | Some("WordPiece"));
        // A word never begins with punctuation and goes on, so that no word begins with such a piece.
        let prefix = model.continuing_subword_prefix.as_str();
        let apart = prefix.len() > 1 && prefix.chars().all(|c| c.is_ascii_punctuation());
        let plain = |added: &Added| {
            !(added.single_word || added.lstrip || added.rstrip || added.normalized)
        };
        if !(bert && apart && self.added_tokens.iter().all(plain)) {
            return None;
        }
        let (before, after) = self.around()?;
        let flag = |name: &str| self.normalizer[name].as_bool();
        let lowercase = flag("lowercase")?;
        let special = self.added_tokens.iter().map(|added| {
            Record(Special {
                text: added.content.clone(),
                id: added.id,
            })
        });
        let rules = Rules {
            clean: flag("clean_text")?,
            chinese: flag("handle_chinese_chars")?,
            accents: flag("strip_accents").unwrap_or(lowercase),
            lowercase,
            longest: model.max_input_chars_per_word,
            unknown: *model.vocab.get(&model.unk_token)?,
            before,
            after,
            special: special.collect(),
        };
        let (mut starts, mut continuations) = (Vec::new(), Vec::new());
        for (piece, &id) in &model.vocab {
            match piece.strip_prefix(prefix) {
                Some("") => {}
                Some(rest) => continuations.push((rest.to_owned(), id)),
                None if piece.is_empty() => {}
                None => starts.push((piece.clone(), id)),
            }
        }
        Some(WordPiece::new(rules, starts, continuations))
    }

    /// Ids before and after every text.
    fn around(&self) -> Option<(Vec<u32>, Vec<u32>)> {
        let Some(processor) = self.post_processor.as_ref().filter(|p| !p.is_null()) else {
            return Some((vec![], vec![]));
        };
        match processor["type"].as_str()? {
            "BertProcessing" => {
                let id = |name: &str| Some(vec![u32::try_from(processor[name][1].as_u64()?).ok()?]);
                Some((id("cls")?, id("sep")?))
            }
            "TemplateProcessing" => {
                let (mut before, mut after, mut seen) = (Vec::new(), Vec::new(), false);
                for part in processor["single"].as_array()? {
                    if !part["Sequence"].is_null() {
                        seen = true;
                        continue;
                    }
                    let name = part["SpecialToken"]["id"].as_str()?;
                    let ids = processor["special_tokens"][name]["ids"].as_array()?;
                    for id in ids {
                        let id = u32::try_from(id.as_u64()?).ok()?;
                        if seen { &mut after } else { &mut before }.push(id);
                    }
                }
                Some((before, after))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;

//! Languages, by their code, and the stems of their words.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use pagefind_stem::{Algorithm, Stemmer};

/// A language whose words are cut to stems (Snowball), or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Language {
    /// Words stay as they are.
    None,
    /// `da`.
    Danish,
    /// `nl`.
    Dutch,
    /// `en`.
    #[default]
    English,
    /// `fr`.
    French,
    /// `de`.
    German,
    /// `it`.
    Italian,
    /// `no`.
    Norwegian,
    /// `pt`.
    Portuguese,
    /// `ru`.
    Russian,
    /// `es`.
    Spanish,
    /// `sv`.
    Swedish,
}

/// Codes of ISO 639-1 and what stands for them.
const CODES: [(&str, Language); 12] = [
    ("none", Language::None),
    ("da", Language::Danish),
    ("nl", Language::Dutch),
    ("en", Language::English),
    ("fr", Language::French),
    ("de", Language::German),
    ("it", Language::Italian),
    ("no", Language::Norwegian),
    ("pt", Language::Portuguese),
    ("ru", Language::Russian),
    ("es", Language::Spanish),
    ("sv", Language::Swedish),
];

impl Language {
    /// Its code: `en`, or `none`.
    pub fn code(self) -> &'static str {
        let of = |&&(_, language): &&(_, Language)| language == self;
        CODES.iter().find(of).map_or("none", |(code, _)| code)
    }

    /// The codes of all languages.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        CODES.iter().map(|(code, _)| *code)
    }

    /// The stem of a word in small letters.
    pub(crate) fn stem(self, word: &str) -> Cow<'_, str> {
        let algorithm = match self {
            Language::None => return Cow::Borrowed(word),
            Language::Danish => Algorithm::Danish,
            Language::Dutch => Algorithm::Dutch,
            Language::English => Algorithm::English,
            Language::French => Algorithm::French,
            Language::German => Algorithm::German,
            Language::Italian => Algorithm::Italian,
            Language::Norwegian => Algorithm::Norwegian,
            Language::Portuguese => Algorithm::Portuguese,
            Language::Russian => Algorithm::Russian,
            Language::Spanish => Algorithm::Spanish,
            Language::Swedish => Algorithm::Swedish,
        };
        Stemmer::create(algorithm).stem(word)
    }

    /// Whether an apostrophe ends a word: `l'eau`, `dell'acqua`.
    pub(crate) fn elides(self) -> bool {
        matches!(self, Language::French | Language::Italian)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Language {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, String> {
        let found = CODES.iter().find(|(known, _)| *known == code);
        found.map(|&(_, language)| language).ok_or_else(|| {
            let codes: Vec<&str> = Language::codes().collect();
            format!("expected one of {}, found {code:?}", codes.join(", "))
        })
    }
}

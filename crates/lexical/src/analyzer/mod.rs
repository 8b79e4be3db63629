//! The analysis of texts: words, numbers and codes as items and queries share them.
//!
//! A text is folded (case, accents, width) and cut into *parts*: runs of letters and digits, a number and its unit being
//! two. Parts that a hyphen joins, and numbers with their units, are a *compound*: `t-shirt`, `wd-40`, `16gb`, `16 GB`.
//! Each part is a token, and all of them joined are one more, so that `16gb` meets `16 GB`, and `wd40` meets `WD-40`.
//! Scripts without spaces give bigrams.

mod fold;
mod language;
mod units;

pub use language::Language;

use fold::{Class, Folded, fold};

/// Characters of a token, at most: what is longer is no word.
const MAX_CHARS: usize = 48;
/// Parts that are joined, at most.
pub(crate) const MAX_JOINED: usize = 8;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A word, which has a stem.
    Word,
    /// A number.
    Number,
    /// Letters and digits: `ps4`, `k83913`.
    Code,
    /// The parts of a compound without what stands between them.
    Joined,
    /// One or two characters of a script without spaces.
    Bigram,
}

/// A token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The folded characters.
    pub text: String,
    /// Its kind.
    pub kind: TokenKind,
    /// Bytes of the text, from and to.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl Token {
    /// Whether it holds a digit: no typo is looked for then.
    pub fn has_digit(&self) -> bool {
        self.text.chars().any(char::is_numeric)
    }
}

/// Cuts texts into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Analyzer {
    language: Language,
}

impl Analyzer {
    /// The analysis of a language's texts.
    pub fn new(language: Language) -> Self {
        Analyzer { language }
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The tokens of a text, in its order; the joined form of a compound stands behind its parts.
    pub fn tokens(&self, text: &str, mut each: impl FnMut(Token)) {
        let mut cutter = Cutter {
            parts: Vec::new(),
            open: None,
            connector: None,
            number: None,
            unspaced: Vec::new(),
            elides: self.language.elides(),
        };
        fold(text, |folded| cutter.push(folded, &mut each));
        cutter.end(&mut each);
    }

    /// The tokens of a text but for the joined forms of compounds: its words as they are said, one behind the other.
    pub fn spoken(&self, text: &str) -> Vec<Token> {
        let mut spoken = Vec::new();
        self.tokens(text, |token| {
            if token.kind != TokenKind::Joined {
                spoken.push(token);
            }
        });
        spoken
    }

    /// The term that a token is counted as: the stem of a word, else the token itself.
    pub fn term(&self, token: &Token) -> String {
        match token.kind {
            TokenKind::Word => self.language.stem(&token.text).into_owned(),
            _ => token.text.clone(),
        }
    }

    /// An identifier as it is compared: folded, without anything but letters and digits.
    pub fn identifier(text: &str) -> String {
        let mut joined = String::new();
        fold(text, |folded| match folded.class {
            Class::Letter | Class::Digit | Class::Unspaced => joined.push(folded.char),
            Class::Connector | Class::Apostrophe | Class::Space => {}
        });
        joined
    }
}

/// The state of a cut.
struct Cutter {
    /// Parts of the compound that is being read.
    parts: Vec<Token>,
    /// The run of letters and digits that is being read.
    open: Option<Token>,
    /// A connector behind the last part.
    connector: Option<char>,
    /// The number that the last compound ended with, while nothing but space came behind it.
    number: Option<Token>,
    /// Characters of a run without spaces.
    unspaced: Vec<Folded>,
    elides: bool,
}

impl Cutter {
    fn push(&mut self, folded: Folded, each: &mut impl FnMut(Token)) {
        if folded.class != Class::Unspaced {
            self.end_unspaced(each);
        }
        match folded.class {
            Class::Letter | Class::Digit => self.character(folded, each),
            Class::Unspaced => {
                self.end_compound(each);
                self.bigram(folded, each);
            }
            Class::Connector if self.connector.is_none() && self.open.is_some() => {
                self.end_run();
                self.connector = Some(folded.char);
            }
            Class::Apostrophe if self.open.is_some() && !self.elides => {}
            Class::Connector | Class::Apostrophe | Class::Space => {
                let is_apart = folded.char != ' ' || self.connector.is_some();
                self.end_compound(each);
                if is_apart {
                    self.number = None;
                }
            }
        }
    }

    fn character(&mut self, folded: Folded, each: &mut impl FnMut(Token)) {
        let kind = match folded.class {
            Class::Digit => TokenKind::Number,
            _ => TokenKind::Word,
        };
        if let Some(connector) = self.connector.take() {
            self.connect(connector, kind, each);
        }
        let open = self.open.get_or_insert_with(|| Token {
            text: String::new(),
            kind,
            start: folded.start,
            end: folded.end,
        });
        if open.kind != kind {
            open.kind = TokenKind::Code;
        }
        open.text.push(folded.char);
        open.end = folded.end;
    }

    /// Decides on a connector between the last part and one of `next`.
    fn connect(&mut self, connector: char, next: TokenKind, each: &mut impl FnMut(Token)) {
        let before = self.parts.last().map(|part| part.kind);
        let both = |kind| before == Some(kind) && next == kind;
        match connector {
            // One number: 1.5, and 1,5 in other languages.
            '.' | ',' if both(TokenKind::Number) => {
                self.open = self.parts.pop();
                if let Some(open) = &mut self.open {
                    open.text.push('.');
                }
            }
            ',' | '/' => self.end_compound(each),
            '.' if both(TokenKind::Word) => self.end_compound(each),
            _ => {}
        }
    }

    fn bigram(&mut self, folded: Folded, each: &mut impl FnMut(Token)) {
        if let Some(before) = self.unspaced.last() {
            each(Token {
                text: [before.char, folded.char].iter().collect(),
                kind: TokenKind::Bigram,
                start: before.start,
                end: folded.end,
            });
        }
        self.unspaced.push(folded);
    }

    fn end_unspaced(&mut self, each: &mut impl FnMut(Token)) {
        if let [alone] = self.unspaced[..] {
            each(Token {
                text: alone.char.into(),
                kind: TokenKind::Bigram,
                start: alone.start,
                end: alone.end,
            });
        }
        self.unspaced.clear();
    }

    /// Ends a run, which is one part, or a number and its unit.
    fn end_run(&mut self) {
        let Some(run) = self.open.take() else {
            return;
        };
        let digits = run.text.find(|c: char| !c.is_numeric() && c != '.');
        match digits.filter(|&at| at > 0 && units::unit(&run.text[at..]).is_some()) {
            // Both stand in ASCII, so that bytes of the run are bytes of the text.
            Some(at) if run.end - run.start == run.text.len() => {
                let part = |range: std::ops::Range<usize>, kind| Token {
                    text: run.text[range.clone()].into(),
                    kind,
                    start: run.start + range.start,
                    end: run.start + range.end,
                };
                self.parts.push(part(0..at, TokenKind::Number));
                self.parts.push(part(at..run.text.len(), TokenKind::Word));
            }
            _ => self.parts.push(run),
        }
    }

    fn end_compound(&mut self, each: &mut impl FnMut(Token)) {
        self.end_run();
        self.connector = None;
        let parts = std::mem::take(&mut self.parts);
        let Some(last) = parts.last() else {
            return;
        };
        let number = (last.kind == TokenKind::Number).then(|| last.clone());
        let number = std::mem::replace(&mut self.number, number);
        let joined = match &parts[..] {
            [_, .., _] if parts.len() <= MAX_JOINED => Some(joined(&parts)),
            // 16 GB is 16gb.
            [part] => number
                .filter(|_| units::unit(&part.text).is_some())
                .map(|number| joined(&[number, part.clone()])),
            _ => None,
        };
        let short = |token: &Token| token.text.chars().count() <= MAX_CHARS;
        parts.into_iter().chain(joined).filter(short).for_each(each);
    }

    fn end(&mut self, each: &mut impl FnMut(Token)) {
        self.end_unspaced(each);
        self.end_compound(each);
    }
}

/// The parts of a compound as one token, the unit of a number in its short form.
fn joined(parts: &[Token]) -> Token {
    let text = parts.iter().enumerate().map(|(place, part)| {
        let is_unit = place > 0 && parts[place - 1].kind == TokenKind::Number;
        let unit = units::unit(&part.text).filter(|_| is_unit);
        unit.unwrap_or(&part.text)
    });
    Token {
        text: text.collect(),
        kind: TokenKind::Joined,
        start: parts.first().map_or(0, |part| part.start),
        end: parts.last().map_or(0, |part| part.end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(language: Language, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        Analyzer::new(language).tokens(text, |token| found.push(token.text));
        found
    }

    #[test]
    fn cases_accents_and_widths_are_one() {
        let plain = words(Language::None, "cafe strasse oeuvre 16");
        assert_eq!(words(Language::None, "CAFÉ Straße Œuvre １６"), plain);
        assert_eq!(words(Language::None, "cafe\u{301} straße œuvre 16"), plain);
        assert_eq!(words(Language::None, "ｶﾞｽ"), words(Language::None, "ガス"));
        assert_eq!(words(Language::None, "Йод ёлка"), ["йод", "елка"]);
        assert_eq!(words(Language::None, "हिन्दी"), ["हिन्दी"]);
    }

    #[test]
    fn compounds_are_parts_and_all_of_them() {
        assert_eq!(words(Language::None, "16gb"), ["16", "gb", "16gb"]);
        assert_eq!(words(Language::None, "16 GB"), ["16", "gb", "16gb"]);
        assert_eq!(words(Language::None, "5-Inches"), ["5", "inches", "5in"]);
        assert_eq!(words(Language::None, "5, in"), ["5", "in"]);
        assert_eq!(words(Language::None, "K83913 ps4"), ["k83913", "ps4"]);
        assert_eq!(words(Language::None, "WD-40"), ["wd", "40", "wd40"]);
        assert_eq!(words(Language::None, "t–shirt,"), ["t", "shirt", "tshirt"]);
        assert_eq!(words(Language::None, "black/white"), ["black", "white"]);
        assert_eq!(
            words(Language::None, "1.5 l, 1,5"),
            ["1.5", "l", "1.5l", "1.5"]
        );
        assert_eq!(
            words(Language::None, "1/2-in. Bolt"),
            ["1", "2", "in", "2in", "bolt"]
        );
        assert_eq!(words(Language::None, "- -- .5 c- -d"), ["5", "c", "d"]);
    }

    #[test]
    fn apostrophes_are_inside_words_or_end_them() {
        assert_eq!(words(Language::English, "women’s"), ["womens"]);
        assert_eq!(words(Language::French, "l'eau"), ["l", "eau"]);
    }

    #[test]
    fn scripts_without_spaces_give_bigrams() {
        assert_eq!(words(Language::None, "登山靴 a"), ["登山", "山靴", "a"]);
        assert_eq!(words(Language::None, "靴"), ["靴"]);
        assert_eq!(words(Language::None, "한국어"), ["한국", "국어"]);
    }

    #[test]
    fn tokens_stand_where_their_text_stands() {
        let text = "Crème brûlée-16GB 登山靴";
        let mut found = Vec::new();
        Analyzer::default().tokens(text, |t| found.push(text[t.start..t.end].to_owned()));
        let expected = ["Crème", "brûlée", "16", "GB", "brûlée-16GB", "登山", "山靴"];
        assert_eq!(found, expected);
    }

    #[test]
    fn words_are_counted_by_stem() {
        let analyzer = Analyzer::new(Language::English);
        let mut terms = Vec::new();
        analyzer.tokens("Running batteries women's", |t| {
            terms.push(analyzer.term(&t));
        });
        assert_eq!(terms, ["run", "batteri", "women"]);
        for code in Language::codes() {
            let language: Language = code.parse().unwrap();
            assert_eq!(language.code(), code);
            let _ = Analyzer::new(language).term(&Token {
                text: "haus".into(),
                kind: TokenKind::Word,
                start: 0,
                end: 4,
            });
        }
        assert!("xx".parse::<Language>().is_err());
    }

    #[test]
    fn odd_texts_are_cut_as_any_other() {
        assert_eq!(words(Language::English, ""), [""; 0]);
        assert_eq!(words(Language::English, "?!… 🎒 \u{202e}"), [""; 0]);
        assert_eq!(words(Language::English, &"x".repeat(1 << 20)), [""; 0]);
        assert_eq!(words(Language::English, &"bag ".repeat(1000)).len(), 1000);
        assert_eq!(Analyzer::identifier("Ab-12 / 3"), "ab123");
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_tokens_at_character_bounds(text in "\\PC{0,40}") {
            Analyzer::default().tokens(&text, |token| {
                assert!(text.is_char_boundary(token.start) && text.is_char_boundary(token.end));
                assert!(token.start < token.end && !token.text.is_empty());
            });
        }
    }
}

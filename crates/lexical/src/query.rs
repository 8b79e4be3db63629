//! Queries as they are looked for: the terms of each word, its synonyms, what it was taken for.

use std::cmp::Reverse;
use std::ops::{ControlFlow, Range};

use crate::analyzer::{Analyzer, MAX_JOINED, Token, TokenKind};
use crate::bm25::idf;
use crate::dictionary::{Entry, StartsWith};
use crate::file::Words;
use crate::short;
use crate::terms::TermId;
use crate::typos::{Correction, corrections};

/// First character of an identifier's key: none that a word holds.
pub(crate) const IDENTIFIER: char = '\u{1}';
/// Bytes of a query that are read.
const MAX_BYTES: usize = 4096;
/// Words of a query that are looked for.
const MAX_GROUPS: usize = 48;
/// Words that a beginning stands for, and keys that are looked at for them.
const MAX_COMPLETIONS: usize = 24;
const MAX_COMPLETED: usize = 4096;
/// Weight of a synonym beside the word itself.
const SYNONYM: f32 = 0.8;
/// Weight of two words that are written as one.
const JOINED: f32 = 0.8;
/// Weight of a word whose beginning a query ends with.
const COMPLETION: f32 = 0.7;
/// Weights of a word that is one edit away, and two.
const CORRECTED: [f32; 2] = [0.8, 0.6];
/// Items that hold a code, at most, for it to name them: those that one page of hits shows.
const NAMED: u32 = 10;
/// Characters of a code, at least.
const CODE_CHARS: usize = 4;

/// A term that a word of a query is looked for as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Member {
    pub term: TermId,
    /// Weight of its share, 0 to 1.
    pub weight: f32,
}

/// A word of a query, and all that it is looked for as.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    /// The best member counts for an item.
    pub members: Vec<Member>,
    /// Weight of the word: of its most frequent member.
    pub idf: f32,
    /// Whether items that hold it are named by it: a code that few items hold.
    pub is_name: bool,
    /// Whether it is a part of a compound that is looked for as a whole too.
    pub is_part: bool,
}

/// A word that was taken for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// The word of the query.
    pub from: String,
    /// Its bytes in the query.
    pub place: Range<usize>,
    /// The words of the catalog that were looked for instead, the likeliest first.
    pub to: Vec<String>,
}

/// A query as it is looked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WordQuery {
    /// By falling weight.
    pub(crate) groups: Vec<Group>,
    /// Identifiers that the query holds.
    pub(crate) identifiers: Vec<TermId>,
    corrected: Vec<Corrected>,
    unknown: Vec<String>,
}

impl WordQuery {
    /// Whether no word of it is known.
    pub fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.members.is_empty()) && self.identifiers.is_empty()
    }

    /// Words that were taken for others.
    pub fn corrected(&self) -> &[Corrected] {
        &self.corrected
    }

    /// The text with the likeliest word in place of each that was taken for another, and that `is_typo` says. `None` where
    /// that is none.
    pub fn corrected_text(&self, text: &str, is_typo: impl Fn(&str) -> bool) -> Option<String> {
        let mut corrected = None;
        // From the end on, so that places before it stay.
        for Corrected { from, place, to } in self.corrected.iter().rev() {
            if let Some(word) = to.first().filter(|_| is_typo(from))
                && text.get(place.clone()).is_some()
            {
                let text = corrected.get_or_insert_with(|| text.to_owned());
                text.replace_range(place.clone(), word);
            }
        }
        corrected
    }

    /// Words that the catalog does not have, nor anything like them.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// Whether a term is looked for.
    pub(crate) fn wants(&self, term: TermId) -> bool {
        let members = self.groups.iter().flat_map(|group| &group.members);
        members.map(|member| member.term).any(|t| t == term) || self.identifiers.contains(&term)
    }

    /// The shards that may hold the best items by words, at most `most` of `all`: those that hold most of the query by
    /// weight, where its rare words say where to go. None where words that are everywhere are all that it has.
    pub fn shards(&self, words: &Words, all: usize, most: usize) -> Vec<usize> {
        let mut weights = vec![0f32; all];
        let mut add = |terms: &[TermId], weight: f32| {
            let mut held = vec![false; all];
            for &term in terms {
                // A word that is in most shards tells none from another.
                let Some(shards) = words.spread(term).shards else {
                    return;
                };
                for shard in shards {
                    if let Some(held) = held.get_mut(shard as usize) {
                        *held = true;
                    }
                }
            }
            for (sum, _) in weights.iter_mut().zip(held).filter(|(_, held)| *held) {
                *sum += weight;
            }
        };
        for &term in &self.identifiers {
            add(&[term], self.weight());
        }
        for group in &self.groups {
            let terms: Vec<TermId> = group.members.iter().map(|member| member.term).collect();
            add(&terms, group.idf);
        }
        let mut shards = Vec::new();
        for shard in (0..all).filter(|&shard| weights[shard] > 0.0) {
            short::keep(&mut shards, most, shard, |&a, &b| weights[a] > weights[b]);
        }
        shards
    }

    /// The weight of all words, known or not.
    pub(crate) fn weight(&self) -> f32 {
        let whole = self.groups.iter().filter(|group| !group.is_part);
        whole.map(|group| group.idf).sum()
    }
}

/// The first bytes of a text, to the end of a word where that can be.
fn start(text: &str) -> &str {
    let start = &text[..text.floor_char_boundary(MAX_BYTES)];
    if start.len() == text.len() {
        return text;
    }
    start
        .rfind(char::is_whitespace)
        .map_or(start, |end| &start[..end])
}

impl Words {
    /// The words of a text, and the terms that each is looked for as. `typing` says that its last word may be the beginning of one.
    pub fn query(&self, text: &str, typing: bool) -> WordQuery {
        let text = start(text);
        let mut reader = Reader {
            words: self,
            query: WordQuery::default(),
            seen: Vec::new(),
            said: Vec::new(),
        };
        let tokens = reader.tokens(text);
        let end = tokens.last().map(|token| token.end).filter(|_| typing);
        for (place, token) in tokens.iter().enumerate() {
            let mut behind = tokens[place..].iter().take(MAX_JOINED + 1);
            let is_whole = |t: &Token| t.kind == TokenKind::Joined && t.start <= token.start;
            let is_part = token.kind != TokenKind::Joined && behind.any(is_whole);
            reader.word(token, is_part, end == Some(token.end));
        }
        reader.neighbours(&tokens);
        reader.phrases(&tokens);
        reader.identifiers(text, &tokens);
        let Reader {
            mut query, said, ..
        } = reader;
        let lacks = |said: &Said| query.groups[said.group].members.is_empty();
        query.unknown = said
            .into_iter()
            .filter(lacks)
            .map(|said| said.text)
            .collect();
        short::sort(&mut query.groups, |a, b| a.idf > b.idf);
        query
    }
}

struct Reader<'a> {
    words: &'a Words,
    query: WordQuery,
    /// Tokens that were looked for already.
    seen: Vec<String>,
    /// The words of the query that have a group of their own.
    said: Vec<Said>,
}

/// A word of the query.
struct Said {
    text: String,
    term: String,
    group: usize,
}

impl Reader<'_> {
    fn tokens(&self, text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        self.words
            .analyzer()
            .tokens(text, |token| tokens.push(token));
        tokens
    }

    fn word(&mut self, token: &Token, is_part: bool, is_typed: bool) {
        if self.query.groups.len() >= MAX_GROUPS || self.seen.contains(&token.text) {
            return;
        }
        self.seen.push(token.text.clone());
        let known = self.known(token);
        let alone = token.kind == TokenKind::Bigram && token.text.chars().count() == 1;
        let mut members: Vec<(Member, u32)> = known.into_iter().collect();
        if is_typed || (alone && members.is_empty()) {
            self.complete(&token.text, &mut members);
        }
        if token.kind == TokenKind::Joined && members.is_empty() {
            return;
        }
        let term = self.words.analyzer().term(token);
        let has_synonyms = !self.words.synonyms().of(&[&term]).is_empty();
        if members.is_empty() && token.kind == TokenKind::Word && !has_synonyms {
            members = self.correct(token);
            if members.is_empty() {
                members.extend(self.stem(token));
            }
            if members.is_empty() && self.split(token, is_part) {
                return;
            }
        }
        if members.is_empty() && token.kind == TokenKind::Code && self.cut(token, is_part) {
            return;
        }
        let is_code = token.has_digit() && token.text.chars().count() >= CODE_CHARS;
        let is_name = is_code && known.is_some_and(|(_, items)| items <= NAMED);
        self.said.push(Said {
            text: token.text.clone(),
            term,
            group: self.query.groups.len(),
        });
        self.group(&members, is_name, is_part);
    }

    fn group(&mut self, members: &[(Member, u32)], is_name: bool, is_part: bool) {
        let items = members.iter().map(|(_, items)| *items).max();
        self.query.groups.push(Group {
            members: members.iter().map(|(member, _)| *member).collect(),
            idf: idf(items.unwrap_or_default(), self.words.items()),
            is_name,
            is_part,
        });
    }

    /// A token that the dictionary has: itself, or a word of the same stem, where it is that with an ending. (The stem of
    /// "runing" is "rune": that is no ending, but a typo.)
    fn known(&self, token: &Token) -> Option<(Member, u32)> {
        let dictionary = self.words.dictionary();
        if let Some(entry) = dictionary.get(&token.text) {
            return Some(self.member(&entry, 1.0));
        }
        let stem = self.words.analyzer().term(token);
        let is_cut = stem.len() < token.text.len() && token.text.starts_with(&stem);
        if is_cut { self.stem(token) } else { None }
    }

    /// The words of a token's stem.
    fn stem(&self, token: &Token) -> Option<(Member, u32)> {
        let stem = self.words.analyzer().term(token);
        let entry = self.words.dictionary().get(&stem)?;
        Some(self.member(&entry, 1.0))
    }

    fn member(&self, entry: &Entry, weight: f32) -> (Member, u32) {
        let term = entry.term;
        (Member { term, weight }, self.words.spread(term).items)
    }

    /// Adds the words that begin as a word does, the most frequent ones.
    fn complete(&self, beginning: &str, members: &mut Vec<(Member, u32)>) {
        let mut found: Vec<(Member, u32)> = Vec::new();
        let mut left = MAX_COMPLETED;
        let starts = StartsWith(beginning.as_bytes());
        self.words.dictionary().walk(&starts, |_, value, _| {
            let entry = Entry::of(value);
            let known = |(member, _): &(Member, u32)| member.term == entry.term;
            if !found.iter().any(known) && !members.iter().any(known) {
                let member = self.member(&entry, COMPLETION);
                short::keep(&mut found, MAX_COMPLETIONS, member, |a, b| a.1 > b.1);
            }
            left -= 1;
            match left {
                0 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        members.extend(found);
    }

    /// The known words that an unknown one is taken for.
    fn correct(&mut self, word: &Token) -> Vec<(Member, u32)> {
        let dictionary = self.words.dictionary();
        let items = |entry: &Entry| self.words.spread(entry.term).items;
        let found = corrections(dictionary, &word.text, items);
        if !found.is_empty() {
            self.query.corrected.push(Corrected {
                from: word.text.clone(),
                place: word.start..word.end,
                to: found.iter().map(|c| c.word.clone()).collect(),
            });
        }
        let member = |correction: &Correction| {
            let weight = CORRECTED[usize::from(correction.edits >= 2)];
            let term = correction.entry.term;
            (Member { term, weight }, correction.items)
        };
        found.iter().map(member).collect()
    }

    /// Whether an unknown word is two known ones without the space between them, which are then looked for.
    fn split(&mut self, token: &Token, is_part: bool) -> bool {
        let word = token.text.as_str();
        const LEAST: usize = 3;
        let dictionary = self.words.dictionary();
        let known = |word: &str| {
            let entry = dictionary.get(word).filter(|entry| entry.is_word)?;
            Some(self.member(&entry, 1.0))
        };
        let places = word.char_indices().map(|(at, _)| at).skip(LEAST);
        let best = places
            .filter(|&at| word[at..].chars().count() >= LEAST)
            .filter_map(|at| Some((at, known(&word[..at])?, known(&word[at..])?)))
            .max_by_key(|(at, (_, a), (_, b))| (*a.min(b), Reverse(*at)));
        let Some((at, first, second)) = best else {
            return false;
        };
        self.query.corrected.push(Corrected {
            from: token.text.clone(),
            place: token.start..token.end,
            to: vec![format!("{} {}", &word[..at], &word[at..])],
        });
        self.group(&[first], false, is_part);
        self.group(&[second], false, is_part);
        true
    }

    /// Whether an unknown code has a known part, between letters and digits: `rtx2060`. Its parts are then looked for.
    fn cut(&mut self, code: &Token, is_part: bool) -> bool {
        let mut parts: Vec<String> = Vec::new();
        let mut before = None;
        for char in code.text.chars() {
            let is_number = char.is_numeric();
            match parts.last_mut().filter(|_| before == Some(is_number)) {
                Some(part) => part.push(char),
                None => parts.push(char.into()),
            }
            before = Some(is_number);
        }
        let part = |text: String| Token {
            text,
            kind: TokenKind::Number,
            ..code.clone()
        };
        let known: Vec<_> = parts
            .into_iter()
            .map(|text| self.known(&part(text)))
            .collect();
        if known.iter().all(Option::is_none) {
            return false;
        }
        for member in known {
            self.group(member.as_slice(), false, is_part);
        }
        true
    }

    /// Looks for two words without the space between them as well: `door bell`, `rtx 2060`.
    fn neighbours(&mut self, tokens: &[Token]) {
        let spoken = tokens
            .iter()
            .filter(|token| token.kind != TokenKind::Joined);
        let spoken: Vec<&Token> = spoken.filter(|t| t.kind != TokenKind::Bigram).collect();
        for pair in spoken.windows(2) {
            let joined = Token {
                text: pair.iter().map(|token| token.text.as_str()).collect(),
                ..pair[0].clone()
            };
            if self.seen.contains(&joined.text) {
                continue;
            }
            let Some(entry) = self.words.dictionary().get(&joined.text) else {
                continue;
            };
            let (member, _) = self.member(&entry, JOINED);
            for token in pair {
                let said = self.said.iter().find(|said| said.text == token.text);
                if let Some(said) = said {
                    self.query.groups[said.group].members.push(member);
                }
            }
        }
    }

    /// Adds the synonyms of phrases.
    fn phrases(&mut self, tokens: &[Token]) {
        let synonyms = self.words.synonyms();
        let longest = synonyms.longest();
        if longest == 0 {
            return;
        }
        let analyzer = self.words.analyzer();
        let spoken = tokens
            .iter()
            .filter(|token| token.kind != TokenKind::Joined);
        let terms: Vec<String> = spoken.map(|token| analyzer.term(token)).collect();
        let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
        for start in 0..terms.len() {
            for length in 1..=longest.min(terms.len() - start) {
                for other in synonyms.of(&terms[start..start + length]) {
                    self.synonym(&terms[start..start + length], other);
                }
            }
        }
    }

    /// Adds a phrase that stands for another: to its word where both are one, else as words of their own.
    fn synonym(&mut self, phrase: &[&str], other: &[String]) {
        let dictionary = self.words.dictionary();
        let entries: Option<Vec<Entry>> = other.iter().map(|term| dictionary.get(term)).collect();
        let Some(entries) = entries else {
            return;
        };
        let members: Vec<(Member, u32)> = entries
            .iter()
            .map(|entry| self.member(entry, SYNONYM))
            .collect();
        if let ([word], [(member, items)]) = (phrase, &members[..])
            && let Some(said) = self.said.iter().find(|said| said.term == *word)
        {
            let group = &mut self.query.groups[said.group];
            group.members.push(*member);
            group.idf = group.idf.min(idf(*items, self.words.items()));
            return;
        }
        // Words that the catalog lacks count for nothing once others stand for them.
        let mut replaced = false;
        for said in self
            .said
            .iter()
            .filter(|said| phrase.contains(&said.term.as_str()))
        {
            let group = &mut self.query.groups[said.group];
            if group.members.is_empty() {
                group.is_part = true;
                replaced = true;
            }
        }
        for member in members {
            if self.query.groups.len() < MAX_GROUPS {
                self.group(&[member], false, !replaced);
            }
        }
    }

    /// Notes the identifiers that a query is, or that stand in it.
    fn identifiers(&mut self, text: &str, tokens: &[Token]) {
        if self.words.exact_fields().is_empty() {
            return;
        }
        let whole = Analyzer::identifier(text);
        let words = text.split_whitespace().map(Analyzer::identifier);
        let long = |code: &String| code.chars().count() >= CODE_CHARS;
        let tokens = tokens.iter().map(|token| token.text.clone());
        let codes = words.chain(tokens).filter(long);
        let codes = codes.filter(|code| code.chars().any(char::is_numeric));
        for code in std::iter::once(whole).chain(codes) {
            if let Some(entry) = self.words.dictionary().get(&format!("{IDENTIFIER}{code}"))
                && !self.query.identifiers.contains(&entry.term)
            {
                self.query.identifiers.push(entry.term);
            }
        }
    }
}

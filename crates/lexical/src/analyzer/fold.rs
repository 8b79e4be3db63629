//! Characters as they are compared: small, without accents, of one width. The tables are the crate's own, so that every
//! target folds alike.

use unicode_normalization::char::{
    canonical_combining_class, compose, decompose_canonical, decompose_compatible,
    is_combining_mark,
};

/// The part of a character in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Of a word that spaces end.
    Letter,
    /// Of a number.
    Digit,
    /// Of a script that is written without spaces, or whose words take endings: indexed by bigrams.
    Unspaced,
    /// A sign that may stand inside a compound: `wd-40`, `a.b`.
    Connector,
    /// A sign inside a word: `women's`.
    Apostrophe,
    /// Anything else.
    Space,
}

/// A folded character, and where the cluster that it comes from stands in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Folded {
    pub char: char,
    pub class: Class,
    /// Bytes of the text, from and to.
    pub start: usize,
    pub end: usize,
}

/// Folds a text.
pub(super) fn fold(text: &str, mut each: impl FnMut(Folded)) {
    let mut chars = text.char_indices().peekable();
    let mut composed: Vec<char> = Vec::new();
    while let Some((start, first)) = chars.next() {
        let mut end = start + first.len_utf8();
        if first.is_ascii() && chars.peek().is_none_or(|(_, next)| next.is_ascii()) {
            let char = first.to_ascii_lowercase();
            let class = class(char);
            #[rustfmt::skip]
            each(Folded { char, class, start, end });
            continue;
        }
        while let Some(&(at, next)) = chars.peek().filter(|(_, next)| continues(*next)) {
            end = at + next.len_utf8();
            chars.next();
        }
        composed.clear();
        for char in text[start..end].chars() {
            decompose_compatible(char, |part| match composed.last_mut() {
                Some(last) => match compose(*last, part) {
                    Some(whole) => *last = whole,
                    None => composed.push(part),
                },
                None => composed.push(part),
            });
        }
        for char in composed.iter().flat_map(|char| char.to_lowercase()) {
            without_accents(char, |char| {
                let class = class(char);
                #[rustfmt::skip]
                each(Folded { char, class, start, end });
            });
        }
    }
}

/// Whether a character belongs to the one before it: a mark, a half-width sound mark, a part of a syllable.
fn continues(char: char) -> bool {
    is_combining_mark(char) || matches!(char, '\u{ff9e}' | '\u{ff9f}' | '\u{1160}'..='\u{11ff}')
}

/// A character without its accents. Marks of scripts that write their vowels with them stay.
fn without_accents(char: char, mut each: impl FnMut(char)) {
    match char {
        'ß' => "ss".chars().for_each(each),
        'æ' => "ae".chars().for_each(each),
        'œ' => "oe".chars().for_each(each),
        'ø' => each('o'),
        'đ' | 'ð' => each('d'),
        'ł' => each('l'),
        'ı' => each('i'),
        'þ' => "th".chars().for_each(each),
        'ё' => each('е'),
        // The stems of Russian are made of й.
        '\u{400}'..='\u{52f}' => each(char),
        _ if char.is_ascii() => each(char),
        _ => {
            let (mut rest, mut accents) = (['\0'; 4], 0);
            let mut count = 0;
            decompose_canonical(char, |part| match is_accent(part) {
                true => accents += 1,
                false if count < rest.len() => {
                    rest[count] = part;
                    count += 1;
                }
                false => {}
            });
            // Marks that are no accents stay where they are: が is not か.
            match accents {
                0 => each(char),
                _ => rest[..count].iter().copied().for_each(each),
            }
        }
    }
}

/// Accents of Latin and Greek, points of Arabic and Hebrew.
fn is_accent(char: char) -> bool {
    matches!(char, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}')
        && canonical_combining_class(char) > 0
}

fn class(char: char) -> Class {
    match char {
        'a'..='z' => Class::Letter,
        '0'..='9' => Class::Digit,
        ' ' => Class::Space,
        '-' | '_' | '.' | ',' | '/' | '\u{2010}'..='\u{2015}' => Class::Connector,
        '\'' | '\u{2019}' | '\u{2bc}' => Class::Apostrophe,
        _ if char.is_ascii() => Class::Space,
        // Thai, Lao, Tibetan, Myanmar; Hangul; Khmer; kana; Han.
        '\u{e00}'..='\u{109f}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{31ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Class::Unspaced,
        _ if char.is_numeric() => Class::Digit,
        _ if char.is_alphabetic() || is_combining_mark(char) => Class::Letter,
        _ => Class::Space,
    }
}

//! Filters as text, as the command line, the C library and addresses have them:
//!
//! ```text
//! filter    = and ("OR" and)*
//! and       = term ("AND" term)*
//! term      = "NOT" term | "(" filter ")" | "EXISTS" field | field condition
//! condition = ("=" | "!=") value | ("<" | "<=" | ">" | ">=") number | ["NOT"] "IN" "[" value ("," value)* "]"
//! field     = letters, digits, "_", "." and "-", not a digit first | "`" any "`"
//! value     = number | "true" | "false" | '"' any '"' | "'" any "'"
//! ```
//!
//! Keywords are read in any case. In quotes, `\` takes the character behind it as it is. A parser of this size by hand
//! costs the wasm module less than a library's.

use std::str::FromStr;

use super::tree::Filter;
use crate::columns::Value;
use crate::error::{Error, Result};

/// Brackets and negations inside one another at most: the depth of a parser's stack.
const MAX_DEPTH: usize = 64;

impl FromStr for Filter {
    type Err = Error;

    /// Reads a filter.
    ///
    /// # Errors
    /// The first place that cannot be read, in bytes from 0.
    fn from_str(text: &str) -> Result<Self> {
        let mut parser = Parser { text, at: 0 };
        let filter = parser.any(0)?;
        match parser.rest() {
            "" => Ok(filter),
            _ => Err(parser.error("AND, OR or the end")),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    /// The text from here on, white space skipped.
    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn error(&mut self, expected: impl Into<String>) -> Error {
        let rest = self.rest();
        let word = rest.split_whitespace().next().unwrap_or_default();
        let found: String = word.chars().take(30).collect();
        Error::Filter {
            place: format!("byte {}", self.at),
            expected: expected.into(),
            found: if found.is_empty() {
                "the end".into()
            } else {
                found
            },
        }
    }

    /// Takes a sign, where it is next.
    fn takes(&mut self, sign: &str) -> bool {
        let is_next = self.rest().starts_with(sign);
        self.at += if is_next { sign.len() } else { 0 };
        is_next
    }

    /// Takes a keyword, where it is next and no longer name.
    fn takes_word(&mut self, keyword: &str) -> bool {
        let rest = self.rest();
        let word = &rest[..name_length(rest)];
        let is_next = word.eq_ignore_ascii_case(keyword);
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    fn any(&mut self, depth: usize) -> Result<Filter> {
        let mut terms = vec![self.all(depth)?];
        while self.takes_word("OR") {
            terms.push(self.all(depth)?);
        }
        Ok(single_or(terms, Filter::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Filter> {
        let mut terms = vec![self.term(depth)?];
        while self.takes_word("AND") {
            terms.push(self.term(depth)?);
        }
        Ok(single_or(terms, Filter::All))
    }

    fn term(&mut self, depth: usize) -> Result<Filter> {
        if depth > MAX_DEPTH {
            return Err(self.error(format!("at most {MAX_DEPTH} conditions inside one another")));
        }
        if self.takes_word("NOT") {
            return Ok(self.term(depth + 1)?.negated());
        }
        if self.takes("(") {
            let filter = self.any(depth + 1)?;
            return match self.takes(")") {
                true => Ok(filter),
                false => Err(self.error("\")\", AND or OR")),
            };
        }
        if self.takes_word("EXISTS") {
            return Ok(Filter::exists(self.field()?));
        }
        let name = self.field()?;
        self.condition(name)
    }

    fn condition(&mut self, name: String) -> Result<Filter> {
        if self.takes("!=") {
            return Ok(Filter::equals(name, self.value()?).negated());
        }
        if self.takes("<=") {
            return Ok(Filter::at_most(name, self.number()?));
        }
        if self.takes(">=") {
            return Ok(Filter::at_least(name, self.number()?));
        }
        if self.takes("<") {
            return Ok(Filter::below(name, self.number()?));
        }
        if self.takes(">") {
            return Ok(Filter::above(name, self.number()?));
        }
        if self.takes("=") {
            return Ok(Filter::equals(name, self.value()?));
        }
        let negated = self.takes_word("NOT");
        if !self.takes_word("IN") {
            return Err(self.error("=, !=, <, <=, >, >=, IN or NOT IN"));
        }
        let filter = Filter::one_of(name, self.list()?);
        Ok(if negated { filter.negated() } else { filter })
    }

    fn list(&mut self) -> Result<Vec<Value>> {
        if !self.takes("[") {
            return Err(self.error("\"[\""));
        }
        let mut values = vec![self.value()?];
        while self.takes(",") {
            values.push(self.value()?);
        }
        match self.takes("]") {
            true => Ok(values),
            false => Err(self.error("\",\" or \"]\"")),
        }
    }

    fn field(&mut self) -> Result<String> {
        if self.rest().starts_with('`') {
            return self.quoted('`');
        }
        let rest = self.rest();
        let name = &rest[..name_length(rest)];
        let is_name = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
        if !is_name {
            return Err(self.error("a field, NOT, EXISTS or \"(\""));
        }
        self.at += name.len();
        Ok(name.to_owned())
    }

    fn value(&mut self) -> Result<Value> {
        for quote in ['"', '\''] {
            if self.rest().starts_with(quote) {
                return self.quoted(quote).map(Value::Text);
            }
        }
        for (word, value) in [("true", true), ("false", false)] {
            if self.takes_word(word) {
                return Ok(Value::Bool(value));
            }
        }
        match self.number() {
            Ok(number) => Ok(Value::Number(number)),
            Err(_) => Err(self.error("a number, a text in quotes, true or false")),
        }
    }

    fn number(&mut self) -> Result<f64> {
        let rest = self.rest();
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        match rest[..length].parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.at += length;
                Ok(number)
            }
            _ => Err(self.error("a number")),
        }
    }

    /// A text in quotes, of which the first is next.
    fn quoted(&mut self, quote: char) -> Result<String> {
        let start = self.at;
        let mut text = String::new();
        let mut characters = self.text[start + 1..].char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => text.extend(characters.next().map(|(_, taken)| taken)),
                end if end == quote => {
                    self.at = start + 1 + at + quote.len_utf8();
                    return Ok(text);
                }
                other => text.push(other),
            }
        }
        self.at = self.text.len();
        Err(self.error(format!("{quote} that ends the text from byte {start}")))
    }
}

/// Bytes of the name that a text begins with.
fn name_length(text: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

fn single_or(mut terms: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    match terms.len() {
        1 => terms.remove(0),
        _ => many(terms),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Filter {
        text.parse().unwrap()
    }

    #[test]
    fn conditions_are_read_as_they_are_written() {
        let calder = Filter::equals("brand", "Calder");
        assert_eq!(parse("brand = \"Calder\""), calder);
        assert_eq!(parse(" brand='Calder' "), calder);
        assert_eq!(parse("`brand` IN [\"Calder\"]"), calder);
        assert_eq!(parse("brand != \"Calder\""), calder.clone().negated());
        assert_eq!(parse("brand not in ['Calder']"), calder.clone().negated());
        assert_eq!(parse("price < 50"), Filter::below("price", 50.0));
        assert_eq!(parse("price<=-5e1"), Filter::at_most("price", -50.0));
        assert_eq!(parse("price > 50"), Filter::above("price", 50.0));
        assert_eq!(parse("price >= 50.5"), Filter::at_least("price", 50.5));
        assert_eq!(parse("in_stock = TRUE"), Filter::equals("in_stock", true));
        assert_eq!(parse("exists price"), Filter::exists("price"));
        assert_eq!(parse(r#"a = "\"\\""#), Filter::equals("a", "\"\\"));
        assert_eq!(
            parse("sizes IN [1, 2.5]"),
            Filter::one_of("sizes", [1.0, 2.5])
        );
    }

    #[test]
    fn and_binds_stronger_than_or_and_not_strongest() {
        let [a, b, c] = ["a", "b", "c"].map(Filter::exists);
        let text = "EXISTS a OR EXISTS b AND NOT EXISTS c";
        let expected = a.clone().or(b.clone().and(c.clone().negated()));
        assert_eq!(parse(text), expected);
        let text = "(EXISTS a OR EXISTS b) AND NOT (EXISTS c)";
        assert_eq!(parse(text), a.or(b).and(c.negated()));
    }

    #[test]
    fn a_word_that_begins_like_a_keyword_is_a_field() {
        assert_eq!(
            parse("notes = 'x' OR order > 1"),
            Filter::equals("notes", "x").or(Filter::above("order", 1.0))
        );
    }

    #[test]
    fn errors_say_where_and_what_was_expected() {
        for (text, expected) in [
            (
                "",
                "byte 0: expected a field, NOT, EXISTS or \"(\", found the end",
            ),
            (
                "price",
                "byte 5: expected =, !=, <, <=, >, >=, IN or NOT IN, found the end",
            ),
            ("price < cheap", "byte 8: expected a number, found cheap"),
            (
                "price < 5 brand",
                "byte 10: expected AND, OR or the end, found brand",
            ),
            (
                "(price < 5",
                "byte 10: expected \")\", AND or OR, found the end",
            ),
            (
                "brand IN [\"a\"",
                "byte 13: expected \",\" or \"]\", found the end",
            ),
            (
                "brand = \"a",
                "byte 10: expected \" that ends the text from byte 8, found the end",
            ),
            ("price < NaN", "byte 8: expected a number, found NaN"),
        ] {
            let error = text.parse::<Filter>().unwrap_err();
            assert_eq!(error.to_string(), format!("filter, {expected}"), "{text}");
        }
        let deep = format!("{}EXISTS a{}", "(".repeat(1000), ")".repeat(1000));
        let error = deep.parse::<Filter>().unwrap_err().to_string();
        assert!(
            error.contains("at most 64 conditions inside one another"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}") {
            let _ = text.parse::<Filter>();
        }

        #[test]
        fn texts_near_the_grammar_are_read_or_refused(
            parts in prop::collection::vec(
                prop::sample::select(vec!["a", "=", "<", "IN", "[", "]", ",", "(", ")", "NOT", "AND", "OR", "'x'", "\"", "1", "`", "\\", "EXISTS", "true"]),
                0..24,
            )
        ) {
            let _ = parts.join(" ").parse::<Filter>();
        }
    }
}

//! First lines: a file says what it holds, and a doc begins with the thing.

use super::fault::Fault;

/// First words of a doc that paraphrase the thing instead of naming it.
const PARAPHRASES: [&str; 3] = ["What ", "How ", "That which "];

/// Faults of a Rust file.
pub fn rust_faults(text: &str) -> Vec<Fault> {
    let header = (!text.starts_with("//!")).then(|| {
        (
            1,
            "expected a line `//!` that says what the file holds".into(),
        )
    });
    let is_doc = |line: &str| line.starts_with("///") || line.starts_with("//!");
    let docs = paraphrases(text, is_doc, |line| line.trim_start_matches(['/', '!']));
    header.into_iter().chain(docs).collect()
}

/// Faults of a file in JavaScript or TypeScript, whose docs are `/** … */` and whose header is a comment.
pub fn script_faults(text: &str) -> Vec<Fault> {
    let header = (!text.starts_with("//") && !text.starts_with("/*"))
        .then(|| (1, "expected a comment that says what the file holds".into()));
    let mut inside = false;
    let is_doc = move |line: &str| {
        let doc = inside || line.starts_with("/**");
        inside = doc && !line.contains("*/");
        doc
    };
    let docs = paraphrases(text, is_doc, |line| line.trim_start_matches(['/', '*']));
    header.into_iter().chain(docs).collect()
}

/// First lines of docs that begin with a paraphrase.
fn paraphrases<'a>(
    text: &'a str,
    mut is_doc: impl FnMut(&str) -> bool + 'a,
    content: impl Fn(&str) -> &str + 'a,
) -> impl Iterator<Item = Fault> + 'a {
    let mut begun = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let line = line.trim_start();
        if !is_doc(line) {
            begun = false;
            return None;
        }
        begun &= !line.starts_with("/**");
        let first = content(line).trim_start();
        // The first line of a doc in a script may be its opening mark alone.
        if begun || first.is_empty() {
            return None;
        }
        begun = true;
        let is_paraphrase = PARAPHRASES.iter().any(|word| first.starts_with(word));
        is_paraphrase.then(|| {
            (
                at + 1,
                format!("expected a doc that begins with the thing, found \"{first}\""),
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(faults: Vec<Fault>) -> Vec<usize> {
        faults.into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn a_file_without_its_line_and_a_paraphrase_are_found_where_they_stand() {
        assert_eq!(lines(rust_faults("use std::fs;\n")), [1]);
        let doc = "//! Files.\n\n/// What a file holds.\nstruct A;\n";
        assert_eq!(lines(rust_faults(doc)), [3]);
        assert_eq!(lines(rust_faults("//! How files go.\n")), [1]);
        assert_eq!(lines(script_faults("import a;\n")), [1]);
        let script = "// Files.\n/**\n * How it goes.\n * What it costs.\n */\nf();\n/** What. */\n/** What it is. */\n";
        assert_eq!(lines(script_faults(script)), [3, 8]);
    }

    #[test]
    fn a_later_line_of_a_doc_may_begin_as_it_likes() {
        let text = "//! Files.\n\n    /// A walk.\n    /// What it costs: time.\n    fn a() {}\n";
        assert_eq!(lines(rust_faults(text)), [0; 0]);
        assert_eq!(
            lines(script_faults("// Files.\n// How they go: fast.\n")),
            [0; 0]
        );
    }
}

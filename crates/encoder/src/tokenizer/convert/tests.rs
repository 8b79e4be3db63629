//! Tables against the library that they were made by.

use proptest::prelude::*;

use super::*;

fn json() -> Vec<u8> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read(root.join("assets/model/tokenizer.json")).unwrap()
}

fn both() -> (WordPiece, Library) {
    let library = Library::from_json(&json()).unwrap();
    (convert(&json(), &library).unwrap(), library)
}

fn compare(tables: &WordPiece, library: &Library, text: &str, max: usize) {
    let expected = library.encode(text, max).unwrap();
    assert_eq!(
        tables.encode(text, max).unwrap(),
        expected,
        "{text:?}, {max} tokens"
    );
}

#[test]
fn every_character_of_unicode_is_tokenized_alike() {
    let (tables, library) = both();
    let characters: Vec<char> = ('\0'..=char::MAX).collect();
    for some in characters.chunks(50) {
        // Alone, in a word, doubled, behind a space.
        let text: String = some.iter().map(|c| format!("a{c}b {c}{c} {c} ")).collect();
        if tables.encode(&text, usize::MAX).unwrap() != library.encode(&text, usize::MAX).unwrap() {
            for c in some {
                compare(&tables, &library, &format!("a{c}b {c}{c} {c} "), usize::MAX);
            }
        }
    }
}

#[test]
fn another_kind_of_tokenizer_is_left_to_the_library() {
    let library = Library::from_json(&json()).unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&json()).unwrap();
        change(&mut value);
        convert(&serde_json::to_vec(&value).unwrap(), &library).is_none()
    };
    assert!(!changed(&|_| ()));
    assert!(changed(&|v| v["added_tokens"][0]["lstrip"] = true.into()));
    assert!(changed(
        &|v| v["pre_tokenizer"]["type"] = "Whitespace".into()
    ));
    assert!(changed(&|v| v["model"]["type"] = "Unigram".into()));
    assert!(changed(
        &|v| v["model"]["continuing_subword_prefix"] = "x".into()
    ));
    // Of the same kind, with rules that the library of the original does not have.
    assert!(changed(&|v| v["normalizer"]["lowercase"] = false.into()));
    assert!(changed(
        &|v| v["model"]["max_input_chars_per_word"] = 5.into()
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_tokenized_alike(text in "\\PC{0,80}|[a-z#\\[\\] A-Z]{0,60}", max in 2usize..40) {
        thread_local! {
            static BOTH: (WordPiece, Library) = both();
        }
        BOTH.with(|(tables, library)| compare(tables, library, &text, max));
    }
}

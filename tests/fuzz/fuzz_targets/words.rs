//! Arbitrary bytes as a words file, searched for the words of a fixed text; and the bytes as a text, cut into words.
#![no_main]

mod sealed;

use libfuzzer_sys::fuzz_target;
use nearshelf_lexical::{Analyzer, Language, Words};

fuzz_target!(init: {
    // The transducer's library panics on damage, which is caught; what is not caught ends the process all the same.
    std::panic::set_hook(Box::new(|_| {}));
}, |data: &[u8]| {
    sealed::as_is_and_sealed(data, open);
    let text = String::from_utf8_lossy(data);
    for code in Language::codes() {
        let analyzer = Analyzer::new(code.parse().expect("one of the codes"));
        analyzer.tokens(&text, |token| {
            assert!(text.get(token.start..token.end).is_some());
            let _ = analyzer.term(&token);
        });
    }
});

fn open(data: &[u8]) {
    let Ok(words) = Words::open(data.to_vec().into()) else { return };
    for text in ["größe 7 item-3", "gröse", "gr"] {
        let query = words.query(text, true);
        let _ = query.shards(&words, 4, 2);
        let _ = words.matches(&query, "Größe 7");
        let _ = words.suggest(text, 5);
    }
    let _ = words.verify();
}

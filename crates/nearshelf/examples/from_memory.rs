//! A shelf whose bytes come from elsewhere than a directory, such as an archive or a database, searched by many
//! threads: `cargo run --release -p nearshelf --example from_memory`.

use std::collections::HashMap;
use std::error::Error;

use nearshelf::{Bytes, MANIFEST_NAME, Shelf};

fn main() -> Result<(), Box<dyn Error>> {
    // Stands for any storage of files by name.
    let mut files: HashMap<String, Vec<u8>> = HashMap::new();
    for entry in std::fs::read_dir("assets/demo")? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.insert(name, std::fs::read(entry.path())?);
    }

    let manifest = files.remove(MANIFEST_NAME).ok_or("no manifest")?;
    let shelf = Shelf::from_files(&manifest, |file| {
        let bytes = files.remove(&file.name).unwrap_or_default();
        // Compared with the manifest's digest: storage is not trusted.
        Ok(Bytes::from(bytes))
    })?;
    shelf.verify()?;

    let queries = [
        "rain jacket",
        "a gift for a gardener",
        "camping stove",
        "office chair",
    ];
    std::thread::scope(|scope| {
        for query in queries {
            let shelf = &shelf;
            scope.spawn(move || match shelf.search(query, 1) {
                Ok(answer) => println!("{query}: {:?}", answer.hits.first().map(|hit| hit.id)),
                Err(error) => eprintln!("{query}: {error}"),
            });
        }
    });
    Ok(())
}

//! Live prices and stock are laid over a shelf while others search it: `cargo run --release -p nearshelf --example live_prices`.

use nearshelf::{Overlay, Result, Shelf, Value};

fn main() -> Result<()> {
    let shelf = Shelf::open("assets/demo")?;
    let before = shelf.search("rain jacket", 3)?.hits;
    let (cheaper, sold) = (before[0].id, before[1].id);

    // Another shelf of the same files: searches of the first end with what they began with.
    let mut live = shelf.fork()?;
    let news = Overlay::default().with(cheaper, "price", Value::Number(9.5));
    live.overlay(&news.without(sold))?;

    for (name, shelf) in [("before", &shelf), ("live", &live)] {
        println!("{name}:");
        for hit in shelf.search("rain jacket", 3)?.hits {
            println!(
                "  {} {:?} {:?}",
                hit.id,
                hit.field("title"),
                hit.field("price")
            );
        }
    }
    Ok(())
}

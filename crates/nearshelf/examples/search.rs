//! A text becomes hits with typed fields: `cargo run --release -p nearshelf --example search -- [QUERY] [SHELF]`.

use nearshelf::{Result, Shelf, ValueRef};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let query = arguments.next();
    let query = query
        .as_deref()
        .unwrap_or("something warm for a rainy hike");
    let shelf = Shelf::open(arguments.next().unwrap_or_else(|| "assets/demo".into()))?;

    let answer = shelf.search(query, 5)?;
    for hit in &answer.hits {
        let title = match hit.field("title") {
            Some(ValueRef::Text(title)) => title,
            _ => hit.id,
        };
        let price = match hit.field("price") {
            Some(ValueRef::Number(price)) => format!("{price:.2}"),
            _ => String::new(),
        };
        println!("{:.3}  {price:>8}  {title}", hit.score);
    }
    if answer.truncated() {
        println!("The query is longer than the encoder reads; its end was left out.");
    }
    Ok(())
}

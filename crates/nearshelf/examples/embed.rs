//! Texts become unit vectors, without a search: `cargo run --release -p nearshelf --example embed -- TEXT TEXT…`.

use nearshelf::{Result, Shelf};

fn main() -> Result<()> {
    let mut texts: Vec<String> = std::env::args().skip(1).collect();
    if texts.is_empty() {
        texts = ["a rain jacket", "waterproof coat", "garden chair"]
            .map(String::from)
            .into();
    }
    let shelf = Shelf::open("assets/demo")?;
    // All threads of the machine; the vectors are the same on any number.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let encoded = shelf.encoder()?.encode_batch(&texts, threads, &|_| ())?;

    for (text, row) in texts.iter().zip(&encoded) {
        let cosines = encoded.iter().map(|column| {
            let products = row.vector.iter().zip(&column.vector).map(|(a, b)| a * b);
            format!("{:6.3}", products.sum::<f32>())
        });
        println!("{}  {text}", cosines.collect::<Vec<_>>().join(" "));
    }
    Ok(())
}

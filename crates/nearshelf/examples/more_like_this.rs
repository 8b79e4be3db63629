//! Items that are liked, and items that are not, become recommendations:
//! `cargo run --release -p nearshelf --example more_like_this -- [SHELF]`.

use nearshelf::{Recommend, Result, SearchOptions, Shelf};

fn main() -> Result<()> {
    let shelf = Shelf::open(
        std::env::args()
            .nth(1)
            .unwrap_or_else(|| "assets/demo".into()),
    )?;

    // The basket of a shopper, and a hit that was dismissed. A shop has these ids in its session.
    let basket = shelf.search("hiking boots", 2)?;
    let dismissed = shelf.search("umbrella", 1)?;
    let like: Vec<&str> = basket.hits.iter().map(|hit| hit.id).collect();
    let unlike: Vec<&str> = dismissed.hits.iter().map(|hit| hit.id).collect();

    let asked = Recommend {
        like: &like,
        unlike: &unlike,
        ..Default::default()
    };
    let options = SearchOptions {
        k: 5,
        diversity: 0.2,
        ..Default::default()
    };
    println!(
        "like {}, not like {}:",
        like.join(" and "),
        unlike.join(" and ")
    );
    for hit in shelf.recommend(&asked, &options)?.hits {
        println!("{:.3}  {}  {:?}", hit.score, hit.id, hit.field("title"));
    }
    Ok(())
}

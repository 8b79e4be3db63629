//! The demo catalog: products made of types × attributes × materials × occasions, the same ones
//! every time.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::vocabulary::{self, Kind, Vocabulary};

/// Products in the catalog.
const PRODUCTS: usize = 6000;
const SEED: u64 = 20;

/// Writes the catalog as JSON Lines.
pub fn write(out: &Path) -> Result<()> {
    let lines: String = catalog()?.iter().map(|item| format!("{item}\n")).collect();
    fs::write(out, lines).with_context(|| out.display().to_string())
}

/// The catalog, a JSON object an item.
fn catalog() -> Result<Vec<Value>> {
    let vocabulary = vocabulary::read()?;
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut titles = HashSet::new();
    let mut items = Vec::with_capacity(PRODUCTS);
    // Kinds take turns, so that all of them are in the catalog alike.
    for kind in vocabulary.kinds.iter().cycle() {
        if items.len() == PRODUCTS {
            break;
        }
        // A kind whose combinations are used up is passed over.
        if let Some(item) = (0..50)
            .map(|_| product(&vocabulary, kind, &mut rng))
            .find(|item| titles.insert(item["title"].as_str().unwrap_or_default().to_owned()))
        {
            let mut item = item;
            item["id"] = json!(format!("demo-{:05}", items.len()));
            items.push(item);
        }
    }
    Ok(items)
}

fn product(vocabulary: &Vocabulary, kind: &Kind, rng: &mut ChaCha8Rng) -> Value {
    let (attribute, attribute_cost) = pick(&kind.attributes, rng);
    let (material, material_cost) = pick(&kind.materials, rng);
    let occasion = pick(&kind.occasions, rng);
    let colour = pick(&vocabulary.colours, rng);
    let brand = pick(&vocabulary.brands, rng);
    let audience = kind.worn.then(|| pick(&vocabulary.audiences, rng));

    let described = match audience {
        Some(audience) => format!("{audience} {attribute}"),
        None => attribute.clone(),
    };
    let made = format!("{described} {material} {}", kind.name).replace("  ", " ");
    let title = match rng.random_range(0..10) {
        0..4 => format!("{made}, {colour}"),
        4..6 => format!("{brand} {made}, {colour}"),
        6..8 => format!(
            "{brand} {} {made} for {occasion}",
            pick(&vocabulary.lines, rng)
        ),
        8 => format!("{made} for {occasion}, {colour}"),
        _ => format!("{brand} {} – {described} {material}, {colour}", kind.name),
    };
    let (low, high) = kind.price;
    let base = low + (high - low) * rng.random_range(0.0..1.0f64);
    let price = (base * attribute_cost * material_cost).max(3.0).floor() + 0.99;
    let mut tags = vec![kind.name.to_lowercase(), occasion.to_lowercase()];
    tags.extend([attribute.to_lowercase(), colour.to_lowercase()]);
    json!({
        "id": "",
        "title": title,
        "price": price,
        "category": kind.category,
        "brand": brand,
        "tags": tags,
        "in_stock": rng.random_range(0..10) > 0,
    })
}

fn pick<'a, T>(choices: &'a [T], rng: &mut ChaCha8Rng) -> &'a T {
    choices
        .choose(rng)
        .expect("every list of the vocabulary has entries")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    #[test]
    fn the_catalog_is_as_large_and_varied_as_promised() {
        let items = catalog().unwrap();
        assert_eq!(items.len(), PRODUCTS);
        let titles: HashSet<&str> = items.iter().filter_map(|i| i["title"].as_str()).collect();
        assert_eq!(titles.len(), PRODUCTS);
        let mut categories = BTreeMap::new();
        for item in &items {
            *categories
                .entry(item["category"].as_str().unwrap())
                .or_insert(0) += 1;
            assert!(item["price"].as_f64().unwrap() >= 3.0);
        }
        assert_eq!(
            categories.keys().copied().collect::<Vec<_>>(),
            ["fashion", "home", "outdoor"]
        );
        assert!(categories.values().all(|&n| n > 1000), "{categories:?}");
    }

    #[test]
    fn the_catalog_is_the_same_every_time() {
        assert_eq!(catalog().unwrap(), catalog().unwrap());
    }
}

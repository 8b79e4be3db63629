//! The demo catalog: products made of types × attributes × materials × occasions, the same ones
//! every time.

mod vocabulary;

use std::collections::HashSet;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use vocabulary::{AUDIENCES, BRANDS, COLOURS, KINDS, Kind, LINES};

/// Products in the catalog.
const PRODUCTS: usize = 6000;
const SEED: u64 = 20;

/// The catalog, a JSON object an item.
pub fn catalog() -> Vec<Value> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut titles = HashSet::new();
    let mut items = Vec::with_capacity(PRODUCTS);
    // Kinds take turns, so that all of them are in the catalog alike.
    for kind in KINDS.iter().cycle() {
        if items.len() == PRODUCTS {
            break;
        }
        // A kind whose combinations are used up is passed over.
        if let Some(item) = (0..50)
            .map(|_| product(kind, &mut rng))
            .find(|item| titles.insert(item["title"].as_str().unwrap_or_default().to_owned()))
        {
            let mut item = item;
            item["id"] = json!(format!("demo-{:05}", items.len()));
            items.push(item);
        }
    }
    items
}

fn product(kind: &Kind, rng: &mut ChaCha8Rng) -> Value {
    let (attribute, attribute_cost) = *pick(kind.attributes, rng);
    let (material, material_cost) = *pick(kind.materials, rng);
    let occasion = *pick(kind.occasions, rng);
    let colour = *pick(COLOURS, rng);
    let brand = *pick(BRANDS, rng);
    let audience = if kind.worn {
        Some(*pick(AUDIENCES, rng))
    } else {
        None
    };

    let described = match audience {
        Some(audience) => format!("{audience} {attribute}"),
        None => attribute.to_owned(),
    };
    let made = format!("{described} {material} {}", kind.name).replace("  ", " ");
    let title = match rng.random_range(0..10) {
        0..4 => format!("{made}, {colour}"),
        4..6 => format!("{brand} {made}, {colour}"),
        6..8 => format!("{brand} {} {made} for {occasion}", pick(LINES, rng)),
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
        let items = catalog();
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
        assert_eq!(catalog(), catalog());
    }
}

//! `nearshelf inspect`.

use anyhow::{Context, Result};
use nearshelf::{
    Encoder, EncoderConfig, Field, FieldStats, Manifest, NETWORK_NAME, ShardRef, Shelf, ValueStats,
};
use serde_json::{Value as Json, json};

use crate::args::ShelfArgs;
use crate::commands::open;
use crate::output::{bytes, print, print_json, table, thousands};

pub fn run(args: &ShelfArgs) -> Result<()> {
    let model_files = ["model.onnx", NETWORK_NAME];
    if model_files
        .iter()
        .any(|name| args.shelf.join(name).is_file())
    {
        return model(args);
    }
    let shelf = open(&args.shelf)?;
    let encoder = shelf
        .encoder()
        .with_context(|| format!("shelf {}", args.shelf.display()))?
        .config();
    if args.json {
        return print_json(&as_json(&shelf, encoder));
    }
    let parts = [
        summary(&shelf, encoder),
        updates(&shelf),
        fields(shelf.manifest()),
        measured(shelf.manifest()),
        shards(shelf.manifest()),
        sections(&shelf),
    ];
    print(&parts.join("\n"))
}

/// Bytes of all files but the manifest.
fn total(manifest: &Manifest) -> u64 {
    manifest.files().map(|f| f.bytes).sum()
}

fn as_json(shelf: &Shelf, encoder: &EncoderConfig) -> Json {
    let manifest = shelf.manifest();
    let shard = |(number, shard): (usize, &ShardRef)| {
        let sections = shelf.sections(number).into_iter();
        let sections: Vec<_> = sections
            .map(|s| json!({ "kind": s.kind, "index": s.index, "bytes": s.bytes }))
            .collect();
        json!({
            "file": shard.file.name, "bytes": shard.file.bytes,
            "sha256": shard.file.sha256.to_string(), "items": shard.items, "sections": sections,
        })
    };
    let shards: Vec<_> = manifest.shards.iter().enumerate().map(shard).collect();
    let updates = Updates::of(shelf);
    json!({
        "items": shelf.len(),
        "gone": updates.gone,
        "added": updates.added,
        "changes": manifest.changes.len(),
        "compaction_pays": updates.pays,
        "dims": manifest.dims,
        "bytes": total(manifest),
        "built_by": manifest.built_by,
        "seed": manifest.seed,
        "id_field": manifest.id_field,
        "text_fields": manifest.text_fields,
        "fields": manifest.fields,
        "encoder": encoder,
        "search": manifest.search,
        "shards": shards,
    })
}

/// Items that are gone or were added since the build, and whether the shelf should be made one whole again.
struct Updates {
    gone: u64,
    added: u64,
    pays: bool,
}

/// The share of items that are gone or were added from which on compaction pays: searches go through them besides.
const PAYS: f64 = 0.2;

impl Updates {
    fn of(shelf: &Shelf) -> Self {
        let manifest = shelf.manifest();
        let added = manifest.shards.iter().filter(|shard| shard.added);
        let added = added.map(|shard| u64::from(shard.items)).sum();
        let gone = manifest.items() - shelf.len() as u64;
        let share = (gone + added) as f64 / manifest.items().max(1) as f64;
        Updates {
            gone,
            added,
            pays: share > PAYS,
        }
    }
}

fn updates(shelf: &Shelf) -> String {
    let Updates { gone, added, pays } = Updates::of(shelf);
    let files = shelf.manifest().changes.len();
    if gone + added == 0 && files == 0 {
        return "no updates since it was built\n".into();
    }
    format!(
        "updates since it was built: {} items are gone, {} were added, {files} files of changes; {}\n",
        thousands(gone),
        thousands(added),
        match pays {
            true => "`nearshelf compact` pays",
            false => "`nearshelf compact` does not pay yet",
        },
    )
}

fn summary(shelf: &Shelf, encoder: &EncoderConfig) -> String {
    let manifest = shelf.manifest();
    let fields: Vec<String> = manifest
        .fields
        .iter()
        .map(|f| format!("{} ({})", f.name, kind(f)))
        .collect();
    format!(
        "{} items, {} dimensions, {} in {} shards; built by nearshelf {}, seed {}\n\
         id: {}; encoded: {}; fields: {}\n\
         encoder: {}, {} pooling, texts truncated to {} of {} tokens, {}\n\
         search: {} of {} shards, ef {}; hits with a cosine below {:.3} and less than half of the words are weak\n\
         words: {}\n",
        thousands(shelf.len() as u64),
        manifest.dims,
        bytes(total(manifest)),
        manifest.shards.len(),
        manifest.built_by,
        manifest.seed,
        manifest.id_field,
        manifest.text_fields.join(", "),
        fields.join(", "),
        encoder.precision.name(),
        format!("{:?}", encoder.pooling).to_lowercase(),
        encoder.max_tokens,
        encoder.max_positions,
        bytes(manifest.encoder.model().bytes),
        manifest.search.probe,
        manifest.shards.len(),
        manifest.search.ef,
        manifest.search.chance.best,
        manifest
            .words
            .as_ref()
            .map_or("none".to_owned(), |words| bytes(words.file.bytes)),
    )
}

fn fields(manifest: &Manifest) -> String {
    let rows = manifest.fields.iter().map(|field| {
        let present = thousands(field.stats.present);
        vec![
            field.name.clone(),
            kind(field),
            present,
            values(&field.stats),
        ]
    });
    let head = ["field", "type", "items with it", "values"];
    table(&head, rows.collect(), &[2])
}

/// A field's type as the user writes it.
fn kind(field: &Field) -> String {
    format!("{:?}", field.kind).to_lowercase()
}

fn measured(manifest: &Manifest) -> String {
    let rows = manifest.search.measured.iter().map(|m| {
        let recall = format!("{:.4}", m.recall);
        vec![m.probe.to_string(), m.ef.to_string(), recall]
    });
    let head = ["probe", "ef", "recall@10 when built"];
    table(&head, rows.collect(), &[0, 1, 2])
}

fn shards(manifest: &Manifest) -> String {
    let rows = manifest.shards.iter().map(|shard| {
        let items = thousands(shard.items.into());
        vec![shard.file.name.clone(), items, bytes(shard.file.bytes)]
    });
    table(&["shard", "items", "size"], rows.collect(), &[1, 2])
}

/// The sections of the first shard, which all others have too.
fn sections(shelf: &Shelf) -> String {
    let items = shelf.manifest().shards[0].items.max(1);
    let rows = shelf.sections(0).into_iter().map(|section| {
        let each = section.bytes as f64 / f64::from(items);
        let index = section.index.to_string();
        let size = bytes(section.bytes as u64);
        vec![section.kind, index, size, format!("{each:.1}")]
    });
    let head = ["section of shard 0", "index", "size", "bytes an item"];
    table(&head, rows.collect(), &[1, 2, 3])
}

/// The statistics of a field's values in words.
fn values(stats: &FieldStats) -> String {
    match stats.values {
        ValueStats::Text { distinct } | ValueStats::Tags { distinct } => {
            format!("{} that differ", thousands(distinct))
        }
        ValueStats::Number {
            min: Some(min),
            max: Some(max),
        } => format!("{min} to {max}"),
        ValueStats::Number { .. } => String::new(),
        ValueStats::Bool { trues } => format!("true for {}", thousands(trues)),
    }
}

/// A model directory instead of a shelf.
fn model(args: &ShelfArgs) -> Result<()> {
    let encoder =
        Encoder::open(&args.shelf).with_context(|| format!("model {}", args.shelf.display()))?;
    let (config, fusion) = (encoder.config(), encoder.fusion());
    if args.json {
        return print_json(&json!({
            "encoder": config,
            "fusion": {
                "complete": fusion.complete(),
                "embeddings": fusion.embeddings,
                "layers": fusion.layers,
                "linears": fusion.linears,
                "unfused": fusion.unfused,
                "differs": fusion.differs.as_ref().map(|(node, expected)| {
                    json!({ "node": node, "expected": expected })
                }),
                "isa": fusion.isa,
            },
        }));
    }
    print(&format!(
        "{} dimensions, {} pooling, texts truncated to {} of {} tokens, {}\n{fusion}\n",
        config.dims,
        format!("{:?}", config.pooling).to_lowercase(),
        config.max_tokens,
        config.max_positions,
        config.precision.name(),
    ))
}

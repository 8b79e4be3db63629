//! `nearshelf inspect`.

use anyhow::{Context, Result};
use nearshelf::{Encoder, FieldStats, NETWORK_NAME, ValueStats};
use serde_json::json;

use crate::ShelfArgs;
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
    let manifest = shelf.manifest();
    let encoder = shelf
        .encoder()
        .with_context(|| format!("shelf {}", args.shelf.display()))?
        .config();
    let total: u64 = manifest.files().map(|f| f.bytes).sum();
    if args.json {
        let shards: Vec<_> = manifest
            .shards
            .iter()
            .enumerate()
            .map(|(number, shard)| {
                let sections = shelf.sections(number).into_iter();
                let sections: Vec<_> = sections
                    .map(|s| json!({ "kind": s.kind, "index": s.index, "bytes": s.bytes }))
                    .collect();
                json!({
                    "file": shard.file.name, "bytes": shard.file.bytes,
                    "sha256": shard.file.sha256.to_string(), "items": shard.items, "sections": sections,
                })
            })
            .collect();
        return print_json(&json!({
            "items": manifest.items(),
            "dims": manifest.dims,
            "bytes": total,
            "built_by": manifest.built_by,
            "seed": manifest.seed,
            "id_field": manifest.id_field,
            "text_fields": manifest.text_fields,
            "fields": manifest.fields,
            "encoder": encoder,
            "search": manifest.search,
            "shards": shards,
        }));
    }

    let fields: Vec<String> = manifest
        .fields
        .iter()
        .map(|f| format!("{} ({})", f.name, format!("{:?}", f.kind).to_lowercase()))
        .collect();
    let mut text = format!(
        "{} items, {} dimensions, {} in {} shards; built by nearshelf {}, seed {}\n\
         id: {}; encoded: {}; fields: {}\n\
         encoder: {}, {} pooling, texts truncated to {} of {} tokens, {}\n\
         search: {} of {} shards, ef {}\n\n",
        thousands(manifest.items()),
        manifest.dims,
        bytes(total),
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
    );
    let fields = manifest.fields.iter().map(|field| {
        let kind = format!("{:?}", field.kind).to_lowercase();
        let present = thousands(field.stats.present);
        vec![field.name.clone(), kind, present, values(&field.stats)]
    });
    text += &table(
        &["field", "type", "items with it", "values"],
        fields.collect(),
        &[2],
    );
    text += "\n";
    let measured = manifest.search.measured.iter().map(|m| {
        vec![
            m.probe.to_string(),
            m.ef.to_string(),
            format!("{:.4}", m.recall),
        ]
    });
    text += &table(
        &["probe", "ef", "recall@10 when built"],
        measured.collect(),
        &[0, 1, 2],
    );
    text += "\n";
    let shards = manifest.shards.iter().map(|shard| {
        vec![
            shard.file.name.clone(),
            thousands(shard.items.into()),
            bytes(shard.file.bytes),
        ]
    });
    text += &table(&["shard", "items", "size"], shards.collect(), &[1, 2]);
    let items = manifest.shards[0].items.max(1);
    let sections = shelf.sections(0).into_iter().map(|section| {
        let each = section.bytes as f64 / f64::from(items);
        vec![
            section.kind,
            section.index.to_string(),
            bytes(section.bytes as u64),
            format!("{each:.1}"),
        ]
    });
    text += "\n";
    text += &table(
        &["section of shard 0", "index", "size", "bytes an item"],
        sections.collect(),
        &[1, 2, 3],
    );
    print(&text)
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

//! The manifest as a file: a section for each part, of records that can grow.
//!
//! The structs here are the format. Those of [`super`] are what the program works with, so that it can change
//! without the format.

use nearshelf_container::wire::{Record, decode, encode};
use nearshelf_container::{Digest, Error, FileKind, FileWriter, Head, Kind, Result, Storage};
use serde::{Deserialize, Serialize};

use super::description::{
    Chance, Field, FrontRef, Manifest, ProbeRecall, SearchDefaults, ShardRef, WordsRef,
};
use super::files::{EncoderFiles, FileRef, PartRef};
use super::stats::{Counts, FieldStats, ValueStats};
use crate::columns::FieldKind;

/// One [`ShelfRecord`].
const SHELF: Kind = Kind::new(b"SHLF");
/// A list of [`FieldRecord`]s.
const FIELDS: Kind = Kind::new(b"FLDS");
/// A list of [`FileRecord`]s with their roles.
const ENCODER: Kind = Kind::new(b"ENCO");
/// A list of [`ShardRecord`]s.
const SHARDS: Kind = Kind::new(b"SHDS");
/// The shards' centroids, `f32 [shards][dims]`.
const CENTROIDS: Kind = Kind::new(b"CENT");
/// One [`WordsRecord`]; none in a shelf without words.
const WORDS: Kind = Kind::new(b"WRDS");
/// A list of [`FileRecord`]s; none where nothing has changed.
const CHANGES: Kind = Kind::new(b"CHGS");
/// A list of [`FileRecord`]s.
const SOURCES: Kind = Kind::new(b"SRCS");
/// One [`SearchRecord`].
const SEARCH: Kind = Kind::new(b"SRCH");

#[derive(Serialize, Deserialize)]
struct ShelfRecord {
    built_by: String,
    seed: u64,
    dims: u32,
    id_field: String,
    text_fields: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct FieldRecord {
    name: String,
    kind: KindRecord,
    stats: Record<StatsRecord>,
}

/// A field's type: its place in this list is its number.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum KindRecord {
    Text,
    Number,
    Bool,
    Tags,
}

/// Statistics of any type of field; what does not belong to the type is zero.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct StatsRecord {
    present: u64,
    distinct: u64,
    trues: u64,
    min: Option<f64>,
    max: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct FileRecord {
    name: String,
    bytes: u64,
    sha256: Digest,
    head: Option<(u64, Digest)>,
}

/// A file's role in the encoder: its place in this list is its number.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
enum RoleRecord {
    Network,
    Config,
    Model,
    Tokenizer,
}

#[derive(Serialize, Deserialize)]
struct EncoderRecord {
    role: RoleRecord,
    file: Record<FileRecord>,
}

#[derive(Serialize, Deserialize)]
struct ShardRecord {
    file: Record<FileRecord>,
    items: u32,
    stats: Vec<Record<StatsRecord>>,
    added: bool,
    front: Option<Record<FrontRecord>>,
}

#[derive(Serialize, Deserialize)]
struct FrontRecord {
    file: Record<FileRecord>,
    bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct SearchRecord {
    probe: u32,
    ef: u32,
    measured: Vec<Record<MeasuredRecord>>,
    chance_any: f32,
    chance_best: f32,
}

#[derive(Serialize, Deserialize)]
struct WordsRecord {
    file: Record<FileRecord>,
    fields: u32,
    added: Option<Record<FileRecord>>,
}

#[derive(Serialize, Deserialize)]
struct MeasuredRecord {
    probe: u32,
    ef: u32,
    recall: f32,
}

/// The manifest's file.
pub(super) fn write(manifest: &Manifest) -> Vec<u8> {
    let mut file = FileWriter::new(FileKind::Manifest, vec![]);
    let shelf = ShelfRecord {
        built_by: manifest.built_by.clone(),
        seed: manifest.seed,
        dims: manifest.dims,
        id_field: manifest.id_field.clone(),
        text_fields: manifest.text_fields.clone(),
    };
    file.push(SHELF, 0, encode(&shelf));
    let fields: Vec<Record<FieldRecord>> = manifest.fields.iter().map(field_record).collect();
    file.push(FIELDS, 0, encode(&fields));
    file.push(ENCODER, 0, encode(&encoder_records(&manifest.encoder)));
    let search = SearchRecord {
        probe: manifest.search.probe,
        ef: manifest.search.ef,
        measured: manifest
            .search
            .measured
            .iter()
            .map(measured_record)
            .collect(),
        chance_any: manifest.search.chance.any,
        chance_best: manifest.search.chance.best,
    };
    file.push(SEARCH, 0, encode(&search));
    if let Some(words) = &manifest.words {
        let record = WordsRecord {
            file: Record((&words.file).into()),
            fields: words.fields,
            added: words.added.as_ref().map(|added| Record(added.into())),
        };
        file.push(WORDS, 0, encode(&record));
    }
    for (kind, files) in [(CHANGES, &manifest.changes), (SOURCES, &manifest.sources)] {
        let records: Vec<Record<FileRecord>> = files.iter().map(|f| Record(f.into())).collect();
        if !records.is_empty() {
            file.push(kind, 0, encode(&records));
        }
    }
    let shards: Vec<Record<ShardRecord>> = manifest.shards.iter().map(shard_record).collect();
    file.push(SHARDS, 0, encode(&shards));
    let centroids = manifest.shards.iter().flat_map(|s| &s.centroid);
    file.push(
        CENTROIDS,
        0,
        centroids.flat_map(|x| x.to_le_bytes()).collect(),
    );
    file.to_bytes()
}

/// Reads a manifest's file. All sections are compared with their checksums.
pub(super) fn read(bytes: &[u8]) -> Result<Manifest> {
    let head = Head::read(FileKind::Manifest, &bytes)?;
    head.verify(&bytes)?;
    let section = |kind| Ok::<_, Error>(bytes.read(head.need(kind, 0)?)?);
    let shelf: ShelfRecord = decode("section SHLF", section(SHELF)?)?;
    let fields: Vec<Record<FieldRecord>> = decode("section FLDS", section(FIELDS)?)?;
    let encoder: Vec<Record<EncoderRecord>> = decode("section ENCO", section(ENCODER)?)?;
    let search: SearchRecord = decode("section SRCH", section(SEARCH)?)?;
    let shards: Vec<Record<ShardRecord>> = decode("section SHDS", section(SHARDS)?)?;
    let words = head.find(WORDS, 0);
    let words = words.map(|range| decode::<WordsRecord>("section WRDS", bytes.read(range)?));
    let files = |kind: Kind, place| match head.find(kind, 0) {
        None => Ok(vec![]),
        Some(range) => {
            let records: Vec<Record<FileRecord>> = decode(place, bytes.read(range)?)?;
            Ok::<_, Error>(records.into_iter().map(|record| record.0.into()).collect())
        }
    };
    let expected = shards.len() as u64 * u64::from(shelf.dims) * 4;
    head.sized(CENTROIDS, 0, expected)?;
    let centroids = section(CENTROIDS)?.as_chunks().0.iter();
    let centroids: Vec<f32> = centroids.map(|&raw| f32::from_le_bytes(raw)).collect();
    let fields: Vec<Field> = fields.into_iter().map(|r| r.0.into()).collect();
    let mut centroids = centroids.chunks_exact((shelf.dims as usize).max(1));
    let shards = shards.into_iter().map(|record| ShardRef {
        file: record.0.file.0.into(),
        items: record.0.items,
        centroid: centroids.next().unwrap_or_default().to_vec(),
        stats: fields
            .iter()
            .zip(&record.0.stats)
            .map(|(field, stats)| stats.0.of(field.kind))
            .collect(),
        added: record.0.added,
        front: record.0.front.map(|front| FrontRef {
            file: front.0.file.0.into(),
            bytes: front.0.bytes,
        }),
    });
    Ok(Manifest {
        built_by: shelf.built_by,
        seed: shelf.seed,
        dims: shelf.dims,
        id_field: shelf.id_field,
        text_fields: shelf.text_fields,
        shards: shards.collect(),
        changes: files(CHANGES, "section CHGS")?,
        sources: files(SOURCES, "section SRCS")?,
        fields,
        encoder: encoder_files(encoder)?,
        words: words.transpose()?.map(|record| WordsRef {
            file: record.file.0.into(),
            fields: record.fields,
            added: record.added.map(|added| added.0.into()),
        }),
        search: SearchDefaults {
            probe: search.probe,
            ef: search.ef,
            measured: search.measured.into_iter().map(|r| r.0.into()).collect(),
            chance: Chance {
                any: finite(search.chance_any),
                best: finite(search.chance_best),
            },
        },
    })
}

/// A cosine, 0 where damage made it none.
fn finite(cosine: f32) -> f32 {
    if cosine.is_finite() { cosine } else { 0.0 }
}

fn field_record(field: &Field) -> Record<FieldRecord> {
    Record(FieldRecord {
        name: field.name.clone(),
        kind: field.kind.into(),
        stats: Record(field.stats.into()),
    })
}

fn shard_record(shard: &ShardRef) -> Record<ShardRecord> {
    Record(ShardRecord {
        file: Record((&shard.file).into()),
        items: shard.items,
        stats: shard.stats.iter().map(|&s| Record(s.into())).collect(),
        added: shard.added,
        front: shard.front.as_ref().map(|front| {
            Record(FrontRecord {
                file: Record((&front.file).into()),
                bytes: front.bytes,
            })
        }),
    })
}

fn measured_record(measured: &ProbeRecall) -> Record<MeasuredRecord> {
    Record(MeasuredRecord {
        probe: measured.probe,
        ef: measured.ef,
        recall: measured.recall,
    })
}

fn encoder_records(encoder: &EncoderFiles) -> Vec<Record<EncoderRecord>> {
    let record = |role, file: &FileRef| {
        Record(EncoderRecord {
            role,
            file: Record(file.into()),
        })
    };
    match encoder {
        EncoderFiles::Network(file) => vec![record(RoleRecord::Network, file)],
        EncoderFiles::Onnx {
            config,
            model,
            tokenizer,
        } => vec![
            record(RoleRecord::Config, config),
            record(RoleRecord::Model, model),
            record(RoleRecord::Tokenizer, tokenizer),
        ],
    }
}

fn encoder_files(records: Vec<Record<EncoderRecord>>) -> Result<EncoderFiles> {
    let (mut network, mut config, mut model, mut tokenizer) = (None, None, None, None);
    for Record(record) in records {
        let place = match record.role {
            RoleRecord::Network => &mut network,
            RoleRecord::Config => &mut config,
            RoleRecord::Model => &mut model,
            RoleRecord::Tokenizer => &mut tokenizer,
        };
        *place = Some(record.file.0.into());
    }
    match (network, config, model, tokenizer) {
        (Some(file), ..) => Ok(EncoderFiles::Network(file)),
        (None, Some(config), Some(model), Some(tokenizer)) => Ok(EncoderFiles::Onnx {
            config,
            model,
            tokenizer,
        }),
        _ => Err(Error::value(
            "section ENCO",
            "a network file, or configuration, model and tokenizer",
            "other files",
        )),
    }
}

impl From<FieldRecord> for Field {
    fn from(record: FieldRecord) -> Self {
        let kind = record.kind.into();
        Field {
            name: record.name,
            kind,
            stats: record.stats.0.of(kind),
        }
    }
}

impl From<FieldKind> for KindRecord {
    fn from(kind: FieldKind) -> Self {
        match kind {
            FieldKind::Text => KindRecord::Text,
            FieldKind::Number => KindRecord::Number,
            FieldKind::Bool => KindRecord::Bool,
            FieldKind::Tags => KindRecord::Tags,
        }
    }
}

impl From<KindRecord> for FieldKind {
    fn from(record: KindRecord) -> Self {
        match record {
            KindRecord::Text => FieldKind::Text,
            KindRecord::Number => FieldKind::Number,
            KindRecord::Bool => FieldKind::Bool,
            KindRecord::Tags => FieldKind::Tags,
        }
    }
}

impl From<FieldStats> for StatsRecord {
    fn from(stats: FieldStats) -> Self {
        let mut record = StatsRecord {
            present: stats.present,
            ..StatsRecord::default()
        };
        match stats.values {
            ValueStats::Text { distinct } | ValueStats::Tags { distinct } => {
                record.distinct = distinct;
            }
            ValueStats::Number { min, max } => (record.min, record.max) = (min, max),
            ValueStats::Bool { trues } => record.trues = trues,
        }
        record
    }
}

impl StatsRecord {
    /// Statistics of a field of this type.
    fn of(self, kind: FieldKind) -> FieldStats {
        let counts = Counts {
            distinct: self.distinct,
            trues: self.trues,
            min: self.min,
            max: self.max,
        };
        FieldStats {
            present: self.present,
            values: counts.of(kind),
        }
    }
}

impl From<&FileRef> for FileRecord {
    fn from(file: &FileRef) -> Self {
        FileRecord {
            name: file.name.clone(),
            bytes: file.bytes,
            sha256: file.sha256,
            head: file.head.map(|head| (head.bytes, head.sha256)),
        }
    }
}

impl From<FileRecord> for FileRef {
    fn from(record: FileRecord) -> Self {
        FileRef {
            name: record.name,
            bytes: record.bytes,
            sha256: record.sha256,
            head: record.head.map(|(bytes, sha256)| PartRef { bytes, sha256 }),
        }
    }
}

impl From<MeasuredRecord> for ProbeRecall {
    fn from(record: MeasuredRecord) -> Self {
        ProbeRecall {
            probe: record.probe,
            ef: record.ef,
            recall: record.recall,
        }
    }
}

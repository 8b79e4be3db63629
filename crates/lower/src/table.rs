//! The largest table of a model, used where it lies in the file.
//!
//! Word embeddings are half of a small model, and a text reads a few rows of them. The engine's reader
//! would copy them twice; instead it is given a table of one row, and rows are taken from the bytes.

use std::ops::Range;

use nearshelf_container::{Bytes, Values};
use prost::Message;
use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{ModelProto, TensorProto};

/// Smaller tables are not worth it.
const LEAST_BYTES: usize = 1 << 20;

/// Numbers of fields, as the ONNX format has them.
const MODEL_GRAPH: u32 = 7;
const GRAPH_INITIALIZER: u32 = 5;
const TENSOR_DIMS: u32 = 1;
const TENSOR_TYPE: u32 = 2;
const TENSOR_RAW: u32 = 9;

/// A table of 8-bit codes, `[rows][width]`, somewhere in a file.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub codes: Values<i8>,
    pub width: usize,
}

/// Reads a model with its largest table of codes cut down to its first row, and the table.
///
/// `None` where no table is large, or the bytes are not as expected: they are then for the ordinary
/// reader to judge.
pub(crate) fn read_without_table(model: &Bytes) -> Option<(ModelProto, Table)> {
    let graph = fields(model, 0..model.len())?
        .into_iter()
        .find(|field| field.number == MODEL_GRAPH)?;
    let initializers = fields(model, graph.content.clone())?;
    let (field, dims, raw) = initializers
        .into_iter()
        .filter(|field| field.number == GRAPH_INITIALIZER)
        .filter_map(|field| {
            let (dims, raw) = codes(model, field.content.clone())?;
            Some((field, dims, raw))
        })
        .max_by_key(|(_, _, raw)| raw.len())
        .filter(|(_, _, raw)| raw.len() >= LEAST_BYTES)?;
    let [_, width] = dims;
    let codes = Values::in_place(model, raw.clone(), "word embeddings").ok()?;
    let table = Table { codes, width };
    let before = &model[field.content.start..raw.start];
    let row = &model[raw.start..raw.start + width];
    let after = &model[raw.end..field.content.end];
    // The length in front of the row is still the table's, so that the tensor is read by hand.
    let tensor = shortened(before, row, after)?;

    let mut header = Vec::new();
    encode_key(GRAPH_INITIALIZER, WireType::LengthDelimited, &mut header);
    encode_varint(tensor.len() as u64, &mut header);
    let saved = field.whole.len() - header.len() - tensor.len();
    let mut start = Vec::new();
    encode_key(MODEL_GRAPH, WireType::LengthDelimited, &mut start);
    encode_varint((graph.content.len() - saved) as u64, &mut start);
    let shortened = model[..graph.whole.start]
        .chain(&*start)
        .chain(&model[graph.content.start..field.whole.start])
        .chain(&*header)
        .chain(&*tensor)
        .chain(&model[field.whole.end..]);
    Some((ModelProto::decode(shortened).ok()?, table))
}

/// The tensor of one row.
fn shortened(before: &[u8], row: &[u8], after: &[u8]) -> Option<Vec<u8>> {
    // `before` ends in the key and the length of the raw bytes.
    let mut rest = before[..leading_fields(before)].to_vec();
    rest.extend_from_slice(after);
    let mut tensor = TensorProto::decode(&*rest).ok()?;
    *tensor.dims.first_mut()? = 1;
    tensor.raw_data = row.to_vec();
    Some(tensor.encode_to_vec())
}

struct Field {
    number: u32,
    /// Key, length and content.
    whole: Range<usize>,
    content: Range<usize>,
}

/// The fields of the message in `range`, or `None` if they are not whole.
fn fields(bytes: &[u8], range: Range<usize>) -> Option<Vec<Field>> {
    let mut found = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let field = field(bytes, at, range.end)?;
        at = field.whole.end;
        found.push(field);
    }
    Some(found)
}

/// Where the last whole field of a message ends.
fn leading_fields(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(field) = field(bytes, at, bytes.len()) {
        at = field.whole.end;
    }
    at
}

fn field(bytes: &[u8], start: usize, end: usize) -> Option<Field> {
    let mut rest = bytes.get(start..end)?;
    let left = |rest: &[u8]| end - rest.len();
    let (number, kind) = decode_key(&mut rest).ok()?;
    let length = match kind {
        WireType::Varint => {
            let at = left(rest);
            decode_varint(&mut rest).ok()?;
            let content = at..left(rest);
            return Some(Field {
                number,
                whole: start..content.end,
                content,
            });
        }
        WireType::LengthDelimited => usize::try_from(decode_varint(&mut rest).ok()?).ok()?,
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::StartGroup | WireType::EndGroup => return None,
    };
    let at = left(rest);
    let content = at..at.checked_add(length).filter(|&to| to <= end)?;
    Some(Field {
        number,
        whole: start..content.end,
        content,
    })
}

/// Dimensions and raw bytes of a tensor of 8-bit codes with two dimensions.
fn codes(bytes: &[u8], range: Range<usize>) -> Option<([usize; 2], Range<usize>)> {
    let (mut dims, mut raw, mut kind) = (Vec::new(), None, 0);
    for field in fields(bytes, range)? {
        let mut content = &bytes[field.content.clone()];
        match field.number {
            TENSOR_TYPE => kind = decode_varint(&mut content).ok()?,
            // One by one or packed.
            TENSOR_DIMS => {
                while !content.is_empty() {
                    dims.push(usize::try_from(decode_varint(&mut content).ok()?).ok()?);
                }
            }
            TENSOR_RAW => raw = Some(field.content),
            _ => {}
        }
    }
    let (&[rows, width], raw) = (&dims[..], raw?) else {
        return None;
    };
    let fits = kind == DataType::Int8 as u64 && rows.checked_mul(width) == Some(raw.len());
    (fits && rows > 0 && width > 0).then_some(([rows, width], raw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::GraphProto;

    fn model(rows: usize, width: usize) -> ModelProto {
        let tensor = |name: &str, rows: usize| TensorProto {
            name: name.into(),
            dims: vec![rows as i64, width as i64],
            data_type: DataType::Int8 as i32,
            raw_data: (0..rows * width).map(|i| (i % 251) as u8).collect(),
            doc_string: "behind".into(),
            ..Default::default()
        };
        ModelProto {
            producer_name: "test".into(),
            graph: Some(GraphProto {
                name: "graph".into(),
                initializer: vec![tensor("small", 3), tensor("large", rows), tensor("last", 2)],
                doc_string: "end".into(),
                ..Default::default()
            }),
            ir_version: 8,
            ..Default::default()
        }
    }

    #[test]
    fn the_table_is_the_files_own_and_the_rest_unchanged() {
        let mut expected = model(20_000, 64);
        let bytes = Bytes::from(expected.encode_to_vec());
        let (found, table) = read_without_table(&bytes).unwrap();
        let large = &mut expected.graph.as_mut().unwrap().initializer[1];
        let codes: Vec<i8> = large.raw_data.iter().map(|b| b.cast_signed()).collect();
        assert_eq!((&*table.codes, table.width), (&codes[..], 64));
        assert!(bytes.as_ptr_range().contains(&table.codes.as_ptr().cast()));
        large.raw_data.truncate(64);
        large.dims[0] = 1;
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_small_or_broken_is_left_to_the_reader() {
        let bytes = model(10, 64).encode_to_vec();
        assert!(read_without_table(&Bytes::from(bytes)).is_none());
        let bytes = model(20_000, 64).encode_to_vec();
        for length in [0, 1, 50, 1000, bytes.len() - 1] {
            assert!(read_without_table(&Bytes::from(bytes[..length].to_vec())).is_none());
        }
    }
}

//! Recognition of embeddings.

use nearshelf_container::Values;
use nearshelf_network::Tables;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::array::Gather;

use super::norm::layer_norm;
use super::view::{Found, Miss, View};
use crate::inputs::{INPUT_IDS, TOKEN_TYPE_IDS};
use crate::table::Table;

/// The largest code of an embedding: rows are read one by one, so that they keep all 8 bits.
const CODE_MAX: f32 = 127.0;

fn stored(tensor: &Tensor) -> Option<&[i8]> {
    tensor.try_as_plain_ram().ok()?.as_slice::<i8>().ok()
}

/// Recognises LayerNorm(word + token type + position), each quantized or not, that ends in `outlet`.
pub(crate) fn embedding(
    view: View<'_>,
    outlet: OutletId,
    sequence: &Symbol,
    positions: usize,
    table: Option<&Table>,
) -> Found<Tables> {
    let (sum, norm) = layer_norm(view, outlet)?;
    let channels = norm.channels();
    let mut words = None;
    let mut added = vec![0f32; positions * channels];
    for term in terms(view, sum) {
        if view.sources(term) == [INPUT_IDS] {
            if words.replace(term).is_some() {
                return view.miss(term, "one embedding of each word");
            }
            continue;
        }
        // Token types are 0 in a text of its own; a position is what depends on nothing else.
        let (tokens, feed) = match view.sources(term)[..] {
            [] => (positions, None),
            [TOKEN_TYPE_IDS] => (1, Some(&[0i64][..])),
            _ => return view.miss(term, "an embedding of words, token types or positions"),
        };
        let values = view.evaluate(term, sequence, tokens, feed);
        let values = values.and_then(|t| {
            Ok(t.to_plain_array_view::<f32>()?
                .iter()
                .copied()
                .collect::<Vec<_>>())
        });
        let values = match values {
            Ok(values) if values.len() == tokens * channels => values,
            _ => return view.miss(term, "an embedding for each position"),
        };
        for (sum, x) in added.iter_mut().zip(values.iter().cycle()) {
            *sum += x;
        }
    }
    let Some(words) = words else {
        return view.miss(sum, "an embedding of words");
    };
    let (codes, scales) = match quantized(view, words, channels, table) {
        Some(found) => found,
        None if table.is_some() => return view.miss(words, "codes and a scale for each word"),
        None => made(view, words, channels, sequence)?,
    };
    Ok(Tables::new(codes, scales, added, norm)?)
}

/// The leaves of a tree of additions.
fn terms(view: View<'_>, outlet: OutletId) -> Vec<OutletId> {
    // A position's embedding has no batch.
    let inner = match view.is_axes(outlet) {
        true => view.node(outlet).inputs[0],
        false => view.skip(outlet),
    };
    match view.binary(inner, "Add") {
        None => vec![view.skip(outlet)],
        Some((a, b)) => [a, b].into_iter().flat_map(|x| terms(view, x)).collect(),
    }
}

/// `cast(codes[id]) · scales[id]`.
fn quantized(
    view: View<'_>,
    outlet: OutletId,
    channels: usize,
    table: Option<&Table>,
) -> Option<(Values<i8>, Vec<f32>)> {
    let (a, b) = view.binary(outlet, "Mul")?;
    let (codes, scales) = match view.unary(a, "Cast") {
        Some(codes) => (codes, b),
        None => (view.unary(b, "Cast")?, a),
    };
    let codes = view.constant(gathered(view, codes)?)?;
    let scales = view.floats(gathered(view, scales)?)?;
    let rows = stored(&codes)?;
    if let Some(table) = table
        && codes.shape() == [1, table.width]
        && table.codes.starts_with(rows)
    {
        return Some((table.codes.clone(), scales));
    }
    let fits = codes.shape() == [scales.len(), channels];
    fits.then(|| (rows.to_vec().into(), scales))
}

/// The table of a Gather of rows by token ids.
fn gathered(view: View<'_>, outlet: OutletId) -> Option<OutletId> {
    let node = view.node(view.skip(outlet));
    let rows = node.op_as::<Gather>().is_some_and(|op| op.axis == 0);
    (rows && view.sources(node.inputs[1]) == [INPUT_IDS]).then_some(node.inputs[0])
}

/// Codes for any other form of embedding, from the embedding of each id.
fn made(
    view: View<'_>,
    outlet: OutletId,
    channels: usize,
    sequence: &Symbol,
) -> Result<(Values<i8>, Vec<f32>), Miss> {
    let Some(rows) = table_rows(view, outlet, channels) else {
        return view.miss(outlet, "rows of a table, picked by the ids");
    };
    let (mut codes, mut scales) = (
        Vec::with_capacity(rows * channels),
        Vec::with_capacity(rows),
    );
    let ids: Vec<i64> = (0..rows as i64).collect();
    let values = view.evaluate(outlet, sequence, rows, Some(&ids));
    let Some(values) = values.ok().filter(|t| t.len() == rows * channels) else {
        return view.miss(outlet, "an embedding for each id");
    };
    let Ok(values) = values.try_as_plain_ram().and_then(|t| t.as_slice::<f32>()) else {
        return view.miss(outlet, "embeddings in f32");
    };
    for row in values.chunks_exact(channels) {
        let largest = row.iter().fold(0f32, |m, x| m.max(x.abs()));
        let scale = if largest > 0.0 {
            largest / CODE_MAX
        } else {
            1.0
        };
        codes.extend(row.iter().map(|x| (x / scale).round_ties_even() as i8));
        scales.push(scale);
    }
    Ok((codes.into(), scales))
}

/// Rows of the table that a value is gathered from.
fn table_rows(view: View<'_>, outlet: OutletId, channels: usize) -> Option<usize> {
    let mut next = vec![outlet];
    while let Some(outlet) = next.pop() {
        if let Some(table) = gathered(view, outlet)
            && let [rows, width] = *view.constant(table)?.shape()
            && width == channels
        {
            return Some(rows);
        }
        next.extend(&view.node(outlet).inputs);
    }
    None
}

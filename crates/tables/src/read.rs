//! Rows of JSON Lines, CSV, TSV and Parquet, gzipped or not.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::row::Row;

enum Format {
    JsonLines,
    Separated(u8),
    Parquet,
}

/// Gives every row to `each`. Returns whether values are text that has to be read as types (CSV).
///
/// # Errors
/// A file that cannot be read, whose name says nothing of its format, or that is not of that format.
pub fn rows(path: &Path, each: &mut dyn FnMut(Row)) -> Result<bool> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let format = match name
        .trim_end_matches(".gz")
        .rsplit_once('.')
        .map(|(_, ending)| ending)
    {
        Some("jsonl" | "ndjson") => Format::JsonLines,
        Some("csv") => Format::Separated(b','),
        Some("tsv") => Format::Separated(b'\t'),
        Some("parquet") => Format::Parquet,
        _ => {
            return Err(Error::Format {
                path: path.to_owned(),
            });
        }
    };
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    // By its first bytes, not its name: browsers and tools unpack, or forget to rename.
    let mut magic = [0; 2];
    let read = file.read(&mut magic).map_err(|e| Error::io(path, e))?;
    file.seek(SeekFrom::Start(0))
        .map_err(|e| Error::io(path, e))?;
    let gzip = read == 2 && magic == [0x1f, 0x8b];
    match format {
        Format::Parquet if gzip => {
            // Parquet is read from its end, so that it has to be unpacked first.
            let mut unpacked = tempfile::tempfile().map_err(|e| Error::io(path, e))?;
            std::io::copy(&mut MultiGzDecoder::new(file), &mut unpacked)
                .map_err(|e| Error::io(path, e))?;
            parquet_rows(path, unpacked, each)?;
            Ok(false)
        }
        Format::Parquet => parquet_rows(path, file, each).map(|()| false),
        Format::JsonLines => json_lines(path, reader(file, gzip), each).map(|()| false),
        Format::Separated(separator) => {
            let mut reader = reader(file, gzip);
            let start = reader.fill_buf().map_err(|e| Error::io(path, e))?;
            let header = start.split(|&b| b == b'\n').next().unwrap_or_default();
            // Some publish tabs under the name of CSV.
            let tabs = header.contains(&b'\t') && !header.contains(&b',');
            let separator = if tabs { b'\t' } else { separator };
            separated(path, reader, separator, each).map(|()| true)
        }
    }
}

fn reader(file: File, gzip: bool) -> Box<dyn BufRead> {
    if gzip {
        Box::new(BufReader::new(MultiGzDecoder::new(BufReader::new(file))))
    } else {
        Box::new(BufReader::new(file))
    }
}

fn json_lines(path: &Path, mut reader: impl BufRead, each: &mut dyn FnMut(Row)) -> Result<()> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = reader
            .read_until(b'\n', &mut line)
            .map_err(|e| Error::io(path, e))?;
        if read == 0 {
            break;
        }
        let bytes = line
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&line)
            .trim_ascii();
        if bytes.is_empty() {
            continue;
        }
        let row = match serde_json::from_slice(bytes) {
            Ok(Json::Object(object)) => Ok(object),
            Ok(other) => Err(format!(
                "expected a JSON object, found {}",
                brief(&other.to_string())
            )),
            Err(e) => Err(format!("expected a JSON object, found {e}")),
        };
        each((number, row));
    }
    Ok(())
}

fn separated(
    path: &Path,
    reader: impl BufRead,
    separator: u8,
    each: &mut dyn FnMut(Row),
) -> Result<()> {
    let mut csv = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .from_reader(reader);
    let io = |e: csv::Error| Error::io(path, std::io::Error::other(e.to_string()));
    let utf8 = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned);
    let header: Vec<String> = csv
        .byte_headers()
        .map_err(io)?
        .iter()
        .map(|name| utf8(name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name)))
        .collect::<Result<_, _>>()
        .map_err(|e| Error::Table {
            path: path.to_owned(),
            place: "line 1".into(),
            expected: "names of columns in UTF-8".into(),
            found: e.to_string(),
        })?;
    let mut record = csv::ByteRecord::new();
    while csv.read_byte_record(&mut record).map_err(io)? {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            let reason = format!("expected {} columns, found {}", header.len(), record.len());
            each((line, Err(reason)));
            continue;
        }
        let row = header
            .iter()
            .zip(&record)
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(name, cell)| Ok((name.clone(), Json::String(utf8(cell)?))))
            .collect::<Result<_, std::str::Utf8Error>>()
            .map_err(|e| format!("expected UTF-8, found {e}"));
        each((line, row));
    }
    Ok(())
}

fn parquet_rows(path: &Path, file: File, each: &mut dyn FnMut(Row)) -> Result<()> {
    let error = |e: parquet::errors::ParquetError| Error::Table {
        path: path.to_owned(),
        place: "file".into(),
        expected: "the Parquet format".into(),
        found: e.to_string(),
    };
    let reader = SerializedFileReader::new(file).map_err(error)?;
    for (number, row) in (1..).zip(reader.get_row_iter(None).map_err(error)?) {
        let row = row.map_err(error)?;
        match row.to_json_value() {
            Json::Object(object) => {
                each((
                    number,
                    Ok(object.into_iter().filter(|(_, v)| !v.is_null()).collect()),
                ));
            }
            other => each((
                number,
                Err(format!(
                    "expected columns, found {}",
                    brief(&other.to_string())
                )),
            )),
        }
    }
    Ok(())
}

/// The start of a text, for a message.
pub fn brief(text: &str) -> String {
    let mut start: String = text.chars().take(60).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

//! A file of which some ranges have come, each verified when it came.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::{Error, Result};
use crate::head::Head;
use crate::kind::FileKind;
use crate::storage::{Absent, Storage};

/// The ranges of a file that are here: its head, and runs of whole blocks.
#[derive(Debug, Clone)]
pub struct Ranges {
    head: Head,
    /// Runs by where they start. No two touch: what comes beside a run is joined with it, so that a range that
    /// is here is in one piece.
    runs: BTreeMap<usize, Vec<u8>>,
}

/// The head of a file that is there in part: its bytes and the length of the whole.
struct HeadOnly<'a> {
    bytes: &'a [u8],
    length: usize,
}

impl Storage for HeadOnly<'_> {
    fn length(&self) -> usize {
        self.length
    }

    fn read(&self, range: Range<usize>) -> Result<&[u8], Absent> {
        self.bytes.get(range.clone()).ok_or(Absent(range))
    }
}

impl Ranges {
    /// A file of `length` bytes of which the first are here: its head, and what blocks came behind it. The caller compared the
    /// head with its digest in the manifest.
    ///
    /// # Errors
    /// Those of [`Head::read`]; fewer bytes than the head has; a block that is not as it was written.
    pub fn new(kind: FileKind, length: usize, first: &[u8]) -> Result<Self> {
        let storage = HeadOnly {
            bytes: first,
            length,
        };
        let head = Head::read(kind, &storage)?;
        let runs = BTreeMap::from([(0, first[..head.bytes()].to_vec())]);
        let (body, here) = (head.body(), first.len().min(length));
        let mut ranges = Ranges { head, runs };
        if here > body {
            // A block that came in part is not kept.
            let last = ranges.head.blocks_of(&(here..here + 1)).start;
            let end = if here == length { length } else { last };
            ranges.add(body..end, first[body..end].to_vec())?;
        }
        Ok(ranges)
    }

    /// The file's head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The bytes to fetch for `range`: whole blocks that are not here, in rising order, those side by side as
    /// one.
    pub fn missing(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut wanted = self.head.blocks_of(&range);
        let mut missing = Vec::new();
        for (&start, run) in &self.runs {
            let end = start + run.len();
            if end <= wanted.start || wanted.is_empty() {
                continue;
            }
            if start >= wanted.end {
                break;
            }
            if start > wanted.start {
                missing.push(wanted.start..start);
            }
            wanted.start = end.min(wanted.end);
        }
        if !wanted.is_empty() {
            missing.push(wanted);
        }
        missing
    }

    /// Adds the bytes of a range that was asked for, after comparing each block with its digest.
    ///
    /// # Errors
    /// Fewer or more bytes than the range has, or other bytes than the file's. The file is then as it was before,
    /// and the range can be fetched again.
    pub fn add(&mut self, range: Range<usize>, bytes: Vec<u8>) -> Result<()> {
        if bytes.len() != range.len() {
            return Err(Error::Range {
                start: range.start as u64,
                end: range.end as u64,
                expected: format!("{} bytes", range.len()),
                found: format!("{} bytes", bytes.len()),
            });
        }
        self.head.verify_blocks(range.start, &bytes)?;
        self.join(range.start, bytes);
        Ok(())
    }

    /// Puts a run among the others and joins those that touch or overlap it.
    fn join(&mut self, mut start: usize, mut bytes: Vec<u8>) {
        let before = self.runs.range(..=start).next_back();
        if let Some((&at, run)) = before
            && at + run.len() >= start
            && at >= self.head.body()
        {
            let mut joined = self.runs.remove(&at).unwrap_or_default();
            let known = (at + joined.len() - start).min(bytes.len());
            joined.extend_from_slice(&bytes[known..]);
            (start, bytes) = (at, joined);
        }
        while let Some((&at, _)) = self.runs.range(start + 1..).next()
            && at <= start + bytes.len()
        {
            let run = self.runs.remove(&at).unwrap_or_default();
            let known = (start + bytes.len() - at).min(run.len());
            bytes.extend_from_slice(&run[known..]);
        }
        self.runs.insert(start, bytes);
    }
}

impl Storage for Ranges {
    fn length(&self) -> usize {
        self.head.length()
    }

    fn read(&self, range: Range<usize>) -> Result<&[u8], Absent> {
        if range.is_empty() {
            return Ok(&[]);
        }
        let found = self.runs.range(..=range.start).next_back();
        found
            .and_then(|(start, run)| run.get(range.start - start..range.end.checked_sub(*start)?))
            .ok_or(Absent(range))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{BLOCK_BYTES, ErrorKind, FileWriter, Kind};

    fn file(bytes: usize) -> Vec<u8> {
        let mut writer = FileWriter::new(FileKind::Shard, b"meta".to_vec());
        let content = |salt: usize| (0..bytes).map(|i| (i * 31 + salt) as u8).collect();
        writer.push(Kind::new(b"AAAA"), 0, content(1));
        writer.push(Kind::new(b"BBBB"), 7, content(2));
        writer.to_bytes()
    }

    fn head_of(file: &[u8]) -> Ranges {
        let needed = Head::bytes_needed(FileKind::Shard, &file[..64], file.len() as u64).unwrap();
        Ranges::new(FileKind::Shard, file.len(), &file[..needed]).unwrap()
    }

    #[test]
    fn a_range_that_came_wrong_is_an_error_and_the_next_try_is_clean() {
        let file = file(50_000);
        let mut ranges = head_of(&file);
        let section = ranges.head().find(Kind::new(b"BBBB"), 7).unwrap();
        let wanted = section.start + 20_000..section.start + 20_100;
        assert_eq!(ranges.read(wanted.clone()), Err(Absent(wanted.clone())));
        let [fetch] = &ranges.missing(wanted.clone())[..] else {
            panic!("one range")
        };
        let fetch = fetch.clone();
        let right = file[fetch.clone()].to_vec();

        let mut longer = right.clone();
        longer.push(0);
        let mut altered = right.clone();
        altered[17] ^= 1;
        for (wrong, kind) in [
            (right[1..].to_vec(), ErrorKind::Altered),
            (longer, ErrorKind::Altered),
            (altered, ErrorKind::Damaged),
        ] {
            assert_eq!(ranges.add(fetch.clone(), wrong).unwrap_err().kind(), kind);
            assert!(ranges.read(wanted.clone()).is_err());
        }
        let shifted = fetch.start + 64..fetch.end;
        let part = file[shifted.clone()].to_vec();
        assert!(ranges.add(shifted, part).is_err(), "not whole blocks");

        ranges.add(fetch, right).unwrap();
        assert_eq!(ranges.read(wanted.clone()), Ok(&file[wanted.clone()]));
        assert!(ranges.missing(wanted).is_empty());
    }

    #[test]
    fn less_than_the_head_is_no_file() {
        let file = file(50_000);
        for length in [0, 7, 63, 64, 200] {
            assert!(Ranges::new(FileKind::Shard, file.len(), &file[..length]).is_err());
        }
    }

    proptest! {
        #[test]
        fn ranges_in_any_order_are_the_file(
            asked in prop::collection::vec((any::<prop::sample::Index>(), 0usize..40_000), 1..12)
        ) {
            let file = file(70_000);
            let mut ranges = head_of(&file);
            for (start, length) in asked {
                let start = start.index(file.len());
                let range = start..(start + length).min(file.len());
                for fetch in ranges.missing(range.clone()) {
                    prop_assert!(fetch.len() <= range.len() + 2 * BLOCK_BYTES);
                    ranges.add(fetch.clone(), file[fetch].to_vec()).unwrap();
                }
                if start >= ranges.head().body() {
                    prop_assert_eq!(ranges.read(range.clone()), Ok(&file[range]));
                }
            }
            let body = ranges.head().body();
            for fetch in ranges.missing(body..file.len()) {
                ranges.add(fetch.clone(), file[fetch].to_vec()).unwrap();
            }
            prop_assert_eq!(ranges.read(body..file.len()), Ok(&file[body..]));
        }
    }
}

//! Many texts at once, on any number of threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::encoder::{Encoded, Encoder};
use crate::error::Result;

/// Texts that one thread takes at a time.
const CHUNK: usize = 16;

impl Encoder {
    /// Encodes texts on `threads` threads, in their order; `done` is told how many are finished.
    ///
    /// Texts are independent of one another (ranges of quantization are a token's, or a text's where
    /// the graph runs unfused), so the vectors are the same for every number of threads.
    ///
    /// # Errors
    /// The error of the first text that has one.
    pub fn encode_batch<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        threads: usize,
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<Encoded>> {
        let next = AtomicUsize::new(0);
        let finished = AtomicUsize::new(0);
        let worker = || {
            let mut parts = Vec::new();
            loop {
                let start = next.fetch_add(CHUNK, Ordering::Relaxed);
                if start >= texts.len() {
                    return parts;
                }
                let chunk = &texts[start..texts.len().min(start + CHUNK)];
                let texts: Vec<&str> = chunk.iter().map(AsRef::as_ref).collect();
                let encoded = self.encode_packed(&texts);
                let failed = encoded.is_err();
                parts.push((start, encoded));
                if failed {
                    // The others stop at their next chunk; all before this one are already taken.
                    next.fetch_max(texts.len(), Ordering::Relaxed);
                    return parts;
                }
                done(finished.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len());
            }
        };
        let mut parts = if threads <= 1 {
            worker()
        } else {
            std::thread::scope(|scope| {
                let handles: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
                handles
                    .into_iter()
                    .flat_map(|h| h.join().unwrap_or_else(|p| std::panic::resume_unwind(p)))
                    .collect()
            })
        };
        parts.sort_by_key(|(start, _)| *start);
        let mut all = Vec::with_capacity(texts.len());
        for (_, part) in parts {
            all.extend(part?);
        }
        Ok(all)
    }
}

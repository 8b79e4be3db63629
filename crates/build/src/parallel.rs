//! Calls side by side, results in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// `f(0) … f(count - 1)` on `threads` threads, one call at a time each; the results in order, or the
/// error of the first call that failed.
pub(crate) fn map<T: Send, E: Send>(
    count: usize,
    threads: usize,
    f: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<Result<T, E>>>> = Mutex::new((0..count).map(|_| None).collect());
    let worker = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= count {
                return;
            }
            let result = f(i);
            if result.is_err() {
                // Calls before this one have begun; those after it need not.
                next.fetch_max(count, Ordering::Relaxed);
            }
            results.lock().unwrap_or_else(PoisonError::into_inner)[i] = Some(result);
        }
    };
    std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads.min(count))
            .map(|_| scope.spawn(worker))
            .collect();
        worker();
        for helper in helpers {
            if let Err(panic) = helper.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    results
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn results_stand_in_order() {
        for threads in [1, 2, 7] {
            let squares = map(100, threads, |i| Ok::<_, ()>(i * i)).unwrap();
            assert!(squares.iter().enumerate().all(|(i, s)| *s == i * i));
        }
        assert_eq!(map(0, 4, Ok::<_, ()>), Ok(vec![]));
    }

    #[test]
    fn the_first_error_is_given() {
        for threads in [1, 2, 7] {
            assert_eq!(
                map(100, threads, |i| if i >= 40 { Err(i) } else { Ok(i) }),
                Err(40)
            );
        }
    }
}

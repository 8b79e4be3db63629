//! Short lists in order. A sort of the standard library takes some kilobytes for each type that it sorts, and a page
//! downloads them all: lists of some dozen entries are put in order by insertion.

/// Sorts a short list: stable, in time that grows with the square of its length.
pub(crate) fn sort<T>(items: &mut [T], before: impl Fn(&T, &T) -> bool) {
    for end in 1..items.len() {
        let mut place = end;
        while place > 0 && before(&items[place], &items[place - 1]) {
            items.swap(place, place - 1);
            place -= 1;
        }
    }
}

/// Adds an item to the best `k`, which stand in order, where it is one of them.
pub(crate) fn keep<T>(best: &mut Vec<T>, k: usize, item: T, before: impl Fn(&T, &T) -> bool) {
    let full = best.len() >= k;
    if full && best.last().is_none_or(|last| !before(&item, last)) {
        return;
    }
    if full {
        best.pop();
    }
    let place = best.iter().rposition(|other| !before(&item, other));
    best.insert(place.map_or(0, |place| place + 1), item);
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_best_are_the_first_of_all_in_order(numbers: Vec<(u8, u8)>, k in 0usize..12) {
            let before = |a: &(u8, u8), b: &(u8, u8)| a.0 < b.0;
            let mut expected = numbers.clone();
            expected.sort_by_key(|(key, _)| *key);
            let mut sorted = numbers.clone();
            sort(&mut sorted, before);
            assert_eq!(&sorted, &expected);
            let mut best = Vec::new();
            for number in numbers {
                keep(&mut best, k, number, before);
            }
            expected.truncate(k);
            assert_eq!(best, expected);
        }
    }
}

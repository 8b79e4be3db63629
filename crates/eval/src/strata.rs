//! Queries by how often they are asked: a mean over all of them hides how the rare ones fare.

/// Where a query stands among all, by how often it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stratum {
    /// The queries that make up the first third of what is asked.
    Head,
    /// The second.
    Torso,
    /// The last.
    Tail,
}

impl Stratum {
    /// As reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Stratum::Head => "head",
            Stratum::Torso => "torso",
            Stratum::Tail => "tail",
        }
    }
}

/// The stratum of each query: the most frequent first, each third of the total frequency is one. Queries
/// that are asked equally often share a stratum; where all are, there are no strata.
pub fn strata(frequencies: &[f64]) -> Option<Vec<Stratum>> {
    let first = *frequencies.first()?;
    if frequencies.iter().all(|&f| f == first) {
        return None;
    }
    let mut order: Vec<usize> = (0..frequencies.len()).collect();
    order.sort_by(|&a, &b| frequencies[b].total_cmp(&frequencies[a]));
    let total: f64 = frequencies.iter().sum();
    let mut strata = vec![Stratum::Tail; frequencies.len()];
    let mut before = 0.0;
    for equal in order.chunk_by(|&a, &b| frequencies[a] == frequencies[b]) {
        let stratum = match 3.0 * before / total {
            share if share < 1.0 => Stratum::Head,
            share if share < 2.0 => Stratum::Torso,
            _ => Stratum::Tail,
        };
        for &query in equal {
            strata[query] = stratum;
            before += frequencies[query];
        }
    }
    Some(strata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_third_of_the_traffic_is_a_stratum() {
        use Stratum::{Head, Tail, Torso};
        let found = strata(&[1.0, 30.0, 10.0, 10.0, 10.0, 1.0, 1.0, 1.0, 1.0, 25.0]).unwrap();
        assert_eq!(
            found,
            [
                Tail, Head, Torso, Torso, Torso, Tail, Tail, Tail, Tail, Torso
            ]
        );
        assert_eq!(strata(&[2.0, 2.0]), None);
        assert_eq!(strata(&[]), None);
    }
}

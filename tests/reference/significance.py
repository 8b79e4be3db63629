"""Paired permutation test and bootstrap by SciPy: `significance.py SCORES.json`, two lists of scores."""

import json
import sys

import numpy as np
from scipy import stats

a, b = (np.array(scores) for scores in json.load(open(sys.argv[1])))


def mean_difference(x, y, axis=-1):
    return np.mean(x, axis=axis) - np.mean(y, axis=axis)


permutation = stats.permutation_test(
    (a, b), mean_difference, permutation_type="samples", n_resamples=20_000, vectorized=True, rng=1
)
bootstrap = stats.bootstrap(
    (a - b,), np.mean, n_resamples=20_000, method="percentile", rng=1
)
low, high = bootstrap.confidence_interval
print(
    json.dumps(
        {
            "difference": float(permutation.statistic),
            "p_permutation": float(permutation.pvalue),
            "low": float(low),
            "high": float(high),
        }
    )
)

"""Training losses in PyTorch, written from their formulas, with values and gradients.

    python tests/reference/losses.py > tests/golden/losses.json

The multiple negatives ranking loss is sentence-transformers' own.
"""

import json

import torch
import torch.nn.functional as F
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
QUERIES, ITEMS, DIMS = 4, 9, 6

queries = F.normalize(torch.randn(QUERIES, DIMS), dim=1)
items = F.normalize(torch.randn(ITEMS, DIMS) + queries.repeat(3, 1)[:ITEMS], dim=1)
items[7] = F.normalize(items[1] + 0.05 * torch.randn(DIMS), dim=0)
students = F.normalize(queries + 0.3 * torch.randn(QUERIES, DIMS), dim=1)
teacher = 5 * torch.randn(QUERIES, ITEMS)
positives = [0, 1, 2, 3]
groups = [[[0], [4], [8]], [[1], [5, 6]], [[2, 3]], [[3, 7], [4], [5, 0]]]

similarities = queries @ items.T
among = items @ items.T
left_out = [
    [
        bool(j != p and (similarities[i, j] > similarities[i, p] - 0.1 or among[j, p] > 0.9))
        for j in range(ITEMS)
    ]
    for i, p in enumerate(positives)
]
kept = ~torch.tensor(left_out)
every = torch.ones(QUERIES, ITEMS, dtype=torch.bool)


class Given(torch.nn.Module):
    """Stands where sentence-transformers expects a model: gives vectors that are there already."""

    def forward(self, features):
        return {"sentence_embedding": features["vectors"]}


def mnrl(s, kept):
    return F.cross_entropy((20 * s).masked_fill(~kept, -torch.inf), torch.tensor(positives))


def roar(s, kept, scale, margin):
    total, ordering = 0, 0
    for q, ordered in enumerate(groups):
        if len(ordered) < 2:
            continue
        ordering += 1
        odds = []
        for group in ordered:
            allowed = kept[q].clone()
            allowed[group] = True
            p = torch.softmax((scale * s[q]).masked_fill(~allowed, -torch.inf), 0)[group].mean()
            odds.append(torch.log(p) - torch.log1p(-p))
        for better, worse in zip(odds, odds[1:]):
            total = total - F.logsigmoid(better - worse - margin)
    return total / ordering


def mmse_global(s):
    terms = []
    for q, stages in enumerate(groups):
        own = [i for stage in stages for i in stage]
        others = [j for j in range(ITEMS) if j not in own]
        for i in [i for stage in stages[:2] for i in stage]:
            terms.append(-F.log_softmax(20 * s[q, [i] + others], 0)[0])
    return torch.stack(terms).mean()


def mmse_local(s):
    terms = []
    for q, stages in enumerate(groups):
        for k, stage in enumerate(stages):
            later = [j for after in stages[k + 1 :] for j in after]
            if later:
                terms += [-F.log_softmax(10 * s[q, [i] + later], 0)[0] for i in stage]
    return torch.stack(terms).mean()


def solved(function, x):
    x = x.detach().clone().requires_grad_()
    value = function(x)
    value.backward()
    return {"value": value.item(), "gradient": x.grad.tolist()}


losses = {
    "mnrl": solved(lambda s: mnrl(s, every), similarities),
    "mnrl_masked": solved(lambda s: mnrl(s, kept), similarities),
    "roar": solved(lambda s: roar(s, every, 10, 0.5), similarities),
    "roar_masked": solved(lambda s: roar(s, kept, 20, 0.0), similarities),
    "mmse_global": solved(mmse_global, similarities),
    "mmse_local": solved(mmse_local, similarities),
    "cosine_distance": solved(lambda a: (1 - (a * queries).sum(1)).mean(), students),
    "listwise_distillation": solved(
        lambda s: F.kl_div(F.log_softmax(20 * s, 1), F.softmax(teacher, 1), reduction="batchmean"),
        similarities,
    ),
}
# The library's own, for which the first items are the queries' positives and the rest negatives.
theirs = MultipleNegativesRankingLoss(Given(), scale=20.0)
parts = [queries, items[:4], items[4:8]]
padded = [{"vectors": part} for part in parts]
library = theirs(padded, labels=None)
ours = F.cross_entropy(20 * (queries @ items[:8].T), torch.tensor(positives))
assert abs(library.item() - ours.item()) < 1e-9, (library.item(), ours.item())

print(
    json.dumps(
        {
            "queries": queries.tolist(),
            "items": items.tolist(),
            "students": students.tolist(),
            "teacher": teacher.tolist(),
            "positives": positives,
            "groups": groups,
            "left_out": left_out,
            "losses": losses,
        }
    )
)

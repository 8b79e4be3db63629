"""sentence-transformers on the batches that `cargo xtask bench train` hands over.

    st_train.py BASE BATCHES.jsonl OUT.json THREADS RATE MAX_QUERY MAX_ITEM [SAVE]

Multiple negatives ranking loss at scale 20, AdamW with weight decay 0.01 on matrices, a tenth of the steps as
warm-up, then a line to 0, gradients cut to length 1: what the recipe does. Each line of BATCHES is a list of
pairs. OUT gets the seconds of each step; SAVE the trained model, in the form that nearshelf reads.
"""

import json
import sys
import time
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

base, batches, out, threads, rate, max_query, max_item, *save = sys.argv[1:]
torch.set_num_threads(int(threads))
torch.manual_seed(1)
model = SentenceTransformer(base, device="cpu")
loss = MultipleNegativesRankingLoss(model, scale=20.0)
decayed = [p for p in model.parameters() if p.dim() > 1]
plain = [p for p in model.parameters() if p.dim() <= 1]
optimizer = torch.optim.AdamW(
    [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=float(rate)
)
lines = Path(batches).read_text().splitlines()
steps, warmup = len(lines), -(-len(lines) // 10)
seconds, losses = [], []
model.train()
for step, line in enumerate(lines):
    began = time.perf_counter()
    pairs = json.loads(line)
    for group in optimizer.param_groups:
        rising = (step + 1) / warmup
        group["lr"] = float(rate) * (rising if step < warmup else (steps - step) / (steps - warmup))
    features = []
    for side, limit in ((0, max_query), (1, max_item)):
        model.max_seq_length = int(limit)
        features.append(model.tokenize([pair[side] for pair in pairs]))
    value = loss(features, labels=None)
    optimizer.zero_grad()
    value.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    seconds.append(time.perf_counter() - began)
    losses.append(value.item())
Path(out).write_text(json.dumps({"seconds": seconds, "losses": losses, "torch": torch.__version__}))
if save:
    model.max_seq_length = max(int(max_query), int(max_item))
    folder = Path(save[0])
    folder.mkdir(parents=True, exist_ok=True)
    model[0].save(str(folder))
    if not (folder / "config.json").exists():
        model.save(str(folder))

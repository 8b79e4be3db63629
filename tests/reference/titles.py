"""Unit vectors of titles by ONNX Runtime. Usage: titles.py MODEL_DIR CORPUS.jsonl.gz OUT.npy"""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

BATCH = 16
model = Path(sys.argv[1])
session = onnxruntime.InferenceSession(model / "model.onnx", providers=["CPUExecutionProvider"])
tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
tokenizer.no_padding()
tokenizer.enable_truncation(256)
with gzip.open(sys.argv[2], "rt", encoding="utf-8") as file:
    ids = [tokenizer.encode(json.loads(line)["title"]).ids for line in file]

# Sorted by length, so that batches hold little padding.
order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
vectors = np.zeros((len(ids), 384), dtype=np.float32)
for first in range(0, len(order), BATCH):
    places = order[first : first + BATCH]
    length = max(len(ids[place]) for place in places)
    tokens = np.zeros((len(places), length), dtype=np.int64)
    mask = np.zeros_like(tokens)
    for row, place in enumerate(places):
        tokens[row, : len(ids[place])] = ids[place]
        mask[row, : len(ids[place])] = 1
    given = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
    states = session.run(None, {name.name: given[name.name] for name in session.get_inputs()})[0]
    means = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
    vectors[places] = means / np.linalg.norm(means, axis=1, keepdims=True)
np.save(sys.argv[3], vectors)

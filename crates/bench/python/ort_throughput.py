"""ONNX Runtime's texts per second on two threads with its best batch size.

Usage: ort_throughput.py MODEL TOKENIZER TEXTS. Texts are sorted by length, so that batches hold little
padding; tokenizing is not timed. Prints the best batch size and its texts per second.
"""

import sys
import time

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 2
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
tokenizer = Tokenizer.from_file(sys.argv[2])
tokenizer.no_padding()
tokenizer.enable_truncation(256)
with open(sys.argv[3], encoding="utf-8") as file:
    ids = sorted((tokenizer.encode(line.rstrip("\n")).ids for line in file), key=len)

best = (0.0, 0)
for size in (1, 4, 8, 16, 32, 64):
    start = time.perf_counter()
    for first in range(0, len(ids), size):
        batch = ids[first : first + size]
        padded = np.zeros((len(batch), len(batch[-1])), dtype=np.int64)
        mask = np.zeros_like(padded)
        for row, text in enumerate(batch):
            padded[row, : len(text)] = text
            mask[row, : len(text)] = 1
        session.run(
            None, {"input_ids": padded, "attention_mask": mask, "token_type_ids": np.zeros_like(padded)}
        )
    best = max(best, (len(ids) / (time.perf_counter() - start), size))
print(best[1], best[0])

"""ONNX Runtime's median latency in ms for one text on one thread.

Usage: ort_latency.py MODEL. Reads numbers of tokens, one a line, and answers each with a time.
"""

import statistics
import sys
import time

import numpy as np
import onnxruntime

RUNS = 30

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
names = [i.name for i in session.get_inputs()]
for line in sys.stdin:
    tokens = int(line)
    ids = np.full((1, tokens), 4010, dtype=np.int64)
    ids[0, 0], ids[0, -1] = 101, 102
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    feed = {name: feed[name] for name in names}
    times = []
    for run in range(RUNS + 3):
        start = time.perf_counter()
        session.run(None, feed)
        if run >= 3:
            times.append(time.perf_counter() - start)
    print(f"{statistics.median(times) * 1e3:.4f}", flush=True)

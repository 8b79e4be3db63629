"""faiss HNSW with a bitmap of allowed items: recall and queries a second by ef, on one thread.

Usage: filters.py VECTORS.npy EF_CONSTRUCTION THREADS CASES.json
CASES is a list of {"bitmap": FILE, "queries": FILE.npy, "truth": [[id]]}; a bitmap has bit i mod 8 of byte i / 8.
Prints a JSON list with a list of [ef, recall@10, queries/s] for each case.
"""

import json
import sys
import time

import faiss
import numpy as np

vectors = np.load(sys.argv[1])
faiss.omp_set_num_threads(int(sys.argv[3]))
index = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
index.hnsw.efConstruction = int(sys.argv[2])
index.add(vectors)
faiss.omp_set_num_threads(1)

curves = []
for case in json.load(open(sys.argv[4])):
    bitmap = np.fromfile(case["bitmap"], dtype=np.uint8)
    selector = faiss.IDSelectorBitmap(bitmap)
    queries = np.load(case["queries"])
    curve = []
    for ef in [16, 32, 64, 128, 256, 512, 1024, 2048]:
        parameters = faiss.SearchParametersHNSW(efSearch=ef, sel=selector)
        found = []
        start = time.perf_counter()
        for query in queries:
            found.append(index.search(query[None], 10, params=parameters)[1][0])
        seconds = time.perf_counter() - start
        right = sum(len(set(f) & set(t)) for f, t in zip(found, case["truth"]))
        recall = right / sum(len(t) for t in case["truth"])
        curve.append([ef, recall, len(queries) / seconds])
        if recall >= 0.999:
            break
    curves.append(curve)
print(json.dumps(curves))

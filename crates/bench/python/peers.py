"""Graph indexes of other libraries: build, then recall and queries a second by ef, on one thread.

Usage: peers.py VECTORS.npy EF_CONSTRUCTION THREADS PEER… < a line a query set: QUERIES.npy TRUTH.npy
Prints a JSON object a peer: build seconds, and for each query set a list of [ef, recall@10, queries/s].
"""

import json
import statistics
import sys
import time

import numpy as np

vectors = np.load(sys.argv[1])
ef_construction, threads = int(sys.argv[2]), int(sys.argv[3])
sets = [tuple(map(np.load, line.split())) for line in sys.stdin]
dims = vectors.shape[1]
EF = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]


class Faiss:
    def __init__(self):
        import faiss

        self.faiss = faiss
        faiss.omp_set_num_threads(threads)
        self.index = faiss.IndexHNSWFlat(dims, 32, faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = ef_construction
        self.index.add(vectors)
        faiss.omp_set_num_threads(1)

    def search(self, query, ef):
        self.index.hnsw.efSearch = ef
        return self.index.search(query[None], 10)[1][0]


class Hnswlib:
    def __init__(self):
        import hnswlib

        self.index = hnswlib.Index(space="ip", dim=dims)
        self.index.init_index(max_elements=len(vectors), M=32, ef_construction=ef_construction)
        self.index.add_items(vectors, num_threads=threads)

    def search(self, query, ef):
        self.index.set_ef(ef)
        return self.index.knn_query(query, 10, num_threads=1)[0][0]


class Usearch:
    def __init__(self, dtype="f32"):
        from usearch.index import Index

        self.index = Index(
            ndim=dims, metric="ip", dtype=dtype, connectivity=32, expansion_add=ef_construction
        )
        self.index.add(np.arange(len(vectors)), vectors, threads=threads)

    def search(self, query, ef):
        self.index.expansion_search = ef
        return self.index.search(query, 10, threads=1).keys


for name in sys.argv[4:]:
    start = time.perf_counter()
    peer = {"faiss": Faiss, "hnswlib": Hnswlib, "usearch": Usearch}[name]()
    result = {"peer": name, "build_seconds": time.perf_counter() - start, "curves": []}
    for queries, truth in sets:
        curve = []
        for ef in EF:
            rounds = []
            for _ in range(3):
                start = time.perf_counter()
                found = [peer.search(query, ef) for query in queries]
                rounds.append(time.perf_counter() - start)
            right = sum(len(set(map(int, a)) & set(map(int, b))) for a, b in zip(found, truth))
            recall = right / truth.size
            curve.append([ef, recall, len(queries) / statistics.median(rounds)])
            if recall > 0.997:
                break
        result["curves"].append(curve)
    print(json.dumps(result), flush=True)

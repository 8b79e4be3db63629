"""BM25 by bm25s (Lucene's variant). Usage: bm25.py TOKENS.json; prints the score of every document for every query."""

import json
import sys

import bm25s
import numpy as np

with open(sys.argv[1]) as file:
    asked = json.load(file)
retriever = bm25s.BM25(method="lucene", k1=asked["k1"], b=asked["b"], dtype="float64")
retriever.index(asked["documents"], show_progress=False)
print(json.dumps([np.asarray(retriever.get_scores(query)).tolist() for query in asked["queries"]]))

"""tantivy over the same words: an index of terms, then the ten best of each query, on one thread.

Usage: tantivy_words.py TERMS.txt QUERIES.txt, a document or a query a line, its terms apart by spaces.
Prints a JSON object: build seconds, microseconds by query, the ten best documents of each, and microseconds of a query for a
term that no document has, which is what the call through Python costs.
"""

import json
import sys
import time

import tantivy

schema = tantivy.SchemaBuilder()
schema.add_text_field("text", stored=False, tokenizer_name="whitespace", index_option="freq")
schema.add_integer_field("place", fast=True, stored=True)
start = time.perf_counter()
index = tantivy.Index(schema.build())
writer = index.writer(heap_size=500_000_000, num_threads=1)
with open(sys.argv[1]) as documents:
    for place, line in enumerate(documents):
        writer.add_document(tantivy.Document(text=line.strip(), place=place))
writer.commit()
writer.wait_merging_threads()
built = time.perf_counter() - start
index.reload()
searcher = index.searcher()
schema = index.schema


def query(terms):
    clauses = [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "text", term, "freq")) for term in terms]
    return tantivy.Query.boolean_query(clauses)


def timed(asked):
    best = None
    for _ in range(3):
        start = time.perf_counter()
        found = searcher.search(asked, 10, count=False)
        elapsed = time.perf_counter() - start
        best = elapsed if best is None else min(best, elapsed)
    return best * 1e6, found


times, hits = [], []
with open(sys.argv[2]) as queries:
    for line in queries:
        microseconds, found = timed(query(line.split()))
        times.append(microseconds)
        hits.append([searcher.doc(address)["place"][0] for _, address in found.hits])
nothing = sorted(timed(query(["\u0001"]))[0] for _ in range(101))[50]
print(json.dumps({"build_seconds": built, "microseconds": times, "hits": hits, "nothing": nothing, "segments": searcher.num_segments}))

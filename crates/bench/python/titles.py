"""Writes titles of the shared catalog, spread over all of it, one a line.

Usage: titles.py CATALOG.jsonl.gz COUNT OUT
"""

import gzip
import json
import sys

catalog, count, out = sys.argv[1:]
with gzip.open(catalog, "rt", encoding="utf-8") as file:
    titles = [json.loads(line)["title"] for line in file]
step = len(titles) // int(count)
with open(out, "w", encoding="utf-8") as file:
    for title in titles[:: step][: int(count)]:
        file.write(" ".join(title.split()) + "\n")

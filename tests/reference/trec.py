"""What trec_eval makes of a run. Usage: trec.py QRELS.tsv RUN.trec K

Prints a JSON object by query. Gains of 2^grade - 1 are trec_eval's own nDCG over such grades.
"""

import json
import sys

import pytrec_eval

qrels_path, run_path, k = sys.argv[1], sys.argv[2], int(open(sys.argv[3]).read())
qrels, exponential, run = {}, {}, {}
for line in open(qrels_path):
    query, item, grade = line.rstrip("\n").split("\t")
    if grade == "score":
        continue
    qrels.setdefault(query, {})[item] = int(grade)
    exponential.setdefault(query, {})[item] = 2 ** int(grade) - 1
for line in open(run_path):
    query, _, item, rank, score, _ = line.split()
    if int(rank) <= k:
        run.setdefault(query, {})[item] = float(score)

measures = {f"ndcg_cut_{k}", f"recall_{k}", f"success_{k}", "recip_rank"}
plain = pytrec_eval.RelevanceEvaluator(qrels, measures, relevance_level=2).evaluate(run)
gains = pytrec_eval.RelevanceEvaluator(exponential, {f"ndcg_cut_{k}"}).evaluate(run)
for query in plain:
    plain[query]["ndcg_exponential"] = gains[query][f"ndcg_cut_{k}"]
print(json.dumps(plain))

"""The f32 model's sentence vectors, in float64 and from first principles: what exports are held to.

Usage: bert.py MODEL_DIR TEXTS OUT.npy
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

directory, texts, out = map(Path, sys.argv[1:])
config = json.loads((directory / "config.json").read_text())
raw = (directory / "model.safetensors").read_bytes()
length = int.from_bytes(raw[:8], "little")
tensors = json.loads(raw[8 : 8 + length])


def weight(name):
    entry = tensors[name]
    start, end = entry["data_offsets"]
    values = np.frombuffer(raw[8 + length + start : 8 + length + end], dtype="<f4")
    return values.reshape(entry["shape"]).astype(np.float64)


def linear(x, name):
    return x @ weight(name + ".weight").T + weight(name + ".bias")


def layer_norm(x, name):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
    return scaled * weight(name + ".weight") + weight(name + ".bias")


erf = np.vectorize(math.erf)
heads = config["num_attention_heads"]
embeddings = {
    kind: weight(f"embeddings.{kind}_embeddings.weight") for kind in ("word", "position", "token_type")
}


def encode(ids):
    x = embeddings["word"][ids] + embeddings["position"][: len(ids)] + embeddings["token_type"][0]
    x = layer_norm(x, "embeddings.LayerNorm")
    for layer in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{layer}."
        q, k, v = (
            linear(x, f"{name}attention.self.{part}").reshape(len(ids), heads, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        context = scores / scores.sum(-1, keepdims=True) @ v
        context = context.transpose(1, 0, 2).reshape(len(ids), -1)
        attended = linear(context, name + "attention.output.dense") + x
        x = layer_norm(attended, name + "attention.output.LayerNorm")
        inner = linear(x, name + "intermediate.dense")
        inner = inner * (1 + erf(inner / math.sqrt(2))) / 2
        x = layer_norm(linear(inner, name + "output.dense") + x, name + "output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
tokenizer.no_padding()
tokenizer.enable_truncation(256)
lines = texts.read_text(encoding="utf-8").split("\n")
if lines[-1] == "":
    lines.pop()
all_ids = [tokenizer.encode(line).ids for line in lines]
vectors = [encode(ids) for ids in all_ids]
np.save(out, np.array(vectors, dtype=np.float32))
out.with_suffix(".ids.json").write_text(json.dumps(all_ids))

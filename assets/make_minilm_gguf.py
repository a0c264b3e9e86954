#!/usr/bin/env python3
"""make_minilm_gguf.py MODEL.safetensors CONFIG.json VOCAB.txt OUT.gguf: all-MiniLM-L6-v2 as a GGUF for embeddings (numpy only)."""
import json
import struct
import sys

import numpy as np

from gguf_writer import write

NAMES = {"attn_q": "attention.self.query", "attn_k": "attention.self.key", "attn_v": "attention.self.value",
         "attn_output": "attention.output.dense", "attn_output_norm": "attention.output.LayerNorm",
         "ffn_up": "intermediate.dense", "ffn_down": "output.dense", "layer_output_norm": "output.LayerNorm"}
SPECIAL = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
CONTROL, NORMAL = 3, 1  # kinds of token
MEAN = 1                # kind of pooling


def weights(path):
    """name -> float32 array of a safetensors file."""
    raw = np.memmap(path, dtype=np.uint8, mode="r")
    length = struct.unpack("<Q", raw[:8].tobytes())[0]
    head = json.loads(raw[8:8 + length].tobytes())
    tensors = {}
    for name, info in head.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in info["data_offsets"])
            form = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}[info["dtype"]]
            tensors[name.removeprefix("bert.")] = np.frombuffer(raw[begin:end].tobytes(), form).reshape(info["shape"]).astype("<f4")
    return tensors


def renamed(given, layers):
    tensors = {"token_embd.weight": given["embeddings.word_embeddings.weight"],
               "position_embd.weight": given["embeddings.position_embeddings.weight"],
               "token_types.weight": given["embeddings.token_type_embeddings.weight"]}
    for part in ("weight", "bias"):
        tensors[f"token_embd_norm.{part}"] = given[f"embeddings.LayerNorm.{part}"]
        for layer in range(layers):
            for ours, theirs in NAMES.items():
                tensors[f"blk.{layer}.{ours}.{part}"] = given[f"encoder.layer.{layer}.{theirs}.{part}"]
    return {name: halved(name, data) for name, data in tensors.items()}


def halved(name, data):
    """Matrices in half precision, but for those that are added and not multiplied."""
    return data.astype(np.float16) if data.ndim == 2 and not name.startswith(("position", "token_types")) else data


def main(model, config, vocabulary, out):
    conf = json.load(open(config))
    words = [word.rstrip("\n") for word in open(vocabulary, encoding="utf-8")]
    ids = {word: number for number, word in enumerate(words)}
    tokens = [word if word in SPECIAL else word[2:] if word.startswith("##") else "\u2581" + word for word in words]
    write(out, [
        ("general.architecture", "text", "bert"), ("general.name", "text", "all-MiniLM-L6-v2"),
        ("general.license", "text", "apache-2.0"), ("general.file_type", "u32", 1),
        ("bert.block_count", "u32", conf["num_hidden_layers"]), ("bert.context_length", "u32", conf["max_position_embeddings"]),
        ("bert.embedding_length", "u32", conf["hidden_size"]), ("bert.feed_forward_length", "u32", conf["intermediate_size"]),
        ("bert.attention.head_count", "u32", conf["num_attention_heads"]),
        ("bert.attention.layer_norm_epsilon", "f32", conf["layer_norm_eps"]), ("bert.attention.causal", "bool", False),
        ("bert.pooling_type", "u32", MEAN), ("tokenizer.ggml.model", "text", "bert"), ("tokenizer.ggml.pre", "text", "jina-v2-en"),
        ("tokenizer.ggml.token_type_count", "u32", conf["type_vocab_size"]),
        ("tokenizer.ggml.bos_token_id", "u32", ids["[CLS]"]), ("tokenizer.ggml.eos_token_id", "u32", ids["[SEP]"]),
        ("tokenizer.ggml.unknown_token_id", "u32", ids["[UNK]"]), ("tokenizer.ggml.seperator_token_id", "u32", ids["[SEP]"]),
        ("tokenizer.ggml.padding_token_id", "u32", ids["[PAD]"]), ("tokenizer.ggml.cls_token_id", "u32", ids["[CLS]"]),
        ("tokenizer.ggml.mask_token_id", "u32", ids["[MASK]"]), ("tokenizer.ggml.tokens", "texts", tokens),
        ("tokenizer.ggml.token_type", "i32s", [CONTROL if word in SPECIAL else NORMAL for word in words]),
    ], renamed(weights(model), conf["num_hidden_layers"]))


if __name__ == "__main__":
    main(*sys.argv[1:5])

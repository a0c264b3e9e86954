#!/usr/bin/env python3
"""make_vision_mmproj.py MODEL.gguf OUT.gguf: a small vision encoder (LLaVA-type mmproj, under 1 MB) for a llama model (numpy only).

Nothing is trained: the weights are written by hand so that the mean colour of each patch becomes the word embedding of that
colour. Decoding, resizing, patches, attention, projection and generation are the server's own code; only the knowledge is
small: it sees eight colours.
"""
import sys

import numpy as np

from gguf import Gguf, dequantise
from gguf_writer import write

IMAGE, PATCH, DIM, FEED, HEADS, LAYERS = 56, 14, 64, 128, 4, 2
MIDDLE, STEEPNESS = 64, 10.0
# Corners of the colour cube, each channel from -1 to 1.
COLOURS = {"red": (1, -1, -1), "green": (-1, 1, -1), "blue": (-1, -1, 1), "yellow": (1, 1, -1),
           "purple": (1, -1, 1), "cyan": (-1, 1, 1), "white": (1, 1, 1), "black": (-1, -1, -1)}
SPACE = "\u0120"  # how the tokenizer writes a word's leading space


def patches(rng):
    """The mean of each patch in red, green and blue; noise in the other channels."""
    weights = rng.normal(0, 0.002, (DIM, 3, PATCH, PATCH)).astype(np.float32)
    for channel in range(3):
        weights[channel] = 0
        weights[channel, channel] = 1 / PATCH ** 2
    return weights


def blocks(rng):
    """Attention and feed-forward blocks that never touch the colour channels."""
    tensors = {}
    for layer in range(LAYERS):
        start = f"v.blk.{layer}."
        shapes = {"attn_q": (DIM, DIM), "attn_k": (DIM, DIM), "attn_v": (DIM, DIM), "attn_out": (DIM, DIM),
                  "ffn_up": (FEED, DIM), "ffn_down": (DIM, FEED)}
        for name, shape in shapes.items():
            weights = rng.normal(0, 0.02, shape).astype(np.float32)
            if name in ("attn_out", "ffn_down"):
                weights[:3] = 0
            tensors[f"{start}{name}.weight"] = weights
            tensors[f"{start}{name}.bias"] = np.zeros(shape[0], np.float32)
        for name in ("ln1", "ln2"):
            tensors[f"{start}{name}.weight"] = np.ones(DIM, np.float32)
            tensors[f"{start}{name}.bias"] = np.zeros(DIM, np.float32)
    return tensors


def projector(embeddings, words):
    """From a colour to its word: gelu(k (c . x - 2)) is k at the colour's own corner and 0 at the others."""
    first = np.zeros((MIDDLE, DIM), np.float32)
    second = np.zeros((embeddings.shape[1], MIDDLE), np.float32)
    for row, (word, corner) in enumerate(COLOURS.items()):
        first[row, :3] = STEEPNESS * np.array(corner)
        second[:, row] = embeddings[words[SPACE + word]] / STEEPNESS
    return {"mm.0.weight": first, "mm.0.bias": np.full(MIDDLE, -2 * STEEPNESS, np.float32),
            "mm.2.weight": second, "mm.2.bias": embeddings[words[SPACE + "image"]] * 0.05}


def main(source, out):
    model = Gguf(source)
    embeddings = dequantise(*model.tensors["token_embd.weight"])
    words = {word: number for number, word in enumerate(model.kv["tokenizer.ggml.tokens"])}
    rng = np.random.default_rng(7)
    patch = patches(rng)
    positions = rng.normal(0, 0.01, ((IMAGE // PATCH) ** 2, DIM)).astype(np.float32)
    positions[:, :3] = 0
    tensors = {"v.patch_embd.weight": patch, "v.position_embd.weight": positions, **blocks(rng),
               **projector(embeddings, words)}
    write(out, [
        ("general.architecture", "text", "clip"), ("general.name", "text", "hand-made colour encoder"), ("general.file_type", "u32", 0),
        ("clip.has_vision_encoder", "bool", True), ("clip.projector_type", "text", "mlp"), ("clip.use_gelu", "bool", True),
        ("clip.vision.image_size", "u32", IMAGE), ("clip.vision.patch_size", "u32", PATCH),
        ("clip.vision.embedding_length", "u32", DIM), ("clip.vision.feed_forward_length", "u32", FEED),
        ("clip.vision.block_count", "u32", LAYERS), ("clip.vision.projection_dim", "u32", embeddings.shape[1]),
        ("clip.vision.attention.head_count", "u32", HEADS), ("clip.vision.attention.layer_norm_epsilon", "f32", 1e-5),
        ("clip.vision.image_mean", "f32s", [0.5] * 3), ("clip.vision.image_std", "f32s", [0.5] * 3),
    ], tensors)


if __name__ == "__main__":
    main(*sys.argv[1:3])

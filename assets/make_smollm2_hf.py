#!/usr/bin/env python3
"""Turns a llama-architecture GGUF of SmolLM2 into a Hugging Face model directory (numpy only).

Written: config.json, generation_config.json, tokenizer.json, tokenizer_config.json, chat_template.jinja,
model.safetensors and its index. The weights are the GGUF's, dequantised, up to the rounding of the chosen type.
"""
import argparse
import json
import os
import struct
import sys

import numpy as np

from gguf import Gguf, dequantise

TORCH = {"bf16": "bfloat16", "f16": "float16", "f32": "float32"}
CONTROL_TOKEN = 3
WHOLE_NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
LAYER_NAMES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
               "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
               "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}


def hf_name(name):
    stem = name.removesuffix(".weight")
    if stem in WHOLE_NAMES:
        return WHOLE_NAMES[stem] + ".weight"
    _, layer, part = stem.split(".")
    return f"model.layers.{layer}.{LAYER_NAMES[part]}.weight"


def unpermute(rows, heads):
    """GGUF interleaves the rows of Q and K for its rotary code; this puts them back."""
    n = rows.shape[0]
    return rows.reshape(heads, n // heads // 2, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def to_dtype(array, dtype):
    if dtype == "f32":
        return "F32", array.astype("<f4")
    if dtype == "f16":
        return "F16", array.astype("<f2")
    bits = np.ascontiguousarray(array, dtype="<f4").view("<u4")
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16  # round to nearest, ties to even
    return "BF16", bits.astype("<u2")


def save_safetensors(path, items):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, array) in items.items():
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        for _, array in items.values():
            file.write(np.ascontiguousarray(array).tobytes())


def tokenizer(kv, plain):
    """tokenizer.json: byte-level BPE with single digits, as SmolLM2's. Tokens in `plain` are shown in decoded text."""
    tokens, kinds = kv["tokenizer.ggml.tokens"], kv["tokenizer.ggml.token_type"]
    if kv.get("tokenizer.ggml.pre") not in ("smollm", "starcoder", "refact", "command-r"):
        sys.exit(f"pre-tokenizer {kv.get('tokenizer.ggml.pre')!r} is not handled")
    added = [{"id": i, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": text not in plain} for i, (text, kind) in enumerate(zip(tokens, kinds)) if kind == CONTROL_TOKEN]
    digits = {"type": "Digits", "individual_digits": True}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
             "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
             "vocab": {text: i for i, text in enumerate(tokens)},
             "merges": [pair.split(" ") for pair in kv["tokenizer.ggml.merges"]]}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, byte_level]}, "post_processor": None,
            "decoder": {**byte_level, "add_prefix_space": True}, "model": model}


def tokenizer_config(kv, added, template):
    tokens = kv["tokenizer.ggml.tokens"]

    def name(key, default):
        return tokens[kv.get(f"tokenizer.ggml.{key}_token_id", default)]

    return {"tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": False,
            "added_tokens_decoder": {str(a["id"]): {k: v for k, v in a.items() if k != "id"} for a in added},
            "additional_special_tokens": [name("bos", 1), name("eos", 2)],
            "bos_token": name("bos", 1), "eos_token": name("eos", 2), "pad_token": name("padding", 2),
            "unk_token": name("unknown", 0), "clean_up_tokenization_spaces": False,
            "model_max_length": kv["llama.context_length"], "chat_template": template}


def model_config(kv, dtype, tied):
    heads, dim = kv["llama.attention.head_count"], kv["llama.embedding_length"]
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "attention_bias": False,
            "mlp_bias": False, "hidden_size": dim, "intermediate_size": kv["llama.feed_forward_length"],
            "num_hidden_layers": kv["llama.block_count"], "num_attention_heads": heads,
            "num_key_value_heads": kv["llama.attention.head_count_kv"], "head_dim": dim // heads,
            "max_position_embeddings": kv["llama.context_length"],
            "rms_norm_eps": kv["llama.attention.layer_norm_rms_epsilon"], "rope_theta": kv["llama.rope.freq_base"],
            "rope_scaling": None, "tie_word_embeddings": tied, "vocab_size": kv["llama.vocab_size"],
            "bos_token_id": kv["tokenizer.ggml.bos_token_id"], "eos_token_id": kv["tokenizer.ggml.eos_token_id"],
            "pad_token_id": kv["tokenizer.ggml.padding_token_id"], "use_cache": True, "torch_dtype": TORCH[dtype]}


def weights(gguf, dtype):
    heads = {".attn_q.": gguf.kv["llama.attention.head_count"], ".attn_k.": gguf.kv["llama.attention.head_count_kv"]}
    items = {}
    for name, (kind, shape, raw) in gguf.tensors.items():
        array = dequantise(kind, shape, raw)
        for part, n in heads.items():
            if part in name:
                array = unpermute(array, n)
        items[hf_name(name)] = to_dtype(array, dtype)
    return items


def write_json(path, value, indent=1):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=indent, ensure_ascii=False)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("gguf")
    ap.add_argument("out")
    ap.add_argument("--dtype", default="bf16", choices=sorted(TORCH))
    ap.add_argument("--chat-template", help="Jinja file in place of the GGUF's own template")
    ap.add_argument("--rename", action="append", default=[], metavar="OLD=NEW",
                    help="gives a special token another text, both without their brackets: 'gh_stars=think' makes <think> of "
                         "<gh_stars>; mlx_lm and vLLM see reasoning only between two single tokens")
    a = ap.parse_args()
    gguf = Gguf(a.gguf)
    kv = gguf.kv
    if kv["general.architecture"] != "llama":
        sys.exit(f"{a.gguf}: architecture {kv['general.architecture']} is not handled")
    renamed = [["<%s>" % name for name in pair.split("=", 1)] for pair in a.rename]
    for old, new in renamed:
        tokens = kv["tokenizer.ggml.tokens"]
        tokens[tokens.index(old)] = new
    template = kv["tokenizer.chat_template"]
    if a.chat_template:
        with open(a.chat_template, encoding="utf-8") as file:
            template = file.read()
    os.makedirs(a.out, exist_ok=True)
    tok = tokenizer(kv, {new for _, new in renamed})
    conf = model_config(kv, a.dtype, "output.weight" not in gguf.tensors)
    write_json(f"{a.out}/tokenizer.json", tok, indent=None)
    write_json(f"{a.out}/tokenizer_config.json", tokenizer_config(kv, tok["added_tokens"], template))
    write_json(f"{a.out}/config.json", conf)
    ids = ("bos_token_id", "eos_token_id", "pad_token_id")
    write_json(f"{a.out}/generation_config.json", {key: conf[key] for key in ids})
    with open(f"{a.out}/chat_template.jinja", "w", encoding="utf-8") as file:
        file.write(template)
    items = weights(gguf, a.dtype)
    # mlx_lm's server lists a model only where this index is present.
    write_json(f"{a.out}/model.safetensors.index.json",
               {"metadata": {}, "weight_map": {name: "model.safetensors" for name in items}})
    save_safetensors(f"{a.out}/model.safetensors", items)
    size = os.path.getsize(f"{a.out}/model.safetensors")
    print(f"{a.out}: {len(items)} tensors, {size / 1e6:.0f} MB, {a.dtype}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""gguf_f16.py IN.gguf OUT.gguf: writes a quantised GGUF again with its weights in F16 (numpy only).

The weights are the same. But with Q4_1 weights llama.cpp rounds its activations to 8 bits too, which is enough to make
a 135M model babble; with F16 weights it keeps them in F16 and answers as the other engines do.
"""
import os
import struct
import sys

import numpy as np

from gguf import Gguf, dequantise

MOSTLY_F16 = 1
F16 = 1


def main(source, out):
    gguf = Gguf(source)
    head = bytearray(gguf.view[:gguf.kv_end])
    if "general.file_type" in gguf.kv_at:
        struct.pack_into("<I", head, gguf.kv_at["general.file_type"], MOSTLY_F16)
    infos, blobs, offset = bytearray(), [], 0
    for name, dims, number, _ in gguf.infos:
        kind, shape, raw = gguf.tensors[name]
        keep = kind in ("F32", "F16")
        data = np.asarray(raw) if keep else dequantise(kind, shape, raw).astype("<f2")
        word = name.encode()
        infos += struct.pack("<Q", len(word)) + word
        infos += struct.pack(f"<I{len(dims)}Q", len(dims), *dims)
        infos += struct.pack("<IQ", number if keep else F16, offset)
        pad = -data.nbytes % gguf.align
        blobs.append((data, pad))
        offset += data.nbytes + pad
    with open(out, "wb") as file:
        file.write(head + infos)
        file.write(b"\0" * (-file.tell() % gguf.align))
        for data, pad in blobs:
            file.write(data.tobytes() + b"\0" * pad)
    print(f"{out}: {os.path.getsize(out) / 1e6:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:3])

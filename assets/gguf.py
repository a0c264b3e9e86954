"""Reads GGUF files (versions 2 and 3) with numpy alone: keys, tensor table, and weights as float32.

Only the tensor types that SmolLM2 comes in are handled (F32, F16, Q4_0, Q4_1, Q8_0); any other one ends the program
with a sentence that names it.
"""
import struct
import sys

import numpy as np

FIXED = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
NUMPY = {0: "u1", 1: "i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 7: "?", 10: "<u8", 11: "<i8", 12: "<f8"}
STRING, ARRAY = 8, 9
# number of a tensor type -> its name, elements in a block, bytes of a block
TYPES = {0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 8: ("Q8_0", 32, 34)}


class Gguf:
    """A GGUF file. `kv`: metadata; `kv_at`: offset of each value, past its type tag;
    `infos`: (name, dims, type, offset) as written; `tensors`: name -> (type name, shape with rows first, raw bytes)."""

    def __init__(self, path):
        self.buf = np.memmap(path, dtype=np.uint8, mode="r")
        self.view = memoryview(self.buf)
        if bytes(self.view[:4]) != b"GGUF":
            sys.exit(f"{path}: not a GGUF file")
        self.pos = 4
        version = self._fixed("<I")
        if version not in (2, 3):
            sys.exit(f"{path}: GGUF version {version} is not handled")
        n_tensors, n_kv = self._fixed("<Q"), self._fixed("<Q")
        self.kv, self.kv_at = {}, {}
        for _ in range(n_kv):
            key = self._string()
            self.kv_at[key] = self.pos + 4
            self.kv[key] = self._value(self._fixed("<I"))
        self.kv_end = self.pos
        self.infos = []
        for _ in range(n_tensors):
            name = self._string()
            dims = [self._fixed("<Q") for _ in range(self._fixed("<I"))]
            self.infos.append((name, dims, self._fixed("<I"), self._fixed("<Q")))
        self.align = self.kv.get("general.alignment", 32)
        base = (self.pos + self.align - 1) // self.align * self.align
        self.tensors = {}
        for name, dims, number, offset in self.infos:
            if number not in TYPES:
                sys.exit(f"{path}: tensor {name} has ggml type {number}, which is not handled")
            kind, per_block, block = TYPES[number]
            length = int(np.prod(dims)) // per_block * block
            self.tensors[name] = (kind, dims[::-1], self.buf[base + offset:base + offset + length])

    def _fixed(self, fmt):
        (value,) = struct.unpack_from(fmt, self.view, self.pos)
        self.pos += struct.calcsize(fmt)
        return value

    def _string(self):
        length = self._fixed("<Q")
        text = bytes(self.view[self.pos:self.pos + length]).decode("utf-8")
        self.pos += length
        return text

    def _value(self, kind):
        if kind == STRING:
            return self._string()
        if kind != ARRAY:
            return self._fixed(FIXED[kind])
        element, length = self._fixed("<I"), self._fixed("<Q")
        if element in (STRING, ARRAY):
            return [self._value(element) for _ in range(length)]
        dtype = np.dtype(NUMPY[element])
        out = np.frombuffer(self.view, dtype, length, self.pos).tolist()
        self.pos += length * dtype.itemsize
        return out


def _half(blocks, at):
    return np.ascontiguousarray(blocks[:, at:at + 2]).view("<f2").reshape(-1).astype(np.float32)


def _nibbles(packed):
    """ggml keeps element j of a block in the low half of byte j, and element j+16 in its high half."""
    return np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)


def dequantise(kind, shape, raw):
    """The tensor as float32, exactly as ggml's reference code would give it."""
    raw = np.asarray(raw)
    if kind in ("F32", "F16"):
        return raw.view("<f4" if kind == "F32" else "<f2").reshape(shape).astype(np.float32)
    blocks = raw.reshape(-1, next(size for name, _, size in TYPES.values() if name == kind))
    scale = _half(blocks, 0)[:, None]
    if kind == "Q8_0":
        out = scale * blocks[:, 2:].view(np.int8).astype(np.float32)
    elif kind == "Q4_0":
        out = scale * (_nibbles(blocks[:, 2:]) - 8)
    else:
        out = scale * _nibbles(blocks[:, 4:]) + _half(blocks, 2)[:, None]
    return out.reshape(shape)

"""Writes GGUF files (version 3) with numpy alone.

`write(path, kv, tensors)`: `kv` is a list of (key, type, value) with type one of "u32", "i32s", "f32", "f32s", "bool", "text",
"texts"; `tensors` maps names to arrays, rows first, of float32 or float16.
"""
import struct

import numpy as np

ALIGN = 32
U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5
TENSOR_TYPES = {"<f4": 0, "<f2": 1}


def text(value):
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def array(number, values, body):
    return struct.pack("<IIQ", ARRAY, number, len(values)) + body


def value(kind, given):
    if kind == "texts":
        return array(STRING, given, b"".join(map(text, given)))
    if kind == "f32s":
        return array(F32, given, struct.pack(f"<{len(given)}f", *given))
    if kind == "i32s":
        return array(I32, given, struct.pack(f"<{len(given)}i", *given))
    if kind == "text":
        return struct.pack("<I", STRING) + text(given)
    number, form = {"u32": (U32, "<I"), "f32": (F32, "<f"), "bool": (BOOL, "<?")}[kind]
    return struct.pack("<I", number) + struct.pack(form, given)


def padded(raw):
    return raw + b"\0" * (-len(raw) % ALIGN)


def write(path, kv, tensors):
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(kv))
    for key, kind, given in kv:
        head += text(key) + value(kind, given)
    offset, bodies = 0, []
    for name, data in tensors.items():
        form = "<f2" if data.dtype == np.float16 else "<f4"
        body = padded(np.ascontiguousarray(data, dtype=form).tobytes())
        head += text(name) + struct.pack("<I", data.ndim) + struct.pack(f"<{data.ndim}Q", *data.shape[::-1])
        head += struct.pack("<IQ", TENSOR_TYPES[form], offset)
        offset += len(body)
        bodies.append(body)
    with open(path, "wb") as file:
        file.write(padded(head))
        file.writelines(bodies)
    print(f"{path}: {(len(head) + offset) / 1e6:.1f} MB")

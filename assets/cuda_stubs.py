#!/usr/bin/env python3
"""cuda_stubs.py OUT: small libraries that let a CUDA build of torch load where there is no CUDA, on the CPU alone.

Its own package index has no CPU build of torch, and the CUDA build links against gigabytes of libraries that a CPU never
calls. For each of them that torch (in this interpreter's environment) asks for, a stub is compiled that defines what torch
links against and answers "no device". Needs gcc with its binutils. With OUT in LD_LIBRARY_PATH `torch.cuda.is_available()` is False.
"""
import collections
import os
import re
import subprocess
import sys
import sysconfig
import tempfile

# A symbol belongs to the first library whose pattern it begins with.
OWNERS = [(r"cudnn", "libcudnn"), (r"cublasLt", "libcublasLt"), (r"cublas", "libcublas"), (r"cufft", "libcufft"),
          (r"curand", "libcurand"), (r"cusparseLt", "libcusparseLt"), (r"cusparse", "libcusparse"),
          (r"cusolver", "libcusolver"), (r"nccl|pnccl", "libnccl"), (r"nvrtc", "libnvrtc"), (r"cuFile|cufile", "libcufile"),
          (r"cupti", "libcupti"), (r"nvshmem", "libnvshmem_host"), (r"nvJitLink", "libnvJitLink"), (r"nvtx", "libnvtx"),
          (r"cuda|__cuda", "libcudart"), (r"cu[A-Z]", "libcuda")]


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def missing(folder):
    """The CUDA libraries that torch asks for and does not bring, and the (name, version) pairs that it takes from them."""
    files = os.listdir(folder)
    needed, symbols = set(), set()
    for file in files:
        if not re.match(r"lib(torch|c10|caffe2|shm)\w*\.so$", file):
            continue
        path = os.path.join(folder, file)
        wanted = re.findall(r"NEEDED\s+(\S+)", output("objdump", "-p", path))
        needed |= {name for name in wanted if re.match(r"lib(cu|nv|nccl)", name) and name not in files}
        for line in output("nm", "-D", "--undefined-only", path).splitlines():
            name, _, version = line.split()[-1].partition("@")
            symbols.add((name, version.lstrip("@")))
    return needed, symbols


def assigned(needed, symbols):
    """Library -> version -> names."""
    table = collections.defaultdict(lambda: collections.defaultdict(set))
    for name, version in symbols:
        stem = next((stem for pattern, stem in OWNERS if re.match(rf"_*({pattern})", name)), None)
        library = next((library for library in needed if library.split(".so")[0] == stem), None)
        if library:
            table[library][version].add(name)
    return table


def build(library, versions, out):
    # Each runtime function says "no device" (100 is cudaErrorNoDevice); what returns a text returns one.
    code = 100 if library.startswith("libcudart") else 1
    source = []
    for name in sorted(set().union(*versions.values())):
        if re.search(r"Get(LastError|Error)?(String|Name)|_get_error", name, re.IGNORECASE):
            source.append(f'const char *{name}(void) {{ return "no CUDA here (stub)"; }}')
        else:
            source.append(f"long {name}(void) {{ return {code}; }}")
    script = [f"{version or library} {{ global: {' '.join(name + ';' for name in sorted(names))} }};"
              for version, names in sorted(versions.items())]
    with tempfile.TemporaryDirectory() as work:
        with open(f"{work}/stub.c", "w", encoding="ascii") as file:
            file.write("\n".join(source) + "\n")
        with open(f"{work}/stub.map", "w", encoding="ascii") as file:
            file.write("\n".join(script) or f"{library} {{ global: *; }};")
        subprocess.run(["gcc", "-shared", "-fPIC", "-w", "-O0", "-fno-builtin", f"-Wl,-soname,{library}",
                        f"-Wl,--version-script={work}/stub.map", "-o", os.path.join(out, library), f"{work}/stub.c"], check=True)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = sys.argv[1]
    os.makedirs(out)
    needed, symbols = missing(os.path.join(sysconfig.get_paths()["purelib"], "torch", "lib"))
    table = assigned(needed, symbols)
    for library in sorted(needed):
        build(library, table[library], out)
    print(f"{out}: {len(needed)} libraries")


if __name__ == "__main__":
    main()

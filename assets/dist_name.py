#!/usr/bin/env python3
"""dist_name.py NAME VERSION OUT: a folder for PYTHONPATH in which a distribution has this name and version, and no files.

For wheels that were published under another name than the one their own code asks importlib.metadata for.
"""
import os
import sys


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    name, version, out = sys.argv[1:]
    folder = os.path.join(out, f"{name}-{version}.dist-info")
    os.makedirs(folder)
    with open(os.path.join(folder, "METADATA"), "w", encoding="ascii") as file:
        file.write(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


if __name__ == "__main__":
    main()

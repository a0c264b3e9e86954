#!/usr/bin/env python3
"""ollama_models.py TEXT.gguf VISION.gguf EMBEDDING.gguf TOOLS.gotmpl THINKING.gotmpl OUT: a models folder for Ollama.

The models are made by the real `ollama create` from PATH, against a server of our own that ends with this program:
smollm2, smollm2-tools, smollm2-thinking (tools too), smollm2-vision and minilm. The weights are linked where the file
system allows it, so that they lie there once.
"""
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
# As every other server of the suites samples; a repeat penalty of 1 is none.
PARAMETERS = ["temperature 0", "seed 7", "repeat_penalty 1", 'stop "<|im_end|>"', "num_thread 1"]
START = 30.0  # seconds


def modelfile(weights, template=None, extra=None):
    # The template that Ollama takes for the weights says nothing where no system text is given.
    prompt = f'TEMPLATE """{template.read_text()}\n"""' if template else f"SYSTEM {SYSTEM}"
    lines = [f"FROM {weights}", *([f"FROM {extra}"] if extra else []), prompt]
    return "\n".join(lines + [f"PARAMETER {parameter}" for parameter in PARAMETERS]) + "\n"


def link(weights, blobs):
    """Puts the weights where `ollama create` would copy them."""
    with open(weights, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        os.link(weights, blobs / f"sha256-{digest}")
    except OSError:
        pass  # another file system: then they are copied


def address(log, server):
    """Where the server listens, by its own words: a fixed port might be another Ollama's."""
    until = time.monotonic() + START
    while time.monotonic() < until and server.poll() is None:
        found = re.search(r'msg="Listening on (127[0-9.:]+)', log.read_text(errors="replace"))
        if found:
            return found[1]
        time.sleep(0.05)
    sys.exit("ollama does not start:\n" + log.read_text(errors="replace")[-2000:])


def main(text, vision, embedding, tools, thinking, out):
    out = pathlib.Path(out)
    blobs = out / "blobs"
    blobs.mkdir(parents=True)
    text, vision, embedding, tools, thinking = (pathlib.Path(path).resolve() for path in (text, vision, embedding, tools, thinking))
    for weights in (text, vision, embedding):
        link(weights, blobs)
    models = {"smollm2": modelfile(text), "smollm2-tools": modelfile(text, tools), "smollm2-thinking": modelfile(text, thinking),
              "smollm2-vision": modelfile(text, extra=vision), "minilm": f"FROM {embedding}\n"}
    with tempfile.TemporaryDirectory() as home:
        home = pathlib.Path(home)
        log = home / "log"
        env = {**os.environ, "HOME": str(home), "OLLAMA_MODELS": str(out), "OLLAMA_HOST": "127.0.0.1:0", "OLLAMA_NO_CLOUD": "1"}
        with open(log, "w") as writer:
            server = subprocess.Popen(["ollama", "serve"], env=env, stdout=writer, stderr=writer)
        try:
            env["OLLAMA_HOST"] = address(log, server)
            for name, body in models.items():
                (home / "Modelfile").write_text(body)
                made = subprocess.run(["ollama", "create", name, "-f", str(home / "Modelfile")], env=env, capture_output=True, text=True)
                if made.returncode != 0:
                    sys.exit(f"ollama create {name}: {made.stderr[-2000:]}")
                print(f"made {name}", flush=True)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:7])

#!/usr/bin/env python3
"""hf_cache.py OWNER/NAME MODEL_DIR OUT [--chat-template FILE]: a Hugging Face hub cache that holds one local model.

Servers that look models up by name then find it offline, and list it under that name. The files are links to MODEL_DIR;
with a template of its own, only the small tokenizer files are written anew.
"""
import argparse
import json
import os


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("name")
    ap.add_argument("model")
    ap.add_argument("out")
    ap.add_argument("--chat-template")
    a = ap.parse_args()
    repo = os.path.join(a.out, "models--" + a.name.replace("/", "--"))
    snapshot = os.path.join(repo, "snapshots", "local")
    os.makedirs(snapshot)
    os.makedirs(os.path.join(repo, "refs"))
    with open(os.path.join(repo, "refs", "main"), "w", encoding="utf-8") as file:
        file.write("local")
    model = os.path.realpath(a.model)
    own = {"tokenizer_config.json", "chat_template.jinja"} if a.chat_template else set()
    for file in sorted(os.listdir(model)):
        if file not in own:
            os.symlink(os.path.join(model, file), os.path.join(snapshot, file))
    if a.chat_template:
        with open(a.chat_template, encoding="utf-8") as file:
            template = file.read()
        with open(os.path.join(snapshot, "chat_template.jinja"), "w", encoding="utf-8") as file:
            file.write(template)
        with open(os.path.join(model, "tokenizer_config.json"), encoding="utf-8") as file:
            config = json.load(file)
        config["chat_template"] = template
        with open(os.path.join(snapshot, "tokenizer_config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()

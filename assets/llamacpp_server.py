#!/usr/bin/env python3
"""llama.cpp's own HTTP server, out of the wheel `xllamacpp` (prebuilt, no compiler), under llama-server's option names.

SIGTERM and SIGINT stop it the way llama-server stops: a stream that runs then may be cut.
"""
import argparse
import json
import signal
import sys
import threading

import xllamacpp


def options():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("-m", "--model", required=True)
    ap.add_argument("--alias", default="smollm2", help="names of the model, separated by commas")
    ap.add_argument("--host", default="127.0.0.1")
    ap.add_argument("--port", type=int, default=8080)
    ap.add_argument("-c", "--ctx-size", type=int, default=8192, help="shared by all slots")
    ap.add_argument("-np", "--parallel", type=int, default=2, help="slots: requests that are answered at once")
    ap.add_argument("-t", "--threads", type=int, default=0)
    ap.add_argument("--chat-template-file")
    ap.add_argument("--chat-template-kwargs", type=json.loads, default={})
    ap.add_argument("--reasoning-format", choices=["none", "deepseek", "deepseek-legacy", "auto"])
    ap.add_argument("--reasoning-budget", type=int)
    ap.add_argument("--mmproj")
    ap.add_argument("--api-key", default="", help="accepted keys, separated by commas")
    ap.add_argument("--embeddings", action="store_true")
    ap.add_argument("--pooling", choices=["mean", "cls", "last", "none", "rank"])
    ap.add_argument("--metrics", action="store_true")
    ap.add_argument("-v", "--verbose", action="store_true")
    return ap.parse_args()


def params(a):
    p = xllamacpp.CommonParams()
    p.model.path = a.model
    p.model_alias = set(a.alias.split(","))
    p.hostnames = [a.host]
    p.port = a.port
    p.n_ctx = a.ctx_size
    p.n_parallel = a.parallel
    if a.threads:
        p.cpuparams.n_threads = p.cpuparams_batch.n_threads = a.threads
    p.endpoint_metrics = a.metrics
    p.endpoint_slots = p.endpoint_props = True
    p.ui = False
    p.verbosity = 5 if a.verbose else 3
    if a.chat_template_file:
        with open(a.chat_template_file, encoding="utf-8") as file:
            p.chat_template = file.read()
    if a.chat_template_kwargs:
        p.default_template_kwargs = {k: json.dumps(v) for k, v in a.chat_template_kwargs.items()}
    if a.reasoning_format:
        name = "COMMON_REASONING_FORMAT_" + a.reasoning_format.upper().replace("-", "_")
        p.reasoning_format = getattr(xllamacpp.common_reasoning_format, name)
    if a.reasoning_budget is not None:
        p.sampling.reasoning_budget_tokens = a.reasoning_budget
    if a.mmproj:
        p.mmproj.path = a.mmproj
    if a.api_key:
        p.api_keys = a.api_key.split(",")
    if a.embeddings:
        p.embedding = True
    if a.pooling:
        p.pooling_type = getattr(xllamacpp.llama_pooling_type, "LLAMA_POOLING_TYPE_" + a.pooling.upper())
    return p


def main():
    a = options()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = xllamacpp.Server(params(a))
    print(f"listening on {server.listening_address} (xllamacpp {xllamacpp.__version__})", flush=True)
    while not stop.wait(0.05):
        pass
    print("stopping", flush=True)
    del server  # ends its threads
    sys.exit(0)


if __name__ == "__main__":
    main()

"""Seconds from a cell's execute request to the kernel's idle, through a real Jupyter client.

    python cells.py KERNEL CELLS.json [--repeats 9]

CELLS.json is a list of phases {"setup": [CELL, ...], "once": {NAME: CELL, ...}, "timed": {NAME: CELL, ...}, "complete":
{NAME: TEXT, ...}}, which run in order in one kernel; "once" cells are timed at their first and only run, as compiling
is. "complete" asks what can follow TEXT, once there is an answer at all.
The kernel is given a notebook's name, as JupyterLab does.
{i} in a timed cell becomes the number of the repeat, so that no kernel can answer from memory; one repeat before the
first is not counted. Prints one line of JSON with the seconds of each repeat.
"""
import argparse
import json
import os
import sys
import time

from jupyter_client.manager import start_new_kernel


def run(client, code):
    errors = []

    def listen(msg):
        if msg["msg_type"] == "error":
            errors.append("\n".join(msg["content"]["traceback"]))

    start = time.perf_counter()
    reply = client.execute_interactive(code, timeout=900, output_hook=listen)
    seconds = time.perf_counter() - start
    if reply["content"]["status"] != "ok" or errors:
        sys.exit("this cell failed:\n" + code + "\n" + "\n".join(errors))
    return seconds


def complete(client, text):
    start = time.perf_counter()
    reply = client.complete(text, len(text), reply=True, timeout=120)["content"]
    return time.perf_counter() - start, reply["matches"]


def warm_completion(client, text, repeats):
    end = time.perf_counter() + 300
    while not complete(client, text)[1]:
        if time.perf_counter() > end:
            return []
        time.sleep(0.5)
    return [complete(client, text)[0] for _ in range(repeats)]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("kernel")
    p.add_argument("cells")
    p.add_argument("--repeats", type=int, default=9)
    args = p.parse_args()
    cells = json.load(open(args.cells))
    start = time.perf_counter()
    manager, client = start_new_kernel(kernel_name=args.kernel, startup_timeout=600, env={**os.environ, "JPY_SESSION_NAME": os.path.abspath(args.cells)})
    try:
        info = client.kernel_info(reply=True, timeout=60)["content"]
        out = {"kernel": args.kernel, "version": f"{info['implementation']} {info['implementation_version']}",
               "started": None, "setup": [], "timed": {}}
        for phase in cells:
            out["setup"] += [run(client, code) for code in phase.get("setup", [])]
            out["started"] = out["started"] or time.perf_counter() - start
            for name, code in phase.get("once", {}).items():
                out["timed"][name] = [run(client, code)]
            for name, code in phase.get("timed", {}).items():
                times = [run(client, code.replace("{i}", str(i))) for i in range(args.repeats + 1)]
                out["timed"][name] = times[1:]
            for name, text in phase.get("complete", {}).items():
                if times := warm_completion(client, text, args.repeats):
                    out["timed"][name] = times
        print(json.dumps(out))
    finally:
        manager.shutdown_kernel()


if __name__ == "__main__":
    main()

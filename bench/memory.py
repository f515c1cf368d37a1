"""What cells leave behind in a kernel: memory, open files, goroutines, through a real Jupyter client.

    python memory.py KERNEL CELLS.json [--cells 200] [--repeats 1000]

CELLS.json is {"setup": [CELL, ...], "further": {NAME: CELL, ...}, "again": CELL, "count": CELL}. Each further cell runs
--cells times in a kernel of its own, {i} being the number of the time; the again cell runs --repeats times in one
more. Count, which may be absent, prints a number that must not grow, such as that of goroutines. A tenth of the runs go
before the first reading, so that what a kernel needs once is not counted. Memory is resident memory of the kernel's
process and of all it started. Prints one line of JSON.
"""
import argparse
import json
import os
import sys
import time

from jupyter_client.manager import start_new_kernel


def family(pid):
    """The process and its descendants."""
    pids = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as f:
            for child in f.read().split():
                try:
                    pids += family(int(child))
                except FileNotFoundError:
                    pass  # it has ended meanwhile
    return pids


def usage(pid):
    """Resident bytes and open files of the process and its descendants."""
    total = files = 0
    for p in family(pid):
        try:
            with open(f"/proc/{p}/statm") as f:
                total += int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            files += len(os.listdir(f"/proc/{p}/fd"))
        except FileNotFoundError:
            pass
    return total, files


class Kernel:
    def __init__(self, name, setup):
        self.manager, self.client = start_new_kernel(kernel_name=name, startup_timeout=600)
        self.pid = self.manager.provisioner.pid
        for code in setup:
            self.run(code)

    def run(self, code):
        """Runs a cell and returns what it printed."""
        printed, errors = [], []

        def listen(msg):
            if msg["msg_type"] == "error":
                errors.append("\n".join(msg["content"]["traceback"]))
            if msg["msg_type"] == "stream":
                printed.append(msg["content"]["text"])

        reply = self.client.execute_interactive(code, timeout=900, output_hook=listen)
        if reply["content"]["status"] != "ok" or errors:
            sys.exit("this cell failed:\n" + code + "\n" + "\n".join(errors))
        return "".join(printed)

    def read(self, count):
        """What is in use, once it has settled."""
        counted = int(self.run(count).strip()) if count else 0
        time.sleep(1)
        memory, files = usage(self.pid)
        return {"memory": memory, "files": files, "count": counted}

    def measure(self, code, times, count):
        """What each of a number of runs added: MiB, open files, and what the count cell counts."""
        first = max(times // 10, 1)
        for i in range(first):
            self.run(code.replace("{i}", str(i)))
        before = self.read(count)
        for i in range(first, first + times):
            self.run(code.replace("{i}", str(i)))
        after = self.read(count)
        return {"MiB a cell": (after["memory"] - before["memory"]) / 2**20 / times,
                "MiB": after["memory"] / 2**20, "files": after["files"] - before["files"], "count": after["count"] - before["count"]}

    def stop(self):
        self.manager.shutdown_kernel()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("kernel")
    p.add_argument("cells")
    p.add_argument("--cells", dest="further", type=int, default=200)
    p.add_argument("--repeats", type=int, default=1000)
    args = p.parse_args()
    cells = json.load(open(args.cells))
    out = {"kernel": args.kernel, "further": {}}
    parts = [(name, code, args.further) for name, code in cells["further"].items()]
    for name, code, times in parts + [("again", cells["again"], args.repeats)]:
        kernel = Kernel(args.kernel, cells.get("setup", []))
        try:
            got = kernel.measure(code, times, cells.get("count"))
        finally:
            kernel.stop()
        if name == "again":
            out["again"] = got
        else:
            out["further"][name] = got
    print(json.dumps(out))


if __name__ == "__main__":
    main()

"""GoNB's own notebooks: where they are, how they run, and how outputs compare.

They are read from the module cache, where go.mod's requirement of gonb puts them.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tests" / "jupyter"))
import holt  # noqa: E402
from page import Unattended  # noqa: E402


def folder():
    """The folder of the module github.com/janpfeifer/gonb, fetched if need be."""
    found = subprocess.run(
        ["go", "mod", "download", "-json", "github.com/janpfeifer/gonb"], cwd=CHECKOUT, capture_output=True, text=True
    )
    match = re.search(r'"Dir": "(.*)"', found.stdout)
    assert match, found.stdout + found.stderr
    return Path(match[1])


def copy(name, to):
    """A copy of examples/NAME.ipynb, and its path."""
    source = folder() / "examples" / f"{name}.ipynb"
    target = to / source.name
    shutil.copyfile(source, target)
    target.chmod(0o644)
    return target, nbformat.read(target, as_version=4)


def environment(tmp):
    """What GoNB's tests set, and its notebooks expect: also a checkout of GoNB
    below the home folder."""
    for name in ("coverage", "files", "home/Projects"):
        (tmp / name).mkdir(parents=True)
    (tmp / "home" / "Projects" / "gonb").symlink_to(folder())
    go = subprocess.run(["go", "env", "GOPATH", "GOMODCACHE", "GOCACHE", "GOENV"], capture_output=True, text=True, check=True)
    caches = dict(zip(("GOPATH", "GOMODCACHE", "GOCACHE", "GOENV"), go.stdout.splitlines()))
    return {
        "GONB_GIT_ROOT": str(folder()),
        "GOCOVERDIR": str(tmp / "coverage"),
        "TEST_DIR": str(tmp / "files") + "/",
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
        "HOME": str(tmp / "home"),
        **caches,
    }


def run(kernel, nb, answers=()):
    """Runs all code cells, and yields (index, cell, what it published)."""
    answers = list(answers)
    page = None
    for i, cell in enumerate(nb.cells):
        if cell.cell_type != "code":
            continue
        if page is None and "gonbui/widgets" in cell.source:
            page = Unattended(kernel)
        msg_id = kernel.start(cell.source, allow_stdin=bool(answers))
        for _ in range(cell.source.count("%with_") + cell.source.count("RequestInput(")):
            kernel.client.get_stdin_msg(timeout=holt.FIRST_CELL)
            kernel.client.input(answers.pop(0))
        yield i, cell, finish(kernel, msg_id, page)


def finish(kernel, msg_id, page):
    """Waits for the end of a cell, while the page answers."""
    if page is None:
        return kernel.finish(msg_id, timeout=holt.FIRST_CELL)
    messages = []
    while not messages or messages[-1]["content"].get("execution_state") != "idle":
        m = kernel.client.get_iopub_msg(timeout=holt.FIRST_CELL)
        page.take(m)
        if m["parent_header"].get("msg_id") == msg_id:
            messages.append(m)
    reply = kernel.client.get_shell_msg(timeout=5)
    return holt.Ran(reply["content"], messages)


def published(ran):
    """The outputs of a cell, as a front end would save them."""
    outputs, displays = [], {}
    for m in ran.messages:
        c = m["content"]
        match m["msg_type"]:
            case "stream":
                if outputs and outputs[-1].get("name") == c["name"]:
                    outputs[-1]["text"] += c["text"]
                else:
                    outputs.append({"output_type": "stream", "name": c["name"], "text": c["text"]})
            case "display_data" | "execute_result":
                output = {"output_type": m["msg_type"], "data": c["data"]}
                outputs.append(output)
                displays[c["transient"].get("display_id")] = output
            case "update_display_data":
                if c["transient"]["display_id"] in displays:
                    displays[c["transient"]["display_id"]]["data"] = c["data"]
            case "error":
                outputs.append({"output_type": "error", "evalue": holt.plain("\n".join(c["traceback"]))})
    return outputs


# What differs from run to run, and from machine to machine.
NORMAL = [
    (r"\x1b\[[0-9;]*[A-Za-z]", ""),  # colours, and what progress bars clear
    (r"[^\n]*\r(?=[^\n])", ""),  # a line that was written over
    (r"/tmp/gonb_tests_gowork_\w+", "/tmp/gonb_tests_gowork_X"),
    (r"\S*/gonb_[0-9a-f]{8}\b|\S*/holt-\d+/gonb_\d+", "TMP_DIR"),
    (r"\bgonb_([0-9a-f]{8}|\d+)\b", "gonb_X"),  # the module's name
    (r"\bgo( ?)1\.\d+(\.\d+)?", r"go\g<1>1.X"),
    (r"\(\d+\.\d+s\)", "(0.00s)"),  # how long a test took
    (r"cpu: .*", "cpu: X"),
    (r"(Benchmark\w+?)-\d+ *", r"\1 "),  # the number of cores
    (r"\s+\d+\s+[\d.]+ ns/op", " N T ns/op"),
    (r"lastRenderTime=[\d.]+", "lastRenderTime=T"),
    (r"\d+\.?\d* ?(steps|it)/s[^\n]*", "R steps/s"),
    (r"(dom\.transient_div_|sin_plot|gonb_\w+?_)[0-9a-f]{8}", r"\1X"),
    (r'<div id="[0-9a-f]{8}">', '<div id="X">'),
    (r"newPlot\('[0-9a-f]{8}'", "newPlot('X'"),
    (r"(?<=<)(\w+)((?: [\w:]+=\"[^\"]*\")+)", lambda m: m[1] + " ".join([""] + sorted(re.findall(r'[\w:]+="[^"]*"', m[2])))),  # attributes
]


# What an error says when a module proxy does not give what a cell imports.
REFUSED = re.compile(r"40\d (Forbidden|Not Found|Gone)|module cache.*network cannot be reached")


def normal(text):
    for pattern, by in NORMAL:
        text = re.sub(pattern, by, text)
    return text.strip()


def comparable(outputs):
    """Outputs as lines of text: streams joined, displays by type."""
    streams, shown = {"stdout": "", "stderr": ""}, []
    for o in outputs:
        match o["output_type"]:
            case "stream" if o["name"] in streams:
                streams[o["name"]] += "".join(o["text"])
            case "display_data" | "execute_result":
                if "".join(o["data"].get("text/plain", "")).startswith("holt: "):
                    continue  # a notice of what was fetched or built
                for mime, value in o["data"].items():
                    if mime == "text/html" and not "".join(value).strip():
                        continue  # a display that was erased
                    text = "".join(value) if mime.startswith("text/") else "binary"
                    shown.append(f"{mime}: {normal(text)}")
            case "error":
                shown.append("error: " + normal(o["evalue"]))
    return [f"{k}: {normal(v)}" for k, v in streams.items() if normal(v)] + shown

"""A notebook for tests: a kernel, and what its cells show."""

import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty

from jupyter_client.manager import KernelManager

CHECKOUT = Path(__file__).resolve().parents[2]
HOLT = os.environ.get("HOLT_BIN", str(CHECKOUT / "bin" / "holt"))

# The first start on a cold cache builds the host; the next ones take seconds.
FIRST_CELL = 600
CELL = 60

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def plain(text):
    """text without ANSI colours."""
    return ANSI.sub("", text)


@dataclass
class Ran:
    """What one cell replied and published."""

    reply: dict
    messages: list = field(default_factory=list)  # iopub, in order, busy to idle
    seconds: float = 0

    @property
    def ok(self):
        return self.reply["status"] == "ok"

    def _text(self, name):
        return "".join(
            m["content"]["text"] for m in self.messages if m["msg_type"] == "stream" and m["content"]["name"] == name
        )

    @property
    def stdout(self):
        return self._text("stdout")

    @property
    def stderr(self):
        return self._text("stderr")

    def of(self, msg_type):
        return [m["content"] for m in self.messages if m["msg_type"] == msg_type]

    @property
    def result(self):
        """The cell's value as text, None where it has none."""
        results = self.of("execute_result")
        assert len(results) <= 1, results
        return results[0]["data"]["text/plain"] if results else None

    @property
    def ename(self):
        return self.reply.get("ename")

    @property
    def evalue(self):
        return plain(self.reply.get("evalue", ""))

    @property
    def trace(self):
        """The error's traceback without colours."""
        return plain("\n".join(self.reply.get("traceback", [])))


class Kernel:
    """One running kernel."""

    def __init__(self, cwd=None, env=None, name="holt"):
        self.manager = KernelManager(kernel_name=name)
        self.manager.start_kernel(cwd=str(cwd) if cwd else None, env={**os.environ, **(env or {})})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.allow_stdin = False  # nobody is there: tests that answer say so
        self.client.wait_for_ready(timeout=30)
        self.warm = False

    def start(self, code, **options):
        """Sends a cell and does not wait for it."""
        return self.client.execute(code, **options)

    def finish(self, msg_id, timeout=CELL):
        """Waits for the reply and the idle of a cell."""
        began = time.monotonic()
        messages = []
        while True:
            left = timeout - (time.monotonic() - began)
            try:
                m = self.client.get_iopub_msg(timeout=max(left, 0.1))
            except Empty:
                shown = [(m["msg_type"], m["content"]) for m in messages]
                raise AssertionError(f"no idle within {timeout} s; so far {shown}") from None
            if m["parent_header"].get("msg_id") != msg_id:
                continue
            messages.append(m)
            if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle":
                break
        while True:
            reply = self.client.get_shell_msg(timeout=5)
            if reply["parent_header"].get("msg_id") == msg_id:
                break
        return Ran(reply["content"], messages, time.monotonic() - began)

    def run(self, code, timeout=None, **options):
        """Runs a cell to its end, whether it succeeds or not."""
        if timeout is None:
            timeout = CELL if self.warm else FIRST_CELL
        ran = self.finish(self.start(code, **options), timeout)
        self.warm = True
        return ran

    def do(self, code, **options):
        """Runs a cell that must succeed."""
        ran = self.run(code, **options)
        assert ran.ok, f"{code!r} failed: {ran.trace or ran.reply}"
        return ran

    def fail(self, code, **options):
        """Runs a cell that must fail."""
        ran = self.run(code, **options)
        assert ran.reply["status"] == "error", f"{code!r} did not fail: {ran.reply} {ran.stdout}"
        return ran

    def wait_output(self, text, timeout=CELL):
        """Waits until a running cell has printed text."""
        seen = ""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                m = self.client.get_iopub_msg(timeout=1)
            except Empty:
                continue
            if m["msg_type"] == "error":
                raise AssertionError(f"the cell failed: {plain(chr(10).join(m['content']['traceback']))}")
            if m["msg_type"] == "stream":
                seen += m["content"]["text"]
                if text in seen:
                    return
        raise AssertionError(f"{text!r} was not printed within {timeout} s, but {seen!r}")

    def host(self):
        """The process id of the host, which is the value of os.Getpid() in a cell."""
        return int(self.do('import "os"\nos.Getpid()').result)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel()


def wait_for_gopls(client, timeout=FIRST_CELL):
    """Waits until a kernel completes names, which it does once gopls has read the packages."""
    end = time.monotonic() + timeout
    while not client.complete("fmt.Printl", reply=True, timeout=60)["content"]["matches"]:
        assert time.monotonic() < end, f"fmt.Printl has no completion after {timeout} s"
        time.sleep(0.2)


def command(*args, env=None, timeout=120):
    """Runs holt and returns what it did."""
    return subprocess.run(
        [HOLT, *args], env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=timeout
    )

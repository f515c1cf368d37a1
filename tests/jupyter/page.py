"""The notebook page, as far as GoNB's widgets need it, without a browser."""

import re
import time
import uuid
from queue import Empty

import holt


class Page:
    """What globalThis.gonb_comm of the kernel's script does, over the test's own client."""

    def __init__(self, kernel):
        self.kernel = kernel
        self.comm = uuid.uuid4().hex
        self.seen = []  # (address, value) from the kernel
        self.shown = []  # html that was displayed, with its display id
        self.scripted_by = []  # types of the messages that brought scripts of gonbui/dom
        self._send("comm_open", target_name="gonb_comm", data={})

    def _send(self, msg_type, **content):
        client = self.kernel.client
        msg = client.session.msg(msg_type, {"comm_id": self.comm, **content})
        client.shell_channel.send(msg)

    def send(self, address, value):
        self._send("comm_msg", data={"address": address, "value": value})

    def wait(self, done, timeout=holt.CELL):
        """Reads iopub until done() is true."""
        end = time.monotonic() + timeout
        while not done():
            assert time.monotonic() < end, f"not within {timeout} s; values {self.seen}, displays {len(self.shown)}"
            try:
                m = self.kernel.client.get_iopub_msg(timeout=1)
            except Empty:
                continue
            self.take(m)
            if m["msg_type"] == "error":
                raise AssertionError(holt.plain("\n".join(m["content"]["traceback"])))
        return self

    def take(self, m):
        """Looks at a message of iopub."""
        content = m["content"]
        if m["msg_type"] == "comm_msg" and content["comm_id"] == self.comm:
            self.seen.append((content["data"]["address"], content["data"]["value"]))
        elif m["msg_type"] in ("display_data", "update_display_data"):
            id = content["transient"].get("display_id")
            self.shown.append((id, content["data"].get("text/html")))
            if (id or "").startswith("gonb_transient_js_"):
                self.scripted_by.append(m["msg_type"])

    def values(self, address):
        return [v for a, v in self.seen if a == address]

    def scripts(self, pattern):
        """Groups of all scripts that ran so far and match a pattern."""
        return [m.groups() for _, html in self.shown for m in [re.search(pattern, html or "", re.S)] if m]

    def scripted(self, pattern):
        """Waits for a script, and returns its groups."""
        self.wait(lambda: self.scripts(pattern))
        return self.scripts(pattern)[-1]


class Unattended(Page):
    """A page in which nobody touches a widget: they say their first values, and
    an element that is asked for what it holds says so."""

    def take(self, m):
        before = len(self.shown)
        super().take(m)
        for _, html in self.shown[before:]:
            for address, value in re.findall(r'newSyncedVariable\("([^"]+)", ([^)]+)\)', html or ""):
                self.send(address, 0 if value == "0" else "50")
            for address in re.findall(r"gonb_comm\.send\('(/inner_html/[^']+)', html\)", html or ""):
                self.send(address, "what the element holds")

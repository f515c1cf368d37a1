"""The comm by which a page follows a run and steers it, without a browser: what kernel/jupyter/live/follow.js does."""

import time
import uuid
from queue import Empty

import pytest

import holt

RUN = """model := dl.Build(dl.Sequential{dl.Linear{Out: 2}}, dl.Shape{4, 3})
type noise struct{}
func (noise) Len() int { return 4 }
func (noise) Get(i int) (dl.Example, error) { return dl.Example{Input: dl.Randn(3), Label: i % 2}, nil }
slow := func(dl.StepDone) error { time.Sleep(20 * time.Millisecond); return nil }
data := dl.DataLoader{Dataset: noise{}, BatchSize: 4}
run := dl.Start(model, dl.Training{Data: data, Epochs: 100_000, Optimizer: dl.SGD{LR: 0.01}, OnStep: slow})
display.Live(run)"""


class Follower:
    """A page that follows a display."""

    def __init__(self, kernel, display):
        self.kernel, self.display, self.comm = kernel, display, "holt-live-" + uuid.uuid4().hex
        self.seen = []
        self._send("comm_open", target_name="holt_live", data={"display": display, "do": "attach"})

    def _send(self, msg_type, **content):
        client = self.kernel.client
        client.shell_channel.send(client.session.msg(msg_type, {"comm_id": self.comm, **content}))

    def do(self, action, value=0):
        self._send("comm_msg", data={"display": self.display, "do": action, "value": value})

    def wait(self, done, timeout=holt.CELL):
        """Waits for a message for which done is true, and returns it."""
        end = time.monotonic() + timeout
        while True:
            assert time.monotonic() < end, f"not within {timeout} s: {self.seen}"
            try:
                m = self.kernel.client.get_iopub_msg(timeout=1)
            except Empty:
                continue
            if m["msg_type"] == "comm_msg" and m["content"]["comm_id"] == self.comm:
                self.seen.append(m["content"]["data"])
                if done(self.seen[-1]):
                    return self.seen[-1]

    def shows(self, text):
        return self.wait(lambda d: text in d.get("html", ""))


@pytest.fixture(scope="module")
def kernel(installed):
    k = holt.Kernel()
    yield k
    k.close()


@pytest.fixture(scope="module")
def display(kernel):
    first, *others = kernel.do(RUN).of("display_data")
    html = first["data"]["text/html"]
    # There is no Jupyter server here, and so no script that would look for one.
    assert "as of" in html and "<img" in html and "<script>" not in html
    assert all(o["data"]["text/html"] == "" for o in others)
    return first["transient"]["display_id"]


def test_steering(kernel, display):
    page = Follower(kernel, display)
    assert page.shows("lr 0.01")["going"]
    page.do("pause")
    page.shows('data-paused="true"')
    page.do("lr", 0.25)
    page.shows('data-lr="0.25"')
    assert kernel.do("fmt.Println(run.Paused(), run.LR())").stdout == "true 0.25\n"
    page.do("lr", -1)
    assert page.wait(lambda d: "error" in d)["error"] == "the learning rate is -1, want a number that is not negative"
    page.do("jump")
    assert page.wait(lambda d: "error" in d)["error"] == 'a run knows no action "jump", want one of pause, resume, stop, lr'
    page.do("resume")
    page.shows('data-paused="false"')


def test_steering_while_a_cell_runs(kernel, display):
    page = Follower(kernel, display)
    page.wait(lambda d: d.get("going"))
    cell = kernel.start("for !run.Paused() {\n\ttime.Sleep(time.Millisecond)\n}\nrun.Resume()")
    page.do("pause")
    assert kernel.finish(cell).ok


def test_a_display_of_another_kernel(kernel, display):
    page = Follower(kernel, "holt-of-old")
    assert page.wait(lambda d: True) == {"gone": "the kernel was started again"}


def test_the_host_ends(kernel, display):
    page = Follower(kernel, display)
    page.wait(lambda d: d.get("going"))
    kernel.fail('import "syscall"\nsyscall.Kill(os.Getpid(), syscall.SIGKILL)\nselect {}')
    late = Follower(kernel, display).wait(lambda d: "gone" in d)
    assert late["gone"] == "the host process ended" and not late["going"] and "as of" in late["html"]

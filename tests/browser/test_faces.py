"""What cells show of a training's values, in JupyterLab: nothing wider than its cell, and letters that can be read."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from conftest import CHROMIUM, OUT
from holt import FIRST_CELL
from test_charts import run_all

try:
    import playwright  # noqa: F401
except ImportError:
    playwright = None

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium, or name it with HOLT_CHROMIUM"),
    pytest.mark.skipif(playwright is None, reason="requirements/browser.txt is not installed"),
]

# The first cell makes what the others show, one value each.
PREPARE = """\
train := vision.CIFAR10{Root: "data", Train: true, OrSample: true}.Open()
test := vision.CIFAR10{Root: "data", OrSample: true}.Open()
some := dl.RandomSplit(train, 1, 640)
few := dl.RandomSplit(test, 1, 200)
loader := dl.DataLoader{Dataset: some[0], BatchSize: 64, Shuffle: true, Seed: 1}
dl.Seed(1)
model := dl.Build(dl.Sequential{
	dl.Conv2d{Out: 32, Kernel: 5, Padding: 2}, dl.BatchNorm2d{}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2},
	dl.Conv2d{Out: 64, Kernel: 5, Padding: 2}, dl.BatchNorm2d{}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2},
	dl.Flatten{}, dl.Linear{Out: 64}, dl.ReLU{}, dl.Dropout{}, dl.Linear{Out: 10},
}, dl.Shape{64, 3, 32, 32})
run := dl.Start(model, dl.Training{
	Data: loader, Eval: few[0], Epochs: 3, Optimizer: dl.Adam{LR: 0.002}, Metrics: []dl.Metric{dl.TopK{K: 3}},
	Scheduler: dl.CosineAnnealingLR{TMax: 3},
})
run.Wait()
batch := loader.First()
example := train.Get(0)
gradients := model.Gradients(batch, nil)
result := dl.Evaluate(model, few[0], dl.TopK{K: 3}, dl.ConfusionMatrix{Classes: test.Classes})
scores := model.Predict(batch.Inputs)
resnet := dl.Build(models.ResNet18(1000), dl.Shape{1, 3, 64, 64})
type Timing struct {
	Backend, Precision string
	FirstStep, Step    time.Duration
	PicturesASecond    float64
	Note               string
}
timings := []Timing{
	{"cpu", "float32", 1300 * time.Millisecond, 24 * time.Millisecond, 2650.5, "the processor, as it is used for everything that is not on a GPU"},
	{"go", "float32", 20 * time.Millisecond, 1400 * time.Millisecond, 45.7, "pure Go"},
}"""

FACES = {
    "model": "model",
    "resnet": "resnet",
    "summary": "resnet.Summary()",
    "graph": "display.Graph(resnet)",
    "epochs": "run.Epochs()",
    "devices": "dl.Devices()",
    "result": "result",
    "confusion": "result.Confusion",
    "report": "display.Report{Labels: batch.Labels, Predicted: scores, Classes: test.Classes}",
    "roc": "display.ROC{Labels: batch.Labels, Scores: scores, Classes: test.Classes}",
    "batch": "batch",
    "dataset": "train",
    "example": "example",
    "loader": "loader",
    "tensor": "batch.Inputs",
    "gradients": "gradients",
    "norms": "gradients.Norms()",
    "map": 'map[string]string{"a short name": "a text", "a name that is longer than most": strings.Repeat("a long text ", 20)}',
    "windows": "display.Windows{Of: dl.Arange(25).Reshape(5, 5), Result: dl.Arange(9).Reshape(3, 3), Kernel: 3, Moving: true}",
    "structs": "timings",
    "numbers": "[][]float64{{1, 2, 3}, {4, 5, 6}}",
    "weights": "display.Weights(resnet)",
    "doctor": "dl.Doctor(model, loader, nil)",
    "live": "display.Live(run)",
    "row": 'display.Row(display.Plot([]float64{1, 4, 9}), display.Hist([]float64{1, 2, 2}))',
    "interact": "display.Interact(func(rate float64, on bool) any { return display.Plot([]float64{rate, 1}) })",
    "inner": "display.Graph(dl.Build(dl.Sequential{dl.Linear{Out: 2}}, dl.Shape{4, 3}))",  # which Build may return
    "error": 'model.Predict(dl.Ones(64, 3, 28, 28))',
}


# JupyterLab renders the cells that are in sight.
TALL = 20_000


@pytest.fixture(scope="module")
def page(browser, lab):
    cells = [PREPARE, *FACES.values()]
    nb = new_notebook(cells=[new_code_cell(c) for c in cells])
    nb.cells[-1].metadata["tags"] = ["raises-exception"]
    nb.metadata["kernelspec"] = {"name": "holt", "display_name": "Go (holt)", "language": "go"}
    nbformat.write(nb, lab.folder / "faces.ipynb")
    page = browser.new_page(viewport={"width": 760, "height": TALL})
    page.set_default_timeout(FIRST_CELL * 1000)
    lab.open(page, "faces.ipynb")
    page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
    run_all(page)
    page.set_default_timeout(20_000)
    page.wait_for_function(
        """n => {
            const prompts = [...document.querySelectorAll(".jp-Notebook .jp-InputPrompt")].map((p) => p.textContent);
            return prompts.length === n && !prompts.some((p) => p.includes("*"));
        }""",
        arg=len(cells), timeout=FIRST_CELL * 1000,
    )  # fmt: skip
    assert page.locator(".jp-Notebook .jp-InputPrompt").all_inner_texts()[-1] == f"[{len(cells)}]:", "a cell failed"
    page.evaluate("document.querySelectorAll('.jp-OutputArea-output details').forEach((d) => d.open = true)")
    yield page
    page.close()


def shown(page):
    """Each theme and width, with the page as it is then."""
    for theme in ("Light", "Dark"):
        page.locator(".lm-MenuBar-itemLabel").get_by_text("Settings", exact=True).click()
        for name in ("Theme", f"JupyterLab {theme}"):
            page.locator(".lm-Menu-itemLabel").get_by_text(name, exact=True).last.click()
        page.locator(f'body[data-jp-theme-light="{"true" if theme == "Light" else "false"}"]').wait_for(state="attached")
        for width in (760, 1400):
            page.set_viewport_size({"width": width, "height": TALL})
            page.keyboard.press("Escape")
            if width == 760:
                hide_files(page)
            page.wait_for_timeout(1500)
            yield theme.lower(), width


def hide_files(page):
    """Hides the file browser, which takes a third of the width. A busy page takes a key late, or not at all."""
    files = page.locator(".jp-FileBrowser")
    for _ in range(10):
        page.wait_for_timeout(500)
        if not files.is_visible():
            return
        page.keyboard.press("Control+b")
    raise AssertionError("the file browser stays open")


# What of an output's content ends right of it, in pixels.
BEYOND = """outputs => outputs.map((o) => {
    const right = o.getBoundingClientRect().right;
    return Math.max(0, o.scrollWidth - o.clientWidth, ...[...o.querySelectorAll("table, img, svg, canvas")].map((e) => e.getBoundingClientRect().right - right));
})"""

# The texts of outputs whose contrast is less than WCAG 2's 4.5, with it. Pictures are not texts.
FAINT = """outputs => {
    const parse = (c) => (c.match(/[0-9.]+/g) || []).map(Number);
    const over = (c, ground) => { const a = c[3] ?? 1; return [0, 1, 2].map((i) => a * c[i] + (1 - a) * ground[i]); };
    const lightness = (c) => {
        const [r, g, b] = c.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const seen = new Set();
    for (const output of outputs) {
        const texts = document.createTreeWalker(output, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            const e = texts.currentNode.parentElement;
            if (!texts.currentNode.textContent.trim() || e.closest("svg, script, style, button:disabled, input:disabled") || !e.checkVisibility({opacityProperty: true})) {
                continue;
            }
            const above = [];
            let opacity = 1;
            for (let a = e; a; a = a.parentElement) {
                above.unshift(parse(getComputedStyle(a).backgroundColor));
                opacity *= Number(getComputedStyle(a).opacity);
            }
            const ground = above.reduce((g, c) => over(c, g), [255, 255, 255]);
            const letter = parse(getComputedStyle(e).color);
            const [x, y] = [lightness(over([...letter.slice(0, 3), (letter[3] ?? 1) * opacity], ground)), lightness(ground)].sort((a, b) => b - a);
            const contrast = (x + 0.05) / (y + 0.05);
            if (contrast < 4.5) {
                seen.add(`${contrast.toFixed(2)}: ${texts.currentNode.textContent.trim().slice(0, 60)}`);
            }
        }
    }
    return [...seen];
}"""


def test_fits_and_is_legible(page):
    wrong = []
    for theme, width in shown(page):
        for i, name in enumerate(FACES):
            cell = page.locator(".jp-Notebook .jp-Cell").nth(i + 1)
            cell.screenshot(path=OUT / f"faces-{name}-{theme}-{width}.png")
            outputs = cell.locator(".jp-OutputArea-output")
            beyond = outputs.evaluate_all(BEYOND)
            if max(beyond) > 1:
                wrong.append(f"{name} is {max(beyond):.0f} pixels wider than its cell at {width}, {theme}")
            wrong += [f"{name} in the {theme} theme has a contrast of {faint}" for faint in outputs.evaluate_all(FAINT)]
    assert not wrong, "\n".join(dict.fromkeys(wrong))


def test_a_moving_picture_moves(page):
    picture = page.locator(".jp-Notebook .jp-Cell").nth(1 + list(FACES).index("windows")).locator("img")
    picture.scroll_into_view_if_needed()
    first = picture.screenshot()
    for _ in range(20):
        page.wait_for_timeout(200)
        if picture.screenshot() != first:
            return
    raise AssertionError("the window does not move")


def test_check_finds_what_is_wrong(browser):
    """The test of the test: letters that are pale by their colour, by their opacity and by their ground, and a wide table."""
    page = browser.new_page(viewport={"width": 400, "height": 400})
    page.set_content(
        '<!DOCTYPE html><body style="background:#111"><div style="background:#fff;width:200px"><i style="color:#aaa">pale</i>'
        '<b style="color:#000;opacity:0.3">paler</b><p>black</p><p style="background:rgba(0,0,0,0.8)">on gray</p>'
        '<table style="width:300px"><tr><td>wide</td></tr></table></div></body>'
    )
    assert [said.split(": ")[1] for said in page.locator("body > div").evaluate_all(FAINT)] == ["pale", "paler", "on gray"]
    assert page.locator("body > div").evaluate_all(BEYOND) == [100]
    page.close()

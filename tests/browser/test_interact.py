"""display.Interact and GoNB's widgets in JupyterLab: controls that are moved, and the results that follow."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from conftest import CHROMIUM, OUT
from holt import FIRST_CELL
from test_charts import run_all
from test_lab import menu, run

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium, or name it with HOLT_CHROMIUM"),
    pytest.mark.skipif(expect is None, reason="requirements/browser.txt is not installed"),
]

CELLS = [
    """\
display.Interact(func(rate float64, steps int, shape string, grid bool, seed int) (any, error) {
	fmt.Println("seed", seed)
	if shape == "fails" {
		return nil, errors.New("there is no such shape")
	}
	if steps == 5 {
		return []int{}[steps], nil
	}
	var ys []float64
	for i := range 20 * steps {
		ys = append(ys, math.Sin(rate*float64(i)))
	}
	p := display.Plot(ys)
	p.Title = fmt.Sprintf("%v %d %s %t %d", rate, steps, shape, grid, seed)
	return p, nil
}, display.Slider{From: 0.01, To: 1, Log: true, Start: 0.1}, display.Slider{To: 5, Start: 2},
	display.Menu{Choices: []string{"line", "fails"}}, display.Button{Name: "seed"})""",
    'display.Interact(func(name string, wait int) string {\n\ttime.Sleep(time.Duration(wait) * 100 * time.Millisecond)\n\treturn "hello " + name\n}, display.Field{Start: "you"})',
]


def opened(browser, lab, workspace="interact"):
    page = browser.new_context(viewport={"width": 1000, "height": 1600}).new_page()  # as another person's
    page.set_default_timeout(FIRST_CELL * 1000)
    lab.open(page, "interact.ipynb", workspace)
    page.locator(".jp-Notebook .jp-Cell").nth(len(CELLS) - 1).wait_for()
    page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
    page.set_default_timeout(20_000)
    return page


@pytest.fixture(scope="module")
def page(browser, lab):
    nb = new_notebook(cells=[new_code_cell(c) for c in CELLS])
    nb.metadata["kernelspec"] = {"name": "holt", "display_name": "Go (holt)", "language": "go"}
    nbformat.write(nb, lab.folder / "interact.ipynb")
    page = opened(browser, lab)
    run_all(page)
    page.locator(".jp-Notebook .jp-Cell").nth(1).get_by_text("hello you").wait_for(timeout=FIRST_CELL * 1000)
    yield page
    page.context.close()


def cell(page, i):
    return page.locator(".jp-Notebook .jp-Cell").nth(i).locator(".jp-OutputArea")


def control(page, i, name):
    return cell(page, i).locator("label").filter(has=page.get_by_text(name, exact=True)).locator("[data-i]")


def line(page, i):
    """Of which values the result is that the front end shows."""
    return cell(page, i).locator("[data-holt-result]")


def drawn(page, i):
    """A result that the controls show by themselves."""
    return cell(page, i).locator("[data-drawn]")


def title(page, text):
    """Waits for the picture with a title, which Vega draws as text."""
    cell(page, 0).locator("svg.marks").get_by_text(text, exact=True).wait_for()


def drag(slider, part):
    box = slider.bounding_box()
    page = slider.page
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + part * box["width"], box["y"] + box["height"] / 2, steps=10)
    page.mouse.up()


def test_controls_change_the_result(page):
    title(page, "0.1 2 line false 0")
    expect(cell(page, 0).locator("[data-note]")).to_be_hidden()  # it says that the controls do nothing
    expect(line(page, 0)).to_have_text('rate = 0.1, steps = 2, shape = line, grid = false, seed = 0')
    page.screenshot(path=OUT / "interact-first.png")
    control(page, 0, "grid").check()
    title(page, "0.1 2 line true 0")
    control(page, 0, "seed").click()
    title(page, "0.1 2 line true 1")
    drag(control(page, 0, "rate"), 0.999)
    title(page, "1 2 line true 1")
    assert control(page, 0, "rate").evaluate("e => e.parentElement.querySelector('output').textContent") == "1"
    expect(cell(page, 0).get_by_text(re.compile("seed 1"))).to_be_visible()  # what the function prints
    field = control(page, 1, "name")
    field.fill("")
    field.press_sequentially("Go, <b>")
    cell(page, 1).get_by_text("hello Go, <b>", exact=True).wait_for()


def test_errors_and_panics_stand_in_the_result_s_place(page):
    control(page, 0, "shape").select_option("fails")
    cell(page, 0).get_by_text("there is no such shape").wait_for()
    control(page, 0, "shape").select_option("line")
    cell(page, 0).locator("svg.marks").wait_for()
    drag(control(page, 0, "steps"), 0.99)
    cell(page, 0).get_by_text(re.compile(r"panic: runtime error: index out of range .*\(cell\[\d+\]:7\)")).wait_for()
    page.screenshot(path=OUT / "interact-panic.png")
    drag(control(page, 0, "steps"), 0.4)
    cell(page, 0).locator("svg.marks").wait_for()


def test_only_the_last_value_counts(page):
    wait = control(page, 1, "wait")
    drag(wait, 0.99)  # a second for each call from here on
    field = control(page, 1, "name")
    field.fill("")
    field.press_sequentially("a long name", delay=20)
    cell(page, 1).get_by_text("hello a long name", exact=True).wait_for(timeout=6_000)


def test_fits_and_is_legible(page):
    for theme in ("Light", "Dark"):
        page.locator(".lm-MenuBar-itemLabel").get_by_text("Settings", exact=True).click()
        for name in ("Theme", f"JupyterLab {theme}"):
            page.locator(".lm-Menu-itemLabel").get_by_text(name, exact=True).last.click()
        page.locator(f'body[data-jp-theme-light="{"true" if theme == "Light" else "false"}"]').wait_for(state="attached")
        for width in (760, 1400):
            page.set_viewport_size({"width": width, "height": 1600})
            page.keyboard.press("Escape")
            if width == 760 and page.locator(".jp-FileBrowser").is_visible():
                page.keyboard.press("Control+b")
            page.wait_for_timeout(1000)
            page.screenshot(path=OUT / f"interact-{theme.lower()}-{width}.png")
            output = cell(page, 0).locator(".jp-OutputArea-output").first.bounding_box()
            for name in ("rate", "steps", "shape", "grid", "seed"):
                drawn = control(page, 0, name).bounding_box()
                assert drawn["x"] + drawn["width"] <= output["x"] + output["width"], f"{name} is wider than a page of {width}"


def save(page):
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    page.get_by_text("Saving completed").first.wait_for(state="attached")


def set_by_keys(page, i, name, value):
    """Sets a slider of whole numbers as a person without a mouse does."""
    slider = control(page, i, name)
    slider.focus()
    slider.press("Home")
    for _ in range(value):
        slider.press("ArrowRight")


def test_after_a_reload_they_go_on(page):
    set_by_keys(page, 0, "steps", 3)
    title(page, re.compile(r"^\S+ 3 line"))
    set_by_keys(page, 1, "wait", 1)
    cell(page, 1).get_by_text("hello a long name", exact=True).wait_for()
    expect(line(page, 1)).to_have_text('name = "a long name", wait = 1')
    save(page)
    page.reload()
    # They stand where they stood, beside the result that was saved.
    steps = control(page, 0, "steps")
    expect(steps).to_be_enabled(timeout=60_000)
    expect(steps).to_have_value("3")
    expect(control(page, 1, "name")).to_have_value("a long name")
    expect(control(page, 1, "wait")).to_have_value("1")
    expect(cell(page, 0).locator("svg.marks")).to_be_visible()
    expect(cell(page, 0).locator("[data-note]")).to_be_hidden()
    # A control that is moved shows a new result in the place of the saved one.
    set_by_keys(page, 0, "steps", 4)
    picture = drawn(page, 0).locator("img")
    picture.wait_for()
    expect(cell(page, 0).locator("svg.marks")).to_be_hidden()
    expect(picture).to_have_attribute("alt", re.compile(" 4 line"))
    control(page, 1, "name").fill("again")
    drawn(page, 1).get_by_text("hello again", exact=True).wait_for()
    expect(cell(page, 1).get_by_text("hello a long name", exact=True)).to_be_hidden()
    page.screenshot(path=OUT / "interact-reloaded.png")


def test_two_pages_show_the_same(page, browser, lab):
    save(page)
    other = opened(browser, lab, "interact-other")
    try:
        expect(control(other, 0, "steps")).to_be_enabled(timeout=60_000)
        expect(control(other, 0, "steps")).to_have_value("4")
        drawn(other, 1).get_by_text("hello again", exact=True).wait_for()  # and not what was saved
        control(other, 1, "name").fill("from the other")
        for p in (page, other):
            drawn(p, 1).get_by_text("hello from the other", exact=True).wait_for()
        expect(control(page, 1, "name")).to_have_value("from the other")
        # The page in which the cell is run again has the front end's own result.
        run(other, 1)
        cell(other, 1).get_by_text("hello you", exact=True).wait_for()
        control(other, 1, "name").fill("Ada")
        cell(other, 1).get_by_text("hello Ada", exact=True).wait_for()
        other.wait_for_timeout(3000)  # longer than the front end may take
        assert drawn(other, 1).count() == 0
        expect(cell(other, 1).get_by_text("hello Ada", exact=True)).to_be_visible()
    finally:
        other.context.close()


def test_after_a_restart_they_say_so(page):
    page.on("dialog", lambda d: d.accept())
    menu(page, "Kernel", "Restart Kernel…")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    for i in (0, 1):
        expect(cell(page, i).get_by_text("stopped: the kernel was restarted; run the cell again")).to_be_visible(timeout=60_000)
    expect(control(page, 0, "steps")).to_be_disabled()
    page.screenshot(path=OUT / "interact-restarted.png")
    # The notebook was saved before the kernel ended, and its controls ask the new one.
    page.reload()
    expect(cell(page, 0).get_by_text("stopped: the kernel was started again; run the cell again")).to_be_visible(timeout=60_000)
    expect(control(page, 0, "steps")).to_be_disabled()
    run_all(page)
    cell(page, 1).get_by_text("hello you", exact=True).wait_for(timeout=FIRST_CELL * 1000)
    control(page, 1, "name").fill("at last")
    cell(page, 1).get_by_text("hello at last", exact=True).wait_for()

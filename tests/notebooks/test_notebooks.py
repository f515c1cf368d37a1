"""Every notebook of the course from top to bottom with the solutions of its exercises, and what nbconvert makes of it."""

import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter, LatexExporter
from nbconvert.writers import FilesWriter

sys.path.insert(0, str(Path(__file__).parents[1] / "jupyter"))
from holt import CHECKOUT, FIRST_CELL, command, plain  # noqa: E402

SOURCES = sorted((CHECKOUT / "notebooks").glob("*.ipynb"))
OUT = CHECKOUT / "notebooks" / "out"
TEMPLATES = str(CHECKOUT / "kernel" / "jupyter" / "spec" / "nbconvert")  # those of this checkout, installed or not
# What JupyterLab shows, without a script. VS Code without the Jupyter extension, GitHub and nbconvert take the picture of a chart.
SHOWN = {"text/plain", "text/html", "text/markdown", "text/latex", "image/png", "application/vnd.vegalite.v5+json"}
LATEX = [tool for tool in ("pandoc", "xelatex") if shutil.which(tool) is None]

# Paths of the machine that ran a notebook, which mean nothing on the reader's.
MACHINE = re.compile("|".join(re.escape(str(p)) + r"\b" for p in {CHECKOUT, Path.home(), Path(tempfile.gettempdir())} if len(str(p)) > 1))


CHAPTERS = [source for source in SOURCES if source.name[:2].isdigit()]
SOLUTION = re.compile(r"<details><summary>Solution of (\d+)</summary>\n\n(.+?)\n\n</details>", re.DOTALL)
GO = re.compile(r"^```go\n(.*?)\n```$", re.DOTALL | re.MULTILINE)


def solutions(nb):
    """The Go code of a notebook's solutions, a cell each, in their order."""
    text = "\n\n".join(c.source for c in nb.cells if c.cell_type == "markdown")
    return [code for _, solution in SOLUTION.findall(text) for code in GO.findall(solution)]


class Ran:
    """A notebook, and its run: its cells, and after them its solutions."""

    def __init__(self, source):
        self.file = OUT / source.name
        nb = nbformat.read(source, 4)
        for code in solutions(nb):
            nb.cells.append(nbformat.v4.new_code_cell(code, metadata={"tags": ["solution"]}))
        OUT.mkdir(exist_ok=True)
        nbformat.write(nb, self.file)
        began = time.monotonic()
        env = {"PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]}  # TensorBoard is there
        self.run = command("run", str(self.file), "--inplace", "--cwd", str(source.parent), env=env, timeout=3 * FIRST_CELL)
        print(f"{source.name}: {time.monotonic() - began:.0f} s", file=sys.__stderr__)
        nb = nbformat.read(self.file, 4)
        self.solved = [c for c in nb.cells if "solution" in c.metadata.get("tags", [])]
        nb.cells = [c for c in nb.cells if c not in self.solved]
        nbformat.write(nb, self.file)  # a page of the course hides its solutions

    def outputs(self):
        """The run's outputs, each with the cell it stands in."""
        nb = nbformat.read(self.file, 4)
        nbformat.validate(nb)
        return [(c, o) for c in nb.cells + self.solved if c.cell_type == "code" for o in c.outputs]

    def convertible(self):
        if self.run.returncode:
            pytest.skip(f"{self.file.name} did not run to its end")
        return str(self.file)


@pytest.fixture(scope="module", params=SOURCES, ids=lambda p: p.stem)
def ran(request):
    return Ran(request.param)


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_is_kept_without_outputs(source):
    for c in nbformat.read(source, 4).cells:
        if c.cell_type == "code":
            assert not c.outputs and c.execution_count is None, f"clear the outputs before you commit: {c.source[:80]}"


@pytest.mark.parametrize("source", CHAPTERS, ids=lambda p: p.stem)
def test_exercises_have_solutions(source):
    exercises = [c.source for c in nbformat.read(source, 4).cells if c.source.startswith("## Exercises\n")]
    assert len(exercises) == 1
    asked = re.findall(r"^(\d+)\. ", exercises[0], re.MULTILINE)
    assert len(asked) >= 3
    assert [number for number, _ in SOLUTION.findall(exercises[0])] == asked


@pytest.mark.parametrize("source", CHAPTERS, ids=lambda p: p.stem)
def test_links_onward(source):
    text = "\n".join(c.source for c in nbformat.read(source, 4).cells if c.cell_type == "markdown")
    links = re.findall(r"\]\(([^)#:]+\.ipynb)\)", text)
    assert [link for link in links if not (source.parent / link).is_file()] == []
    after = CHAPTERS[CHAPTERS.index(source) + 1 :]
    if after:
        assert text.splitlines()[-1].endswith(f"]({after[0].name})"), "the last line wants a link to the next chapter"


@pytest.mark.parametrize("source", CHAPTERS, ids=lambda p: p.stem)
def test_dollars_are_formulas(source):
    for c in nbformat.read(source, 4).cells:
        if c.cell_type == "markdown":
            prose = re.sub(r"```.*?```|`[^`]*`", "", c.source, flags=re.DOTALL)
            assert len(re.findall(r"(?<!\\)\$", prose)) % 2 == 0, prose
            assert "\\operatorname" not in prose, "the pages of holt do not draw it"


def test_has_a_picture_in_its_first_screen(ran):
    first = next(c for c in nbformat.read(ran.file, 4).cells if c.cell_type == "code")
    if ran.file.name in {source.name for source in CHAPTERS}:
        assert any("image/png" in o.get("data", {}) for o in first.outputs), first.source


def test_runs_to_its_end(ran):
    assert ran.run.returncode == 0, ran.run.stderr


def test_shows_nothing_that_a_reader_would_stumble_over(ran):
    for cell, out in ran.outputs():
        text = plain(out.get("text") or "\n".join(out.get("traceback", [])))
        text += "".join(data for mime, data in out.get("data", {}).items() if mime.startswith("text/"))
        assert not MACHINE.search(text), f"a path of this machine: {text}"
        assert not re.search(r"\b(warning|deprecated)\b", text, re.IGNORECASE), text
        assert out.output_type != "error" or "raises-exception" in cell.metadata.get("tags", []), text
        if out.output_type in ("display_data", "execute_result"):
            assert set(out.data) <= SHOWN, set(out.data)
            assert "<script" not in text, text
            assert "image/png" in out.data or not any("vega" in mime for mime in out.data), "a chart without the picture that most pages show"
            assert out.data.get("text/plain"), f"{set(out.data)} without a text, which consoles and PDF files need"
            assert "image/png" not in out.data or out.metadata.get("image/png", {}).get("alt"), f"a picture without an alternative text: {text}"
            assert not re.search(r"<img(?![^>]* alt=\"[^\"])", out.data.get("text/html", "")), "a picture in HTML without an alternative text"


def test_as_html_without_a_warning(ran, caplog):
    source = ran.convertible()
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        page, _ = HTMLExporter(template_name="holt", extra_template_basedirs=[TEMPLATES]).from_filename(source)
    assert not caplog.messages
    ran.file.with_suffix(".html").write_text(page)


@pytest.mark.skipif(bool(LATEX), reason=f"{' and '.join(LATEX)} not installed, which make PDF files")
def test_as_pdf_without_a_warning(ran, caplog, tmp_path):
    source = ran.convertible()
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        tex, resources = LatexExporter(template_name="holt-latex", extra_template_basedirs=[TEMPLATES]).from_filename(source)
    assert not caplog.messages
    FilesWriter(build_directory=str(tmp_path)).write(tex, resources, notebook_name="notebook")
    done = subprocess.run(
        ["xelatex", "-interaction=nonstopmode", "notebook.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=FIRST_CELL, env={**os.environ, "max_print_line": "1000"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    missing = re.findall(r"Missing character: .*", done.stdout)
    assert not missing, missing[:5]
    # More than a letter beyond the margin, in points.
    wide = [line for line in re.findall(r"Overfull \\hbox .*", done.stdout) if float(re.search(r"\(([\d.]+)pt", line)[1]) > 10]
    assert not wide, wide[:5]
    shutil.copy(tmp_path / "notebook.pdf", ran.file.with_suffix(".pdf"))

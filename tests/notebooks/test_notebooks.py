"""Every notebook of the course from top to bottom, and what nbconvert makes of it."""

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
TEMPLATES = str(CHECKOUT / "kernel" / "spec" / "nbconvert")  # those of this checkout, installed or not
# What JupyterLab, VS Code, GitHub and nbconvert all show, without a script.
SHOWN = {"text/plain", "text/html", "text/markdown", "text/latex", "image/png", "application/vnd.vegalite.v5+json"}
LATEX = [tool for tool in ("pandoc", "xelatex") if shutil.which(tool) is None]

# Paths of the machine that ran a notebook, which mean nothing on the reader's.
MACHINE = re.compile("|".join(re.escape(str(p)) + r"\b" for p in {CHECKOUT, Path.home(), Path(tempfile.gettempdir())} if len(str(p)) > 1))


class Ran:
    """A notebook, and its run."""

    def __init__(self, source):
        self.file = OUT / source.name
        began = time.monotonic()
        env = {"PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]}  # TensorBoard is there
        self.run = command("run", str(source), "-o", str(self.file), env=env, timeout=3 * FIRST_CELL)
        print(f"{source.name}: {time.monotonic() - began:.0f} s", file=sys.__stderr__)

    def outputs(self):
        """The run's outputs, each with the cell it stands in."""
        nb = nbformat.read(self.file, 4)
        nbformat.validate(nb)
        return [(c, o) for c in nb.cells if c.cell_type == "code" for o in c.outputs]

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
            assert set(out.data) <= SHOWN and "<script" not in text, set(out.data)
            assert "image/png" in out.data or not any("vega" in mime for mime in out.data), "a chart without the picture that most pages show"
            assert out.data.get("text/plain"), f"{set(out.data)} without a text, which consoles and PDF files need"


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

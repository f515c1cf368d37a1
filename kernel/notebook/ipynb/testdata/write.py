"""Writes the notebooks of this folder with Python's nbformat: python write.py"""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

every = new_notebook(
    metadata={
        "kernelspec": {"name": "holt", "display_name": "Go (holt)", "language": "go"},
        "a field": {"of": [1, 2.5, None, True, {}, []], "ours": "<&>\u2028é\x7f"},
    },
    cells=[
        new_markdown_cell("# Title\n\n![p](attachment:p.png)", id="m", attachments={"p.png": {"image/png": "aGk="}}),
        new_code_cell(
            "x := 1\nx + 1",
            id="c",
            execution_count=3,
            metadata={"tags": ["parameters"], "collapsed": False},
            outputs=[
                new_output("stream", name="stdout", text="one\ntwo\u2028three\r\n"),
                new_output("display_data", {"text/html": "<b>\n</b>", "application/json": ["a", "b"], "image/png": "aGk=\n"}),
                new_output("execute_result", {"text/plain": "2", "image/svg+xml": "<svg>\n</svg>"}, execution_count=3, metadata={"image/png": {"width": 640}}),
                new_output("error", ename="panic", evalue="no", traceback=["\x1b[31mpanic\x1b[0m: no", "line"]),
            ],
        ),
        new_code_cell("", id="empty"),
        new_raw_cell("raw\x85text\x0b", id="r"),
    ],
)
every["unknown"] = {"kept": True}
every.cells[1]["unknown"] = 5
every.cells[1].outputs[0]["unknown"] = "kept"
nbformat.write(every, "every.ipynb")

old = nbformat.v4.new_notebook(cells=[new_code_cell("1"), new_markdown_cell("text")])
old.nbformat_minor = 4
for cell in old.cells:
    del cell["id"]
nbformat.write(old, "minor4.ipynb")

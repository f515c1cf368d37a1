"""summary.py NOTEBOOK: where a run notebook lies, how long its cells took, and the last accuracy that it printed."""
import datetime
import json
import re
import sys


def texts(cell):
    for out in cell.get("outputs", []):
        text = out.get("text") or out.get("data", {}).get("text/plain") or ""
        yield text if isinstance(text, str) else "".join(text)


def seconds(cell):
    when = cell.get("metadata", {}).get("execution", {})
    start, end = when.get("iopub.status.busy"), when.get("iopub.status.idle")
    if not start or not end:
        return 0.0
    return (datetime.datetime.fromisoformat(end) - datetime.datetime.fromisoformat(start)).total_seconds()


path = sys.argv[1]
cells = [c for c in json.load(open(path))["cells"] if c["cell_type"] == "code"]
accuracy = None
for cell in cells:
    for text in texts(cell):
        for match in re.finditer(r"accuracy\D{0,40}?(\d+(?:\.\d+)?) ?%", text, re.IGNORECASE):
            accuracy = match.group(1)
times = [seconds(c) for c in cells]
print(f"  {path}")
print(f"  {path.removesuffix('.ipynb')}.html")
print(f"  {len(cells)} cells, {sum(times):.0f} s (the longest {max(times, default=0):.0f} s)"
      + (f"; final accuracy {accuracy}%" if accuracy else ""))

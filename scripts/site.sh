#!/bin/sh
# site.sh: runs the notebooks of the course and the gallery whose run is not in notebooks/out, and writes all of them
# as pages to docs/site. After a change of Holt, delete notebooks/out first.
set -e
PATH=$PWD/.venv/bin:$PATH # TensorBoard is there
mkdir -p notebooks/out
go build -o bin/site ./scripts/site
for notebook in $(bin/site -missing); do
	name=$(basename "$notebook" .ipynb)
	scripts/timed.sh "$notebook" bin/holt run -q "$notebook" -o "notebooks/out/$name.ipynb"
done
bin/site

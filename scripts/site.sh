#!/bin/sh
# site.sh: runs the notebooks of the course and the gallery whose cells are not those of their pages in docs/site, and
# writes the pages. After a change of what Holt shows, delete notebooks/out and docs/site/*.html first: all are run then.
set -e
PATH=$PWD/.venv/bin:$PATH # TensorBoard is there
mkdir -p notebooks/out
go build -o bin/site ./scripts/site
# A cell shows the host's name, which is to be nobody's in the pages.
for notebook in $(bin/site -missing); do
	name=$(basename "$notebook" .ipynb)
	scripts/timed.sh "$notebook" unshare --uts --map-root-user sh -c 'hostname laptop; exec "$@"' - \
		bin/holt run -q "$notebook" -o "notebooks/out/$name.ipynb"
done
bin/site

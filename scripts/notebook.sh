#!/bin/sh
# notebook.sh NOTEBOOK...: runs each from top to bottom with nbconvert, leaves it as .ipynb and .html in notebooks/out,
# and says where they are. Stops at the first notebook with a failing cell.
set -e
jupyter=.venv/bin/jupyter
out=notebooks/out
mkdir -p $out
for notebook; do
	name=$(basename "$notebook" .ipynb)
	scripts/timed.sh "$notebook" $jupyter nbconvert --log-level=WARN --to notebook --execute \
		--ExecutePreprocessor.kernel_name=holt --ExecutePreprocessor.timeout=1200 --ExecutePreprocessor.startup_timeout=300 \
		--output-dir $out --output "$name" "$notebook"
	$jupyter nbconvert --log-level=WARN --to html --output-dir $out "$out/$name.ipynb"
	.venv/bin/python scripts/summary.py "$out/$name.ipynb"
done

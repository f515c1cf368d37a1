#!/bin/sh
# All tests: Go's, each package once, those whose goroutines share data with the race detector; then those through a
# real Jupyter client, the notebooks of the course, and JupyterLab in a browser. The closing lines count them. RACE holds
# the packages for the race detector, RACE_DL names the tests of dl for it: those of the loaders and pauses. HOLT_TEST_DATA names a
# folder with the whole CIFAR-10 and the ants and bees, for the tests of vision; the course runs on its samples. What is
# skipped is listed at the end; HOLT_TEST_GO names another Go (go1.27.0) with which the kernel's tests run once more, where
# the go command can fetch it; HOLT_TEST_SKIPPED names a file of what may be, and another skipped test is a failure.
status=0
HOLT_TEST_COUNTS=$(mktemp)
HOLT_TEST_SKIPS=$(mktemp)
export HOLT_TEST_COUNTS HOLT_TEST_SKIPS
trap 'rm -f "$HOLT_TEST_COUNTS" "$HOLT_TEST_SKIPS"' EXIT
start=$(date +%s)
MEMORY=TestHugeFile # which limits the memory of its process
python=.venv/bin/python

${MAKE:-make} --no-print-directory -j4 ready gopls .venv/.test || exit 1

# shellcheck disable=SC2086 # RACE is a list of patterns
raced=$(go list $RACE) || exit 1
plain=$(go list ./... | grep -v -x -F "$raced") || exit 1
HOLT_DATA=$HOLT_TEST_DATA go test -json -vet=off -timeout 20m $plain | $python scripts/gotest.py "go test" || status=1
go test -json -vet=off -race -timeout 20m $raced | $python scripts/gotest.py "go test -race" || status=1
if [ -n "$HOLT_TEST_GO" ]; then
	if GOTOOLCHAIN=$HOLT_TEST_GO go version >/dev/null 2>&1; then
		GOTOOLCHAIN=$HOLT_TEST_GO go test -json -vet=off -timeout 20m -skip "$MEMORY|^TestTorture|^TestModules" ./kernel/... | $python scripts/gotest.py "go test, $HOLT_TEST_GO" || status=1
	else
		echo "$HOLT_TEST_GO cannot be fetched: the kernel is tested with $(go env GOVERSION) only" | tee -a "$HOLT_TEST_COUNTS"
	fi
fi
go test -json -vet=off -timeout 20m -run "$MEMORY" ./kernel/jupyter/history | $python scripts/gotest.py "go test -run '$MEMORY' ./kernel/jupyter/history" || status=1
go test -json -vet=off -race -timeout 20m -run "$RACE_DL" ./dl | $python scripts/gotest.py "go test -race -run '$RACE_DL' ./dl" || status=1

# client NAME: the tests in tests/NAME, and their closing line.
client() {
	log=$HOLT_TEST_COUNTS.pytest
	{ PYTHONPATH=scripts $python -m pytest -q -p skips "tests/$1" || touch "$log.failed"; } | tee "$log"
	test -e "$log.failed" && status=1
	tail -n 1 "$log" | sed "s/^=* */$1: /; s/ *=*$//" >>"$HOLT_TEST_COUNTS"
	rm -f "$log" "$log.failed"
}
client jupyter
client gonb
client install
client notebooks
client docker
client sanitiser
client vega
# JupyterLab is large: it is installed where there is a browser for it.
for browser in ${HOLT_CHROMIUM:-chromium chromium-browser google-chrome}; do
	if command -v "$browser" >/dev/null; then
		${MAKE:-make} --no-print-directory .venv/.browser || status=1
		break
	fi
done
client browser

echo
# shellcheck disable=SC2086 # no file is no argument
$python scripts/skips.py "$HOLT_TEST_SKIPS" $HOLT_TEST_SKIPPED || status=1
cat "$HOLT_TEST_COUNTS"
if [ $status = 0 ]; then word=passed; else word=FAILED; fi
echo "make test: $word in $(($(date +%s) - start)) s"
exit $status

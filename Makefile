# Holt's tasks. Everything is installed inside the checkout: .venv holds
# Jupyter, bin/ the programs, .holt/ the XLA plugin; only caches, of Go and of
# Holt, lie outside. A second run finds what the first one made.

VENV    := .venv
PY      := $(VENV)/bin/python
JUPYTER := $(VENV)/bin/jupyter
HOLT    := bin/holt
OUT     := notebooks/out
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# What is tested with the race detector: the kernel and what its goroutines share,
# the loaders, which read data ahead of the training step, and what pauses a run. Tests that limit
# the memory of a process run without it.
RACE    := ./kernel/... $(addprefix ./internal/, aside collective download frame notice pjrt plugins)
RACE_DL := Loader|Prefetch|PauseIsShared

export GOTOOLCHAIN ?= local
export HOLT_HOME ?= $(CURDIR)/.holt
export JUPYTER_PREFER_ENV_PATH := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: # what make alone does
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':[^#]*# ' '/^[a-z]+:.*# / && $$1 != "help" { printf "  %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: need # build everything and run the quickstart notebook in batch
	@scripts/timed.sh "tools, kernel and backend" $(MAKE) --no-print-directory -j4 ready
	@scripts/notebook.sh notebooks/quickstart.ipynb

.PHONY: test
test: need # run all tests: Go, race detector, and through a real Jupyter client
	@MAKE="$(MAKE)" RACE="$(RACE)" RACE_DL="$(RACE_DL)" scripts/test.sh

.PHONY: torture
torture: need # all of Go's own tests as notebooks, of which make test runs a tenth, and popular modules in cells
	@$(MAKE) --no-print-directory -j4 ready
	HOLT_TORTURE=all go test ./kernel -run '^TestTorture' -count 1 -v -timeout 2h
	HOLT_TORTURE=all go test ./kernel/host -run '^TestModules' -count 1 -v -timeout 1h

.PHONY: lint
lint: need bin/staticcheck # gofmt, go vet and staticcheck, and builds for other systems; fails on a finding
	@scripts/lint.sh

.PHONY: golden
golden: need # rewrite testdata/*.golden from what the code gives now; read the diff
	UPDATE_GOLDEN=1 go test ./...
	@git status --short -- '*.golden' '*/testdata/*'

.PHONY: bench
bench: need # our times beside those of PyTorch, JAX and GoNB, where they are installed; BASE=COMMIT: and of an earlier commit
	@$(MAKE) --no-print-directory -j4 ready
	@$(PY) bench/bench.py $(if $(BASE),--base $(BASE))

.PHONY: cuda
cuda: need # compile for an NVIDIA GPU that need not be there (GPU=h100) what dl's tests, the benchmarks and the course make
	@$(MAKE) --no-print-directory -j4 ready
	@scripts/cuda.sh

.PHONY: notebooks
notebooks: need # run every notebook from top to bottom, and convert it to HTML
	@$(MAKE) --no-print-directory -j4 ready $(VENV)/.test
	@$(PY) -m pytest -q -rs tests/notebooks

.PHONY: programs
programs: need # run PyTorch users' programs to their results, as notebooks: minutes each
	@$(MAKE) --no-print-directory -j4 ready
	@scripts/notebook.sh programs/*/*.ipynb notebooks/gallery/*.ipynb

.PHONY: site
site: need # write the course and the gallery as pages to docs/site, after running what has changed since they were made
	@$(MAKE) --no-print-directory -j4 ready $(VENV)/.test
	@scripts/site.sh

.PHONY: lab
lab: need # open the quickstart in JupyterLab
	@$(MAKE) --no-print-directory -j4 ready $(VENV)/.lab
	@$(MAKE) --no-print-directory gopls & exec $(JUPYTER) lab notebooks/quickstart.ipynb

.PHONY: wheel
wheel: need $(VENV)/.test # wheels for pip, for Linux, macOS and Windows, in dist/; VERSION=v1.2.3 names a release
	@$(PY) scripts/release.py wheels $(if $(VERSION),--version $(VERSION))

.PHONY: release
release: need # archives of holt for the same systems, with their checksums, in dist/; VERSION=v1.2.3 as above
	@python3 scripts/release.py archives $(if $(VERSION),--version $(VERSION))

.PHONY: docker
docker: # build the image of docker/Dockerfile, where docker is running
	@scripts/docker.sh

.PHONY: debian
debian: need $(VENV)/.test # run the image's steps in a fresh Debian root: minutes, as root, with debootstrap
	HOLT_TEST_DOCKER=1 $(PY) -m pytest -q -s -rs tests/docker

# What the targets above stand on.

.PHONY: need ready kernelspec backend warm gopls
need:
	@scripts/need.sh

ready: kernelspec backend warm

# nbconvert takes Holt's templates in this environment, and looks for no citations.
kernelspec: $(HOLT) $(VENV)/.run
	@$(HOLT) install --prefix $(VENV) >/dev/null
	@install -D -m 644 requirements/nbconvert.json $(VENV)/etc/jupyter/jupyter_nbconvert_config.json

# The host program, which takes minutes the first time and nothing later, is built
# while pip and the backend download.
warm: $(HOLT)
	@$(HOLT) warm

# Completion needs gopls. A notebook that runs without a person does not.
gopls: $(HOLT)
	@$(HOLT) gopls --quiet || echo "gopls could not be built: there is no completion. Try again with: $(HOLT) gopls"

# Without a network there is still the pure-Go backend, so this never fails.
backend: $(HOLT)
	@$(HOLT) backend install cpu || echo "XLA:CPU could not be installed: the slower pure-Go backend is used. Try again with: $(HOLT) backend install cpu"

.PHONY: $(HOLT)
$(HOLT): # go build knows by itself what is out of date
	@go build -o $(HOLT) ./cmd/holt

$(VENV)/bin/python:
	@python3 -m venv $(VENV)

# Our own package has no hash. What builds it is among the requirements, with one.
PAPERMILL = $(PY) -m pip install --quiet --no-deps --no-build-isolation --no-index ./python/holt_papermill

# To change a version, change it in requirements/ and run scripts/hashes.py requirements/*.txt.
$(VENV)/.run $(VENV)/.test $(VENV)/.lab $(VENV)/.browser: $(VENV)/.%: requirements/%.txt requirements/run.txt $(wildcard python/*/*.*) | $(VENV)/bin/python
	@scripts/timed.sh "pip: requirements/$*.txt" $(PY) -m pip install --quiet --require-hashes -r requirements/$*.txt
	@[ $* = run ] || $(PAPERMILL)
	@touch $@

bin/staticcheck: Makefile
	GOBIN=$(CURDIR)/bin go install $(STATICCHECK)
	@touch $@

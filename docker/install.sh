#!/bin/sh
# install.sh STEP: the steps of the image, each of which also runs on a plain Debian or Ubuntu machine. A test runs them in a
# fresh Debian root. The checkout is the working folder.
#
#	packages   what cells and the build need from Debian (root)
#	holt       builds holt, installs its kernelspec under $PREFIX, brings the XLA plugins named in $BACKENDS, and builds the
#	           host process and gopls, so that the first notebook waits for neither
#	check      runs a cell through Jupyter, which must be on PATH, and fails unless it trains
set -eu

packages() {
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends gcc libc6-dev make git ca-certificates
	apt-get clean
	rm -rf /var/lib/apt/lists/*
}

holt() {
	prefix=${PREFIX:?PREFIX is not set: the folder under which the kernelspec goes, such as /opt/conda}
	go build -o "$prefix/bin/holt" ./cmd/holt
	"$prefix/bin/holt" install --prefix "$prefix"
	for backend in ${BACKENDS:-cpu}; do
		"$prefix/bin/holt" backend install "$backend"
	done
	"$prefix/bin/holt" warm
	"$prefix/bin/holt" gopls # for completion
}

check() {
	cell=$(mktemp --suffix .go)
	cat >"$cell" <<'GO'
model := dl.Build(dl.Linear{Out: 1}, dl.Shape{4, 2})
step := dl.TrainStep(model, dl.MSELoss{}, dl.SGD{LR: 0.1})
batch := dl.Batch{Inputs: dl.FromSlice([]float32{0, 1, 1, 0, 1, 1, 0, 0}, 4, 2), Labels: dl.FromSlice([]float32{1, 1, 2, 0}, 4, 1)}
first := step.Run(batch)
for range 50 {
	step.Run(batch)
}
fmt.Println(dl.Devices())
step.Run(batch)
fmt.Println("it trains:", step.Last().Loss < first.Loss/2)
GO
	jupyter run --kernel=holt "$cell" | tee "$cell.out"
	grep -q '^it trains: true$' "$cell.out"
}

"$1"

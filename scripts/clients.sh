#!/bin/sh
# Vets and builds holt for the systems where it is a client of kernels on other machines, and for Linux on arm64.
# There is no C compiler for them here, and none is needed.
status=0
for target in darwin/arm64 darwin/amd64 windows/amd64 linux/arm64; do
	export CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/}
	go vet ./cmd/holt && go build -o /dev/null ./cmd/holt || {
		echo "holt cannot be built for $target"
		status=1
	}
done
test $status = 0 && echo "clients: holt builds for macOS, Windows and Linux on arm64"
exit $status

#!/bin/sh
# Fails on what gofmt, go vet or staticcheck finds, and where holt cannot be built for another system.
status=0
unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
	echo "not formatted by gofmt (run gofmt -w on them):"
	echo "$unformatted"
	status=1
fi
go vet ./... || status=1
bin/staticcheck ./... || status=1
scripts/clients.sh || status=1
test $status = 0 && echo "lint: gofmt, go vet and staticcheck found nothing"
exit $status

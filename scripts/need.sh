#!/bin/sh
# Says in one sentence each what this machine lacks to build Holt.
ok=yes
lacks() {
	echo "$1" >&2
	ok=no
}

if ! command -v go >/dev/null; then
	lacks "Go is missing: install Go 1.26 or 1.27 from https://go.dev/dl/ and put its bin folder on PATH."
else
	version=$(go env GOVERSION | sed 's/^go//; s/[^0-9.].*//')
	want=$(sed -n 's/^go //p' go.mod)
	if [ "$(printf '%s\n%s\n' "$want" "$version" | sort -V | head -n 1)" != "$want" ]; then
		lacks "Go $version is too old: Holt needs Go $want or newer, from https://go.dev/dl/."
	fi
	if [ "$(go env CGO_ENABLED)" != 1 ]; then
		lacks "cgo is off: install a C compiler (Debian, Ubuntu: apt-get install gcc libc6-dev) or unset CGO_ENABLED."
	fi
fi
cc=$(go env CC 2>/dev/null)
command -v "${cc:-gcc}" >/dev/null || lacks "${cc:-gcc} is missing: cells are linked as plugins by a C compiler (Debian, Ubuntu: apt-get install gcc libc6-dev)."
command -v git >/dev/null || lacks "git is missing (Debian, Ubuntu: apt-get install git)."
if ! command -v python3 >/dev/null; then
	lacks "Python 3 is missing: Jupyter needs it (Debian, Ubuntu: apt-get install python3 python3-venv)."
elif ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
	lacks "Python's venv module is missing (Debian, Ubuntu: apt-get install python3-venv)."
elif ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
	lacks "$(python3 --version) is too old: the pinned Jupyter needs Python 3.11 or newer."
fi
test $ok = yes

#!/bin/sh
# Builds docker/Dockerfile, or says in a sentence why not.
if ! command -v docker >/dev/null; then
	echo "docker is not installed here: docker/README.md says what the image holds and how to build it elsewhere."
	exit 1
fi
if ! docker info >/dev/null 2>&1; then
	echo "docker is installed but its daemon does not answer: start it (systemctl start docker) or check your rights on its socket."
	exit 1
fi
backends=${BACKENDS:-cpu}
tag=latest
case $backends in *cuda*) tag=cuda ;; esac
exec docker build --file docker/Dockerfile --build-arg BACKENDS="$backends" --tag "holt:$(git describe --always --dirty)-$tag" --tag "holt:$tag" .

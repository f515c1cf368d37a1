#!/bin/sh
# timed.sh WHAT COMMAND...: runs the command and prints how long it took.
what=$1
shift
start=$(date +%s)
"$@"
status=$?
printf '%-34s %4d s\n' "$what" $(($(date +%s) - start))
exit $status

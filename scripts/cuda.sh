#!/bin/sh
# Compiles for a GPU that need not be there (GPU names it, h100 where it does not) every program
# that dl's tests, the networks of the benchmarks and the course make, and prints what each would
# take. HOLT_PROGRAMS is the folder where dl writes programs as CUDA's plugin would get them. What
# runs in Go here because it is small is not among them. Results are kept in its folder results: a
# run that was interrupted goes on, and programs that are as before are not compiled again.
set -e
gpu=${GPU:-h100}
programs=$PWD/bench/out/cuda
mkdir -p "$programs"
rm -f "$programs"/*.mlir
bin/holt backend install cuda-compiler
# Tests of plans compile for GPUs themselves, for minutes, and have no programs that others do not
# have.
HOLT_PROGRAMS=$programs go test -count 1 -timeout 2h -skip '^TestPlan' ./dl/...
HOLT_PROGRAMS=$programs go test -count 1 -run '^$' -bench 'TrainStepCIFARNet/cpu|TrainStep(ResNet18|Transformer)|PredictCIFARNet' -benchtime 1x ./dl
HOLT_PROGRAMS=$programs scripts/notebook.sh notebooks/*.ipynb
go run ./bench/cuda "$gpu" "$programs" >"$programs/report.txt" || status=$?
cat "$programs/report.txt"
exit ${status:-0}

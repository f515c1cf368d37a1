#!/bin/sh
# What a person runs on a machine with an NVIDIA GPU, from the root of the
# checkout: devices, dl's tests with cuda as the backend in use, and a hundred
# steps of the tutorial network on the GPU and on the CPU, side by side; and on
# PyTorch, where Python has it.
#
#   bench/gpu.sh [FOLDER]    results go to FOLDER, bench/out/gpu if none is named
#
# It needs Go, gcc, make and, for the plugin, the network once.
set -eu
out=${1:-bench/out/gpu}
mkdir -p "$out"
make ready
export HOLT_HOME="${HOLT_HOME:-$PWD/.holt}"
bin/holt backend install cuda
nvidia-smi | tee "$out/nvidia-smi.txt"
bin/holt doctor | tee "$out/doctor.txt"
echo "tests of dl with cuda" >&2
# Without TF32, whose ten bits are fewer than the references allow for; tests
# that name the processor's devices are left out.
NVIDIA_TF32_OVERRIDE=0 HOLT_TEST_XLA=cuda go test ./dl -skip 'SideBySide|MovesBetween|DataParallel|VariablesFree' 2>&1 | tee "$out/tests.txt" || true
echo "a hundred steps, batch 64, on cuda and on cpu" >&2
go test ./dl -run '^$' -bench 'BenchmarkTrainStepCIFARNet/(cuda|cpu)' -benchtime 100x 2>&1 | tee "$out/steps.txt"
python=${HOLT_PYTHON:-python3}
if "$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
	"$python" - <<'PY' | tee "$out/torch.txt"
import time, torch
from torch import nn
import torch.nn.functional as F
net = nn.Sequential(nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(2), nn.Conv2d(32, 32, 5, padding=2), nn.MaxPool2d(2),
                    nn.Conv2d(32, 64, 5, padding=2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1024, 64), nn.Linear(64, 10)).cuda()
opt = torch.optim.SGD(net.parameters(), lr=0.01)
x, y = torch.randn(64, 3, 32, 32), torch.arange(64) % 10
times = []
for step in range(110):
    start = time.time()
    opt.zero_grad()
    F.cross_entropy(net(x.cuda()), y.cuda()).backward()
    opt.step()
    torch.cuda.synchronize()
    times.append(1000 * (time.time() - start))
times = sorted(times[10:])
print(f"torch {torch.__version__} on {torch.cuda.get_device_name()}: {times[0]:.2f} ms at least, {times[50]:.2f} ms in the middle")
PY
else
	echo "PyTorch with CUDA is not here: not compared" >&2
fi

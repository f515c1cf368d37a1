#!/bin/sh
# What Holt does on an NVIDIA GPU, in at most a quarter of an hour: dl's tests with cuda in the place of XLA on the
# processor, a hundred steps of the benchmarks' networks beside PyTorch where Python has it, memory, a GPU that is full,
# an interrupt, and NCCL in a job of one process. bench/gpu.py has the parts, in the order of their worth and each with
# its limit; what a part found is in OUT/results.md when it ends.
#
#   bench/gpu.sh               here, with Go; results in bench/out/gpu
#   bench/gpu.sh pack FILE     here: what it takes, without Go, as one tar.xz (some 60 MB: test binary, holt, XLA:CPU, peers)
#   bench/gpu.sh run [OUT]     there, in the unpacked folder; needs an NVIDIA driver, python3 (its torch is the peer) and a CUDA plugin
#
# The CUDA plugin is the one of Holt, if it is installed; else one of jax that python3 imports or that lies anywhere on
# the machine, with NVIDIA's wheels beside it or beside torch; else it is fetched (3 GB). DEVICE=cpu runs the whole on
# the processor, to try the script; STEPS and BATCH say how much, LIMIT in how many seconds in all, PARTS which parts
# (PARTS="doctor,tutorial network").
set -eu
device=${DEVICE:-cuda}
python=${HOLT_PYTHON:-python3}

pack() {
	make --no-print-directory backend
	folder=$(mktemp -d)
	trap 'rm -rf "$folder"' EXIT
	mkdir -p "$folder/bench/out" "$folder/bin" "$folder/.holt/plugins" "$folder/dl"
	go test -c -ldflags '-s -w' -o "$folder/bench/out/dl.test" ./dl
	go build -ldflags '-s -w' -o "$folder/bin/holt" ./cmd/holt
	cp -r bench/gpu.sh bench/gpu.py bench/bench.py bench/peers "$folder/bench"
	cp -r dl/testdata dl/*.go "$folder/dl" # two tests read the sources
	cp -r "${HOLT_HOME:-.holt}/plugins/cpu" "$folder/.holt/plugins"
	git describe --always --dirty >"$folder/COMMIT"
	go env GOVERSION >"$folder/GOVERSION"
	tar -C "$folder" -cJf "$1" .
	ls -l "$1"
}

# of_jax makes a folder like Holt's own from a CUDA plugin of jax, and says where. The plugin finds NVIDIA's libraries and
# compiler by paths that the links keep: $ORIGIN is the folder of the link.
of_jax() {
	found=$(timeout 20 find / -xdev -path '*/jax_plugins/xla_cuda1*/xla_cuda_plugin.so' -print 2>/dev/null | sort) || true
	FOUND=$found "$python" - "$1" <<'PY'
import glob, os, sys
# The plugin and NVIDIA's wheels may be in several places: a folder of its own, a virtual environment over the system's
# packages. What python3 imports comes first.
sites = [s for s in sys.path if os.path.isdir(s)]
sites += [s for f in os.environ["FOUND"].splitlines() if (s := f.rpartition("/jax_plugins/")[0]) not in sites]
plugin, beside = next(((sorted(found)[-1], s) for s in sites if (found := glob.glob(s + "/jax_plugins/xla_cuda1*/xla_cuda_plugin.so"))), (None, None))
if plugin is None or not any(os.path.isdir(s + "/nvidia") for s in sites):
    sys.exit(1)
sites.sort(key=lambda s: s != beside)  # the plugin's own libraries are of the versions that it wants
home = os.path.join(sys.argv[1], "lib", "nvidia")
os.makedirs(home, exist_ok=True)
links = {"pjrt_c_api_cuda_plugin.so": plugin, "xla_cuda_plugin.so": plugin}
for site in sites:
    for path in glob.glob(site + "/nvidia/*"):
        links.setdefault(os.path.basename(path), path)
for name, target in links.items():
    path = os.path.join(home, name)
    if not os.path.lexists(path):
        os.symlink(target, path)
libraries = [f for s in sites for f in glob.glob(s + "/nvidia/*/lib")]
tools = [f for s in sites for f in glob.glob(s + "/nvidia/*/bin")]
print(f"export PJRT_PLUGIN_LIBRARY_PATH='{home}'")
print(f"export LD_LIBRARY_PATH='{':'.join(libraries)}'\"${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\"")
print(f"export PATH='{':'.join(tools)}:'\"$PATH\"")
PY
}

run() {
	out=${1:-bench/out/gpu}
	mkdir -p "$out"
	export HOLT_HOME="${HOLT_HOME:-$PWD/.holt}" GOMLX_NO_AUTO_INSTALL=1
	if [ "$device" = cuda ]; then
		nvidia-smi | tee "$out/nvidia-smi.txt"
		if bin/holt backend list | grep '^cuda'; then
			:
		elif found=$(of_jax "$PWD/bench/out/jax-plugin"); then
			echo "the CUDA plugin of $python's jax" | tee "$out/plugin.txt"
			eval "$found"
		else
			bin/holt backend install cuda
		fi
	fi
	# go-xla looks where PJRT_PLUGIN_LIBRARY_PATH says, and nowhere else; CUDA's plugin lies deeper (internal/plugins).
	plugins=$HOLT_HOME/plugins
	export PJRT_PLUGIN_LIBRARY_PATH="${PJRT_PLUGIN_LIBRARY_PATH:+$PJRT_PLUGIN_LIBRARY_PATH:}$plugins/cuda/lib/nvidia:$plugins/cuda12/lib/nvidia:$plugins/cpu"
	HOLT_PEERS_PYTHON=$python "$python" bench/gpu.py --device "$device" --steps "${STEPS:-100}" --batch "${BATCH:-256}" --limit "${LIMIT:-900}" ${PARTS:+--parts "$PARTS"} --out "$out"
}

case ${1:-} in
pack)
	pack "${2:?bench/gpu.sh pack FILE: the file is missing}"
	;;
run)
	shift
	run "$@"
	;;
"")
	make --no-print-directory ready
	mkdir -p bench/out
	go test -c -o bench/out/dl.test ./dl
	run
	;;
*)
	echo "bench/gpu.sh: $1 is neither pack nor run" >&2
	exit 2
	;;
esac

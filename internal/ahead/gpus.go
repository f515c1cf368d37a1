package ahead

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// gpu describes a GPU to XLA's compiler. The numbers of a product are those of
// NVIDIA's data sheet: processors, memory in units of 10⁹ bytes, which is a little less
// than the driver shows, bandwidth, cache and the boost clock. The rest follows from
// its compute capability.
type gpu struct {
	name       string // as a user types it
	product    string // as the driver has it
	capability capability
	processors int     // streaming multiprocessors
	memory     float64 // GB
	bandwidth  float64 // of the memory, GB/s
	cache      int     // L2, MB
	clock      float64 // GHz
	links      int     // NVLinks to others
}

var gpus = []gpu{
	{"h100", "NVIDIA H100 80GB HBM3", hopper, 132, 80, 3350, 50, 1.98, 18},
	{"h100-pcie", "NVIDIA H100 PCIe", hopper, 114, 80, 2000, 50, 1.755, 0},
	{"h200", "NVIDIA H200", hopper, 132, 141, 4800, 50, 1.98, 18},
	{"a100", "NVIDIA A100-SXM4-80GB", ampere, 108, 80, 2039, 40, 1.41, 12},
	{"a100-40gb", "NVIDIA A100-SXM4-40GB", ampere, 108, 40, 1555, 40, 1.41, 12},
	{"l4", "NVIDIA L4", ada, 58, 24, 300, 48, 2.04, 0},
	{"l40s", "NVIDIA L40S", ada, 142, 48, 864, 96, 2.52, 0},
	{"a10", "NVIDIA A10", ampereSmall, 72, 24, 600, 6, 1.695, 0},
	{"rtx4090", "NVIDIA GeForce RTX 4090", ada, 128, 24, 1008, 72, 2.52, 0},
	{"rtx3090", "NVIDIA GeForce RTX 3090", ampereSmall, 82, 24, 936, 6, 1.695, 0},
	{"t4", "Tesla T4", turing, 40, 16, 320, 4, 1.59, 0},
}

// capability is the limits of a processor, from the table of compute capabilities in
// NVIDIA's CUDA C++ Programming Guide.
type capability struct {
	major, minor int
	accelerated  bool // code may use what later capabilities do not have
	threads      int  // that are resident
	lanes        int  // for float32 numbers
	shared       int  // KB of memory that its threads share
}

var (
	turing      = capability{7, 5, false, 1024, 64, 64}
	ampere      = capability{8, 0, false, 2048, 64, 164}
	ampereSmall = capability{8, 6, false, 1536, 128, 100}
	ada         = capability{8, 9, false, 1536, 128, 100}
	hopper      = capability{9, 0, true, 2048, 128, 228}
)

// perBlock is how much of the shared memory one block may have, in bytes: from
// compute capability 8.0 on, 1 KB of it is the system's for each block.
func (c capability) perBlock() int {
	if c.major < 8 {
		return c.shared << 10
	}
	return (c.shared - 1) << 10
}

func (g gpu) bytes() int64 { return int64(g.memory * 1e9) }

// usualHost is how many GPUs a host has where the kind does not say.
const usualHost = 8

// find returns the GPU of a kind, and the hosts that so many of them are in: one, or several that
// have as many GPUs each as the kind says.
func find(kind string, devices int) (g gpu, hosts, perHost int, err error) {
	name, each, given := strings.Cut(kind, ":")
	perHost = usualHost
	if given {
		if perHost, err = strconv.Atoi(each); err != nil || perHost < 1 {
			return gpu{}, 0, 0, fmt.Errorf("GPU is %q, want a number of GPUs of each host behind the colon, such as %s:%d", kind, name, usualHost)
		}
	}
	i := slices.IndexFunc(gpus, func(g gpu) bool { return strings.EqualFold(name, g.name) })
	switch {
	case i < 0:
		return gpu{}, 0, 0, fmt.Errorf("GPU is %q, want one of %s", kind, strings.Join(Names(), ", "))
	case devices <= perHost:
		return gpus[i], 1, devices, nil
	case devices%perHost != 0:
		return gpu{}, 0, 0, fmt.Errorf("%d devices are not those of hosts of %d GPUs each, want a multiple of that; %s:4 says that a host has 4", devices, perHost, name)
	}
	return gpus[i], devices / perHost, perHost, nil
}

// target is the GPU in the text of XLA's GpuTargetConfigProto. What is the same for all
// is from the same guide: 1024 threads a block in warps of 32, 65536 registers, 48 KB of
// shared memory without asking for more.
// https://github.com/openxla/xla/blob/main/xla/stream_executor/device_description.proto
func (g gpu) target() string {
	c := g.capability
	feature := ""
	if c.accelerated {
		feature = " feature_extension: ACCELERATED_FEATURES"
	}
	return fmt.Sprintf(`gpu_device_info {
  name: %q
  device_vendor: "NVIDIA Corporation"
  platform_version: "Compute Capability %d.%d"
  cuda_compute_capability { major: %d minor: %d%s }
  core_count: %d
  fpus_per_core: %d
  clock_rate_ghz: %g
  device_memory_size: %d
  memory_bandwidth: %d
  l2_cache_size: %d
  threads_per_block_limit: 1024
  threads_per_warp: 32
  threads_per_core_limit: %d
  thread_dim_limit_x: 1024
  thread_dim_limit_y: 1024
  thread_dim_limit_z: 64
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  registers_per_core_limit: 65536
  registers_per_block_limit: 65536
  shared_memory_per_block: 49152
  shared_memory_per_block_optin: %d
  shared_memory_per_core: %d
  device_address_bits: 64
  pcie_bandwidth: 32000000000
  ecc_enabled: true
  driver_version: "13.0.0"
  runtime_version: "13.0.0"
  compile_time_toolkit_version: "13.0.0"
  dnn_version: "9.10.0"
  device_interconnect_info { active_links: %d }
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 10 patch: 0 }
device_description_str: %[1]q
`, g.product, c.major, c.minor, c.major, c.minor, feature, g.processors, c.lanes, g.clock, g.bytes(), int64(g.bandwidth*1e9),
		g.cache<<20, c.threads, c.perBlock(), c.shared<<10, g.links)
}

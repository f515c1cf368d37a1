package pjrt

import (
	"regexp"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/holt-dl/holt/internal/hooks"
)

// Cost is what a compiled program takes on one device, in bytes. CUDA's plugin does not
// tell how much it calculates, where there is no device.
type Cost struct {
	Code      int64
	Arguments int64 // its inputs
	Outputs   int64
	Aliases   int64 // of the outputs, what takes the place of inputs
	Temporary int64 // what it calculates with
	Peak      int64 // the most at one time, as XLA tells

	// Calls are the functions of libraries that it calls, such as
	// __cudnn$convForward, and __triton of the products that XLA writes itself, and how
	// often each of them is called.
	Calls map[string]int

	Collectives []hooks.Collective
}

// Memory is the most that the program takes at one time: XLA's peak, or the sum
// where that is more, since what a program gets and gives is held from its begin to
// its end.
func (c Cost) Memory() int64 {
	return max(c.Peak, c.Arguments+c.Outputs-c.Aliases+c.Temporary)
}

// libraryCall matches the target of a library's call, and the kind of a fusion that
// Triton makes, in an HloModuleProto.
var libraryCall = regexp.MustCompile(`__cu[a-z]+\$[A-Za-z0-9$]+|__onednn\$[a-z]+|__triton[a-z_]*`)

// libraryCalls counts the calls in a serialised program.
func libraryCalls(hlo []byte) map[string]int {
	calls := map[string]int{}
	for _, name := range libraryCall.FindAll(hlo, -1) {
		calls[string(name)]++
	}
	return calls
}

// Assignment says which devices run a program: so many replicas of it, each divided into so many
// partitions by Shardy. Devices are the numbers of the devices, all partitions of the first replica
// first; where it has none, XLA chooses.
type Assignment struct {
	Replicas, Partitions int
	Devices              []int
}

// compileOptions is a CompileOptionsProto, as go-xla's WithShardy has it where there are
// partitions.
// https://github.com/openxla/xla/blob/main/xla/pjrt/proto/compile_options.proto
func compileOptions(a Assignment) []byte {
	const deviceOrdinal, numReplicas, numPartitions, useSPMD, deviceAssignment, useShardy = 1, 4, 5, 6, 9, 19
	const executableBuildOptions = 3
	build := appendNumber(nil, deviceOrdinal, -1) // none
	build = appendNumber(build, numReplicas, a.Replicas)
	build = appendNumber(build, numPartitions, a.Partitions)
	if a.Partitions > 1 {
		build = appendNumber(build, useSPMD, 1)
		build = appendNumber(build, useShardy, 1)
	}
	if len(a.Devices) > 0 {
		build = appendMessage(build, deviceAssignment, a.proto())
	}
	return appendMessage(nil, executableBuildOptions, build)
}

func appendNumber(to []byte, field protowire.Number, n int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(to, field, protowire.VarintType), uint64(n))
}

func appendMessage(to []byte, field protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, field, protowire.BytesType), message)
}

// proto is the assignment as a DeviceAssignmentProto, which has the devices of each partition
// together.
func (a Assignment) proto() []byte {
	const replicaCount, computationCount, computationDevices, replicaDeviceIDs = 1, 2, 3, 1
	to := appendNumber(nil, replicaCount, a.Replicas)
	to = appendNumber(to, computationCount, a.Partitions)
	for p := range a.Partitions {
		var ids []byte
		for r := range a.Replicas {
			ids = protowire.AppendVarint(ids, uint64(a.Devices[r*a.Partitions+p]))
		}
		to = appendMessage(to, computationDevices, appendMessage(nil, replicaDeviceIDs, ids))
	}
	return to
}

package pjrt

import (
	"encoding/binary"
	"regexp"
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

// compileOptions is a CompileOptionsProto for so many devices, which Shardy divides the
// program between, as go-xla's WithShardy has it.
// https://github.com/openxla/xla/blob/main/xla/pjrt/proto/compile_options.proto
func compileOptions(devices int) []byte {
	const deviceOrdinal, numReplicas, numPartitions, useSPMD, useShardy = 1, 4, 5, 6, 19
	const executableBuildOptions, message = 3, 2
	var build []byte
	put := func(field, v uint64) { build = binary.AppendUvarint(binary.AppendUvarint(build, field<<3), v) }
	put(deviceOrdinal, ^uint64(0)) // -1: none
	put(numReplicas, 1)
	put(numPartitions, uint64(devices))
	if devices > 1 {
		put(useSPMD, 1)
		put(useShardy, 1)
	}
	options := binary.AppendUvarint(nil, executableBuildOptions<<3|message)
	return append(binary.AppendUvarint(options, uint64(len(build))), build...)
}

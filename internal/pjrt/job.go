package pjrt

import (
	"context"
	"fmt"
	"strings"
)

// Job is the processes whose devices run programs together, as one of them sees it. A plugin's
// clients tell each other of their devices, and NCCL's ranks find each other, by keys.
type Job struct {
	Rank, Size int
	Keys       Keys
}

// Keys are values that the processes of a job share, such as those of collective.Group.
type Keys interface {
	// Get waits for the value of a key until ctx ends. A process that is lost must end it, too.
	Get(ctx context.Context, key string) ([]byte, error)
	TryGet(ctx context.Context, key string) (value []byte, found bool, err error)
	Put(key string, value []byte) error
}

// Device is one of a job's devices.
type Device struct {
	ID      int // in assignments
	Process int // rank of the process whose device it is
	Here    bool
	Text    string // what it says of itself
}

// Array is numbers of a shape, the last axis together.
type Array struct {
	Dims   []int64
	Values []float32
}

// AllReduce is a program in StableHLO that adds up n numbers over so many replicas.
func AllReduce(replicas, n int) []byte {
	ids := make([]string, replicas)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	return fmt.Appendf(nil, `module @sum attributes {mhlo.num_replicas = %[1]d : i32, mhlo.num_partitions = 1 : i32} {
  func.func @main(%%x: tensor<%[2]dxf32>) -> tensor<%[2]dxf32> {
    %%sum = "stablehlo.all_reduce"(%%x) ({
    ^bb0(%%a: tensor<f32>, %%b: tensor<f32>):
      %%c = stablehlo.add %%a, %%b : tensor<f32>
      stablehlo.return %%c : tensor<f32>
    }) {replica_groups = dense<[[%[3]s]]> : tensor<1x%[1]dxi64>} : (tensor<%[2]dxf32>) -> tensor<%[2]dxf32>
    return %%sum : tensor<%[2]dxf32>
  }
}`, replicas, n, strings.Join(ids, ", "))
}

// Package nccl adds up numbers that lie on the GPUs of the processes of a job, by NVIDIA's NCCL:
// its library in C is called with the addresses of XLA's buffers, outside of XLA's programs, as
// torch.nn.parallel.DistributedDataParallel calls it.
//
// Nothing is linked: NCCL's library, and that of CUDA's driver, are loaded where they are. Calls
// do not block (ncclConfig_t.blocking is 0), so that one which waits for a process that is lost
// can be given up.
// https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/api.html
package nccl

import (
	"fmt"
	"path/filepath"
	"unsafe"
)

// Names of the libraries, as their makers give them.
const (
	library = "libnccl.so.2"
	driver  = "libcuda.so.1"
)

// Beside lists the files that may be the NCCL of a plugin for CUDA: XLA looks for it in the folders
// of NVIDIA's wheels, relative to its own.
func Beside(plugin string) []string {
	dir := filepath.Dir(plugin)
	return []string{
		filepath.Join(dir, "nccl", "lib", library),
		filepath.Join(dir, "..", "nvidia", "nccl", "lib", library),
		filepath.Join(dir, "..", "..", "nvidia", "nccl", "lib", library), // of jax_plugins
	}
}

// ID is what the processes of a communicator find each other by.
type ID [128]byte

// Array is float32 numbers on the GPUs of this process.
type Array struct {
	At   []unsafe.Pointer // on each GPU
	N    int              // numbers on each
	Same bool             // each GPU has all of them, and not a part of its own
}

// Place is this process among those of a job.
type Place struct{ Rank, Size int }

// version writes NCCL's number of a version, such as 23203, as 2.32.3.
func version(n int) string { return fmt.Sprintf("%d.%d.%d", n/10000, n/100%100, n%100) }

// least is the first version whose communicators need not block.
const least = 21400

package dl

import "github.com/holt-dl/holt/dl/internal/xla"

// CUDA says how networks run on NVIDIA GPUs. Its zero value is what Use("cuda")
// takes. It is used before anything else is on a GPU:
//
//	dl.CUDA{MemoryFraction: 0.9, TF32: true}.Use()
//
// HOLT_BACKEND says the same in text, as a job's environment does:
//
//	HOLT_BACKEND=cuda:1,memory_fraction=0.9,tf32=true
type CUDA struct {
	Device int // number of the GPU, among those that are visible

	// TF32 multiplies float32 matrices with 10 bits of mantissa in place of 23,
	// which is faster. It is off, as torch.backends.cuda.matmul.allow_tf32 is;
	// convolutions use it in any case, as PyTorch's do. In text: tf32.
	TF32 bool

	// Preallocate takes the memory at once, which keeps it in one piece. Off, it
	// is taken as it is needed. In text: preallocate.
	Preallocate bool

	// MemoryFraction is how much of a GPU's memory may be taken, above 0 and at
	// most 1; 0 means XLA's own, 0.75. In text: memory_fraction.
	MemoryFraction float64

	// Allocator is XLA's "bfc", "cuda_async", "platform" or "vmm"; empty means
	// bfc. In text: allocator.
	Allocator string

	// VisibleDevices are the numbers of the GPUs that are opened; nil means all,
	// or those of CUDA_VISIBLE_DEVICES. In text, with semicolons between them:
	// visible_devices.
	VisibleDevices []int
}

// Use makes the GPU the device for all that follows, as [Use] does. Once the GPUs
// are open their settings cannot change: other ones are an error then.
func (c CUDA) Use() error { return xla.CUDA(c).Use() }

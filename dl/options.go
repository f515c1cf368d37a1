package dl

import "fmt"

// Options says how a step computes. The zero value is the plain step.
type Options struct {
	// ClipNorm, if above 0, makes all gradients smaller together where their
	// common length is greater, as torch.nn.utils.clip_grad_norm_.
	ClipNorm float64
	// ClipValue, if above 0, cuts each element of the gradients to
	// ±ClipValue, as torch.nn.utils.clip_grad_value_. It comes before
	// ClipNorm.
	ClipValue float64
	// Accumulate is the number of batches whose gradients are added up for one
	// step; 0 means 1. The weights then change as they would by one batch of
	// all those examples, in the memory of a small one. Batch normalization
	// still sees each batch by itself.
	Accumulate int
	// Precision is the type of the forward and the backward pass: BFloat16
	// takes half the memory and, on GPUs, much less time. Weights, gradients'
	// sums, losses and normalizations stay float32. 0 means Float32.
	Precision DType
	// StopOnNaN has a step fail where its loss or a gradient is NaN or infinite,
	// with an error that names where that begins, and the weights as they were:
	// see the function [StopOnNaN].
	StopOnNaN bool
	// GradNorms keeps the gradients' lengths for [Step.GradNorms].
	GradNorms bool
	// Devices is the number of devices that share each batch, beginning with
	// the one in use; 0 means 1. The result is that of one device, but for
	// rounding. The batch size should be a multiple of it.
	Devices int
}

func (o Options) check() error {
	if !(o.ClipNorm >= 0) || !(o.ClipValue >= 0) || o.Accumulate < 0 || o.Devices < 0 {
		return fmt.Errorf("dl: Options: ClipNorm is %v, ClipValue %v, Accumulate %d and Devices %d, want nothing negative; 0 means off",
			o.ClipNorm, o.ClipValue, o.Accumulate, o.Devices)
	}
	if o.Precision != 0 && o.Precision != Float32 && o.Precision != BFloat16 {
		return fmt.Errorf("dl: Options: Precision is %s, want float32 or bfloat16; XLA has no float16 on every device", typeName(o.Precision))
	}
	return nil
}

// padded returns the next size of a batch that the devices can share.
func (o Options) padded(size int) int {
	n := max(o.Devices, 1)
	return (size + n - 1) / n * n
}

// precision is what the pass converts to; 0 for nothing.
func (o Options) precision() DType {
	if o.Precision == Float32 {
		return 0
	}
	return o.Precision
}

package dl

import (
	"iter"
	"math/rand/v2"
)

// Example is one item of a data set: a picture, say, and its class.
type Example struct {
	Input *Tensor // without the batch axis, such as [C H W]
	Label int     // 0 for the first class

	// Target, if set, is what the loss compares the output with in place of
	// Label: a number to predict, say, or a mask.
	Target *Tensor

	// Fields, if set, is an example of your own, a struct, in place of all that:
	// see [DatasetOf].
	Fields any

	fields []field // its parts, once they are known
}

// Dataset is a collection of examples that can be read in any order. Get must
// allow calls from several goroutines at once.
type Dataset interface {
	Len() int
	Get(i int) (Example, error)
}

// RandomDataset is a [Dataset] whose examples change at random, as augmented
// pictures do. A loader calls GetRand instead of Get, with a generator of its
// own for every example, so that a seed fixes the whole run.
type RandomDataset interface {
	Dataset
	GetRand(i int, rng *rand.Rand) (Example, error)
}

// Batch is several examples stacked together.
type Batch struct {
	Inputs *Tensor // [N …], such as [N C H W]
	Labels *Tensor // [N] int64, or [N …] where the examples have a Target

	// Fields are the tensors of examples that are structs of your own, by the
	// names of their fields; Inputs and Labels are nil then. [Batch.Get] returns
	// one of them. See [DatasetOf].
	Fields map[string]*Tensor
}

// Batches is what training reads: a loader, or anything else that makes
// batches.
type Batches interface {
	// Len returns the number of batches in an epoch.
	Len() int
	// Epoch yields the batches of one epoch, counted from 0. The same epoch
	// yields the same batches each time. It panics with an error where a batch
	// cannot be read; who trains or evaluates returns that error. Breaking out
	// of the loop stops the work behind it.
	Epoch(epoch int) iter.Seq[Batch]
}

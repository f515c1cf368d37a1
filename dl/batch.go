package dl

import (
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Batch is several examples stacked together.
type Batch struct {
	Inputs *Tensor // [N …], such as [N C H W]
	Labels *Tensor // [N] int64, or [N …] where the examples have a Target

	// Fields are the tensors of examples that are structs of your own, by the
	// names of their fields; Inputs and Labels are nil then. [Batch.Get] returns
	// one of them. See [DatasetOf].
	Fields map[string]*Tensor
}

// part says of which batch these are the rows of one process; nil where they are all. Its
// tensors know it, so that it is not lost where a loop makes a batch anew of one of them:
//
//	step.Run(dl.Batch{Inputs: augment(b.Inputs), Labels: b.Labels})
func (b Batch) part() *batchPart {
	for _, t := range b.tensors() {
		if t.part != nil {
			return t.part
		}
	}
	return nil
}

// setPart has the tensors of a batch know that they are the rows of one process.
func (b Batch) setPart(p *batchPart) {
	for _, t := range b.tensors() {
		t.part = p
	}
}

// tensors lists what the batch has.
func (b Batch) tensors() []*Tensor {
	all := slices.Collect(maps.Values(b.Fields))
	for _, t := range []*Tensor{b.Inputs, b.Labels} {
		if t != nil {
			all = append(all, t)
		}
	}
	return all
}

// batchPart says which batch of a job a process has rows of.
type batchPart struct {
	rows  int    // of the whole batch, in all processes together
	none  bool   // this process has no row of it: the one that is here does not count
	order uint32 // a checksum of the numbers of its examples
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

// Get returns the tensor of a field, such as "Image". A name that the batch does
// not have panics with an error that lists those it has.
func (b Batch) Get(name string) *Tensor {
	if t := b.Fields[name]; t != nil {
		return t
	}
	names := b.names()
	if len(names) == 0 {
		panic(fmt.Errorf("dl: Batch: there is no field %q, as its examples are no structs of your own; use batch.Inputs and batch.Labels", name))
	}
	panic(unknown("Batch", "field", name, names))
}

// names lists the fields.
func (b Batch) names() []string {
	var names []string
	for name := range b.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// empty reports whether there is nothing in the batch.
func (b Batch) empty() bool { return b.Inputs == nil && len(b.Fields) == 0 }

// of returns the shape of the inputs in a batch of size rows.
func (b Batch) of(size int) Shape { return append(Shape{size}, b.Inputs.shape[1:]...) }

// rows checks that inputs and labels fit, and counts them.
func (b Batch) rows() (int, error) {
	if b.Inputs == nil && len(b.Fields) > 0 {
		return 0, fmt.Errorf("the batch has the fields %s, and no Inputs and Labels, which are wanted here; choose them in the loader's Collate, or train by a function of dl.Compile", strings.Join(b.names(), ", "))
	}
	if b.Inputs == nil || b.Labels == nil || len(b.Inputs.shape) == 0 || len(b.Labels.shape) == 0 {
		return 0, fmt.Errorf("the batch has no inputs or no labels, want [N …] and [N]; make it with a loader, or Batch{Inputs: …, Labels: …}")
	}
	n := b.Inputs.shape[0]
	if n == 0 || b.Labels.shape[0] != n {
		return 0, fmt.Errorf("the batch has %d inputs and %d labels, want as many of both and at least one", n, b.Labels.shape[0])
	}
	return n, nil
}

// limits are upper bounds of labels and of word numbers. They are checked on the host, because
// XLA fails for no index that is out of range: it takes the nearest one, in silence.
type limits struct {
	classes int  // of a classifier: labels are below it; 0 where there are none
	ids     int  // of an Embedding's words: inputs are below it; 0 where there is none
	index   bool // the inputs are an index into a tensor, not words of an Embedding
}

// check finds labels that are no class and inputs that have no embedding.
func (b Batch) check(needs limits, loss Loss) error {
	if err := needs.inputs(b.Inputs); err != nil || needs.classes == 0 {
		return err
	}
	skips, _ := loss.(ignorer)
	for i, l := range b.Labels.Int64s() {
		if (l < 0 || l >= int64(needs.classes)) && (skips == nil || l != skips.ignored()) {
			return fmt.Errorf("label %d of the batch is %d, want 0 to %d, the model's outputs; set the last layer's Out to the number of classes", i, l, needs.classes-1)
		}
	}
	return nil
}

func (needs limits) inputs(x *Tensor) error {
	if needs.ids == 0 {
		return nil
	}
	for i, v := range x.Int64s() {
		if v < 0 || v >= int64(needs.ids) {
			if needs.index {
				return fmt.Errorf("number %d of the index is %d, want 0 to %d", i, v, needs.ids-1)
			}
			return fmt.Errorf("number %d of the input is %d, want 0 to %d, the Embedding's; set its In to the size of the vocabulary", i, v, needs.ids-1)
		}
	}
	return nil
}

// fill returns the batch with rows added up to size, copies of the first.
func (b Batch) fill(size int) Batch {
	n := b.Inputs.shape[0]
	if n == size {
		return b
	}
	return Batch{Inputs: b.Inputs.fill(size), Labels: b.Labels.fill(size)}
}

func (t *Tensor) fill(size int) *Tensor {
	n, flat := t.shape[0], reflect.ValueOf(t.flat())
	row := flat.Len() / n
	all := reflect.MakeSlice(flat.Type(), size*row, size*row)
	reflect.Copy(all, flat)
	for i := n; i < size; i++ {
		reflect.Copy(all.Slice(i*row, (i+1)*row), flat.Slice(0, row))
	}
	return hostTensor(t.dtype, append(Shape{size}, t.shape[1:]...), all.Interface())
}

// to returns the batch on a device, and on the host as it was.
func (b Batch) to(on *xla.Device) (Batch, error) {
	var err error
	if b.Inputs != nil {
		if b.Inputs, err = b.Inputs.withDeviceCopy(on); err != nil {
			return b, err
		}
		if b.Labels, err = b.Labels.withDeviceCopy(on); err != nil {
			return b, err
		}
	}
	all := map[string]*Tensor{}
	for name, t := range b.Fields {
		if all[name], err = t.withDeviceCopy(on); err != nil {
			return b, err
		}
	}
	if b.Fields != nil {
		b.Fields = all
	}
	return b, nil
}

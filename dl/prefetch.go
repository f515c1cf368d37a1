package dl

import (
	"iter"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// fetched is a batch on its way.
type fetched struct {
	batch Batch
	err   error
}

// prefetch yields the batches of seq, and has the next one read and put, on a
// goroutine of its own, while the loop works at one: two batches are there at a
// time, no more. Errors come in their places; what seq panics with is one.
// When the loop is left, early or not, seq has ended and the goroutine with it.
func prefetch(seq iter.Seq2[Batch, error], put func(Batch) (Batch, error)) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		ahead, left, ended := make(chan fetched), make(chan struct{}), make(chan struct{})
		hand := func(f fetched) bool {
			select {
			case ahead <- f:
				return true
			case <-left:
				return false
			}
		}
		go func() {
			defer close(ended)
			defer close(ahead)
			err := xla.Shield(func() error {
				for batch, err := range seq {
					if err == nil {
						batch, err = put(batch)
					}
					if !hand(fetched{batch, err}) {
						break
					}
				}
				return nil
			})
			if err != nil {
				hand(fetched{err: err})
			}
		}()
		defer func() {
			close(left)
			<-ended
		}()
		for f := range ahead {
			if !yield(f.batch, f.err) {
				return
			}
		}
	}
}

// ready copies a batch to the device that the next step runs on, where the
// step takes it as it is. What goes wrong here goes wrong in the step again,
// which says so.
func (s *Step) ready(batch Batch) (Batch, error) {
	on, err := s.model.on()
	rows, e := batch.rows()
	s.mu.Lock()
	size := s.size
	s.mu.Unlock()
	if err != nil || e != nil || rows < size || s.options.Devices > 1 {
		return batch, nil
	}
	for _, t := range []*Tensor{batch.Inputs, batch.Labels} {
		values, release := t.values()
		values.Prepare(on)
		release()
	}
	return batch, nil
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

// withDeviceCopy returns the tensor with a copy on a device, as To does, which keeps the
// host's.
func (t *Tensor) withDeviceCopy(on *xla.Device) (*Tensor, error) {
	values, release := t.values()
	defer release()
	a, err := values.CopyTo(on, true)
	if err != nil {
		return nil, err
	}
	return arrayTensor(a), nil
}

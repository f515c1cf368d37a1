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
// time, no more. Errors come in their places; what seq panics with is one, and so is
// that it ends its goroutine. When the loop is left, early or not, seq has ended and
// the goroutine with it.
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
			err := error(errCellEnded)
			defer func() {
				if err != nil {
					hand(fetched{err: err})
				}
			}()
			err = xla.Shield(func() error {
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

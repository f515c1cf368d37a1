package collective

import (
	"io"
	"unsafe"
)

// round adds up an array over the ring. In the first turn each process adds its part to
// what comes and sends it on, and in the second the sums go round.
func (g *Group) round(x []float32) error {
	n, rank := g.world.Size, g.world.Rank
	part := func(i int) []float32 {
		i = ((i % n) + n) % n
		return x[len(x)*i/n : len(x)*(i+1)/n]
	}
	came := make([]float32, (len(x)+n-1)/n)
	sent := make(chan error, 1)
	// pass sends a part to the next process and receives one from the previous.
	pass := func(out, in []float32) error {
		go func() {
			_, err := g.next.Write(bytesOf(out))
			sent <- err
		}()
		_, err := io.ReadFull(g.prev, bytesOf(in))
		if err != nil {
			g.next.Close() // so that the sending ends too
		}
		if e := <-sent; err == nil {
			err = e
		}
		return err
	}
	for s := range n - 1 {
		to := part(rank - s - 1)
		if err := pass(part(rank-s), came[:len(to)]); err != nil {
			return err
		}
		for i, v := range came[:len(to)] {
			to[i] += v
		}
	}
	for s := range n - 1 {
		if err := pass(part(rank+1-s), part(rank-s)); err != nil {
			return err
		}
	}
	return nil
}

// bytesOf are the bytes of numbers where they lie. All processors that Holt runs on have
// the lowest byte first.
func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

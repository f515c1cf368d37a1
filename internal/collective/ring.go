package collective

import (
	"io"
	"unsafe"
)

// Piece returns where the piece of n numbers that is a process's begins and ends, where each of the
// processes has one.
func Piece(n, rank, processes int) (from, to int) {
	return n * rank / processes, n * (rank + 1) / processes
}

// round adds up an array over the ring. In the first turn each process adds its part to
// what comes and sends it on, and in the second the sums go round.
func (g *Group) round(x []float32) error {
	n, rank := g.world.Size, g.world.Rank
	part := func(i int) []float32 {
		from, to := Piece(len(x), g.at(i), n)
		return x[from:to]
	}
	came := make([]float32, (len(x)+n-1)/n)
	for s := range n - 1 {
		to := part(rank - s - 1)
		if err := g.pass(part(rank-s), came[:len(to)]); err != nil {
			return err
		}
		for i, v := range came[:len(to)] {
			to[i] += v
		}
	}
	return g.circulate(part, rank+1)
}

// circulate sends parts round the ring, of which each process has one at first, and all in the end.
// own is the number of that which this process has; the next process has the next one.
func (g *Group) circulate(part func(i int) []float32, own int) error {
	for s := range g.world.Size - 1 {
		if err := g.pass(part(own-s), part(own-s-1)); err != nil {
			return err
		}
	}
	return nil
}

// at is a number in the ring.
func (g *Group) at(i int) int { return ((i % g.world.Size) + g.world.Size) % g.world.Size }

// pass sends a part to the next process and receives one from the previous.
func (g *Group) pass(out, in []float32) error {
	sent := make(chan error, 1)
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

// bytesOf are the bytes of numbers where they lie. All processors that Holt runs on have
// the lowest byte first.
func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

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

// round adds up an array over the ring. In the first turn the parts are added up, and in the second
// the sums go round.
func (g *Group) round(x []float32) error {
	part := func(i int) []float32 {
		from, to := Piece(len(x), g.at(i), g.world.Size)
		return x[from:to]
	}
	if err := g.reduce(part, g.world.Rank+1); err != nil {
		return err
	}
	return g.circulate(part, g.world.Rank+1)
}

// reduce adds up parts over the ring, in one turn: each process adds its part to what comes and sends
// it on. own is the number of that of which this process has the sum in the end; the next process
// has the next one. The others have sums of some processes then.
func (g *Group) reduce(part func(i int) []float32, own int) error {
	var came []float32
	for s := range g.world.Size - 1 {
		to := part(own - s - 2)
		if len(to) > len(came) {
			came = make([]float32, len(to))
		}
		if err := g.pass(part(own-s-1), came[:len(to)]); err != nil {
			return err
		}
		for i, v := range came[:len(to)] {
			to[i] += v
		}
	}
	return nil
}

// scatter adds up arrays over the ring, of which each process gets its [Piece].
func (g *Group) scatter(arrays [][]float32) error {
	p := g.pack(arrays)
	if err := g.reduce(func(i int) []float32 { return p.part(g.at(i)) }, g.world.Rank); err != nil {
		return err
	}
	p.unpack(g.world.Rank)
	return nil
}

// packed is arrays of which each process has its [Piece]. The pieces of a process lie together, so
// that they go round the ring at once.
type packed struct {
	arrays    [][]float32
	processes int
	all       []float32
	ends      []int // of each process's pieces in all
}

func (g *Group) pack(arrays [][]float32) packed {
	p := packed{arrays: arrays, processes: g.world.Size}
	size := 0
	for _, a := range arrays {
		size += len(a)
	}
	p.all = make([]float32, 0, size)
	for rank := range p.processes {
		p.each(rank, func(piece []float32) { p.all = append(p.all, piece...) })
		p.ends = append(p.ends, len(p.all))
	}
	return p
}

// each calls f with the pieces of a process.
func (p packed) each(rank int, f func(piece []float32)) {
	for _, a := range p.arrays {
		from, to := Piece(len(a), rank, p.processes)
		f(a[from:to])
	}
}

// part is the pieces of a process.
func (p packed) part(rank int) []float32 {
	from := 0
	if rank > 0 {
		from = p.ends[rank-1]
	}
	return p.all[from:p.ends[rank]]
}

// unpack brings the pieces of a process to their places.
func (p packed) unpack(rank int) {
	part := p.part(rank)
	p.each(rank, func(piece []float32) { part = part[copy(piece, part):] })
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
	g.sent.Add(int64(4 * len(out)))
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

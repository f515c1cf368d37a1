package plot

import (
	"cmp"
	"math"
	"slices"

	"github.com/holt-dl/holt/display"
)

// A diagram is laid out in ranks, after Sugiyama, Tagawa and Toda (1981,
// "Methods for visual understanding of hierarchical system structures"): a box
// is one rank below the lowest of those that it uses. An arrow over
// several ranks gets a bend in each of those between, which has a place of its
// own, so that arrows go around boxes and not through them. Then the order
// within the ranks is chosen for few crossings, and last the places, each as
// near to those above and below it as the order allows.

// spot is a box, or a bend of an arrow.
type spot struct {
	box      int // -1 for a bend
	rank     int
	x, wide  float64 // the middle, and the room
	up, down []int   // the spots that it is joined to
	spine    bool    // on the longest way through the diagram, which is straight
}

// layout is where the boxes of a diagram are.
type layout struct {
	spots []spot // boxes first, in their order
	ranks [][]int
	wires [][]int // of each arrow, the spots from its beginning to its end
}

// Rounds of improvement. Networks are mostly one chain with a few ways around
// it, for which a few rounds are enough.
const (
	orderRounds = 8
	placeRounds = 24
)

func layOut(boxes []display.Box, boxWide, bendWide float64) layout {
	var l layout
	for i, b := range boxes {
		s := spot{box: i, wide: boxWide}
		for _, from := range b.From {
			s.rank = max(s.rank, l.spots[from].rank+1)
		}
		l.spots = append(l.spots, s)
	}
	for i, b := range boxes {
		for _, from := range b.From {
			wire := []int{from}
			for rank := l.spots[from].rank + 1; rank < l.spots[i].rank; rank++ {
				wire = append(wire, len(l.spots))
				l.spots = append(l.spots, spot{box: -1, rank: rank, wide: bendWide})
			}
			wire = append(wire, i)
			for k := range len(wire) - 1 {
				a, b := &l.spots[wire[k]], &l.spots[wire[k+1]]
				a.down, b.up = append(a.down, wire[k+1]), append(b.up, wire[k])
			}
			l.wires = append(l.wires, wire)
		}
	}
	for i, s := range l.spots {
		for len(l.ranks) <= s.rank {
			l.ranks = append(l.ranks, nil)
		}
		l.ranks[s.rank] = append(l.ranks[s.rank], i)
	}
	l.straighten()
	l.order()
	l.place()
	return l
}

// straighten chooses the spine: from the lowest box upwards, at each step to a
// box that is right above.
func (l *layout) straighten() {
	at := slices.IndexFunc(l.spots, func(s spot) bool { return s.rank == len(l.ranks)-1 })
	for at >= 0 {
		l.spots[at].spine = true
		next := -1
		for _, i := range l.spots[at].up {
			if l.spots[i].box >= 0 && next < 0 {
				next = i
			}
		}
		at = next
	}
}

// order sorts each rank by the means of the positions above, then below, and
// keeps the order with the fewest crossings.
func (l *layout) order() {
	best, fewest := l.copyRanks(), l.crossings()
	for round := range orderRounds {
		position := l.positions()
		for r := range l.ranks {
			near := func(s spot) []int { return s.up }
			if round%2 == 1 {
				r = len(l.ranks) - 1 - r
				near = func(s spot) []int { return s.down }
			}
			mean := func(i int) float64 {
				joined := near(l.spots[i])
				if len(joined) == 0 {
					return float64(position[i])
				}
				sum := 0.0
				for _, j := range joined {
					sum += float64(position[j])
				}
				return sum / float64(len(joined))
			}
			slices.SortStableFunc(l.ranks[r], func(a, b int) int { return cmp.Compare(mean(a), mean(b)) })
			for at, i := range l.ranks[r] {
				position[i] = at
			}
		}
		if n := l.crossings(); n < fewest {
			best, fewest = l.copyRanks(), n
		}
	}
	l.ranks = best
}

func (l *layout) copyRanks() [][]int {
	out := make([][]int, len(l.ranks))
	for i, rank := range l.ranks {
		out[i] = slices.Clone(rank)
	}
	return out
}

// positions is where each spot is in its rank.
func (l *layout) positions() []int {
	at := make([]int, len(l.spots))
	for _, rank := range l.ranks {
		for p, i := range rank {
			at[i] = p
		}
	}
	return at
}

// crossings counts the pairs of joints between neighbouring ranks that cross.
func (l *layout) crossings() (n int) {
	at := l.positions()
	for _, rank := range l.ranks {
		var ends [][2]int
		for _, i := range rank {
			for _, j := range l.spots[i].down {
				ends = append(ends, [2]int{at[i], at[j]})
			}
		}
		for a := range ends {
			for b := range a {
				if (ends[a][0]-ends[b][0])*(ends[a][1]-ends[b][1]) < 0 {
					n++
				}
			}
		}
	}
	return n
}

// place moves each spot to the mean of those that it is joined to, as far as
// its neighbours in the rank allow.
func (l *layout) place() {
	for _, rank := range l.ranks {
		l.settle(rank, make([]float64, len(rank)))
	}
	for round := range placeRounds {
		for r := range l.ranks {
			if round%2 == 1 {
				r = len(l.ranks) - 1 - r
			}
			want := make([]float64, len(l.ranks[r]))
			for k, i := range l.ranks[r] {
				want[k] = l.pull(i)
			}
			l.settle(l.ranks[r], want)
		}
	}
}

// pull is where a spot wants to be: on the spine, or at the mean of what it is
// joined to. Bends pull each other hardest, for long arrows are to be straight.
func (l *layout) pull(i int) float64 {
	if l.spots[i].spine {
		return 0
	}
	sum, weight := 0.0, 0.0
	for _, joined := range [][]int{l.spots[i].up, l.spots[i].down} {
		for _, j := range joined {
			w := 1.0
			if (l.spots[i].box < 0) == (l.spots[j].box < 0) && !l.spots[j].spine {
				w = 8
			}
			sum, weight = sum+w*l.spots[j].x, weight+w
		}
	}
	if weight == 0 {
		return l.spots[i].x
	}
	return sum / weight
}

// settle puts the spots of a rank as near to where they want to be as their
// room allows, in the sense of least squares. Without the room it is isotonic
// regression, which pooling adjacent violators solves (Barlow et al., 1972).
func (l *layout) settle(rank []int, want []float64) {
	type pool struct {
		sum, weight float64
		n           int
	}
	var pools []pool
	offset, before := make([]float64, len(rank)), 0.0 // of each from the first
	for k, i := range rank {
		half := l.spots[i].wide / 2
		if k > 0 {
			before += half
		}
		offset[k] = before
		before += half
		w := 1.0
		switch {
		case l.spots[i].spine:
			w = 1e6
		case l.spots[i].box >= 0:
			w = 4
		}
		pools = append(pools, pool{w * (want[k] - offset[k]), w, 1})
		for n := len(pools); n > 1 && pools[n-2].sum/pools[n-2].weight > pools[n-1].sum/pools[n-1].weight; n = len(pools) {
			pools[n-2] = pool{pools[n-2].sum + pools[n-1].sum, pools[n-2].weight + pools[n-1].weight, pools[n-2].n + pools[n-1].n}
			pools = pools[:n-1]
		}
	}
	k := 0
	for _, p := range pools {
		for range p.n {
			// Whole pixels, so that chains are straight and edges sharp.
			l.spots[rank[k]].x = math.Round(p.sum/p.weight + offset[k])
			k++
		}
	}
}

// span is from where to where the spots reach.
func (l *layout) span() (left, right float64) {
	left, right = math.Inf(1), math.Inf(-1)
	for _, s := range l.spots {
		left, right = min(left, s.x-s.wide/2), max(right, s.x+s.wide/2)
	}
	return left, right
}

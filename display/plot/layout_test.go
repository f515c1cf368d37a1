package plot

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/display"
)

// TestLayout draws made-up networks and checks what makes a drawing readable.
func TestLayout(t *testing.T) {
	from := func(from ...[]int) (boxes []display.Box) {
		for _, f := range from {
			boxes = append(boxes, display.Box{From: f})
		}
		return boxes
	}
	tests := []struct {
		name      string
		boxes     []display.Box
		ranks     string // of the boxes
		crossings int
	}{
		{"one", from(nil), "[0]", 0},
		{"chain", from(nil, []int{0}, []int{1}), "[0 1 2]", 0},
		{"way around", from(nil, []int{0}, []int{1}, []int{2, 0}), "[0 1 2 3]", 0},
		{"crossed as it comes", from(nil, []int{0}, []int{0}, []int{2}, []int{1}, []int{3, 4}), "[0 1 1 2 2 3]", 0},
		{"two inputs", from(nil, nil, []int{0, 1}), "[0 0 1]", 0},
		{"all with all", from(nil, nil, []int{0, 1}, []int{0, 1}), "[0 0 1 1]", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := layOut(tt.boxes, 100, 10)
			var ranks []int
			for _, s := range l.spots[:len(tt.boxes)] {
				ranks = append(ranks, s.rank)
			}
			if fmt.Sprint(ranks) != tt.ranks || l.crossings() != tt.crossings {
				t.Errorf("ranks %v with %d crossings, want %s with %d", ranks, l.crossings(), tt.ranks, tt.crossings)
			}
			for _, rank := range l.ranks {
				for k := 1; k < len(rank); k++ {
					a, b := l.spots[rank[k-1]], l.spots[rank[k]]
					if b.x-a.x < (a.wide+b.wide)/2-1 { // places are rounded
						t.Errorf("two stand at %g and %g, want them %g apart", a.x, b.x, (a.wide+b.wide)/2)
					}
				}
			}
			for i, s := range l.spots {
				if s.spine && s.x != 0 {
					t.Errorf("spot %d of the spine stands at %g, want 0", i, s.x)
				}
			}
		})
	}
}

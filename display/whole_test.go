package display

import "testing"

func TestAxisEnd(t *testing.T) {
	tests := []struct {
		name            string
		high, end, want float64
	}{
		{"nothing yet", 0, 4, 4},
		{"a short run", 0.5, 4, 4},
		{"a short run that is resumed for longer", 5, 4, 5},
		{"a long run, nothing yet", 0, 100, 1},
		{"within the first epoch", 0.3, 100, 0.5},
		{"at a round number", 20, 100, 20},
		{"behind it", 20.1, 100, 50},
		{"near the end", 51, 90, 90},
		{"beyond it", 120, 90, 120},
	}
	for _, tt := range tests {
		if got := axisEnd(tt.high, tt.end); got != tt.want {
			t.Errorf("%s: an axis of %g points of %g ends at %g, want %g", tt.name, tt.high, tt.end, got, tt.want)
		}
	}
}

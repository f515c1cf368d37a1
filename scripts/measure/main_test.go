package main

import (
	"go/parser"
	"go/token"
	"testing"
)

func TestLargestCircle(t *testing.T) {
	tests := []struct {
		name   string
		arrows map[string][]string
		want   int
	}{
		{"a line", map[string][]string{"a": {"b"}, "b": {"c"}, "c": nil}, 1},
		{"a circle of three, and what it uses", map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": nil}, 3},
		{"two circles", map[string][]string{"a": {"b"}, "b": {"a"}, "c": {"d"}, "d": {"e"}, "e": {"c", "a"}}, 3},
		{"nothing", nil, 0},
	}
	for _, tt := range tests {
		if got := largestCircle(tt.arrows); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestCellHasNoCircles looks at the engine's packages, of which each file uses only those
// that do not use it: they can be read from one end to the other.
func TestCellHasNoCircles(t *testing.T) {
	f, err := measureFolder("../..", "kernel/cell")
	if err != nil {
		t.Fatal(err)
	}
	if f.packages < 10 {
		t.Errorf("%d packages below kernel/cell, want at least 10", f.packages)
	}
	if f.circle > 0 {
		t.Errorf("%d files below kernel/cell use one another in circles; go run ./scripts/measure counts them, move what two of them share to a third", f.circle)
	}
}

func TestComplexity(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "", `package p
func plain() {}
func branches(a, b bool, c chan int) {
	if a && b || a {
	}
	for range 3 {
		switch {
		case a, b:
		default:
		}
	}
	select {
	case <-c:
	default:
	}
}`, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []function{{"p.plain", 1}, {"p.branches", 7}}
	got := functions(f)
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%v, want %v", got, want)
	}
}

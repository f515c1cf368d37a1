package lineage

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// script runs lines such as "B: x y -> z w=1": cell B uses x and y and changes
// z, and w by a definition that always gives 1. "f(x)" is x used through f. It
// returns the notices.
func script(t *testing.T, l *Log, lines string, queued ...string) []string {
	t.Helper()
	var notices []string
	runs := 0
	for _, r := range l.results { // those before
		runs = max(runs, number(r.name))
	}
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		id, rest, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		uses, changes, _ := strings.Cut(rest, "->")
		e := Effects{Uses: map[string]string{}}
		for _, u := range strings.Fields(uses) {
			by, name, through := strings.Cut(strings.TrimSuffix(u, ")"), "(")
			if !through {
				name = by
			}
			e.Uses[name] = by
		}
		for _, c := range strings.Fields(changes) {
			name, fixed, _ := strings.Cut(c, "=")
			e.Changes = append(e.Changes, Change{Name: name, Fixed: fixed})
		}
		runs++
		n := l.Add(Run{ID: id, Name: fmt.Sprintf("cell[%d]", runs), Effects: e,
			Queued: func(id string) bool { return slices.Contains(queued, id) }})
		if n != "" {
			notices = append(notices, fmt.Sprintf("[%d] %s", runs, n))
		}
	}
	return notices
}

func number(name string) (n int) {
	fmt.Sscanf(name, "cell[%d]", &n)
	return n
}

func TestLog(t *testing.T) {
	tests := []struct {
		name    string
		script  string
		stale   []string
		notices []string
	}{
		{"nothing", "A: -> x\nB: x -> y\nC: y", nil, nil},
		{"changed by a new cell", "A: -> x\nB: x -> y\nC: -> x",
			[]string{"cell[2] used x of cell[1]; cell[3] has changed it since"}, nil},
		{"run again", "A: -> x\nB: x -> y\nA: -> x",
			[]string{"cell[2] used x of cell[1]; cell[3] has changed it since"},
			[]string{"[3] cell[2] used the former x; %stale lists what is out of date"}},
		{"and brought up to date", "A: -> x\nB: x -> y\nA: -> x\nB: x -> y", nil,
			[]string{"[3] cell[2] used the former x; %stale lists what is out of date"}},
		{"several users", "A: -> x\nB: x\nC: x\nA: -> x",
			[]string{"cell[2] used x of cell[1]; cell[4] has changed it since", "cell[3] used x of cell[1]; cell[4] has changed it since"},
			[]string{"[4] cells [2] [3] used the former x; %stale lists what is out of date"}},
		{"said once", "A: -> x\nB: x\nA: -> x\nA: -> x",
			[]string{"cell[2] used x of cell[1]; cell[4] has changed it since"},
			[]string{"[3] cell[2] used the former x; %stale lists what is out of date"}},
		{"the same constant again", "A: -> x=1\nB: x\nA: -> x=1", nil, nil},
		{"another constant", "A: -> x=1\nB: x\nA: -> x=2",
			[]string{"cell[2] used x of cell[1]; cell[3] has changed it since"},
			[]string{"[3] cell[2] used the former x; %stale lists what is out of date"}},
		{"the constant, after another cell counted it", "A: -> x=1\nB: x -> x\nC: x\nA: -> x=1",
			[]string{"cell[2] used x of cell[1]; cell[4] has changed it since", "cell[3] used x of cell[2]; cell[4] has changed it since"},
			[]string{"[4] cells [2] [3] used the former x; %stale lists what is out of date"}},
		{"a cell's own change", "A: -> x\nB: x -> x\nB: x -> x", nil, nil},
		{"what rests on it", "A: -> x\nB: x -> y\nC: y -> z\nD: z\nA: -> x",
			[]string{
				"cell[2] used x of cell[1]; cell[5] has changed it since",
				"cell[3] used y of cell[2], which is out of date itself",
				"cell[4] used z of cell[3], which is out of date itself",
			},
			[]string{"[5] cell[2] used the former x; %stale lists what is out of date"}},
		{"through a function", "A: -> f\nB: -> g\nC: g g(f)\nA: -> f",
			[]string{"cell[3] used g, which uses f of cell[1]; cell[4] has changed it since"},
			[]string{"[4] cell[3] used the former f; %stale lists what is out of date"}},
		{"out of order", "A: -> x\nB: x\nC: -> x\nB: x", nil,
			[]string{"[4] this cell used x of cell[3], which first ran after it: run from top to bottom, the notebook may give another result"}},
		{"unknown names", "A: os x", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var l Log
			notices := script(t, &l, tt.script)
			var stale []string
			for _, s := range l.Stale() {
				stale = append(stale, s.String())
			}
			if !slices.Equal(stale, tt.stale) {
				t.Errorf("stale:\n%s\nwant:\n%s", strings.Join(stale, "\n"), strings.Join(tt.stale, "\n"))
			}
			if !slices.Equal(notices, tt.notices) {
				t.Errorf("notices:\n%s\nwant:\n%s", strings.Join(notices, "\n"), strings.Join(tt.notices, "\n"))
			}
		})
	}
}

// TestQueued: a cell that is about to run again is not worth a notice, as in
// "run all".
func TestQueued(t *testing.T) {
	var l Log
	script(t, &l, "A: -> x\nB: x\nC: x")
	if got := script(t, &l, "A: -> x", "B", "C"); got != nil {
		t.Errorf("got %q, want no notice", got)
	}
	if got := l.Stale(); len(got) != 2 {
		t.Errorf("got %v, want B and C stale until they ran", got)
	}
}

// TestLose: values that ended with the host process are made again without a
// word about who used them.
func TestLose(t *testing.T) {
	var l Log
	script(t, &l, "A: -> x\nB: x")
	l.MarkLost([]string{"x"})
	if got := script(t, &l, "A: -> x"); got != nil {
		t.Errorf("got %q, want no notice", got)
	}
}

// TestTrim bounds what is remembered.
func TestTrim(t *testing.T) {
	var l Log
	for i := range maxCells + 10 {
		l.Add(Run{ID: fmt.Sprint(i), Name: fmt.Sprintf("cell[%d]", i)})
	}
	if n := len(l.results); n > maxCells {
		t.Errorf("%d cells are remembered, want at most %d", n, maxCells)
	}
}

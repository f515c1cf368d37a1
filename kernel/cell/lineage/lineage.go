// Package lineage knows which cells' results rest on which, so that a notebook
// can say what is out of date. It runs nothing again.
//
// [Log.Add] records every execution, with what the cell used and changed
// ([Effects]). Every change of a name gives it a new version; a cell is stale
// when a name that it used has a newer version by another cell, or when it used what
// a stale cell made.
//
//	A: x := 1            x has version 1, made by A
//	B: y := x + 1        rests on version 1 of x; makes version 1 of y
//	C: y * 2             rests on version 1 of y
//	A: x := 2            x has version 2: B is stale, and C, which used what B made
//	B: y := x + 1        B is not any more; C is, as y has version 2
//
// The kernel does not know how cells are arranged on the page. A cell's place
// is taken to be when it first ran.
package lineage

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxCells bounds what is remembered, for clients that name no cells, where
// every execution is a cell of its own.
// An entry is as large as the list of names that the cell uses.
const maxCells = 10_000

// Run is one execution of a cell.
//
// JupyterLab sends the cell's identity in the metadata of the request ("cellId"), by which a
// second execution of the same cell is known.
type Run struct {
	ID      string // the cell, as JupyterLab names it; Name where the client named none
	Name    string // of the execution, such as cell[5]
	Effects Effects
	// Queued reports whether a cell waits to be run, so that nothing need be
	// said of its old result; nil when none does.
	Queued func(id string) bool
}

// Stale is why a cell's result is out of date.
//
// One cell may have several.
type Stale struct {
	Cell string // the execution, such as cell[5]
	Name string // what it used
	By   string // the name in its text by which it used that: Name itself, or what it called
	From string // the execution that made the version it used
	// Changed is the execution that has made another version since. It is
	// empty where From's own result is out of date.
	Changed string
}

// String is a line such as "cell[2] used x of cell[1]; cell[3] has changed it since".
func (s Stale) String() string {
	what := s.Name
	if s.By != s.Name {
		what = s.By + ", which uses " + s.Name
	}
	if s.Changed == "" {
		return fmt.Sprintf("%s used %s of %s, which is out of date itself", s.Cell, what, s.From)
	}
	return fmt.Sprintf("%s used %s of %s; %s has changed it since", s.Cell, what, s.From, s.Changed)
}

// version is what a name stands for since a cell changed it.
//
// A name that no cell has changed since the log began has none: its zero value has number 0.
type version struct {
	number int    // from 1, one more with each change
	id     string // the cell that made it
	from   string // the execution that did
	fixed  string // Change.Fixed
	lost   bool   // its value ended with a host process
}

// used is a version that a cell's result rests on.
//
// The version is a copy: its maker and number are those of that time.
type used struct {
	version
	by string
}

// result is the last execution of a cell.
type result struct {
	id, name string // of the cell; of its last execution
	first    int    // how many cells had run before this one first did
	uses     map[string]used
	// By them a cell that does x = x + 1 is not stale through its own change.
	made map[string]int // the numbers of its own versions
}

// Log remembers the last execution of every cell. The zero value is an empty
// one. It is not safe for concurrent use.
//
// The session adds to it when a cell has run, and %stale, a cell's command, reads it.
type Log struct {
	results  map[string]*result // by cell
	versions map[string]version
	count    int // cells that ever ran
}

// Add records an execution and returns a sentence about what it put out of
// date or out of order, or "". Only a cell that ran before can do that; one
// that is new belongs below the others.
//
// A failed cell is recorded as well, with the changes that it came to (see [Effects.Reached]).
// The cost is that of going through all cells once for each name that the cell changes.
func (l *Log) Add(r Run) (notice string) {
	if l.results == nil {
		l.results, l.versions = map[string]*result{}, map[string]version{}
	}
	// A cell keeps the place of its first execution, however often it runs.
	old := l.results[r.ID]
	now := &result{id: r.ID, name: r.Name, first: l.count, uses: map[string]used{}, made: map[string]int{}}
	if old != nil {
		now.first = old.first
	} else {
		l.count++
	}
	// First what it used, by the versions as they were before its own changes.
	var below []string // what it used, of cells that first ran later
	for _, name := range slices.Sorted(maps.Keys(r.Effects.Uses)) {
		v, ok := l.versions[name]
		if !ok {
			continue
		}
		now.uses[name] = used{v, r.Effects.Uses[name]}
		// A lost value cannot have been used: the cell was refused until it was made again.
		if maker := l.results[v.id]; old != nil && maker != nil && maker.first > now.first && !v.lost {
			below = append(below, fmt.Sprintf("%s of %s", name, v.from))
		}
	}
	// Then what it changes: each name gets the next version.
	var changed, cells []string
	for _, c := range r.Effects.Changes {
		v := l.versions[c.Name]
		// The same cell gave the same value again: no new version, and no result is out
		// of date. Another cell in between, even one that changed a part, would have made a
		// version of its own.
		if c.Fixed != "" && v.fixed == c.Fixed && v.id == r.ID && !v.lost {
			v.from = r.Name
			l.versions[c.Name] = v
			now.made[c.Name] = v.number
			continue
		}
		now.made[c.Name] = v.number + 1
		if old != nil && !v.lost {
			if former := l.users(c.Name, v, r); len(former) > 0 {
				changed = append(changed, c.Name)
				cells = append(cells, former...)
			}
		}
		// A value that was lost is there again.
		l.versions[c.Name] = version{number: v.number + 1, id: r.ID, from: r.Name, fixed: c.Fixed}
	}
	// The former result of the cell is replaced: what that used is of no interest.
	l.results[r.ID] = now
	l.trim()
	var parts []string
	if len(changed) > 0 {
		parts = append(parts, fmt.Sprintf("%s used the former %s; %%stale lists what is out of date", enumerate(cells), strings.Join(changed, ", ")))
	}
	if len(below) > 0 {
		parts = append(parts, fmt.Sprintf("this cell used %s, which first ran after it: run from top to bottom, the notebook may give another result", strings.Join(below, ", ")))
	}
	return strings.Join(parts, "; ")
}

// users returns the other cells that used a version, or made one of their own
// of it, and are not about to run again.
//
// Cells whose result rests on an older version are left out: they were told when that ended,
// so that running one cell again and again gives one notice. Cells that wait in the queue are,
// too: by the time the notice is read they have run.
func (l *Log) users(name string, v version, r Run) []string {
	var names []string
	for _, c := range l.ordered() {
		u, ok := c.uses[name]
		if ok && c.id != r.ID && max(u.number, c.made[name]) == v.number && (r.Queued == nil || !r.Queued(c.id)) {
			names = append(names, c.name)
		}
	}
	return names
}

// enumerate writes cell[5], cell[7] as "cells [5] [7]".
//
// One alone is "cell[5]". A cell that used several names is named once.
func enumerate(names []string) string {
	seen := map[string]bool{}
	var list []string
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			list = append(list, strings.TrimPrefix(n, "cell"))
		}
	}
	if len(list) == 1 {
		return "cell" + list[0]
	}
	return "cells " + strings.Join(list, " ")
}

// ordered lists the results in the order in which their cells first ran.
//
// It sorts each time, which is cheap beside the compilation of a cell.
func (l *Log) ordered() []*result {
	return slices.SortedFunc(maps.Values(l.results), func(a, b *result) int { return a.first - b.first })
}

// trim forgets the cells that ran first, when there are too many.
//
// A tenth at once, so that sorting is rare. Their versions stay, since other cells may rest on
// them; a cell that was forgotten and runs again counts as new.
func (l *Log) trim() {
	if len(l.results) <= maxCells {
		return
	}
	for _, c := range l.ordered()[:maxCells/10] {
		delete(l.results, c.id)
	}
}

// Stale lists the cells whose result is out of date, in the order in which
// they first ran, with every reason.
//
// The reasons of a cell are either that names it used have newer versions, or, where none has,
// the first version that a stale cell made; not both, as the first kind is what to act on.
func (l *Log) Stale() []Stale {
	var list []Stale
	direct := map[string]bool{} // cells that used an older version
	for _, c := range l.ordered() {
		for _, name := range slices.Sorted(maps.Keys(c.uses)) {
			u, v := c.uses[name], l.versions[name]
			// Newer than what it used, and newer than what it made of that itself.
			if v.number > max(u.number, c.made[name]) {
				list = append(list, Stale{Cell: c.name, Name: name, By: u.by, From: u.from, Changed: v.from})
				direct[c.id] = true
			}
		}
	}
	// What rests on those, however far.
	// Until a round finds nothing: a cell may come before the one that makes it stale, as
	// cells run in any order.
	stale := maps.Clone(direct)
	for again := true; again; {
		again = false
		for _, c := range l.ordered() {
			if stale[c.id] {
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(c.uses)) {
				u := c.uses[name]
				// The cell that made the version may have run again since.
				// Then its present result says nothing of the version that was used. And if it
				// has been forgotten, nothing is known.
				if maker := l.results[u.id]; maker != nil && maker != c && stale[u.id] && maker.made[name] == u.number {
					list = append(list, Stale{Cell: c.name, Name: name, By: u.by, From: u.from})
					stale[c.id], again = true, true
				}
			}
		}
	}
	// The second kind was added behind the first: bring both into the order of the cells.
	place := map[string]int{}
	for _, c := range l.results {
		place[c.name] = c.first
	}
	slices.SortStableFunc(list, func(a, b Stale) int { return place[a.Cell] - place[b.Cell] })
	return list
}

// MarkLost marks the values of variables as gone. When they are made again, no notice
// says which cells used the former ones.
//
// The session calls it when a host process has ended.
func (l *Log) MarkLost(names []string) {
	for _, name := range names {
		if v, ok := l.versions[name]; ok {
			v.lost = true
			l.versions[name] = v
		}
	}
}

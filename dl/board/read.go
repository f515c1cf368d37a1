package board

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Log is a run read back from its event files: its curves as they were when
// [Read] looked. It is what display.Replay draws.
type Log struct {
	dir    string
	names  []string
	curves map[string]*points
	texts  map[string]string
	events int
	first  float64 // seconds since 1970
	last   float64
	notes  []string // on files that are not whole
	done   chan struct{}
}

type points struct {
	steps  []float64
	values []float64
}

// Read reads the event files below a folder, or one such file, of [Writer] or of
// any other writer. The curves of a folder inside are called by its name too:
// "loss_train/loss" is what AddScalars wrote.
//
// A record that is cut off, as a crash leaves it, and what comes after a damaged one,
// are left out, and String says so. A folder that is not there, or without event
// files, is an error.
func Read(dir string) (*Log, error) {
	l := &Log{dir: dir, curves: map[string]*points{}, texts: map[string]string{}, done: make(chan struct{})}
	close(l.done)
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(d.Name(), "tfevents") {
			paths = append(paths, path)
		}
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("board: read %s: %w, want a folder that board.Open was given; %s", dir, fs.ErrNotExist, nearby(dir))
	case err != nil:
		return nil, fmt.Errorf("board: read %s: %w", dir, err)
	case len(paths) == 0:
		return nil, fmt.Errorf("board: read %s: the folder has no event files, want some called events.out.tfevents.…; pass what board.Open was given", dir)
	}
	for _, p := range paths { // in the order of their times, which their names begin with
		within, err := filepath.Rel(dir, filepath.Dir(p))
		if err != nil || within == "." || p == dir { // dir may be a file
			within = ""
		}
		if err := l.file(p, filepath.ToSlash(within)); err != nil {
			return nil, fmt.Errorf("board: read %s: %w", p, err)
		}
	}
	for name := range l.curves {
		l.names = append(l.names, name)
	}
	slices.Sort(l.names)
	return l, nil
}

// nearby says where to look for a folder that is not there: what is in the
// one above it, or where a relative name begins.
func nearby(dir string) string {
	above := filepath.Dir(filepath.Clean(dir))
	entries, err := os.ReadDir(above)
	if err != nil {
		now, err := os.Getwd()
		if err != nil || filepath.IsAbs(dir) {
			return above + " is not there either"
		}
		return above + " is not there either, in " + now + ", where cells run"
	}
	const shown = 8
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	switch {
	case len(names) == 0:
		return above + " has no folders"
	case len(names) > shown:
		return above + " has " + strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", len(names)-shown)
	}
	return above + " has " + strings.Join(names, ", ")
}

// file adds the events of one file, whose curves are called by the folder.
func (l *Log) file(name, folder string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	n := 0
	for data, err := range records(bufio.NewReaderSize(f, 1<<16), info.Size()) {
		if err == nil {
			err = l.event(data, folder)
		}
		switch {
		case err == nil:
			n++
			continue
		case errors.Is(err, io.ErrUnexpectedEOF):
			l.notes = append(l.notes, fmt.Sprintf("%s is cut off after %d events", filepath.Base(name), n))
		case errors.Is(err, errDamaged), errors.Is(err, errMessage):
			l.notes = append(l.notes, fmt.Sprintf("%s is damaged after %d events", filepath.Base(name), n))
		default:
			return err
		}
		break
	}
	l.events += n
	return nil
}

// event adds one event.
func (l *Log) event(data []byte, folder string) error {
	var step int64
	var wall float64
	var values [][]byte
	start := false
	for f, err := range fields(data) {
		if err != nil {
			return err
		}
		switch f.num {
		case eventWallTime:
			wall = f.double()
		case eventStep:
			step = int64(f.bits)
		case eventSummary:
			for v, err := range fields(f.data) {
				if err != nil {
					return err
				}
				if v.num == summaryValue {
					values = append(values, v.data)
				}
			}
		case eventSessionLog:
			for s, err := range fields(f.data) {
				if err != nil {
					return err
				}
				start = start || s.num == 1 && s.bits == 1
			}
		}
	}
	if l.first == 0 || wall < l.first {
		l.first = wall
	}
	l.last = max(l.last, wall)
	if start {
		l.purge(folder, float64(step))
	}
	for _, v := range values {
		if err := l.value(v, folder, float64(step)); err != nil {
			return err
		}
	}
	return nil
}

// value adds a Summary.Value: a scalar of the old kind or the new, or a text.
func (l *Log) value(data []byte, folder string, step float64) error {
	var tag, plugin string
	var scalar float64
	is := false
	var tensor []byte
	for f, err := range fields(data) {
		if err != nil {
			return err
		}
		switch f.num {
		case valueTag:
			tag = string(f.data)
		case valueSimple:
			scalar, is = float64(f.float()), true
		case valueTensor:
			tensor = f.data
		case valueMetadata:
			for m, err := range fields(f.data) {
				if err != nil {
					return err
				}
				for p, err := range fields(m.data) {
					if err != nil {
						return err
					}
					if m.num == 1 && p.num == 1 {
						plugin = string(p.data)
					}
				}
			}
		}
	}
	name := path.Join(folder, tag)
	for f, err := range fields(tensor) {
		if err != nil {
			return err
		}
		switch {
		case plugin == "text" && f.num == 8:
			l.texts[strings.TrimSuffix(name, "/text_summary")] = string(f.data)
		case plugin == "scalars" && f.num == 5 && f.data == nil:
			scalar, is = float64(f.float()), true
		case plugin == "scalars" && f.num == 6 && f.data == nil:
			scalar, is = f.double(), true
		case plugin == "scalars" && f.num == 5 && len(f.data) == 4:
			scalar, is = float64(field{bits: littleEndian(f.data)}.float()), true
		case plugin == "scalars" && (f.num == 4 || f.num == 6) && len(f.data) == 8:
			scalar, is = field{bits: littleEndian(f.data)}.double(), true
		case plugin == "scalars" && f.num == 4 && len(f.data) == 4:
			scalar, is = float64(field{bits: littleEndian(f.data)}.float()), true
		}
	}
	if !is {
		return nil
	}
	c := l.curves[name]
	if c == nil {
		c = &points{}
		l.curves[name] = c
	}
	c.steps, c.values = append(c.steps, step), append(c.values, scalar)
	return nil
}

// littleEndian is the number that a packed list of one holds.
func littleEndian(b []byte) (bits uint64) {
	for i, v := range b {
		bits |= uint64(v) << (8 * i)
	}
	return bits
}

// purge takes out what a folder's curves have from a step on, because the run
// went on from there.
func (l *Log) purge(folder string, step float64) {
	for name, c := range l.curves {
		if folder != "" && !strings.HasPrefix(name, folder+"/") {
			continue
		}
		keep := 0
		for i, s := range c.steps {
			if s < step {
				c.steps[keep], c.values[keep] = s, c.values[i]
				keep++
			}
		}
		c.steps, c.values = c.steps[:keep], c.values[:keep]
	}
}

// Names lists the curves, sorted.
func (l *Log) Names() []string { return slices.Clone(l.names) }

// Curve returns the points of a curve in the order they were written: x in
// steps, and y. An unknown name has no points.
func (l *Log) Curve(name string) (x, y []float64) {
	c := l.curves[name]
	if c == nil {
		return nil, nil
	}
	return slices.Clone(c.steps), slices.Clone(c.values)
}

// XLabel says what the x of the curves counts.
func (l *Log) XLabel() string { return "step" }

// Text returns the last text under a tag, and "" where there is none.
func (l *Log) Text(tag string) string { return l.texts[tag] }

// Done is closed, because nothing is added to a Log.
func (l *Log) Done() <-chan struct{} { return l.done }

// String is one line: the folder, how much it holds, how long the run took,
// the last value of a few curves, and what is damaged.
func (l *Log) String() string {
	s := fmt.Sprintf("%s: %d events", l.dir, l.events)
	if l.last > l.first {
		s += fmt.Sprintf(" in %v", time.Duration((l.last-l.first)*float64(time.Second)).Round(10*time.Millisecond))
	}
	const shown = 4
	for i, name := range l.names {
		if i == shown {
			s += fmt.Sprintf("  and %d more curves", len(l.names)-shown)
			break
		}
		if c := l.curves[name]; len(c.values) > 0 {
			s += fmt.Sprintf("  %s %.4g", name, c.values[len(c.values)-1])
		}
	}
	for _, note := range l.notes {
		s += "; " + note
	}
	return s
}

// types that mention each other, double dispatch, type parameters on functions
package main

import (
	"fmt"
	"strings"
)

type visitor interface {
	file(*file)
	dir(*dir)
}

// together
type entry interface {
	accept(visitor)
	label() string
}

// together
type file struct {
	name string
	size int
}

// together
type dir struct {
	name    string
	entries []entry
}

func (f *file) accept(v visitor) { v.file(f) }
func (d *dir) accept(v visitor)  { v.dir(d) }
func (f *file) label() string    { return f.name }
func (d *dir) label() string     { return d.name + "/" }

type sizer struct{ total int }

func (s *sizer) file(f *file) { s.total += f.size }
func (s *sizer) dir(d *dir) {
	for _, e := range d.entries {
		e.accept(s)
	}
}

type lister struct {
	depth int
	out   strings.Builder
}

func (l *lister) line(s string) {
	fmt.Fprintf(&l.out, "%s%s\n", strings.Repeat("  ", l.depth), s)
}

func (l *lister) file(f *file) { l.line(f.label()) }

func (l *lister) dir(d *dir) {
	l.line(d.label())
	l.depth++
	for _, e := range d.entries {
		e.accept(l)
	}
	l.depth--
}

func fold[T any](e entry, zero T, f func(T, entry) T) T {
	acc := f(zero, e)
	if d, ok := e.(*dir); ok {
		for _, c := range d.entries {
			acc = fold(c, acc, f)
		}
	}
	return acc
}

func main() {
	root := &dir{"root", []entry{&file{"a", 3}, &dir{"sub", []entry{&file{"b", 4}}}}}
	s := &sizer{}
	root.accept(s)
	l := &lister{}
	root.accept(l)
	fmt.Print(l.out.String())
	fmt.Println(s.total, fold(root, 0, func(n int, _ entry) int { return n + 1 }))
	fmt.Println(fold(root, "", func(acc string, e entry) string { return acc + e.label() + " " }))
	root.entries[0].(*file).size = 10
	s.total = 0
	root.accept(s)
	fmt.Println(s.total)
}

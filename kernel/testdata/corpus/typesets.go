// constraints with methods, instantiation by name, methods through type parameters
package main

import (
	"fmt"
	"strconv"
	"strings"
)

type parser[T any] interface {
	*T
	parse(string) error
}

type pair struct{ a, b int }

func (p *pair) parse(s string) error {
	_, err := fmt.Sscanf(s, "%d:%d", &p.a, &p.b)
	return err
}

type flag bool

func (f *flag) parse(s string) (err error) {
	b, err := strconv.ParseBool(s)
	*f = flag(b)
	return err
}

func all[T any, P parser[T]](text string) (out []T, err error) {
	for s := range strings.FieldsSeq(text) {
		var v T
		if err := P(&v).parse(s); err != nil {
			return out, fmt.Errorf("%q: %w", s, err)
		}
		out = append(out, v)
	}
	return out, nil
}

type ordered interface{ ~int | ~string }

type tree[K ordered, V any] struct {
	root *leaf[K, V]
	n    int
}

// together
type leaf[K ordered, V any] struct {
	k    K
	v    V
	l, r *leaf[K, V]
}

func (t *tree[K, V]) put(k K, v V) {
	at := &t.root
	for *at != nil {
		switch {
		case k < (*at).k:
			at = &(*at).l
		case k > (*at).k:
			at = &(*at).r
		default:
			(*at).v = v
			return
		}
	}
	*at = &leaf[K, V]{k: k, v: v}
	t.n++
}

func (t *tree[K, V]) each(f func(K, V)) {
	var walk func(*leaf[K, V])
	walk = func(l *leaf[K, V]) {
		if l != nil {
			walk(l.l)
			f(l.k, l.v)
			walk(l.r)
		}
	}
	walk(t.root)
}

type name string

type number interface{ ~int | ~float64 }

func convert[To, From number](xs ...From) (out []To) {
	for _, x := range xs {
		out = append(out, To(x))
	}
	return out
}

func main() {
	ps, err := all[pair]("1:2 3:4")
	fmt.Println(ps, err, ps[1].a)
	fs, err := all[flag]("true 0 maybe")
	fmt.Println(fs, err)
	var t tree[name, []int]
	for i, n := range []name{"c", "a", "b", "a"} {
		t.put(n, []int{i})
	}
	t.each(func(n name, v []int) { fmt.Print(n, v, " ") })
	fmt.Println(t.n, t.root.k)
	fmt.Println(convert[int](1.5, 2.9), convert[float64](1, 2))
	fmt.Printf("%T %T\n", t.root.v, convert[name2, int])
}

type name2 int

// generic functions and types with constraints
package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

type number interface {
	~int | ~int64 | ~float64
}

type meters float64

func sum[T number](xs ...T) (s T) {
	for _, x := range xs {
		s += x
	}
	return s
}

func mapTo[T, U any](xs []T, f func(T) U) []U {
	out := make([]U, 0, len(xs))
	for _, x := range xs {
		out = append(out, f(x))
	}
	return out
}

type pair[K cmp.Ordered, V any] struct {
	key K
	val V
}

func (p pair[K, V]) String() string { return fmt.Sprintf("%v→%v", p.key, p.val) }

func sorted[M ~map[K]V, K cmp.Ordered, V any](m M) []pair[K, V] {
	var out []pair[K, V]
	for k, v := range m {
		out = append(out, pair[K, V]{k, v})
	}
	slices.SortFunc(out, func(a, b pair[K, V]) int { return cmp.Compare(a.key, b.key) })
	return out
}

type list[T any] struct {
	head *node[T]
	n    int
}

// together
type node[T any] struct {
	val  T
	next *node[T]
}

func (l *list[T]) push(v T) *list[T] {
	l.head = &node[T]{v, l.head}
	l.n++
	return l
}

func (l *list[T]) each(yield func(T) bool) {
	for n := l.head; n != nil && yield(n.val); n = n.next {
	}
}

type set[T comparable] map[T]struct{}

func (s set[T]) add(vs ...T) set[T] {
	for _, v := range vs {
		s[v] = struct{}{}
	}
	return s
}

func main() {
	fmt.Println(sum(1, 2, 3), sum(1.5, 2), sum[meters](1, 2.5), sum[int]())
	fmt.Println(mapTo([]int{1, 2}, func(i int) string { return strconv.Itoa(i) + "!" }))
	ages := map[string]int{"bob": 3, "ann": 5}
	fmt.Println(sorted(ages))
	l := (&list[string]{}).push("a").push("b").push("c")
	for s := range l.each {
		if s == "a" {
			break
		}
		fmt.Print(s, " ")
	}
	fmt.Println(l.n)
	s := set[point]{}.add(point{1, 2}, point{1, 2}, point{3, 4})
	fmt.Printf("%d %T\n", len(s), pair[string, []int]{})
	f := sum[float64]
	fmt.Println(f(1, 2), pair[int, bool]{1, true})
}

type point struct{ x, y int }

// range over functions, integers, strings and channels
package main

import (
	"fmt"
	"iter"
	"maps"
	"slices"
)

type tree struct {
	left, right *tree
	val         int
}

func (t *tree) insert(v int) *tree {
	switch {
	case t == nil:
		return &tree{val: v}
	case v < t.val:
		t.left = t.left.insert(v)
	default:
		t.right = t.right.insert(v)
	}
	return t
}

func (t *tree) all() iter.Seq2[int, int] {
	return func(yield func(int, int) bool) { t.walk(0, yield) }
}

// together
func (t *tree) walk(depth int, yield func(int, int) bool) bool {
	return t == nil || t.left.walk(depth+1, yield) && yield(depth, t.val) && t.right.walk(depth+1, yield)
}

func fib() iter.Seq[int] {
	return func(yield func(int) bool) {
		a, b := 0, 1
		for yield(a) {
			a, b = b, a+b
		}
	}
}

func filter[T any](s iter.Seq[T], ok func(T) bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		for v := range s {
			if ok(v) && !yield(v) {
				return
			}
		}
	}
}

func firstOver(limit int) int {
	for v := range filter(fib(), func(n int) bool { return n%2 == 0 }) {
		defer func() {}()
		if v > limit {
			return v
		}
	}
	return -1
}

func main() {
	var root *tree
	for _, v := range []int{5, 2, 8, 1, 9, 3} {
		root = root.insert(v)
	}
	for depth, v := range root.all() {
		if v == 9 {
			break
		}
		fmt.Print(depth, ":", v, " ")
	}
	fmt.Println(firstOver(100))
	next, stop := iter.Pull(fib())
	for range 5 {
		v, ok := next()
		fmt.Print(v, ok, " ")
	}
	stop()
	fmt.Println()
	for i, r := range "aé世" {
		fmt.Print(i, string(r), " ")
	}
	fmt.Println(slices.Sorted(maps.Keys(map[string]int{"z": 1, "y": 2})))
	fmt.Println(slices.Collect(filter(slices.Values([]int{1, 2, 3, 4}), func(n int) bool { return n > 2 })))
}

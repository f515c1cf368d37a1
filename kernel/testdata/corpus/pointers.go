// pointers, linked structures, escape from functions, new
package main

import (
	"fmt"
	"strings"
)

type cell struct {
	val        int
	prev, next *cell
}

type ring struct {
	at *cell
	n  int
}

func (r *ring) add(v int) {
	c := &cell{val: v}
	if r.at == nil {
		c.prev, c.next = c, c
	} else {
		c.prev, c.next = r.at, r.at.next
		c.next.prev, c.prev.next = c, c
	}
	r.at = c
	r.n++
}

func (r *ring) remove(back int) int {
	for range back {
		r.at = r.at.prev
	}
	gone := r.at
	gone.prev.next, gone.next.prev = gone.next, gone.prev
	r.at = gone.next
	r.n--
	return gone.val
}

func (r ring) String() string {
	var b strings.Builder
	for c, i := r.at, 0; i < r.n; c, i = c.next, i+1 {
		fmt.Fprintf(&b, "%d ", c.val)
	}
	return b.String()
}

func swap[T any](a, b *T) { *a, *b = *b, *a }

func escape() *int { n := 41; return &n }

func main() {
	r := &ring{}
	for i := range 5 {
		r.add(i)
	}
	fmt.Println(r, r.remove(2), r.n, r)
	x, y := 1, 2
	swap(&x, &y)
	p := escape()
	*p++
	q := &p
	**q++
	fmt.Println(x, y, *p, *q == p)
	arr := [3]int{1, 2, 3}
	for i := range arr {
		ptr := &arr[i]
		*ptr *= 10
	}
	s := struct{ a, b int }{1, 2}
	ps := &s.b
	*ps = 20
	fmt.Println(arr, s, new(int) != nil, *new(string) == "")
	var nilRing *ring
	fmt.Println(nilRing == nil, func() (ok bool) {
		defer func() { ok = recover() != nil }()
		nilRing.add(1)
		return false
	}())
	pp := &[]*cell{{val: 1}, {val: 2}}
	(*pp)[1].val += 5
	fmt.Println((*pp)[1].val, len(*pp))
}

// comparison, conversion and copies of structs, tags ignored
package main

import "fmt"

type a struct {
	x int
	s string
}

type b struct {
	x int
	s string `tag:"t"`
}

type c struct {
	a
	arr [2]a
	p   *a
}

type d a

func (v d) twice() d { v.x *= 2; return v }

func modify(v c) c {
	v.x = 100
	v.arr[0].x = 200
	v.p.x = 300
	return v
}

func (v a) with(x int) a { v.x = x; return v }

func main() {
	v := a{1, "s"}
	w := b(v)
	w.x++
	fmt.Println(v == a(w), v == a{1, "s"}, a(w).x)
	dd := d(v).twice().twice()
	fmt.Println(dd, a(dd) != v, (*a)(&dd).with(9), dd.x)
	orig := c{a: v, p: &a{5, "p"}}
	mod := modify(orig)
	fmt.Println(orig.x, orig.arr[0].x, orig.p.x, mod.x, mod.arr[0].x, mod.p == orig.p)
	fmt.Println(orig.a == v, orig == c{}, mod.arr == [2]a{{200, ""}, {}})
	m := map[c]int{orig: 1}
	m[orig]++
	fmt.Println(len(m), m[orig])
	e1, e2 := struct{}{}, struct{}{}
	fmt.Println(e1 == e2, struct{ x int }{1} == struct{ x int }{1})
	list := []*a{{1, "a"}, {s: "b"}}
	list[1].x = 7
	for _, p := range list {
		p.x++
	}
	fmt.Println(*list[0], *list[1], fmt.Sprintf("%+v", *list[1]))
	anon := struct {
		a
		extra []int
	}{v, []int{1}}
	anon.x, anon.extra[0] = 8, 9
	fmt.Println(anon.a, anon.extra, v.x)
}

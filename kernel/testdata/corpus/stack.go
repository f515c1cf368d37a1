// aliases, generic aliases, types of types
package main

import "fmt"

type stack[T any] struct{ items []T }

func (s *stack[T]) push(vs ...T) { s.items = append(s.items, vs...) }
func (s *stack[T]) pop() (v T, ok bool) {
	if len(s.items) == 0 {
		return v, false
	}
	v = s.items[len(s.items)-1]
	s.items = s.items[:len(s.items)-1]
	return v, true
}

type ints = stack[int]

type vec[T any] = []T

type celsius float64
type temperature = celsius
type reading celsius

func (c celsius) warm() bool { return c > 20 }

type logged struct {
	ints
	log vec[string]
}

func (l *logged) push(v int) {
	l.log = append(l.log, fmt.Sprint("push ", v))
	l.ints.push(v)
}

func main() {
	var s ints
	s.push(1, 2, 3)
	v, ok := s.pop()
	fmt.Println(v, ok, len(s.items))
	l := &logged{}
	l.push(4)
	l.ints.push(5)
	v, _ = l.pop()
	fmt.Println(v, l.log, l.items)
	var t temperature = 25
	r := reading(t)
	fmt.Println(t.warm(), celsius(r).warm(), r == 25)
	fmt.Printf("%T %T %T %T\n", t, r, s, vec[string]{})
	var e stack[struct{ a, b int }]
	e.push(struct{ a, b int }{1, 2})
	top, ok := e.pop()
	fmt.Println(top.a+top.b, ok)
	_, ok = e.pop()
	fmt.Println(ok)
}

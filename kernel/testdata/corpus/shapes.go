// interfaces with unexported methods, tables of structs without a name
package main

import (
	"fmt"
	"math"
)

type shape interface {
	area() float64
	perimeter() float64
}

type (
	circle struct{ r float64 }
	rect   struct{ w, h float64 }
	square struct{ rect }
)

func (c circle) area() float64      { return math.Pi * c.r * c.r }
func (c circle) perimeter() float64 { return 2 * math.Pi * c.r }
func (r rect) area() float64        { return r.w * r.h }
func (r rect) perimeter() float64   { return 2 * (r.w + r.h) }

func newSquare(s float64) square { return square{rect{s, s}} }

func largest(shapes ...shape) (best shape) {
	for _, s := range shapes {
		if best == nil || s.area() > best.area() {
			best = s
		}
	}
	return best
}

var tests = []struct {
	name string
	s    shape
	want float64
}{
	{"circle", circle{1}, math.Pi},
	{"rect", rect{2, 3}, 6},
	{name: "square", s: newSquare(2), want: 4},
}

func main() {
	for _, tt := range tests {
		fmt.Printf("%s %.2f %v %T\n", tt.name, tt.s.perimeter(), tt.s.area() == tt.want, tt.s)
	}
	fmt.Println(largest(), largest(circle{1}, rect{1, 4}, newSquare(1)))
	total := 0.0
	for _, s := range []shape{rect{1, 2}, &rect{3, 4}} {
		total += s.area()
	}
	fmt.Println(total)
	tests = append(tests, struct {
		name string
		s    shape
		want float64
	}{"more", rect{}, 0})
	fmt.Println(len(tests), tests[3].name, tests[3].s == shape(rect{}))
	extra := tests[0]
	extra.name += "!"
	fmt.Println(extra.name, tests[0].name)
	points := [...]struct{ x, y int }{{1, 2}, {3, 4}}
	points[0].x += points[1].y
	fmt.Println(points, points[0] == struct{ x, y int }{5, 2})
}

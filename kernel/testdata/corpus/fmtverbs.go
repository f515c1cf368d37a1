// what fmt prints of types and values
package main

import (
	"fmt"
	"time"
)

type point struct{ x, y int }

type shape interface{ area() float64 }

type circle struct {
	center point
	r      float64
	tags   map[string]int
	next   *circle
}

func (c circle) area() float64 { return 3 * c.r * c.r }

type celsius float64

func (c celsius) String() string { return fmt.Sprintf("%.1f°C", float64(c)) }

type secret string

func (secret) GoString() string                { return "secret(…)" }
func (s secret) Format(f fmt.State, verb rune) { fmt.Fprintf(f, "<%c %d>", verb, len(s)) }

func main() {
	p := point{1, -2}
	c := circle{p, 2, map[string]int{"b": 2, "a": 1}, nil}
	fmt.Printf("%v %+v %T %T\n", p, p, p, &c)
	fmt.Printf("%v\n%+v\n", c, c)
	var s shape = c
	fmt.Printf("%T %.1f %v\n", s, s.area(), s != nil)
	fmt.Println([]point{p}, []any{1, "a", nil, 2.5, p}, map[point]string{p: "p"}, [2]bool{true})
	fmt.Println(celsius(21.55), []celsius{1, 2}, struct{ t celsius }{3})
	fmt.Printf("%s %v %d\n", secret("abc"), secret("x"), []secret{"yy"})
	fmt.Printf("%q %x %X %08b %o %c %U\n", "hi\n", "hi", 255, 5, 8, 'é', 'é')
	fmt.Printf("%6.2f|%-6d|%+d|%06d|%e|%g\n", 3.14159, 42, 42, -42, 123456.789, 1e21)
	fmt.Printf("%[2]d %[1]d %d%% %v %t\n", 1, 2, 3, time.Duration(1500)*time.Millisecond, true)
	fmt.Printf("%T %T %T %T\n", []map[string]*point{}, func(int) error { return nil }, struct{ A int }{}, make(chan<- point))
	fmt.Printf("%d %!\n", "str")
	fmt.Printf("%s %v\n", error(nil), []string(nil))
}

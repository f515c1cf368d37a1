// iota in all its forms
package main

import "fmt"

type weekday int

const (
	sunday weekday = iota
	monday
	_
	wednesday
)

func (d weekday) String() string { return [...]string{"sun", "mon", "tue", "wed"}[d] }

const (
	kb = 1 << (10 * (iota + 1))
	mb
	gb
)

const (
	a, b = iota, iota * 10
	c, d
)

const name, size = "n", len("size")

var table = [...]string{wednesday: "w", sunday: "s"}

func main() {
	fmt.Println(sunday, monday, wednesday, kb, mb, gb)
	fmt.Println(a, b, c, d, name, size, len(table))
	fmt.Printf("%v %d %s %q %T\n", monday, monday, monday, monday, monday)
	const local = sunday + 1
	fmt.Println(local == monday, fmt.Sprint(table[wednesday]))
}

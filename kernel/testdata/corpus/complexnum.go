// complex numbers, shifts, integer overflow, constants
package main

import (
	"fmt"
	"math"
)

const (
	huge  = 1 << 100
	small = huge >> 98
	pi2   = math.Pi * 2
)

type bits uint8

const (
	read bits = 1 << iota
	write
	exec
	all = read | write | exec
)

func (b bits) has(x bits) bool { return b&x == x }

func main() {
	c := complex(1, 2)
	fmt.Println(c*c, real(c), imag(c), c == 1+2i)
	fmt.Println(small, pi2 > 6, all, write.has(read), (read | exec).has(exec))
	var b uint8 = 250
	b += 10
	var i int8 = 127
	i++
	fmt.Println(b, i, -7/2, -7%3, 7&^5, 1<<3|1)
	fmt.Println(math.MaxInt64, uint64(math.MaxUint64), math.Inf(1), math.NaN() == math.NaN())
	x, y := 0.1, 0.2
	fmt.Println(x+y, 0.1+0.2, float32(x)+float32(y))
}

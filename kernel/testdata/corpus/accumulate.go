// closures that share a variable
package main

import "fmt"

func counter(step int) (next func() int, reset func()) {
	n := 0
	return func() int { n += step; return n }, func() { n = 0 }
}

func main() {
	next, reset := counter(3)
	fmt.Println(next(), next())
	reset()
	fmt.Println(next())
	var fs []func() int
	for i := range 3 {
		fs = append(fs, func() int { i *= 2; return i })
	}
	for _, f := range fs {
		fmt.Print(f(), " ", f(), ";")
	}
	fmt.Println()
	add := func(x int) func(int) int { return func(y int) int { return x + y } }
	five := add(5)
	fmt.Println(five(1), add(1)(1))
}

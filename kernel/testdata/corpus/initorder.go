// variables in order of need, init functions
package main

import "fmt"

var trace []string

func note(s string, deps ...int) int {
	trace = append(trace, s)
	return len(trace) + len(deps)
}

var (
	a = c + b + note("a")
	b = f()
	c = note("c")
)

// together
func f() int { return d + note("f") }

// together
var d = note("d")

var registry = map[string]func(int) int{
	"double": func(x int) int { return 2 * x },
	"square": func(x int) int { return x * x },
}

func init() { registry["inc"] = func(x int) int { return x + 1 } }

func init() { trace = append(trace, fmt.Sprint("init", len(registry))) }

func main() {
	fmt.Println(trace)
	fmt.Println(a, b, c, d)
	fmt.Println(registry["inc"](registry["double"](registry["square"](3))))
}

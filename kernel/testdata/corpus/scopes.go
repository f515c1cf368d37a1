// shadowing in every kind of block
package main

import "fmt"

var x = "package"

func show() string { return x }

func param(x int) int {
	if x := x * 2; x > 4 {
		x := x + 1
		return x
	} else if y := x; y > 0 {
		return -x
	}
	return x
}

type x2 struct{ x int }

func (x x2) get() int { return x.x }

func results() (x int) {
	defer func() { x *= 2 }()
	{
		x := 50
		_ = x
	}
	x = 4
	return x + 1
}

func universe() {
	len := func(s string) string { return "len " + s }
	fmt.Println(len("a"))
	true := false
	fmt.Println(true, !true)
	fmt := fmt.Sprint("shadowed")
	println := func(s string) string { return s }
	_ = println(fmt)
}

func main() {
	fmt.Println(x, show(), param(1), param(3), results())
	{
		x := 1
		x++
		fmt.Println(x, show())
	}
	for x := range 2 {
		x := x * 10
		fmt.Print(x, " ")
	}
	switch x := any(x).(type) {
	case string:
		fmt.Println(len(x))
	}
	func(x int) { fmt.Println(x) }(7)
	x = "changed"
	fmt.Println(show(), x2{x: 3}.get(), (x2{4}).get())
	universe()
	if s := show(); s != "changed" {
		panic(s)
	}
}

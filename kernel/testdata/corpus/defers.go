// defer, recover, named results
package main

import (
	"errors"
	"fmt"
)

func try(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			err = r
		default:
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	f()
	return nil
}

func order() (s string) {
	defer func() { s += "!" }()
	for i := range 3 {
		defer func() { s += fmt.Sprint(i) }()
	}
	return "x"
}

func nested() (out []string) {
	defer func() { out = append(out, fmt.Sprint("outer ", recover())) }()
	defer func() {
		defer func() { out = append(out, fmt.Sprint("inner ", recover())) }()
		panic("second")
	}()
	panic("first")
}

type closer struct{ log *[]string }

func (c closer) Close() { *c.log = append(*c.log, "closed") }

func use(log *[]string) {
	defer closer{log}.Close()
	*log = append(*log, "used")
}

func main() {
	fmt.Println(try(func() {}), try(func() { panic("p") }), try(func() { panic(errors.New("e")) }))
	var m map[string]int
	fmt.Println(try(func() { m["a"] = 1 }))
	var s []int
	i := 5
	fmt.Println(try(func() { _ = s[i] }))
	zero := 0
	fmt.Println(try(func() { _ = 1 / zero }))
	var e any = "text"
	fmt.Println(try(func() { _ = e.(int) }))
	fmt.Println(order())
	fmt.Println(nested())
	var log []string
	use(&log)
	fmt.Println(log)
}

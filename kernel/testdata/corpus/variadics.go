// variadic functions, multiple results passed on, blank identifiers
package main

import (
	"fmt"
	"strings"
)

func join(sep string, parts ...any) string {
	var s []string
	for _, p := range parts {
		s = append(s, fmt.Sprint(p))
	}
	return strings.Join(s, sep)
}

func two() (int, string) { return 2, "two" }

func take(n int, s string) string { return fmt.Sprint(n, s) }

func first(xs ...int) (x int, rest []int) {
	if len(xs) == 0 {
		return
	}
	return xs[0], xs[1:]
}

func change(xs ...int) { xs[0] = 99 }

func ignore(_ int, _ string, _ ...float64) (_ bool, err error) { return }

type logger struct{ prefix string }

func (l *logger) printf(format string, args ...any) { fmt.Printf(l.prefix+format+"\n", args...) }

func divmod(a, b int) (q, r int) {
	defer func() {
		if recover() != nil {
			q, r = -1, -1
		}
	}()
	q, r = a/b, a%b
	return
}

func main() {
	fmt.Println(join("-", 1, "a", nil, 2.5), join("+"), join(",", []any{1, 2}...))
	fmt.Println(take(two()))
	fmt.Println(first())
	fmt.Println(first(1, 2, 3))
	xs := []int{1, 2}
	change(xs...)
	fmt.Println(xs)
	_, s := two()
	ok, err := ignore(1, "", 2, 3)
	l := &logger{"> "}
	l.printf("%d %s %v", 1, s, ok)
	log := l.printf
	log("%v", err)
	q, r := divmod(7, 2)
	fmt.Println(q, r)
	fmt.Println(divmod(1, 0))
	a, b, c := 1, 2, 3
	a, b, c = c, a, b
	i := 0
	i, xs[i] = 1, 5
	fmt.Println(a, b, c, i, xs)
}

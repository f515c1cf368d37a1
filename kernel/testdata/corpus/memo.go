// memoisation: functions that take and return functions, maps by struct
package main

import "fmt"

type call struct{ n, k int }

var calls int

func memo[K comparable, V any](f func(func(K) V, K) V) func(K) V {
	seen := map[K]V{}
	var self func(K) V
	self = func(k K) V {
		if v, ok := seen[k]; ok {
			return v
		}
		calls++
		v := f(self, k)
		seen[k] = v
		return v
	}
	return self
}

func choose(self func(call) int, c call) int {
	if c.k == 0 || c.k == c.n {
		return 1
	}
	return self(call{c.n - 1, c.k - 1}) + self(call{c.n - 1, c.k})
}

func main() {
	c := memo(choose)
	fmt.Println(c(call{30, 15}), calls)
	fib := memo(func(self func(int) int, n int) int {
		if n < 2 {
			return n
		}
		return self(n-1) + self(n-2)
	})
	fmt.Println(fib(80))
	before := calls
	fmt.Println(fib(80), calls == before)
	compose := func(fs ...func(int) int) func(int) int {
		return func(x int) int {
			for _, f := range fs {
				x = f(x)
			}
			return x
		}
	}
	inc := func(x int) int { return x + 1 }
	fmt.Println(compose(inc, fib, inc)(9), compose()(3))
}

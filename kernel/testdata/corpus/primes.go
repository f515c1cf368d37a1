// a sieve of goroutines connected by channels
package main

import (
	"fmt"
	"sync"
)

func from(n int, stop <-chan struct{}) <-chan int {
	c := make(chan int)
	go func() {
		for i := n; ; i++ {
			select {
			case c <- i:
			case <-stop:
				return
			}
		}
	}()
	return c
}

func without(in <-chan int, p int, stop <-chan struct{}) <-chan int {
	out := make(chan int)
	go func() {
		for {
			select {
			case v := <-in:
				if v%p == 0 {
					continue
				}
				select {
				case out <- v:
				case <-stop:
					return
				}
			case <-stop:
				return
			}
		}
	}()
	return out
}

func primes(n int) (ps []int) {
	stop := make(chan struct{})
	defer close(stop)
	c := from(2, stop)
	for range n {
		p := <-c
		ps = append(ps, p)
		c = without(c, p, stop)
	}
	return ps
}

type result struct{ n, sum int }

func main() {
	fmt.Println(primes(12))
	var wg sync.WaitGroup
	results := make(chan result, 4)
	for n := range 4 {
		wg.Go(func() {
			r := result{n: n}
			for _, p := range primes(n) {
				r.sum += p
			}
			results <- r
		})
	}
	wg.Wait()
	close(results)
	total := [4]int{}
	for r := range results {
		total[r.n] = r.sum
	}
	fmt.Println(total, len(results))
}

// WaitGroup, Mutex, Once, atomic, context, errgroup by hand
package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
)

type counter struct {
	mu sync.Mutex
	m  map[string]int
}

func (c *counter) inc(k string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m[k]++
}

type pool struct {
	wg   sync.WaitGroup
	jobs chan func()
}

func newPool(n int) *pool {
	p := &pool{jobs: make(chan func())}
	for range n {
		p.wg.Go(func() {
			for job := range p.jobs {
				job()
			}
		})
	}
	return p
}

func (p *pool) close() { close(p.jobs); p.wg.Wait() }

func wait(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

var errStop = errors.New("stop")

func main() {
	c := counter{m: map[string]int{}}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c.inc([]string{"even", "odd"}[i%2])
		}()
	}
	wg.Wait()
	fmt.Println(c.m)
	p := newPool(3)
	var n atomic.Int64
	squares := make([]int, 10)
	for i := range squares {
		p.jobs <- func() { squares[i] = i * i; n.Add(1) }
	}
	p.close()
	fmt.Println(n.Load(), squares)
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan error)
	go func() { done <- wait(ctx) }()
	cancel(errStop)
	err := <-done
	fmt.Println(err, errors.Is(err, errStop), ctx.Err())
	var once sync.Once
	for range 3 {
		once.Do(func() { fmt.Println("once") })
	}
	lazy := sync.OnceValue(func() int { fmt.Println("computed"); return 7 })
	fmt.Println(lazy()+lazy(), context.WithValue(ctx, "k", 1).Value("k"))
	var mu sync.RWMutex
	cond := sync.NewCond(&mu)
	var order []int
	go func() {
		for i := range 3 {
			mu.Lock()
			order = append(order, i)
			cond.Signal()
			mu.Unlock()
		}
	}()
	mu.Lock()
	for len(order) < 3 {
		cond.Wait()
	}
	mu.Unlock()
	sort.Sort(sort.Reverse(sort.IntSlice(order)))
	fmt.Println(order)
}

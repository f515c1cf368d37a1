// channels, select, close and range
package main

import (
	"fmt"
	"time"
)

func produce(n int) <-chan int {
	c := make(chan int)
	go func() {
		defer close(c)
		for i := range n {
			c <- i * i
		}
	}()
	return c
}

func merge(cs ...<-chan int) <-chan int {
	out := make(chan int)
	done := make(chan bool)
	for _, c := range cs {
		go func() {
			for v := range c {
				out <- v
			}
			done <- true
		}()
	}
	go func() {
		for range cs {
			<-done
		}
		close(out)
	}()
	return out
}

func main() {
	sum := 0
	for v := range merge(produce(4), produce(5)) {
		sum += v
	}
	fmt.Println(sum)
	c := make(chan string, 2)
	c <- "a"
	select {
	case c <- "b":
		fmt.Println("sent", len(c), cap(c))
	default:
		fmt.Println("full")
	}
	select {
	case c <- "c":
		fmt.Println("sent")
	default:
		fmt.Println("full")
	}
	close(c)
	for s := range c {
		fmt.Print(s, " ")
	}
	v, ok := <-c
	fmt.Printf("%q %v\n", v, ok)
	timeout := time.After(time.Minute)
	var never chan int
	tick := make(chan int, 1)
	tick <- 7
	select {
	case n := <-tick:
		fmt.Println("tick", n)
	case <-never:
		fmt.Println("never")
	case <-timeout:
		fmt.Println("late")
	}
}

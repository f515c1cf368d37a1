package cell

import (
	"strings"
	"testing"
)

// TestWaits runs cells that wait in every way that is written anew, and
// compares what they print with what Go's own waits do.
func TestWaits(t *testing.T) {
	tests := []struct{ name, cell, want string }{
		{"receive", `c := make(chan int, 3); c <- 1; c <- 2; c <- 3
a := <-c
b, ok := <-c
var d, ok2 = <-c
fmt.Println(a, b, ok, d, ok2)`, "1 2 true 3 true\n"},
		{"result", "c := make(chan string, 1); c <- `x`\n<-c", "= x\n"},
		{"nested", `cc := make(chan chan int, 1); c := make(chan int, 1); cc <- c; c <- 4
fmt.Println(1 + <-<-cc)`, "5\n"},
		{"send and receive", `c := make(chan int, 2); c <- 1
c <- <-c
fmt.Println(len(c))`, "1\n"},
		{"send of another type", `c := make(chan any, 2); c <- 1; c <- "a"
var e chan<- float64 = make(chan float64, 1); e <- 1
fmt.Println(<-c, <-c, len(e))`, "1 a 1\n"},
		{"range", `c := make(chan int, 4); for i := range 4 { c <- i }; close(c)
func() {
outer:
	for {
		for v := range c {
			if v == 1 { continue }
			if v == 3 { break outer }
			defer fmt.Println("deferred", v)
		}
	}
	fmt.Println("out")
}()`, "out\ndeferred 2\ndeferred 0\n"},
		{"range without a variable", `c := make(chan int, 2); c <- 1; c <- 1; close(c); n := 0
for range c { n++ }
n`, "= 2\n"},
		{"range into a variable", `c := make(chan int, 2); c <- 1; c <- 7; close(c); var v int
for v = range c {}
v`, "= 7\n"},
		{"select", `a, b := make(chan int, 1), make(chan int, 1)
a <- 1
select {
case v := <-a: fmt.Println("a", v)
case v, ok := <-b: fmt.Println("b", v, ok)
}
select { case b <- 5: fmt.Println("sent") }
select { case <-a: default: fmt.Println("default") }`, "a 1\nsent\ndefault\n"},
		{"select at the end of a function", `func f(c chan int) int { select { case v := <-c: return v } }
c := make(chan int, 1); c <- 3
f(c)`, "= 3\n"},
		{"labels", `c := make(chan int, 1); n := 0
loop:
	for {
		select {
		case c <- 1: n++
		case <-c:
			if n > 2 { break loop }
		}
	}
n`, "= 3\n"},
		{"send where only a simple statement stands", `c := make(chan int, 3)
for i := 0; i < 1; c <- i { i++ }
if c <- 5; len(c) == 2 { fmt.Println("two") }
switch c <- 6; { case len(c) == 3: fmt.Println("three") }`, "two\nthree\n"},
		{"named and generic channels", `type stream chan int
type box[T any] struct{ c chan T }
func (b box[T]) get() T { return <-b.c }
func first[C ~chan T, T any](c C) T { return <-c }
s := make(stream, 2); s <- 1; s <- 2
b := box[string]{make(chan string, 1)}; b.c <- "in"
fmt.Println(<-s, first(s), b.get())`, "1 2 in\n"},
		{"an ok of a type of its own", `type yes bool
c := make(chan int, 1); c <- 1; var ok yes
_, ok = <-c
ok`, "= true\n"},
		{"sleep", `began := time.Now()
time.Sleep(20 * time.Millisecond)
time.Sleep(1e6)
time.Since(began) >= 21*time.Millisecond`, "= true\n"},
		{"wait group", `var wg sync.WaitGroup; n := 0
wg.Add(1); go func() { defer wg.Done(); n++ }()
wg.Wait()
type group struct{ *sync.WaitGroup }
group{&wg}.Wait()
n`, "= 1\n"},
		{"deferred waits", `func f() { c := make(chan int, 1); c <- 2; defer func() { fmt.Println(<-c) }(); fmt.Println("first") }
f()`, "first\n2\n"},
	}
	n := newNotebook(t) // one for all: it takes a second to run
	for _, tt := range tests {
		n.cell(`fmt.Println("--")`)
		n.cell(tt.cell)
	}
	outputs := strings.Split(n.run(), "--\n")
	for i, tt := range tests {
		if got := outputs[i+1]; got != tt.want {
			t.Errorf("%s: got %q, want %q\n%s", tt.name, got, tt.want, n.progs[2*i+1].Describe())
		}
	}
}

// TestWaitText checks that waits are written in the form that can be ended.
func TestWaitText(t *testing.T) {
	tests := []struct{ cell, want string }{
		{"c := make(chan int); <-c", "ˣrt.Recv(Ħc)"},
		{"c := make(chan int); c <- 1", "select { case Ħc <- 1: case <-ˣrt.Done(): panic(ˣrt.Interrupted()) }"},
		{"select {}", "select {case <-ˣrt.Done(): panic(ˣrt.Interrupted())}"},
		{"time.Sleep(time.Second)", "ˣrt.Sleep(int64(time.Second))"},
		{"var wg sync.WaitGroup; wg.Wait()", "ˣrt.Await(Ħwg.Wait)"},
		{"var s string; fmt.Scanln(&s)", "ˣrt.ResultErr(ˣrt.After2(fmt.Scanln(&Ħs)))"},
		{"func f() (n int) { defer fmt.Scan(&n); return }", "defer fmt.Scan(&n)"},
		{"import `bufio`; func f(in *bufio.Scanner) { for in.Scan() {} }", "for ˣrt.After(in.Scan()) {"},
		{"import `os/exec`; func f(c *exec.Cmd) error { return c.Run() }", "return ˣrt.After(c.Run())"},
		{"import `bufio`; func f(in struct{ *bufio.Reader }) (rune, int, error) { return in.ReadRune() }", "return ˣrt.After3(in.ReadRune())"},
		{"func f() {}", "{if ˣstop != 0 { ˣrt.Check() };"},
	}
	for _, tt := range tests {
		n := newNotebook(t)
		if got := n.cell(tt.cell).Describe(); !strings.Contains(got, tt.want) {
			t.Errorf("%s: want %s in\n%s", tt.cell, tt.want, got)
		}
	}
}

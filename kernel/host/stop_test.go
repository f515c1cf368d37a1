package host_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/host/hosttest"
	"github.com/holt-dl/holt/kernel/host/msg"
)

// check is what generated loops and functions contain.
const check = "if Stop != 0 { rt.Check() }; "

// interrupted runs a cell that is interrupted once it has begun, as it says itself: in its own
// place, or where Run starts.
func interrupted(t *testing.T, h *hosttest.Host, code string) msg.Done {
	t.Helper()
	const say, run = `println("begun"); `, "func Run() { "
	if !strings.Contains(code, say) {
		code = strings.Replace(code, strings.TrimSpace(run), run+say, 1)
	}
	u, err := h.Compile(code)
	if err != nil {
		t.Fatal(err)
	}
	h.Stderr()
	d, err := h.RunUntil(u, func(_, stderr string) bool { return strings.Contains(stderr, "begun\n") })
	if err != nil {
		t.Fatalf("%v\n%s", err, h.Stderr())
	}
	if d.Result != msg.Interrupted {
		t.Fatalf("got %+v, want it interrupted", d)
	}
	return d
}

func TestInterruptLoop(t *testing.T) {
	h := hosttest.Start(t)
	d := interrupted(t, h, rtImport+`var N int
func Run() { for { `+check+` if N++; N == 1 { println("begun"); } } }`)
	if d.Stuck != "" {
		t.Errorf("stuck in %s", d.Stuck)
	}
	if got := h.Must("import (\"fmt\"; c1 \"notebook/c1\")\nfunc Run() { fmt.Println(c1.N > 0) }"); got != "true\n" {
		t.Errorf("got %q", got)
	}
}

// TestInterruptRunsDefers ends a goroutine whose deferred functions contain
// checks and loops, and whose recover must not save it.
func TestInterruptRunsDefers(t *testing.T) {
	h := hosttest.Start(t)
	interrupted(t, h, rtImport+`var Closed, Recovered, After int
func cleanup() { `+check+`for i := range 3 { `+check+`Closed += i } }
func loop() {
	defer func() { `+check+`if recover() != nil { Recovered++ } }()
	for { `+check+` }
}
func Run() { defer cleanup(); loop(); After = 1 }`)
	if got := h.Must("import (\"fmt\"; c1 \"notebook/c1\")\nfunc Run() { fmt.Println(c1.Closed, c1.Recovered, c1.After) }"); got != "3 0 0\n" {
		t.Errorf("got %q, want the deferred call whole, nothing recovered", got)
	}
}

// TestInterruptChildren ends what the cell started, and not what earlier cells
// started.
func TestInterruptChildren(t *testing.T) {
	h := hosttest.Start(t)
	h.Must(rtImport + `import "sync/atomic"
var Old atomic.Int64
func Run() { go func() { for { ` + check + `Old.Add(1) } }() }`)
	interrupted(t, h, rtImport+`import "sync/atomic"
var Child, Grandchild atomic.Int64
func Run() {
	go func() {
		go func() { for { `+check+`Grandchild.Add(1) } }()
		for { `+check+`Child.Add(1) }
	}()
	for { `+check+` }
}`)
	got := h.Must(`import ("fmt"; "time"; c1 "notebook/c1"; c2 "notebook/c2")
func Run() {
	time.Sleep(200*time.Millisecond)
	a, b, c := c1.Old.Load(), c2.Child.Load(), c2.Grandchild.Load()
	time.Sleep(300*time.Millisecond)
	fmt.Println(c1.Old.Load() > a, c2.Child.Load() == b, c2.Grandchild.Load() == c)
	for range 600 { if c2.Stop == 0 { break }; time.Sleep(100*time.Millisecond) }
	fmt.Println("stop", c2.Stop)
}`)
	if got != "true true true\nstop 0\n" {
		t.Errorf("got %q, want the old goroutine alive, the others ended, and the flag down", got)
	}
}

// TestHold has a cell end what takes longer than an interrupted one has.
func TestHold(t *testing.T) {
	h := hosttest.Start(t)
	d := interrupted(t, h, `import ("time"; "github.com/holt-dl/holt/kernel/host")
var Whole bool
func Run() {
	defer host.Hold()()
	<-host.Context().Done()
	time.Sleep(host.Grace + 500*time.Millisecond)
	Whole = true
}`)
	if d.Stuck != "" || d.Result != msg.Interrupted {
		t.Errorf("got %+v, want an interrupted cell that has ended", d)
	}
	if got := h.Must(`import ("fmt"; c1 "notebook/c1")
func Run() { fmt.Println(c1.Whole) }`); got != "true\n" {
		t.Errorf("got %q, want that the cell has come to its end", got)
	}
}

// TestStuck abandons a cell that waits where nothing can end it: later cells
// run, and it ends when it goes on.
func TestStuck(t *testing.T) {
	h := hosttest.Start(t)
	d := interrupted(t, h, rtImport+`var Ch = make(chan int)
var After int
func Run() {
	v := <-Ch
	`+check+`After = v
}`)
	if d.Stuck != "chan receive" || d.Pos == nil || d.Pos.Line != 5 {
		t.Errorf("got %+v at %+v, want it stuck in chan receive at line 5", d, d.Pos)
	}
	if !strings.Contains(d.Value, "chan receive") {
		t.Errorf("value is %q", d.Value)
	}
	got := h.Must(rtImport + `import ("fmt"; "time"; c1 "notebook/c1")
func Run() {
	n := 0
	for range 1000 { ` + check + `n++ }
	fmt.Println("stop", c1.Stop, Stop)
	c1.Ch <- 7
	time.Sleep(200*time.Millisecond)
	fmt.Println(n, c1.After)
	for range 600 { if c1.Stop == 0 { break }; time.Sleep(100*time.Millisecond) }
	fmt.Println("stop", c1.Stop)
}`)
	if got != "stop 1 0\n1000 0\nstop 0\n" {
		t.Errorf("got %q, want the abandoned cell to end when it wakes, and to cost the next one nothing", got)
	}
	for _, tt := range []struct{ code, stuck string }{
		{"time.Sleep(time.Hour)", "sleep"},
		{"select {}", "select (no cases)"},
		{"var mu sync.Mutex; mu.Lock(); mu.Lock()", "sync.Mutex.Lock"},
	} {
		if d := interrupted(t, h, "import (\"sync\"; \"time\")\nvar _ sync.Mutex\nvar _ = time.Now\nfunc Run() { "+tt.code+" }"); d.Stuck != tt.stuck {
			t.Errorf("%s: stuck in %q, want %q", tt.code, d.Stuck, tt.stuck)
		}
	}
	h.Must("func Run() {}")
}

// TestInterruptWaits ends cells in the waits that generated code is made of.
// Their deferred functions run, and may wait themselves.
func TestInterruptWaits(t *testing.T) {
	h := hosttest.Start(t)
	for _, wait := range []string{
		"rt.Recv(make(chan int))",
		"rt.Recv2((<-chan int)(nil))",
		"for range rt.Range(make(chan int)) {}",
		"select { case make(chan int) <- 1: case <-rt.Done(): panic(rt.Interrupted()) }",
		"select { case <-rt.Done(): panic(rt.Interrupted()) }",
		"rt.Sleep(int64(time.Hour))",
		"var wg sync.WaitGroup; wg.Add(1); rt.Await(wg.Wait)",
	} {
		d := interrupted(t, h, rtImport+`import ("sync"; "time")
var _ sync.Mutex
var After int
func Run() {
	defer func() {
		c := make(chan int)
		go func() { time.Sleep(10*time.Millisecond); c <- 2 }()
		After = rt.Recv(c)
		rt.Sleep(int64(time.Millisecond))
		After++
	}()
	`+wait+`
	After = 9
}`)
		if d.Stuck != "" {
			t.Errorf("%s: stuck in %s", wait, d.Stuck)
		}
		got := h.Must(fmt.Sprintf("import (\"fmt\"; c \"notebook/c%d\")\nfunc Run() { fmt.Println(c.After) }", h.Count()))
		if got != "3\n" {
			t.Errorf("%s: got %q, want the deferred function whole and nothing after the wait", wait, got)
		}
	}
}

// TestWaits: waits that nobody interrupts are Go's own.
func TestWaits(t *testing.T) {
	h := hosttest.Start(t)
	got := h.Must(rtImport + `import ("fmt"; "sync"; "time")
func Run() {
	c := make(chan int)
	go func() { for i := range 3 { c <- i }; close(c) }()
	fmt.Print(rt.Recv(c))
	for v := range rt.Range(c) { fmt.Print(v) }
	v, ok := rt.Recv2(c)
	fmt.Println(v, ok)
	began := time.Now()
	rt.Sleep(int64(20*time.Millisecond))
	fmt.Println(time.Since(began) >= 20*time.Millisecond)
	var wg sync.WaitGroup
	n := 0
	wg.Go(func() { n++ })
	rt.Await(wg.Wait)
	func() {
		defer func() { fmt.Println(n, recover()) }()
		rt.Await(func() { panic("of the wait") })
	}()
}`)
	if got != "0120 false\ntrue\n1 of the wait\n" {
		t.Errorf("got %q", got)
	}
}

// TestInterruptPprof: labels of the user's own do not hide the cell.
func TestInterruptPprof(t *testing.T) {
	h := hosttest.Start(t)
	if _, err := h.World.Add(context.Background(), []string{"runtime/pprof"}); err != nil {
		t.Fatal(err)
	}
	d := interrupted(t, h, rtImport+`import ("context"; "runtime/pprof")
func Run() {
	pprof.Do(context.Background(), pprof.Labels("mine", "1"), func(context.Context) {})
	for { `+check+` }
}`)
	if d.Stuck != "" {
		t.Errorf("stuck in %s", d.Stuck)
	}
}

package proc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holt-dl/holt/kernel/host/hosttest"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/proc"
)

// person answers questions with the lines it has, and then not at all.
type person struct {
	mu    sync.Mutex
	lines []string
	asked []string
	ctx   context.Context // ends the question that has no answer
}

func (p *person) answer(prompt string, password bool) (string, error) {
	p.mu.Lock()
	p.asked = append(p.asked, fmt.Sprintf("%q %v", prompt, password))
	var line string
	some := len(p.lines) > 0
	if some {
		line, p.lines = p.lines[0], p.lines[1:]
	}
	ctx := p.ctx
	p.mu.Unlock()
	if some {
		return line, nil
	}
	<-ctx.Done()
	return "", ctx.Err()
}

// until sets what ends a question that has no answer.
func (p *person) until(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ctx = ctx
}

// take returns what was asked since the last call, and has new lines to answer with.
func (p *person) take(lines ...string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := strings.Join(p.asked, "; ")
	p.asked, p.lines = nil, lines
	return asked
}

func startWith(t *testing.T, p *person) *hosttest.Host {
	p.ctx = context.Background()
	return hosttest.StartIn(t, hosttest.World(t), proc.Options{Input: p.answer})
}

// TestStdin: whatever reads standard input and finds no line has the person
// asked, with what was printed last as the question.
func TestStdin(t *testing.T) {
	p := &person{}
	h := startWith(t, p)
	for _, tt := range []struct {
		name, cell  string
		lines       []string
		asked, want string
	}{
		{"Scanln", `import "fmt"
func Run() { var s string; fmt.Print("first\nname? "); n, err := fmt.Scanln(&s); fmt.Println(s, n, err) }`,
			[]string{"otter"}, `"name? " false`, "first\nname? otter 1 <nil>\n"},
		{"an empty line", `import "fmt"
func Run() { var s string; n, err := fmt.Scanln(&s); fmt.Println(s, n, err) }`,
			[]string{""}, `"" false`, " 0 unexpected newline\n"},
		{"Scan over lines", `import "fmt"
func Run() { var a, b, c int; fmt.Scan(&a, &b, &c); fmt.Println(a + b + c) }`,
			[]string{"1 2", "3"}, `"" false; "" false`, "6\n"},
		{"prompt in colours", `import ("fmt"; "os")
func Run() { var s string; fmt.Fprint(os.Stderr, "\x1b[1mZahl €?\x1b[0m "); fmt.Scan(&s); fmt.Print(s, "\nnext: "); fmt.Scan(&s); fmt.Println(s) }`,
			[]string{"1", "2"}, `"Zahl €? " false; "next: " false`, "1\nnext: 2\n"},
		{"a scanner that is kept", `import ("bufio"; "os"; "fmt")
var Lines = bufio.NewScanner(os.Stdin)
func Run() { Lines.Scan(); fmt.Println(Lines.Text()) }`,
			[]string{"kept"}, `"" false`, "kept\n"},
		{"in the next cell", `import ("fmt"; "notebook/c5")
func Run() { c5.Lines.Scan(); fmt.Println(c5.Lines.Text()); c5.Lines.Scan(); fmt.Println(c5.Lines.Text()) }`,
			[]string{"a", "b"}, `"" false; "" false`, "a\nb\n"},
		{"a reader", `import ("bufio"; "os"; "fmt")
func Run() { s, err := bufio.NewReader(os.Stdin).ReadString('\n'); fmt.Printf("%q %v\n", s, err) }`,
			[]string{"世界"}, `"" false`, "\"世界\\n\" <nil>\n"},
		{"the file itself", `import ("os"; "fmt")
func Run() { var b [9]byte; n, err := os.Stdin.Read(b[:]); fmt.Printf("%q %v\n", b[:n], err) }`,
			[]string{"x"}, `"" false`, "\"x\\n\" <nil>\n"},
		{"a system call", `import ("syscall"; "fmt")
func Run() { var b [9]byte; n, err := syscall.Read(0, b[:]); fmt.Printf("%q %v\n", b[:n], err) }`,
			[]string{"y"}, `"" false`, "\"y\\n\" <nil>\n"},
		{"goroutines", `import ("fmt"; "sync")
func Run() { var wg sync.WaitGroup; var mu sync.Mutex; sum := 0; for range 3 { wg.Go(func() { mu.Lock(); defer mu.Unlock(); var n int; fmt.Scanln(&n); sum += n }) }; wg.Wait(); fmt.Println(sum) }`,
			[]string{"100", "100", "100"}, `"" false; "" false; "" false`, "300\n"},
		{"a long line", `import ("bufio"; "os"; "fmt")
func Run() { s, _ := bufio.NewReader(os.Stdin).ReadString('\n'); fmt.Println(len(s)) }`,
			[]string{strings.Repeat("x", 300_000)}, `"" false`, "300001\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p.take(tt.lines...)
			got := h.Must(tt.cell)
			if got != tt.want {
				t.Errorf("printed %q, want %q", got, tt.want)
			}
			if asked := p.take(); asked != tt.asked {
				t.Errorf("asked %s, want %s", asked, tt.asked)
			}
		})
	}
}

// TestStdinOfPrograms: a program that a cell gives its standard input asks too,
// and one that it does not finds the end at once.
func TestStdinOfPrograms(t *testing.T) {
	p := &person{}
	h := startWith(t, p)
	if _, err := h.World.Add(context.Background(), []string{"os/exec"}); err != nil {
		t.Fatal(err)
	}
	p.take("otter", "badger")
	got := h.Must(`import ("os"; "os/exec"; "fmt")
func Run() {
	c := exec.Command("sh", "-c", "read a; printf 'and? '; read b; echo $a-$b")
	c.Stdin, c.Stdout = os.Stdin, os.Stdout
	fmt.Println(c.Run())
	fmt.Println(exec.Command("cat").Run())
}`)
	if want := "and? otter-badger\n<nil>\n<nil>\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	if asked := p.take(); asked != `"" false; "and? " false` {
		t.Errorf("asked %s", asked)
	}
}

// TestStdinInterrupted: an interrupt ends the wait at once, and the reader takes
// nothing of what a later cell asks for.
func TestStdinInterrupted(t *testing.T) {
	for _, tt := range []struct{ name, cell string }{
		{"Scanln", `import ("fmt"; "github.com/holt-dl/holt/kernel/host/rt")
var S string; var X = 1
func Run() { X = 2; n, err := fmt.Scanln(&S); rt.Drop(n, err) }`},
		{"a loop", `import ("fmt"; "github.com/holt-dl/holt/kernel/host/rt")
var S string; var X = 1
func Run() { X = 2; for { if Stop != 0 { rt.Check() }; fmt.Scanln(&S) } }`},
		{"a goroutine", `import "fmt"
var S string; var X = 1
func Run() { X = 2; go func() { for { if Stop != 0 { rt.Check() }; fmt.Scanln(&S) } }(); for { if Stop != 0 { rt.Check() } } }
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &person{}
			h := startWith(t, p)
			ctx, cancel := context.WithCancel(context.Background())
			p.until(ctx)
			if !strings.Contains(tt.cell, "host/rt") {
				tt.cell = `import "github.com/holt-dl/holt/kernel/host/rt"` + "\n" + tt.cell
			}
			u, err := h.Compile(tt.cell)
			if err != nil {
				t.Fatal(err)
			}
			var stopped time.Time
			go func() {
				for p.asks() == 0 {
					time.Sleep(time.Millisecond)
				}
				stopped = time.Now()
				cancel()
			}()
			d, err := h.Run(ctx, u)
			if err != nil || d.Result != msg.Interrupted || d.Stuck != "" {
				t.Fatalf("got %+v, %v", d, err)
			}
			if took := time.Since(stopped); took > 900*time.Millisecond {
				t.Errorf("the interrupt took %v", took)
			}
			p.take("ans1")
			p.until(context.Background())
			got := h.Must(`import ("fmt"; "notebook/c1")
func Run() { var q string; fmt.Scanln(&q); fmt.Println("q is", q, c1.X, c1.S == "") }`)
			if got != "q is ans1 2 true\n" {
				t.Errorf("got %q", got)
			}
			if said := h.Stderr(); said != "" {
				t.Errorf("said %q", said)
			}
		})
	}
}

func (p *person) asks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

// TestStdinWithoutPerson: end of file at once, and one sentence.
func TestStdinWithoutPerson(t *testing.T) {
	refuse := func(string, bool) (string, error) { return "", errors.New("there is no person") }
	for _, tt := range []struct {
		name string
		opt  proc.Options
		said string
	}{
		{"none", proc.Options{}, "holt: this cell reads standard input and finds its end: this program has no one to ask\n"},
		{"refused", proc.Options{Input: refuse}, "holt: this cell reads standard input and finds its end: there is no person\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := hosttest.StartIn(t, hosttest.World(t), tt.opt)
			for range 2 {
				got := h.Must(`import ("fmt"; "os"; "io")
func Run() { var s string; fmt.Println(fmt.Scanln(&s)); b, err := io.ReadAll(os.Stdin); fmt.Println(len(b), err) }`)
				if got != "0 EOF\n0 <nil>\n" {
					t.Errorf("got %q", got)
				}
				if said := h.Stderr(); said != tt.said {
					t.Errorf("said %q, want %q", said, tt.said)
				}
			}
		})
	}
}

// TestStdinBetweenCells: a goroutine that a cell leaves behind in a read finds
// the end with its cell, and holds up no later one.
func TestStdinBetweenCells(t *testing.T) {
	var p *person
	var h *hosttest.Host
	// On a busy machine the reader may be noticed before its cell ends, which is not what is tested.
	for asked := "not yet"; asked != ""; asked = p.take("mine") {
		p = &person{}
		h = startWith(t, p)
		h.Must(`import ("fmt"; "os"; "path/filepath"; "strings"; "syscall"; "time")
var Ended = make(chan error, 1)
func reads() bool {
	tasks, _ := filepath.Glob("/proc/self/task/*/syscall")
	for _, task := range tasks {
		if call, _ := os.ReadFile(task); strings.HasPrefix(string(call), fmt.Sprint(syscall.SYS_READ, " 0x0 ")) { return true }
	}
	return false
}
func Run() {
	go func() { _, err := os.Stdin.Read(make([]byte, 9)); Ended <- err }()
	for !reads() { time.Sleep(100 * time.Microsecond) }
}`)
	}
	if got := h.Must(`import ("fmt"; "notebook/c1")
func Run() { var s string; fmt.Scanln(&s); fmt.Println(s, <-c1.Ended) }`); got != "mine EOF\n" {
		t.Errorf("got %q", got)
	}
}

package proc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/host/hosttest"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/proc"
)

// TestOrder prints and displays in turn: each display arrives between what was
// printed before and after it.
func TestOrder(t *testing.T) {
	h := hosttest.Start(t)
	got := h.Must(`import ("fmt"; "github.com/holt-dl/holt/internal/frame")
func Run() {
	for i := range 500 {
		fmt.Print("p", i, ";")
		frame.Display(frame.Text(fmt.Sprint("d", i)))
	}
	fmt.Print("end")
}`)
	var want strings.Builder
	for i := range 500 {
		fmt.Fprintf(&want, "p%d;<display 1: d%d>", i, i)
	}
	want.WriteString("end")
	if got != want.String() {
		t.Errorf("got %.300q…", got)
	}
}

// TestFlood prints 100 MB: all of it is delivered before Run returns.
func TestFlood(t *testing.T) {
	const size = 100 << 20
	n, last := 0, byte(0)
	h := hosttest.StartIn(t, hosttest.World(t), proc.Options{Stdout: func(p []byte) { n += len(p); last = p[len(p)-1] }})
	h.Must(`import "os"
func Run() {
	line := make([]byte, 1<<20)
	for i := range line { line[i] = 'x' }
	for range 100 { os.Stdout.Write(line) }
	os.Stdout.Write([]byte("\xff")) // half a character, or none at all
}`)
	if n != size+1 || last != 0xff {
		t.Errorf("got %d bytes, the last is %#x; want %d and 0xff", n, last, size+1)
	}
}

// TestCharacters never cuts a character in two.
func TestCharacters(t *testing.T) {
	bad, n := 0, 0
	h := hosttest.StartIn(t, hosttest.World(t), proc.Options{Stdout: func(p []byte) {
		if n += len(p); !bytes.Equal(bytes.ToValidUTF8(p, nil), p) {
			bad++
		}
	}})
	h.Must(`import ("os"; "strings")
func Run() { for range 50 { os.Stdout.WriteString(strings.Repeat("a€😀", 9999)) } }`)
	if bad > 0 || n != 50*9999*8 {
		t.Errorf("%d pieces are no UTF-8, %d bytes; want 0 and %d", bad, n, 50*9999*8)
	}
}

// TestBackground: what a goroutine of an earlier cell displays says whose it
// is.
func TestBackground(t *testing.T) {
	h := hosttest.Start(t)
	h.Must(`import "github.com/holt-dl/holt/internal/frame"
var Go, Shown = make(chan bool), make(chan bool)
func Run() { go func() { <-Go; frame.Display(frame.Text("late")); Shown <- true }() }`)
	if got := h.Must(`import c1 "notebook/c1"
func Run() { c1.Go <- true; <-c1.Shown }`); got != "<display 1: late>" {
		t.Errorf("got %q", got)
	}
}

func TestDisplayKinds(t *testing.T) {
	h := hosttest.Start(t)
	got := h.Must(`import "github.com/holt-dl/holt/internal/frame"
func Run() {
	frame.OnFlush(func() { frame.Update(frame.Text("flushed")) })
	frame.Clear(true)
	frame.Result(frame.Text("r"))
}`)
	if want := "<clear 1: ><result 1: r><update 1: flushed>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEnds(t *testing.T) {
	tests := []struct{ name, code, reason, trace string }{
		{"exit", "os.Exit(3)", "exit status 3", ""},
		{"exit 0", "os.Exit(0)", "exit status 0", ""},
		{"panic in a goroutine", "go func() { panic(\"boom\") }(); select {}", "panic: boom (exit status 2)", "cell[1]:3"},
		{"nil pointer in a goroutine", "go func() { var p *int; *p = 1 }(); select {}", "panic: runtime error: invalid memory address or nil pointer dereference (exit status 2)", "cell[1]:3"},
		{"fatal error", "var mu sync.Mutex; mu.Unlock()", "fatal error: sync: unlock of unlocked mutex (exit status 2)", "cell[1]:3"},
		{"killed", "syscall.Kill(os.Getpid(), syscall.SIGKILL); select {}", "signal: killed (out of memory?)", ""},
		{"fault", "syscall.Kill(os.Getpid(), syscall.SIGSEGV); select {}", "SIGSEGV: segmentation violation (exit status 2)", "goroutine"},
		{"log.Fatal", "log.Fatal(\"no data\")", "exit status 1", ""},
	}
	if _, err := hosttest.World(t).Add(context.Background(), []string{"log"}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := hosttest.Start(t)
			d, err := h.Cell("import (\"fmt\"; \"log\"; \"os\"; \"sync\"; \"syscall\")\nvar _, _, _, _, _ = log.Print, os.Exit, sync.NewCond, syscall.Kill, fmt.Print\nfunc Run() { fmt.Print(\"before;\"); " + tt.code + " }")
			var exit *proc.Exit
			if !errors.As(err, &exit) {
				t.Fatalf("got %+v, %v; want an *Exit", d, err)
			}
			if exit.Reason != tt.reason {
				t.Errorf("reason is %q, want %q", exit.Reason, tt.reason)
			}
			if err.Error() != "the host process ended: "+tt.reason {
				t.Errorf("error is %q", err)
			}
			if (tt.trace == "") != (exit.Trace == "") || !strings.Contains(exit.Trace, tt.trace) {
				t.Errorf("trace is %q, want %q in it", exit.Trace, tt.trace)
			}
			if got := h.Output(); got != "before;" {
				t.Errorf("printed %q", got)
			}
		})
	}
}

// TestChildren: programs that a cell left behind hold the pipes, and neither
// Run nor the end waits for them.
func TestChildren(t *testing.T) {
	h := hosttest.Start(t)
	if _, err := h.World.Add(context.Background(), []string{"os/exec"}); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	out := h.Must(`import ("os"; "os/exec"; "fmt")
func Run() {
	c := exec.Command("sleep", "1000")
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	if err := c.Start(); err != nil { panic(err) }
	fmt.Println(c.Process.Pid)
}`)
	pid, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil {
		t.Fatal(err)
	}
	if d, err := h.Cell("import \"os\"\nfunc Run() { os.Exit(3) }"); err == nil {
		t.Fatalf("got %+v", d)
	}
	if took := time.Since(start); took > 60*time.Second {
		t.Errorf("took %v", took)
	}
	if !gone(pid) {
		t.Errorf("the program %d lives on", pid)
	}
}

// TestInterruptEndsPrograms: an interrupt ends what the cell has started, but
// not what earlier cells have, nor what has a session of its own.
func TestInterruptEndsPrograms(t *testing.T) {
	h := hosttest.Start(t)
	if _, err := h.World.Add(context.Background(), []string{"os/exec"}); err != nil {
		t.Fatal(err)
	}
	pids := func(text string) []int {
		t.Helper()
		var list []int
		for _, f := range strings.Fields(text) {
			pid, err := strconv.Atoi(f)
			if err != nil {
				t.Fatalf("got %q", text)
			}
			list = append(list, pid)
			t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
		}
		return list
	}
	const start = `import ("os"; "os/exec"; "fmt"; "syscall"; "time"; "github.com/holt-dl/holt/kernel/host/rt")
var _ = os.Stdout
var _ = rt.Done
var _ time.Duration
var _ syscall.Errno
func start(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	if err := c.Start(); err != nil { panic(err) }
	fmt.Println(c.Process.Pid)
	return c
}
`
	earlier := pids(h.Must(start + `func Run() { start("sleep", "1000") }`))
	time.Sleep(50 * time.Millisecond)
	// run interrupts a cell when it has printed the numbers of as many programs, which have begun
	// then.
	run := func(u proc.Unit, programs int) (msg.Done, error) {
		return h.RunUntil(u, func(stdout, _ string) bool {
			return strings.HasSuffix(stdout, "\n") && len(strings.Fields(stdout)) >= programs
		})
	}
	for _, tt := range []struct{ name, cell string }{
		{"waits", `func Run() { start("sleep", "1000").Wait() }`},
		{"the error of a wait", `func Run() { if err := start("sleep", "1000").Wait(); err != nil { panic(err) } }`},
		{"a shell and what it leaves", `func Run() { exec.Command("sh", "-c", "sleep 1000 & echo $! >&2").Run(); c := exec.Command("sh", "-c", "sleep 1000 & echo $!; wait"); c.Stdout = os.Stdout; c.Run() }`},
		{"one that it starts after the interrupt", `func Run() { start("true").Wait(); <-rt.Done(); time.Sleep(100 * time.Millisecond); start("sleep", "1000").Wait() }`},
		{"one that heeds no SIGINT", `func Run() { c := exec.Command("sh", "-c", "trap '' INT; echo $$; while :; do sleep 0.1; done"); c.Stdout = os.Stdout; c.Run() }`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := h.Compile(start + tt.cell)
			if err != nil {
				t.Fatal(err)
			}
			d, err := run(u, 1)
			if err != nil || d.Result != msg.Interrupted || d.Stuck != "" {
				t.Fatalf("got %+v, %v", d, err)
			}
			for _, pid := range pids(h.Output()) {
				if !gone(pid) {
					t.Errorf("the program %d lives on", pid)
				}
			}
		})
	}
	// What the next cell starts is not ended, while a program of the one before still is.
	u, err := h.Compile(start + `func Run() { c := exec.Command("sh", "-c", "sleep 1000 & echo $!; wait"); c.Stdout = os.Stdout; c.Run() }`)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := run(u, 1); err != nil || d.Result != msg.Interrupted {
		t.Fatalf("got %+v, %v", d, err)
	}
	left := pids(h.Output())[0]
	next := pids(h.Must(start + `func Run() { start("sleep", "1000") }`))
	earlier = append(earlier, next...)
	if !gone(left) {
		t.Errorf("the program %d lives on", left)
	}
	u, err = h.Compile(start + `func Run() { c := exec.Command("sleep", "1000"); c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}; c.Start(); fmt.Println(c.Process.Pid); start("sleep", "1000").Wait() }`)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := run(u, 2); err != nil || d.Result != msg.Interrupted {
		t.Fatalf("got %+v, %v", d, err)
	}
	list := pids(h.Output())
	if len(list) != 2 || !gone(list[1]) {
		t.Errorf("of %v, the second lives on", list)
	}
	for _, pid := range append(earlier, list[0]) {
		if ended(pid) {
			t.Errorf("the program %d has ended, and was not the cell's", pid)
		}
	}
}

// gone waits a little for the end of a process that is not ours to wait for.
func gone(pid int) bool {
	for range 600 {
		if ended(pid) {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

// ended reports whether a process has ended, also where its parent has not asked for that yet.
func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestKill(t *testing.T) {
	h := hosttest.Start(t)
	u, err := h.Compile("import \"time\"\nfunc Run() { time.Sleep(time.Hour) }")
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(300*time.Millisecond, h.Kill)
	_, err = h.Run(context.Background(), u)
	var exit *proc.Exit
	if !errors.As(err, &exit) || !exit.Killed || exit.Reason != "signal: killed (by the kernel)" {
		t.Errorf("got %v", err)
	}
	if _, err := h.Run(context.Background(), u); !errors.As(err, &exit) {
		t.Errorf("Run after the end: got %v", err)
	}
	if err := h.Ping(context.Background()); !errors.As(err, &exit) {
		t.Errorf("Ping after the end: got %v", err)
	}
	h.Kill() // harmless
}

func TestStartFails(t *testing.T) {
	_, err := proc.Start(context.Background(), "/none/host", proc.Options{})
	if want := "proc: start /none/host: fork/exec /none/host: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	_, err = proc.Start(context.Background(), "/bin/false", proc.Options{})
	if want := "proc: start /bin/false: the host process ended: exit status 1"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	silent := filepath.Join(t.TempDir(), "silent")
	if err := os.WriteFile(silent, []byte("#!/bin/sh\nexec sleep 1000\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = proc.Start(ctx, silent, proc.Options{})
	if want := "proc: start " + silent + ": context deadline exceeded"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestDiesWithKernel starts a kernel of its own, this program again, and kills
// it.
func TestDiesWithKernel(t *testing.T) {
	if os.Getenv("HOLT_TEST_KERNEL") != "" {
		h := hosttest.Start(t)
		if _, err := h.World.Add(context.Background(), []string{"os/exec"}); err != nil {
			t.Fatal(err)
		}
		child := h.Must(`import ("os/exec"; "fmt")
func Run() { c := exec.Command("sleep", "1000"); if err := c.Start(); err != nil { panic(err) }; fmt.Print(c.Process.Pid) }`)
		fmt.Printf("child %s\nhost %d\n", child, h.PID())
		select {}
	}
	hosttest.World(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestDiesWithKernel$", "-test.v")
	cmd.Env = append(os.Environ(), "HOLT_TEST_KERNEL=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	var text []byte
	buf := make([]byte, 4096)
	pid, child := 0, 0
	for pid == 0 {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		text = append(text, buf[:n]...)
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "host "); ok && strings.HasSuffix(rest, "\n") {
				pid, _ = strconv.Atoi(strings.TrimSpace(rest))
			}
			if rest, ok := strings.CutPrefix(line, "child "); ok {
				child, _ = strconv.Atoi(strings.TrimSpace(rest))
			}
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	if !gone(pid) {
		syscall.Kill(pid, syscall.SIGKILL)
		t.Errorf("the host %d lives on", pid)
	}
	if child == 0 || !gone(child) {
		syscall.Kill(child, syscall.SIGKILL)
		t.Errorf("the program %d that a cell started lives on", child)
	}
}

// TestDescriptors starts and ends hosts, and counts what is left open.
func TestDescriptors(t *testing.T) {
	w := hosttest.World(t)
	count := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(list)
	}
	var before int
	for i := range 6 {
		p, err := proc.Start(context.Background(), w.Host(), proc.Options{Frame: func(frame.Message) {}})
		if err != nil {
			t.Fatal(err)
		}
		p.Kill()
		if exit := p.Wait(); exit.Signal != syscall.SIGKILL {
			t.Fatalf("got %+v", exit)
		}
		if i == 0 {
			before = count()
		}
	}
	if after := count(); after > before+1 {
		t.Errorf("%d descriptors are open after five more hosts, want %d", after, before)
	}
}

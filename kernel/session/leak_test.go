package session_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// count runs a cell whose value is a number.
func (n *notebook) count(code string) int {
	n.t.Helper()
	out, f := n.run(n.t.Context(), code)
	if f != nil {
		n.t.Fatalf("%s\nfailed: %s", code, out)
	}
	v, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(out, "= ")))
	if err != nil {
		n.t.Fatal(err)
	}
	return v
}

// usage is what a notebook holds: files in its folder, descriptors and
// goroutines of both processes.
type usage struct{ files, hostFDs, hostGoroutines, fds, goroutines int }

func (n *notebook) usage(tmp string) (u usage) {
	n.t.Helper()
	u.hostFDs = n.count("entries, _ := os.ReadDir(`/proc/self/fd`); len(entries)")
	u.hostGoroutines = n.count("runtime.NumGoroutine()")
	// The tools of the next cell are being started; what they hold is the same each time.
	for before := (usage{files: -1}); u != before; {
		before = u
		time.Sleep(200 * time.Millisecond)
		u.files = 0
		filepath.WalkDir(tmp, func(_ string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				u.files++
			}
			return nil
		})
		fds, _ := os.ReadDir("/proc/self/fd")
		u.fds, u.goroutines = len(fds), runtime.NumGoroutine()
	}
	return u
}

// TestLeaks: cells that are run again and again leave nothing behind, in
// files, descriptors and goroutines. [BenchmarkExecutions] measures memory.
func TestLeaks(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	n := open(t, t.TempDir(), nil)
	cells := []string{
		"x := 1; name := `a`",
		"x++; fmt.Println(x, name)",
		"func f(n int) int { return n + 1 }\nf(x)",
		"c := make(chan int, 1); go func() { c <- x }(); <-c",
	}
	for _, c := range cells {
		n.must(c)
	}
	n.usage(tmp) // its own cells are compiled twice
	before := n.usage(tmp)
	for range 8 {
		for _, c := range cells {
			n.must(c)
		}
	}
	after := n.usage(tmp)
	// An idle goroutine or a pipe more is no leak; one for every cell is.
	const slack = 4
	if after.files > before.files || after.hostFDs > before.hostFDs+slack || after.hostGoroutines > before.hostGoroutines+slack ||
		after.fds > before.fds+slack || after.goroutines > before.goroutines+slack {
		t.Errorf("32 executions took %+v to %+v", before, after)
	}
}

// BenchmarkExecutions runs one cell b.N times in one notebook and reports what
// each execution adds to the resident memory of host and kernel, in kB, and the
// medians of the first hundred and of the last hundred executions:
//
//	go test ./kernel/session -run '^$' -bench Executions -benchtime 1000x
func BenchmarkExecutions(b *testing.B) {
	n := open(b, b.TempDir(), nil)
	n.must("x := 1")
	rss := "resident := func() int { text, _ := os.ReadFile(`/proc/self/statm`); f := strings.Fields(string(text)); n, _ := strconv.Atoi(f[1]); return n * os.Getpagesize() / 1024 }"
	n.must("import (`strconv`; `strings`)\n" + rss)
	n.must("import `runtime/debug`\ndebug.FreeOSMemory()")
	host, kernel := n.count("resident()"), resident()
	var times []time.Duration
	for b.Loop() {
		began := time.Now()
		n.must("x++")
		times = append(times, time.Since(began))
	}
	median := func(list []time.Duration) float64 {
		list = slices.Sorted(slices.Values(list))
		return list[len(list)/2].Seconds() * 1e3
	}
	b.ReportMetric(median(times[:min(100, len(times))]), "first-ms")
	b.ReportMetric(median(times[max(0, len(times)-100):]), "last-ms")
	n.must("debug.FreeOSMemory()")
	b.ReportMetric(float64(n.count("resident()")-host)/float64(b.N), "host-kB/op")
	b.ReportMetric(float64(resident()-kernel)/float64(b.N), "kernel-kB/op")
}

// resident is the memory of this process, in kB.
func resident() (kB int) {
	runtime.GC()
	text, _ := os.ReadFile("/proc/self/statm")
	var size, pages int
	fmt.Sscan(string(text), &size, &pages)
	return pages * os.Getpagesize() / 1024
}

package session_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestFewMemoryMaps takes most of the memory maps that the system allows.
func TestFewMemoryMaps(t *testing.T) {
	var limit int
	text, err := os.ReadFile("/proc/sys/vm/max_map_count")
	if err == nil {
		_, err = fmt.Sscan(string(text), &limit)
	}
	if err != nil || limit > 300_000 {
		t.Skipf("vm.max_map_count is %d (%v), want Linux with its usual limit", limit, err)
	}
	n := open(t, t.TempDir(), nil)
	n.must("import \"syscall\"\ni := 0")
	// Neighbours of different protection are maps of their own.
	n.must(fmt.Sprintf(`m, err := syscall.Mmap(-1, 0, %d*4096, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE)
if err != nil { panic(err) }
for j := 0; j < len(m)/4096; j += 2 {
	if err := syscall.Mprotect(m[j*4096:(j+1)*4096], syscall.PROT_READ|syscall.PROT_WRITE); err != nil { panic(err) }
}`, limit/100*93))
	var said string
	for range 50 {
		out, f := n.run(context.Background(), "i++")
		if f != nil {
			t.Fatal(out)
		}
		said += out
	}
	want := fmt.Sprintf(" memory maps of the %d that the system allows, and each cell takes a few: save what you need and restart the kernel, or let an administrator raise the limit with: sysctl -w vm.max_map_count=%d\n", limit, 4*limit)
	if !strings.HasPrefix(said, "holt: the host process has ") || strings.Count(said, want) != 1 {
		t.Errorf("it said %q, want once %q", said, want)
	}
	n.must("i", "^= 50$")
}

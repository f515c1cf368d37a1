//go:build unix

// Package limit runs tests in processes that may take little memory, or write
// little, so that "bounded" is seen and not believed.
package limit

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
)

// child is the variable that names the test which a process was started for.
const child = "HOLT_LIMIT_TEST"

// Supported reports whether [Memory] works here.
const Supported = runtime.GOOS == "linux" && !race

// Memory runs the test once more in a process that can map at most so many
// bytes beyond what it has when it begins. There Memory returns true, and the
// test does what must stay within them; here it returns false after that
// process has ended, and reports a failure of it.
//
//	if limit.Memory(t, 256<<20) {
//		load(bomb)
//	}
//
// The limit is the system's on address space: a process that asks for more dies,
// whether the memory is used or not. Call it in a test, not in a subtest.
func Memory(t *testing.T, bytes uint64) bool {
	t.Helper()
	if !Supported {
		t.Skip("needs Linux, which limits the address space of a process, and no race detector, which maps memory of its own")
	}
	if !inChild(t) {
		return false
	}
	used, err := mapped()
	if err != nil {
		t.Fatal(err)
	}
	set(t, syscall.RLIMIT_AS, used+bytes)
	debug.SetMemoryLimit(int64(bytes / 2)) // or what died with garbage would say nothing of what is held
	return true
}

// FileSize does the same with a limit on the length of each file that the
// process writes; a longer one is the error that a full disk gives, but for
// its name.
func FileSize(t *testing.T, bytes uint64) bool {
	t.Helper()
	if !inChild(t) {
		return false
	}
	set(t, syscall.RLIMIT_FSIZE, bytes)
	return true
}

// inChild reports whether this process is the one for the test. Where it is
// not, it starts that one and waits for it.
func inChild(t *testing.T) bool {
	t.Helper()
	if os.Getenv(child) == t.Name() {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.count=1")
	// The C library reserves 128 MB for each thread that allocates, unless told not to.
	cmd.Env = append(os.Environ(), child+"="+t.Name(), "MALLOC_ARENA_MAX=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		const most = 4000
		t.Errorf("with limited memory or files: %v\n%s", err, out[:min(len(out), most)])
	}
	return false
}

func set(t *testing.T, resource int, bytes uint64) {
	t.Helper()
	var l syscall.Rlimit
	if err := syscall.Getrlimit(resource, &l); err != nil {
		t.Fatal(err)
	}
	l.Cur = bytes
	if err := syscall.Setrlimit(resource, &l); err != nil {
		t.Fatal(err)
	}
}

// mapped returns the bytes of this process's address space.
func mapped() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var pages uint64
	if _, err := fmt.Sscan(string(text), &pages); err != nil {
		return 0, fmt.Errorf("limit: /proc/self/statm holds %q: %w", text, err)
	}
	return pages * uint64(os.Getpagesize()), nil
}

package limit_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"

	"github.com/holt-dl/holt/internal/limit"
)

var sink []byte

// TestMemory takes what is allowed, again and again.
func TestMemory(t *testing.T) {
	if limit.Memory(t, 256<<20) {
		debug.SetGCPercent(10)
		for range 100 {
			sink = make([]byte, 32<<20)
		}
	}
}

// TestMemoryBeyond takes more, which ends the process.
func TestMemoryBeyond(t *testing.T) {
	const child = "HOLT_LIMIT_TEST"
	if os.Getenv(child) == t.Name() {
		if limit.Memory(t, 256<<20) {
			sink = make([]byte, 512<<20)
		}
		return
	}
	if !limit.Supported {
		t.Skip("needs Linux, and no race detector")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestMemoryBeyond$")
	cmd.Env = append(os.Environ(), child+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "out of memory") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestFileSize writes up to the limit, and not beyond it.
func TestFileSize(t *testing.T) {
	if limit.FileSize(t, 1000) {
		path := filepath.Join(t.TempDir(), "f")
		err := os.WriteFile(path, []byte(strings.Repeat("x", 2000)), 0o644)
		if info, _ := os.Stat(path); !errors.Is(err, syscall.EFBIG) || info.Size() != 1000 {
			t.Errorf("the file has %d bytes, %v", info.Size(), err)
		}
	}
}

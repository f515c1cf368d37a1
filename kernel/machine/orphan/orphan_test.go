package orphan

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// TestWatch watches a parent that is gone when it is asked the third time, and one that lives.
func TestWatch(t *testing.T) {
	asked, stopped := 0, 0
	watch(t.Context(), time.Millisecond, func() bool { asked++; return asked == 3 }, func() { stopped++ })
	if asked != 3 || stopped != 1 {
		t.Errorf("it asked %d times and called stop %d times, want 3 and 1", asked, stopped)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	watch(ctx, time.Hour, func() bool { return true }, func() { t.Error("stop is called after the end of ctx") })
}

func TestParent(t *testing.T) {
	for _, id := range []string{"", "x", "0", "1", "-3"} {
		if parent(id) != nil {
			t.Errorf("%q is taken for a process", id)
		}
	}
	if parent(strconv.Itoa(os.Getpid()))() {
		t.Error("this process is taken for gone")
	}
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if !parent(strconv.Itoa(cmd.Process.Pid))() {
		t.Error("a process that ended is not taken for gone")
	}
}

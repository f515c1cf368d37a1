package orphan

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestGuard runs this program again, which guards three groups, releases one and
// is killed.
func TestGuard(t *testing.T) {
	if os.Getenv("HOLT_TEST_GUARD") != "" {
		var list []int
		for i := range 3 {
			cmd := exec.Command("sh", "-c", "sleep 100 & wait")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			list = append(list, cmd.Process.Pid)
			if release := Guard(cmd.Process.Pid); i == 1 {
				release()
				release()
			}
		}
		fmt.Println("groups", list[0], list[1], list[2])
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestGuard$")
	cmd.Env = append(os.Environ(), "HOLT_TEST_GUARD=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	var g [3]int
	if n, _ := fmt.Sscanf(line, "groups %d %d %d", &g[0], &g[1], &g[2]); n != 3 {
		t.Fatalf("got %q, %v", line, err)
	}
	t.Cleanup(func() {
		for _, group := range g {
			syscall.Kill(-group, syscall.SIGKILL)
		}
	})
	cmd.Process.Kill()
	cmd.Wait()
	if !ended(g[0]) || !ended(g[2]) {
		t.Error("a guarded group outlives its process")
	}
	if !running(g[1]) {
		t.Error("a released group was killed")
	}
}

// ended waits a little for the end of all processes of a group.
func ended(group int) bool {
	for range 200 {
		if !running(group) {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

// running reports whether a process of a group runs; those that have ended may
// wait long for their parent.
func running(group int) bool {
	out, _ := exec.Command("ps", "-eo", "pgid=,stat=").Output()
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == fmt.Sprint(group) && f[1][0] != 'Z' {
			return true
		}
	}
	return false
}

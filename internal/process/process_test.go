package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestGroup(t *testing.T) {
	for name, how := range map[string]func(*exec.Cmd){"Group": Group, "Detach": Detach} {
		// $$ is the shell's process id, which is that of its group.
		cmd := exec.Command("sh", "-c", `test "$(ps -o pgid= -p $$ | tr -d ' ')" = $$ && echo own`)
		how(cmd)
		out, err := cmd.Output()
		if err != nil || strings.TrimSpace(string(out)) != "own" {
			t.Errorf("%s: the program has no group of its own: %q, %v", name, out, err)
		}
	}
}

func TestEnd(t *testing.T) {
	for name, end := range map[string]func(*exec.Cmd) error{
		"End":       func(cmd *exec.Cmd) error { return End(cmd.Process) },
		"KillGroup": KillGroup,
	} {
		cmd := exec.Command("sh", "-c", "sleep 100 & wait")
		Group(cmd)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer KillGroup(cmd) // what End leaves
		if err := end(cmd); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := cmd.Wait(); err == nil || !strings.HasPrefix(err.Error(), "signal: ") {
			t.Errorf("%s: the program ended with %v, want a signal", name, err)
		}
	}
}

// TestStat looks at a process that has a name with brackets, in its life and after its end.
func TestStat(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // there is nothing to read
	}
	name := filepath.Join(t.TempDir(), "a) b (c")
	if err := os.Symlink("/bin/sleep", name); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	if stat := Stat(pid); len(stat) < 20 || stat[1] != strconv.Itoa(os.Getpid()) || stat[0] == "Z" {
		t.Errorf("a child of %d is %q", os.Getpid(), stat)
	}
	cmd.Process.Kill()
	for end := time.Now().Add(time.Minute); Stat(pid)[0] != "Z"; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not end")
		}
	}
	cmd.Wait()
	if stat := Stat(pid); stat != nil {
		t.Errorf("after its end it is %q", stat)
	}
}

package process

import (
	"os/exec"
	"strings"
	"testing"
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

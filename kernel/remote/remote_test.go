package remote

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/kernel/jupyter/wire"
)

func counted(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i)
	}
	return b.String()
}

// TestCutLine cuts the line while a cell runs, again and again: the cell's
// output comes in full and in order, and the variables are there.
func TestCutLine(t *testing.T) {
	m := newFakeMachine(t)
	m.Env = map[string]string{"HOLT_BACKEND": "go"}
	n := m.start()
	if got, want := n.run("set 7\nwhere"), m.home+" go "+m.Destination+" kernel-0a1b.json\n"; got != want {
		t.Errorf("the kernel runs in %q, want %q: its folder, backend, how ssh reaches it and its name here", got, want)
	}
	id := n.cell("count 60 30")
	for _, at := range []string{"2\n", "15\n", "25\n"} {
		n.until(id, at, func(s shown) bool { return strings.Contains(s.stdout, "\n"+at) })
		m.cut()
	}
	s := n.finish(id)
	if s.stdout != counted(60) || s.reply["status"] != "ok" {
		t.Errorf("the cell printed %q and replied %v", s.stdout, s.reply)
	}
	if got := n.run("get"); got != "7\n" {
		t.Errorf("the variable is %q, want 7", got)
	}

	// Interrupts, and questions, work after it.
	id = n.cell("count 1000000 10")
	n.until(id, "output", func(s shown) bool { return s.stdout != "" })
	n.send(n.client.Control, "interrupt_request", map[string]any{})
	if s := n.finish(id); s.reply["ename"] != "Interrupted" {
		t.Errorf("the interrupted cell replied %v", s.reply)
	}
	id = n.cell("ask")
	question, err := n.client.Stdin.Receive()
	if err != nil || !strings.Contains(string(question[5]), "name?") {
		t.Fatalf("asked %q, %v", question, err)
	}
	m.cut()
	n.send(n.client.Stdin, "input_reply", map[string]any{"value": "gopher"})
	if s := n.finish(id); s.stdout != "hello gopher\n" {
		t.Errorf("the cell that asked printed %q", s.stdout)
	}

	// The key is in no command line and readable to nobody else.
	cmdlines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range cmdlines {
		if data, err := os.ReadFile(file); err == nil && strings.Contains(string(data), string(n.key)) {
			t.Errorf("the key is in a command line: %q", data)
		}
	}
	for _, dir := range m.sessions() {
		for _, d := range []string{dir, filepath.Dir(dir)} {
			if info, err := os.Stat(d); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%s has mode %v, want 0700", d, info.Mode())
			}
		}
	}
	n.send(n.client.Control, "shutdown_request", map[string]any{"restart": true})
	if err := n.end(); err != nil {
		t.Errorf("shut down, it ended with %v", err)
	}
}

// TestNoLine has no line for a while: what clients ask for is answered or
// waits, the cell goes on, and it is said.
func TestNoLine(t *testing.T) {
	m := newFakeMachine(t)
	n := m.start()
	first := n.send(n.client.Shell, "kernel_info_request", map[string]any{})
	n.finish(first)
	id := n.cell("count 20 20")
	n.until(id, "output", func(s shown) bool { return s.stdout != "" })
	m.down(true)
	m.cut()
	n.until(id, "the notice", func(s shown) bool {
		return strings.Contains(s.stderr, "[holt: the line to gpu is cut; the kernel there goes on, and is tried again for 1m0s (remote: gpu: ssh me@gpu: ssh: connect to host gpu port 22: Connection refused")
	})
	info := n.send(n.client.Control, "kernel_info_request", map[string]any{})
	if s := n.finish(info); s.reply["implementation"] != "holt" {
		t.Errorf("without a line, kernel_info_request is answered %v", s.reply)
	}
	later := n.cell("set 5\nget")
	n.mu.Lock()
	early := n.shown[id].reply != nil || n.shown[later] != nil
	n.mu.Unlock()
	if early {
		t.Error("a cell ended without a line")
	}
	m.down(false)
	s := n.finish(id)
	if s.stdout != counted(20) || !strings.Contains(s.stderr, "[holt: gpu is back after ") {
		t.Errorf("the cell printed %q and %q", s.stdout, s.stderr)
	}
	if s := n.finish(later); s.stdout != "5\n" {
		t.Errorf("the cell that waited printed %q", s.stdout)
	}

	// Shut down without a line, the proxy says yes at once; the kernel there
	// is ended by the grace period, or as here by hand.
	id = n.cell("count 1000000 10")
	n.until(id, "output", func(s shown) bool { return s.stdout != "" })
	m.down(true)
	m.cut()
	n.until(id, "the notice", func(s shown) bool { return strings.Contains(s.stderr, "is cut") })
	down := n.send(n.client.Control, "shutdown_request", map[string]any{"restart": false})
	if s := n.until(down, "the reply", func(s shown) bool { return s.reply != nil }); s.reply["status"] != "ok" {
		t.Errorf("shutdown_request is answered %v", s.reply)
	}
	if err := n.end(); err != nil {
		t.Errorf("shut down, it ended with %v", err)
	}
	m.down(false)
	if list, err := m.Sessions(context.Background()); err != nil || len(list) != 1 || list[0].Cut == nil || list[0].State != "busy" {
		t.Errorf("listed %+v, %v, want one that is busy and has no line", list, err)
	}
	stopped, err := m.Stop(context.Background(), "")
	if err != nil || len(stopped) != 1 {
		t.Errorf("stopped %v, %v, want the one that is left", stopped, err)
	}
	m.emptied()
}

// TestGrace is without a line for longer than the grace period.
func TestGrace(t *testing.T) {
	for _, back := range []bool{false, true} {
		t.Run(fmt.Sprintf("back %v", back), func(t *testing.T) {
			m := newFakeMachine(t)
			m.Grace = time.Second
			if back {
				m.Grace = 3 * time.Second // the pauses between tries leave room for one after the kernel's end
			}
			n := m.start()
			id := n.cell("count 1000000 10")
			n.until(id, "output", func(s shown) bool { return s.stdout != "" })
			m.down(true)
			m.cut()
			want := "remote: gpu: the line was cut and could not be made again for 1s, so the kernel there has ended, and its variables with it"
			if back {
				n.until(id, "the notice", func(s shown) bool { return strings.Contains(s.stderr, "is cut") })
				// As a machine that was started again.
				list, _ := filepath.Glob(filepath.Join(m.sessions()[0], "session.json"))
				os.Remove(list[0])
				m.down(false)
				want = "remote: gpu: the line was cut, and the kernel there has ended meanwhile, and its variables with it: the grace period of 3s was over, it was stopped, or the machine was started again"
			}
			s := n.finish(id)
			if s.reply["ename"] != "KernelLost" || !strings.Contains(fmt.Sprint(s.reply["evalue"]), want) {
				t.Errorf("the cell replied %v, want %s", s.reply, want)
			}
			if err := n.end(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("it ended with %v, want %s", err, want)
			}
			m.emptied()
		})
	}
}

// TestKernelDies kills the kernel there, with a line and without.
func TestKernelDies(t *testing.T) {
	m := newFakeMachine(t)
	n := m.start()
	s := n.finish(n.cell("count 3 1\ndie"))
	want := "remote: gpu: the kernel ended there: signal: killed; its log ends with: last words"
	if s.reply["ename"] != "KernelLost" || s.reply["evalue"] != want {
		t.Errorf("the cell replied %v, want %s", s.reply, want)
	}
	if err := n.end(); err == nil || err.Error() != want {
		t.Errorf("it ended with %v, want %s", err, want)
	}
	m.emptied()

	n = m.start()
	id := n.cell("count 40 20\ndie")
	n.until(id, "output", func(s shown) bool { return s.stdout != "" })
	m.down(true)
	m.cut()
	n.until(id, "the notice", func(s shown) bool { return strings.Contains(s.stderr, "is cut") })
	time.Sleep(time.Second) // the kernel dies without a line
	m.down(false)
	if err := n.end(); err == nil || err.Error() != want {
		t.Errorf("it ended with %v, want %s", err, want)
	}
	if s := n.finish(id); s.stdout != counted(40) {
		t.Errorf("the cell printed %q", s.stdout)
	}
}

// TestEnds ends the proxy, as Jupyter does when it ends itself, and the kernel
// there with it.
func TestEnds(t *testing.T) {
	m := newFakeMachine(t)
	n := m.start()
	n.run("set 1")
	list, err := m.Sessions(context.Background())
	if err != nil || len(list) != 1 || list[0].State != "idle" || list[0].Cut != nil || list[0].Dir != m.home {
		t.Errorf("listed %+v, %v", list, err)
	}
	n.stop()
	if err := n.end(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	m.emptied()
}

// TestKeeperKilled leaves nothing behind either.
func TestKeeperKilled(t *testing.T) {
	m := newFakeMachine(t)
	n := m.start()
	n.run("set 1")
	list, err := m.Sessions(context.Background())
	if err != nil || len(list) != 1 {
		t.Fatalf("listed %+v, %v", list, err)
	}
	keeper, _ := os.FindProcess(list[0].PID)
	keeper.Kill()
	if err := n.end(); err == nil || !strings.Contains(err.Error(), "the kernel there has ended meanwhile") {
		t.Errorf("it ended with %v", err)
	}
	eventually(t, "the kernel outlives its keeper", func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", list[0].Kernel))
		return err != nil
	})
	if list, err := m.Sessions(context.Background()); err != nil || len(list) != 0 {
		t.Errorf("listed %+v, %v, want none", list, err)
	}
	m.emptied()
}

// TestRefused cannot start.
func TestRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(m *fakeMachine)
		want   string
	}{
		{"no line", func(m *fakeMachine) { m.down(true) },
			"remote: gpu: ssh me@gpu: ssh: connect to host gpu port 22: Connection refused; is sshd running there"},
		{"no folder", func(m *fakeMachine) { m.Dir = "/no/such/folder" },
			"remote: gpu: the kernel is to run in /no/such/folder, which is no folder on that machine; make it there, or choose another with --dir"},
		{"no holt", func(m *fakeMachine) { m.Holt = "/no/such/holt" },
			"; Holt is not there any more: holt remote add gpu me@gpu"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newFakeMachine(t)
			tt.change(m)
			err := Serve(context.Background(), "kernel-0a1b.json", wire.NewIPC(filepath.Join(t.TempDir(), "k"), "secret"), m.Machine)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

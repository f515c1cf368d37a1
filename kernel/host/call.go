package host

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/host/msg"
)

// answer carries out a call, also while a cell runs. It is a goroutine of its own, so that one
// that takes long holds up no interrupt; the kernel finds the answer by its number, in whatever
// order answers come.
func (s *server) answer(c msg.Call) {
	r := msg.Return{Seq: c.Seq}
	if err := s.call(c, &r); err != nil {
		r.Error = err.Error()
	}
	s.send(msg.KindReturn, 0, r)
}

// call carries out c, and puts what it gives into r. Package msg says what each takes. An
// argument that is missing counts as empty.
func (s *server) call(c msg.Call, r *msg.Return) error {
	arg := func(i int) string {
		if i < len(c.Args) {
			return c.Args[i]
		}
		return ""
	}
	switch c.Name {
	case msg.Ping:
		return nil
	case msg.Chdir:
		if err := os.Chdir(arg(0)); err != nil {
			return err
		}
		dir, err := filepath.Abs(".")
		if err != nil {
			return err
		}
		r.Text = dir
		// Programs that cells start take the folder's name from PWD, as Go's os.Getwd does.
		return os.Setenv("PWD", dir)
	case msg.Setenv:
		return os.Setenv(arg(0), arg(1))
	case msg.Unsetenv:
		return os.Unsetenv(arg(0))
	case msg.SetArgs:
		setArgs(c.Args)
		return nil
	case msg.DropFlags:
		dropFlags(c.Args)
		return nil
	case msg.Stacks:
		r.Text = allStacks()
		return nil
	case msg.Steer:
		return frame.Steer(arg(0), arg(1), arg(2))
	case msg.Pending:
		r.Pending = frame.Pending()
		return nil
	case msg.Leave:
		if s.opt.Leave != nil {
			s.opt.Leave()
		}
		return nil
	case msg.Usage:
		r.Memory = s.memory()
		return nil
	}
	return fmt.Errorf("host: unknown call %q", c.Name)
}

// memory says what the process uses. The resident set is the second number of /proc/self/statm,
// in pages; it has what C and the backends hold too, of which Go's runtime does not know. It is
// 0 where there is no /proc.
func (s *server) memory() *msg.Memory {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m := &msg.Memory{Heap: stats.HeapAlloc, Sys: stats.Sys, Goroutines: runtime.NumGoroutine(), Plugins: int(s.plugins.Load())}
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			pages, _ := strconv.ParseUint(fields[1], 10, 64)
			m.RSS = pages * uint64(os.Getpagesize())
		}
	}
	return m
}

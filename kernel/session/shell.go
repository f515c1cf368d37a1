package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/machine/orphan"
	"github.com/holt-dl/holt/kernel/session/report"
)

const (
	// endTime is what an interrupted command has to end by itself.
	endTime = 2 * time.Second
	// lookAgain is how often a command is looked at that may wait for input.
	lookAgain = 50 * time.Millisecond
)

// Chdir changes where cells and shell commands run.
func (c commands) Chdir(dir string) (string, error) {
	if dir == "" {
		return c.s.cwd, nil
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.s.cwd, dir)
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return "", fmt.Errorf("%%cd: there is no folder %s; cells run in %s", dir, c.s.cwd)
	case !info.IsDir():
		return "", fmt.Errorf("%%cd: %s is a file, want a folder", dir)
	}
	if c.s.died == "" {
		if _, err := c.s.process().Chdir(c.s.ctx, dir); err != nil {
			return "", fmt.Errorf("%%cd: %w", err)
		}
	}
	c.s.cwd = dir
	c.s.world.SetDir(dir)
	return dir, c.Setenv(c.s.ctx, "GONB_DIR", dir)
}

// Environ is the environment of the cells.
func (c commands) Environ() []string {
	seen := map[string]int{}
	var vars []string
	for _, kv := range append(os.Environ(), c.s.env...) {
		k, _, _ := strings.Cut(kv, "=")
		if i, ok := seen[k]; ok {
			vars[i] = kv
			continue
		}
		seen[k] = len(vars)
		vars = append(vars, kv)
	}
	return vars
}

// Setenv sets a variable of the environment, for cells and shell commands.
func (c commands) Setenv(ctx context.Context, key, value string) error {
	if key == "" || strings.ContainsAny(key, "= \x00") {
		return fmt.Errorf("%%env: %q cannot name a variable, want letters, digits and _", key)
	}
	c.s.env = append(c.s.env, key+"="+value)
	if c.s.died != "" {
		return nil
	}
	return c.s.process().Setenv(ctx, key, value)
}

// Shell runs a program and shows what it prints. An interrupt reaches all
// processes that it started.
func (c commands) Shell(ctx context.Context, s gonb.Script) error {
	if queries, ok := getsModules(s); ok {
		return c.goGet(ctx, s, queries)
	}
	return c.shell(ctx, s)
}

func (c commands) shell(ctx context.Context, s gonb.Script) error {
	cmd := exec.CommandContext(ctx, s.Args[0], s.Args[1:]...)
	cmd.Dir, cmd.Env = c.s.cwd, append(c.Environ(), s.Env...)
	if s.Temp {
		c.s.modules.Note()
		c.s.saveMain()
		cmd.Dir = c.s.modules.Dir
	}
	cmd.Stdout, cmd.Stderr = stream{c.s.out, "stdout"}, stream{c.s.out, "stderr"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = endTime
	if s.Stdin != "" {
		cmd.Stdin = strings.NewReader(s.Stdin)
	}
	var stdin io.WriteCloser
	if s.Ask != gonb.Nothing {
		var err error
		if stdin, err = cmd.StdinPipe(); err != nil {
			return fmt.Errorf("%s: %w", s.What, err)
		}
	}
	if err := cmd.Start(); err != nil {
		// The system says of a missing folder that the program is missing.
		if info, gone := os.Stat(cmd.Dir); gone != nil || !info.IsDir() {
			return fmt.Errorf("%s: the folder in which it would run, %s, is not there any more; make it again, or go to another with %%cd", s.What, cmd.Dir)
		}
		return fmt.Errorf("%s: %w", s.What, err)
	}
	defer orphan.Guard(cmd.Process.Pid)()
	ended := make(chan struct{})
	asked := make(chan error, 1)
	if stdin != nil {
		go func() {
			asked <- c.ask(cmd.Process.Pid, stdin, s.Ask == gonb.Password, ended)
			stdin.Close() // after the reason is shown, as this may end the program
		}()
	}
	err := cmd.Wait()
	close(ended)
	if ctx.Err() != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what did not heed the interrupt
		return report.Interrupted{What: "the command was interrupted"}
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it left something behind that holds its output
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", s.What, err)
		select {
		case why := <-asked: // the reason, when the person could not be asked
			err = errors.Join(err, why)
		default:
		}
	}
	if s.Temp && err == nil {
		c.tryModules(ctx)
	}
	return err
}

// ask gives a process group lines from the person whenever one of its processes
// waits for its standard input.
func (c commands) ask(group int, stdin io.Writer, password bool, ended <-chan struct{}) error {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return nil
		case <-tick.C:
		}
		if !reads(group) {
			continue
		}
		line, err := c.s.input(" ", password)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(stdin, line+"\n"); err != nil {
			return nil // the program has ended or closed its input
		}
	}
}

// reads reports whether a process of a group waits in read(0, …). Where the
// system does not say so, a group whose leader sleeps counts as one that does.
func reads(group int) bool {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return true
	}
	want := fmt.Sprintf("%d 0x0 ", syscall.SYS_READ)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		// pid (name) state parent group …, where the name may hold anything.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) < 3 || fields[2] != strconv.Itoa(group) {
			continue
		}
		call, err := os.ReadFile("/proc/" + e.Name() + "/syscall")
		if err != nil && pid == group && fields[0] == "S" || strings.HasPrefix(string(call), want) {
			return true
		}
	}
	return false
}

// stream is one of the cell's output streams.
type stream struct {
	out  Output
	name string
}

func (s stream) Write(p []byte) (int, error) {
	s.out.Stream(s.name, p)
	return len(p), nil
}

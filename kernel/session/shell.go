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

	"github.com/holt-dl/holt/internal/process"
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

// Chdir changes where cells and shell commands run, and returns the folder; with "" it only
// asks. All that has an idea of the folder is told: the host, which has a current directory of
// its own; the world, which looks there for modules beside the notebook; and programs, by
// GONB_DIR.
func (c commands) Chdir(dir string) (string, error) {
	if dir == "" {
		return c.s.cwd, nil
	}
	// A relative name is meant from where cells run, which the kernel's own folder is not.
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
	// Without a host there is none to tell: the next one starts in cwd.
	if c.s.died == "" {
		if _, err := c.s.process().Chdir(c.s.ctx, dir); err != nil {
			return "", fmt.Errorf("%%cd: %w", err)
		}
	}
	c.s.cwd = dir
	c.s.world.SetDir(dir)
	return dir, c.Setenv(c.s.ctx, "GONB_DIR", dir)
}

// Environ is the environment of the cells, without duplicates: of two values of one variable
// the later counts, as in os/exec. What %env has set comes over the kernel's own.
func (c commands) Environ() []string {
	// The place of each variable in vars, so that the order stays.
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

// Setenv sets a variable of the environment, for cells and shell commands. It is remembered for
// the next host too. Without a host, that is all; the next one starts with it.
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

// shell is Shell for what is no "go get".
//
// The program has a process group of its own, to which the interrupt of the cell goes: the
// program is most often a shell, which alone would get it otherwise. Its output reaches the
// notebook as it comes. Its standard input is empty, or a text (%%script), or the person, who
// is asked whenever a process of the group waits for a line.
func (c commands) shell(ctx context.Context, s gonb.Script) error {
	cmd := exec.CommandContext(ctx, s.Args[0], s.Args[1:]...)
	cmd.Dir, cmd.Env = c.s.cwd, append(c.Environ(), s.Env...)
	// A command in the folder of go.mod, such as !*go vet, finds there what imports of cells
	// brought, and the last cell as main.go.
	if s.Temp {
		c.s.modules.Note()
		c.s.saveMain(ctx)
		cmd.Dir = c.s.modules.Dir
	}
	cmd.Stdout, cmd.Stderr = stream{c.s.out, "stdout"}, stream{c.s.out, "stderr"}
	// A group of its own, for interrupts and for ask.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// An interrupt first, as Ctrl-C in a terminal does, so that the program can clean up. After
	// endTime, Wait closes its pipes and returns.
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
	// Should the kernel be killed meanwhile, the group goes with it.
	defer orphan.Guard(cmd.Process.Pid)()
	ended := make(chan struct{})
	// Room for one: the goroutine must end though no one takes the reason.
	asked := make(chan error, 1)
	if stdin != nil {
		go func() {
			asked <- c.ask(cmd.Process.Pid, stdin, s.Ask == gonb.Password, ended)
			stdin.Close() // after the reason is shown, as this may end the program
		}()
	}
	err := cmd.Wait()
	close(ended)
	// An interrupt is the cell's end, however well the program took it.
	if ctx.Err() != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what did not heed the interrupt
		return report.Interrupted{What: "the command was interrupted"}
	}
	// The program itself has ended well.
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
	// It may have changed go.mod.
	if s.Temp && err == nil {
		c.tryModules(ctx)
	}
	return err
}

// ask gives a process group lines from the person whenever one of its processes waits for its
// standard input. It looks for that again and again, because a pipe tells its writer nothing of
// its readers. It returns nil when the program ended, or reads no more, and otherwise why the
// person could not be asked: that the front end takes no input, say.
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

// reads reports whether a process of a group waits in read(0, …). Where the system does not say
// so, a group whose leader sleeps counts as one that does.
//
// /proc/N/syscall begins with the number of the system call in which a process waits, and its
// arguments, the first of which is the descriptor:
//
//	0 0x0 0x7ffd3a1c2f10 0x400 …
//
// It can be read only with the right to trace the process. A wrong yes asks a person for a line
// that no one wanted; a wrong no hangs the cell until it is interrupted.
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
		fields := process.Stat(pid) // state, parent, group, …
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

// stream is one of the cell's output streams, as the standard output of a program that a
// command starts. It does not go by the host's pipes, nor into the file of %capture.
type stream struct {
	out  Output
	name string
}

// Write implements io.Writer. The bytes are handed on in the call; p may be used again after
// it.
func (s stream) Write(p []byte) (int, error) {
	s.out.Stream(s.name, p)
	return len(p), nil
}

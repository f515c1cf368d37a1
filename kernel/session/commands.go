package session

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/gonb"
	"github.com/holt-dl/holt/kernel/lineage"
)

// commands is a session as GoNB's commands see it.
type commands Session

func (c *commands) session() *Session { return (*Session)(c) }

// Print writes to the cell's output.
func (c *commands) Print(text string) { c.out.Stream("stdout", []byte(text)) }

// Chdir changes where cells and shell commands run.
func (c *commands) Chdir(dir string) (string, error) {
	if dir == "" {
		return c.cwd, nil
	}
	if rest, ok := strings.CutPrefix(dir, "~"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("%%cd: %w", err)
		}
		dir = home + rest
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.cwd, dir)
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return "", fmt.Errorf("%%cd: there is no folder %s; cells run in %s", dir, c.cwd)
	case !info.IsDir():
		return "", fmt.Errorf("%%cd: %s is a file, want a folder", dir)
	}
	if c.died == "" {
		if _, err := c.session().process().Chdir(c.ctx, dir); err != nil {
			return "", fmt.Errorf("%%cd: %w", err)
		}
	}
	c.cwd = dir
	return dir, nil
}

// Environ is the environment of the cells.
func (c *commands) Environ() []string {
	seen := map[string]int{}
	var vars []string
	for _, kv := range append(os.Environ(), c.env...) {
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
func (c *commands) Setenv(ctx context.Context, key, value string) error {
	if key == "" || strings.ContainsAny(key, "= \x00") {
		return fmt.Errorf("%%env: %q cannot name a variable, want letters, digits and _", key)
	}
	c.env = append(c.env, key+"="+value)
	if c.died != "" {
		return nil
	}
	return c.session().process().Setenv(ctx, key, value)
}

// List describes what is declared.
func (c *commands) List() string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	for _, d := range c.nb.Declarations() {
		state := d.Cell
		if d.Lost != "" {
			state += ", value gone: " + d.Lost
		}
		typ := d.Type
		if d.Kind == "type" {
			typ = ""
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", d.Kind, d.Name, strings.TrimPrefix(typ, "func"), state)
	}
	for _, name := range sorted(c.nb.Imports()) {
		fmt.Fprintf(tw, "import\t%s\t%q\t\n", name, c.nb.Imports()[name])
	}
	tw.Flush()
	if b.Len() == 0 {
		return "nothing is declared yet\n"
	}
	return b.String()
}

// Remove forgets a name.
func (c *commands) Remove(name string) bool { return c.nb.Remove(name) }

// Reset forgets everything and starts a fresh host.
func (c *commands) Reset(ctx context.Context) error {
	s := c.session()
	p := s.process()
	p.Kill()
	p.Wait()
	s.nb = cell.New(s.packages)
	s.lineage = lineage.Log{}
	s.archives = map[string]string{}
	s.died = ""
	if err := s.start(); err != nil {
		s.died = err.Error()
		return err
	}
	c.Print("everything is forgotten; a fresh host process runs\n")
	return nil
}

// SetArgs sets os.Args[1:] of the cells.
func (c *commands) SetArgs(args []string) error {
	s := c.session()
	if err := s.revive(s.ctx); err != nil {
		return err
	}
	return s.runCell(s.ctx, cell.Source{Name: internalCell, Text: fmt.Sprintf("os.Args = append(os.Args[:1:1], %#v...)", args)})
}

// Version names Holt and Go.
func (c *commands) Version() string {
	return fmt.Sprintf("holt %s, cells are compiled by %s (kernel built by %s)", c.opt.Version, c.world.Toolchain().Version, runtime.Version())
}

// Shell runs a command of the shell in the folder of the cells.
func (c *commands) Shell(ctx context.Context, command string) error {
	return c.shell(ctx, "!"+command, "sh", "-c", command)
}

func (c *commands) shell(ctx context.Context, what, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = c.cwd, c.Environ()
	cmd.Stdout, cmd.Stderr = stream{c.out, "stdout"}, stream{c.out, "stderr"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err := cmd.Run()
	if ctx.Err() != nil {
		return interrupted{"the command was interrupted"}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

type stream struct {
	out  Output
	name string
}

func (s stream) Write(p []byte) (int, error) {
	s.out.Stream(s.name, p)
	return len(p), nil
}

var _ io.Writer = stream{}

// magic runs a cell whose first line is %%name.
func (s *Session) magic(ctx context.Context, parts gonb.Cell) error {
	fields := strings.Fields(strings.TrimPrefix(parts.Magic, "%%"))
	c := (*commands)(s)
	switch fields[0] {
	case "bash", "sh":
		return c.shell(ctx, "%%"+fields[0], fields[0], append(fields[1:], "-c", parts.Body)...)
	case "script":
		if len(fields) < 2 {
			return fmt.Errorf("%%%%script: no program, want %%%%script PROGRAM [ARGS]")
		}
		return c.pipe(ctx, parts.Body, fields[1], fields[2:]...)
	case "writefile":
		args := fields[1:]
		flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
		if len(args) > 0 && args[0] == "-a" {
			flags, args = os.O_CREATE|os.O_WRONLY|os.O_APPEND, args[1:]
		}
		if len(args) != 1 {
			return fmt.Errorf("%%%%writefile: got %d names, want one: %%%%writefile [-a] FILE", len(args))
		}
		file := args[0]
		if !filepath.IsAbs(file) {
			file = filepath.Join(s.cwd, file)
		}
		f, err := os.OpenFile(file, flags, 0o666)
		if err != nil {
			return fmt.Errorf("%%%%writefile: %w", err)
		}
		if _, err = f.WriteString(parts.Body + "\n"); err == nil {
			err = f.Close()
		} else {
			f.Close()
		}
		if err != nil {
			return fmt.Errorf("%%%%writefile: %w", err)
		}
		c.Print("wrote " + args[0] + "\n")
		return nil
	}
	return fmt.Errorf("%%%%%s is not known, want %%%%bash, %%%%sh, %%%%script or %%%%writefile", fields[0])
}

func (c *commands) pipe(ctx context.Context, input, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = c.cwd, c.Environ()
	cmd.Stdin = strings.NewReader(input)
	cmd.Stdout, cmd.Stderr = stream{c.out, "stdout"}, stream{c.out, "stderr"}
	err := cmd.Run()
	if ctx.Err() != nil {
		return interrupted{"the command was interrupted"}
	}
	return err
}

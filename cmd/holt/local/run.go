package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/dl/backend"
	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/internal/buildinfo"
	"github.com/holt-dl/holt/internal/launch"
	"github.com/holt-dl/holt/kernel/notebook/batch"
	"github.com/holt-dl/holt/kernel/notebook/ipynb"
	"github.com/holt-dl/holt/kernel/notebook/page"
	"github.com/holt-dl/holt/kernel/session"
)

type runCmd struct {
	Notebook    string   `arg:"" type:"path" help:"The notebook, an .ipynb file."`
	Parameters  []string `name:"parameter" short:"p" sep:"none" placeholder:"NAME=VALUE" help:"Set a parameter: a number, true, false, text, or a list or map in JSON. It comes after the cell with the tag parameters. May be given several times."`
	Output      string   `short:"o" placeholder:"FILE" help:"Where the notebook with its outputs goes; - is standard output. The default is NOTEBOOK.out.ipynb."`
	InPlace     bool     `name:"inplace" xor:"output" help:"Write the outputs into the notebook itself."`
	HTML        bool     `name:"html" help:"Write a page of HTML as well, beside the output, which needs no other file."`
	AllowErrors bool     `help:"Go on after a cell that fails."`
	Timeout     limit    `placeholder:"TIME" help:"Interrupt a cell, or what goes on after the last one, that takes longer: seconds, or a duration such as 90s or 2h. The default is no limit."`
	Cwd         string   `type:"existingdir" placeholder:"DIR" help:"Where cells run. The default is the notebook's folder."`
	Quiet       bool     `short:"q" help:"Show nothing but the error."`
	nodes
	Each bool `help:"In a job of several processes, such as srun's: each is a run of its own, and writes its output."`
}

// limit is a time that may be given in seconds alone, as nbconvert's --timeout is.
type limit time.Duration

// UnmarshalText implements [encoding.TextUnmarshaler].
func (l *limit) UnmarshalText(text []byte) error {
	if n, err := strconv.Atoi(string(text)); err == nil {
		text = fmt.Appendf(nil, "%ds", n)
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no time, want seconds, or a duration such as 90s or 2h", text)
	}
	*l = limit(d)
	return nil
}

// Help is what holt run --help says besides the flags.
func (runCmd) Help() string {
	return `The cells run from top to bottom in a session of their own, without Jupyter and without Python. What they
show is saved after each cell, so an error, Ctrl-C or a full disk leaves what came before. The exit status is 1 when a
cell fails; the cell, its line and the error are then on standard error.

A cell with the tag raises-exception may fail; one with the tag skip-execution is left alone.

  holt run train.ipynb -p lr=0.01 -p epochs=20 -o runs/lr001.ipynb --html

Processes that srun, mpirun or torchrun has started together all run the cells. That of rank 0 writes the notebook, and
the others show nothing but errors, behind their numbers.

  srun -N4 holt run train.ipynb
  holt run --nodes 4 --gpus 8 train.ipynb`
}

// ErrReported ends the program with status 1 when the error has been shown.
var ErrReported = errors.New("the notebook failed")

// Run runs the notebook.
func (c runCmd) Run(ctx context.Context) error {
	if away, err := c.nodes.wanted(); err != nil {
		return err
	} else if away {
		program, err := os.Executable()
		if err != nil {
			return err
		}
		return c.nodes.run(ctx, c.Notebook, append([]string{program}, withoutNodes(os.Args[1:])...), os.Stdout)
	}
	world, err := launch.FromEnv()
	if err != nil {
		return err
	}
	if world.Size == 1 || c.Each {
		return c.run(ctx, os.Stderr, true)
	}
	if world.Rank > 0 {
		c.Quiet = true
		err := c.run(ctx, &numbered{to: os.Stderr, rank: world.Rank}, false)
		if err != nil && !errors.Is(err, ErrReported) {
			err = fmt.Errorf("rank %d: %w", world.Rank, err)
		}
		return err
	}
	if !c.Quiet {
		fmt.Fprintf(os.Stderr, "holt: %d processes run this notebook together, by %s; this one, of rank 0, writes it (--each: every one does)\n", world.Size, world.Launcher)
	}
	return c.run(ctx, os.Stderr, true)
}

// numbered puts a process's number in front of its lines that are not empty.
type numbered struct {
	to    io.Writer
	rank  int
	inner bool // in the middle of a line
}

func (n *numbered) Write(p []byte) (int, error) {
	var all bytes.Buffer
	for line := range bytes.Lines(p) {
		if !n.inner && len(line) > 1 {
			fmt.Fprintf(&all, "[%d] ", n.rank)
		}
		n.inner = line[len(line)-1] != '\n'
		all.Write(line)
	}
	if _, err := n.to.Write(all.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// run runs the notebook, and writes what comes out of it where writes is set.
func (c runCmd) run(ctx context.Context, stderr io.Writer, writes bool) error {
	nb, err := ipynb.ReadFile(c.Notebook)
	if err != nil {
		return err
	}
	if err := nb.CheckGo(c.Notebook); err != nil {
		return err
	}
	var params []batch.Parameter
	for _, text := range c.Parameters {
		p, err := batch.ParseParameter(text)
		if err != nil {
			return err
		}
		params = append(params, p)
	}
	for _, notice := range batch.Inject(nb, params) {
		if writes {
			fmt.Fprintln(stderr, "holt: -p:", notice)
		}
	}
	output := c.output()
	save := func() error { return nb.WriteFile(output) }
	if output == "-" || !writes {
		save = func() error { return nil }
	}
	if writes {
		err = os.MkdirAll(filepath.Dir(output), 0o777)
	}
	if err == nil {
		err = save() // a place that cannot be written is known before hours of work
	}
	if err != nil {
		return fmt.Errorf("the output cannot be written: %w; name another file with -o", err)
	}
	dir := c.Cwd
	if dir == "" {
		dir = filepath.Dir(c.Notebook)
	}

	backend.Setup() // the host finds the plugins
	var s *session.Session
	open := func(out session.Output) (batch.Engine, error) {
		var err error
		s, err = session.Open(session.Options{Source: holt.Source, Dir: dir, Version: buildinfo.Version()}, out)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	terminal := term.IsTerminal(int(os.Stderr.Fd()))
	// The first Ctrl-C ends ctx, which interrupts the cell; another one ends a cell that
	// does not stop.
	again := make(chan os.Signal, 2)
	signal.Notify(again, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(again)
	done := make(chan struct{})
	defer close(done)
	go func() {
		for range 2 {
			select {
			case <-again:
			case <-done:
				return
			}
		}
		s.Kill()
	}()

	err = batch.Run(ctx, nb, open, batch.Options{
		AllowErrors: c.AllowErrors, Timeout: time.Duration(c.Timeout), Progress: c.progress(terminal), Save: save,
	})
	if s != nil {
		c.leave(ctx, s)
		s.Close()
	}
	if err != nil {
		batch.Report(stderr, err, terminal)
	}
	if writes {
		if e := c.write(nb, output); err == nil {
			return e
		} else if e != nil {
			fmt.Fprintln(stderr, "holt:", e)
		}
	}
	if err != nil {
		return ErrReported
	}
	return nil
}

// leave has trainings that go on end and save their last state, also where the run was interrupted;
// a second interrupt ends the wait. What keeps them from it is the end of the host, or the time.
func (c runCmd) leave(ctx context.Context, s *session.Session) {
	ctx = context.WithoutCancel(ctx)
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.Timeout))
		defer cancel()
	}
	_ = s.Leave(ctx)
}

// output is the file that the notebook is written to.
func (c runCmd) output() string {
	switch {
	case c.InPlace:
		return c.Notebook
	case c.Output != "":
		return c.Output
	}
	return strings.TrimSuffix(c.Notebook, ".ipynb") + ".out.ipynb"
}

func (c runCmd) progress(terminal bool) *batch.Progress {
	switch {
	case c.Quiet:
		return nil
	case !terminal:
		return batch.NewProgress(os.Stderr, nil)
	}
	return batch.NewProgress(os.Stderr, func() int {
		width, _, err := term.GetSize(int(os.Stderr.Fd()))
		if err != nil || width < 20 {
			return 80
		}
		return width
	})
}

// write writes what is not saved cell by cell, and says where everything is.
func (c runCmd) write(nb *ipynb.Notebook, output string) error {
	if output == "-" {
		if err := nb.Write(os.Stdout); err != nil {
			return err
		}
		output = strings.TrimSuffix(c.Notebook, ".ipynb") + ".out.ipynb" // which names the page
	} else if !c.Quiet {
		fmt.Fprintln(os.Stderr, "holt: the notebook with its outputs is", output)
	}
	if !c.HTML {
		return nil
	}
	file := strings.TrimSuffix(output, ".ipynb") + ".html"
	title := strings.TrimSuffix(filepath.Base(c.Notebook), ".ipynb")
	err := aside.WriteFile(file, func(w io.Writer) error { return page.Write(w, nb, page.Options{Title: title}) })
	if err == nil && !c.Quiet {
		fmt.Fprintln(os.Stderr, "holt: the page is", file)
	}
	return err
}

package kernel_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/session"
)

// recorder keeps what cells show.
type recorder struct {
	mu             sync.Mutex
	stdout, stderr bytes.Buffer
	frames         []frame.Message
	first          func() // called at the next output
}

func (r *recorder) onFirst(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.first = f
}

func (r *recorder) Stream(name string, p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first != nil {
		r.first()
		r.first = nil
	}
	if name == "stderr" {
		r.stderr.Write(p)
	} else {
		r.stdout.Write(p)
	}
}

// Frame writes the text of what is displayed to stdout, a result after "= ".
func (r *recorder) Frame(m frame.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frames = append(r.frames, m)
	if m.Bundle == nil {
		return
	}
	var text string
	for _, mime := range []string{"text/plain", "text/markdown", "text/html"} {
		if s, ok := m.Bundle.Data[mime].(string); ok {
			text = s
			break
		}
	}
	if m.Notice {
		return // building the host
	}
	switch m.Kind {
	case frame.KindWarn:
		fmt.Fprintln(&r.stderr, text)
	case frame.KindResult:
		fmt.Fprintf(&r.stdout, "= %s\n", text)
	case frame.KindDisplay, frame.KindUpdate:
		fmt.Fprintf(&r.stdout, "%s %s\n", m.Kind, text)
	}
}

func (r *recorder) take() (stdout, stderr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stdout, stderr = r.stdout.String(), r.stderr.String()
	r.stdout.Reset()
	r.stderr.Reset()
	return stdout, stderr
}

// late marks what goroutines of a cell show when it is over.
type late struct {
	out   *recorder
	count int
}

func (l late) Stream(name string, p []byte) {
	l.out.Stream("stdout", fmt.Appendf(nil, "[cell %d %s] %s", l.count, name, p))
}

func (l late) Frame(m frame.Message) {
	l.out.Stream("stdout", fmt.Appendf(nil, "[cell %d %s] %v\n", l.count, m.Kind, m.Bundle.Data["text/plain"]))
}

// script is a notebook that a test script drives.
type script struct {
	s     *session.Session
	out   *recorder
	count int
	lines []string // what the person types in the next cell; nil for no person
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

// run runs a cell. Its failure, without colours, is added to stderr.
func (n *script) run(ts *testscript.TestScript, neg bool, limit time.Duration, interrupt time.Duration, id, code string) {
	n.count++
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if interrupt > 0 {
		inner, stop := context.WithCancel(ctx)
		ctx = inner
		n.out.onFirst(func() {
			start = time.Now()
			time.AfterFunc(interrupt, stop)
		})
	}
	req := session.Request{Code: code, CellID: id, Count: n.count, Late: late{n.out, n.count}}
	if lines := n.lines; lines != nil {
		req.AllowStdin = true
		req.Input = func(prompt string, password bool) (string, error) {
			n.out.Stream("stdout", fmt.Appendf(nil, "[asked %q]", prompt))
			if len(lines) == 0 {
				<-ctx.Done()
				return "", ctx.Err()
			}
			line := lines[0]
			lines = lines[1:]
			return line, nil
		}
		n.lines = nil
	}
	f := n.s.Execute(ctx, req)
	took := time.Since(start)
	stdout, stderr := n.out.take()
	if f != nil {
		stderr += ansi.ReplaceAllString(strings.Join(f.Traceback, "\n"), "") + "\n"
		if !strings.Contains(stderr, f.Name) {
			ts.Fatalf("the traceback does not name %q:\n%s", f.Name, stderr)
		}
	}
	io.WriteString(ts.Stdout(), stdout)
	io.WriteString(ts.Stderr(), stderr)
	ts.Logf("cell %d (%v)\n[stdout]\n%s[stderr]\n%s", n.count, took.Round(time.Millisecond), stdout, stderr)
	switch {
	case interrupt > 0 && took > interrupt+10*time.Second:
		ts.Fatalf("interrupted after %v, the cell ended after %v", interrupt, took)
	case f != nil && !neg:
		ts.Fatalf("cell %d failed", n.count)
	case f == nil && neg:
		ts.Fatalf("cell %d did not fail", n.count)
	}
}

// TestScripts runs testdata/script: each file is a behaviour of cells, each
// script a notebook of its own.
//
//	cell 'code'            runs a cell; ! cell wants it to fail
//	cell file.go           runs a cell that the script holds as a file
//	cell -id ID 'code'     runs the cell that JupyterLab calls ID
//	interrupt 0.5 'code'   runs a cell, and interrupts it so many seconds after its first output
//	answer 'line' …        the next cell has a person, who answers so and then not at all
//	killhost               kills the host process and waits for its end
//
// The cell's output goes to stdout and stderr: results after "= ", a failure's
// traceback to stderr without colours.
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the host program")
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			out := &recorder{}
			s, err := session.Open(session.Options{Source: holt.Source, Dir: env.WorkDir, Version: "test"}, out)
			if err != nil {
				return err
			}
			env.Values["notebook"] = &script{s: s, out: out}
			env.Defer(func() { s.Close() })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"cell": func(ts *testscript.TestScript, neg bool, args []string) {
				var id string
				if len(args) == 3 && args[0] == "-id" {
					id, args = args[1], args[2:]
				}
				if len(args) != 1 {
					ts.Fatalf("usage: cell [-id ID] 'code' or cell [-id ID] file.go")
				}
				ts.Value("notebook").(*script).run(ts, neg, 10*time.Minute, 0, id, code(ts, args[0]))
			},
			"interrupt": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) != 2 {
					ts.Fatalf("usage: interrupt seconds 'code'")
				}
				sec, err := strconv.ParseFloat(args[0], 64)
				ts.Check(err)
				ts.Value("notebook").(*script).run(ts, true, 10*time.Minute, time.Duration(sec*float64(time.Second)), "", code(ts, args[1]))
			},
			"answer": func(ts *testscript.TestScript, neg bool, args []string) {
				ts.Value("notebook").(*script).lines = append([]string{}, args...)
			},
			"killhost": func(ts *testscript.TestScript, neg bool, args []string) {
				ts.Value("notebook").(*script).s.Kill()
				time.Sleep(200 * time.Millisecond)
			},
		},
	})
}

// code is the text of a cell, given itself or as the name of a file.
func code(ts *testscript.TestScript, arg string) string {
	if strings.HasSuffix(arg, ".go") && !strings.ContainsAny(arg, " \n(") {
		return ts.ReadFile(arg)
	}
	return arg
}

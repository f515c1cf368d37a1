package gonb

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/machine/tensorboard"
)

// notebook writes down what commands do to it, a line each. It has no other
// methods of a Notebook than those that the tests below call.
type notebook struct {
	Notebook
	log []string
}

func (n *notebook) add(format string, args ...any) {
	n.log = append(n.log, fmt.Sprintf(format, args...))
}

func (n *notebook) Print(text string) { n.add("print %q", text) }
func (n *notebook) Warn(text string)  { n.add("warn %q", text) }
func (n *notebook) Version() string   { return "v" }
func (n *notebook) List() string      { return "list" }
func (n *notebook) Environ() []string {
	return []string{"A=1", "HOME=/home/me", "A=2", "PATH=/nowhere"}
}
func (n *notebook) Remove(s string) bool { n.add("remove %s", s); return s != "absent" }
func (n *notebook) GoFlags() []string    { return []string{"-x"} }
func (n *notebook) AutoGet(on bool)      { n.add("autoget %v", on) }
func (n *notebook) Tracked() []string    { return nil }
func (n *notebook) Setenv(_ context.Context, key, value string) error {
	n.add("setenv %s=%s", key, value)
	return nil
}
func (n *notebook) Chdir(dir string) (string, error) { n.add("chdir %q", dir); return "/now", nil }
func (n *notebook) Shell(_ context.Context, s Script) error {
	n.add("shell %q temp=%v ask=%d stdin=%q", s.Args, s.Temp, s.Ask, s.Stdin)
	return nil
}
func (n *notebook) Reset(context.Context) error        { n.add("reset"); return nil }
func (n *notebook) ResetModules(context.Context) error { n.add("reset modules"); return nil }
func (n *notebook) SetGoFlags(_ context.Context, flags []string) error {
	n.add("goflags %q", flags)
	return nil
}
func (n *notebook) UseWorkspace(context.Context) ([][2]string, error) {
	return [][2]string{{"m", "/dir"}}, nil
}
func (n *notebook) Track(path string) error                 { n.add("track %s", path); return nil }
func (n *notebook) Untrack(path string) bool                { n.add("untrack %s", path); return true }
func (n *notebook) Widgets(context.Context) error           { n.add("widgets"); return nil }
func (n *notebook) WasmFolder(context.Context) error        { n.add("wasm folder"); return nil }
func (n *notebook) Heartbeat(context.Context) (bool, error) { return true, nil }
func (n *notebook) TensorBoard(_ context.Context, r tensorboard.Request) error {
	n.add("tensorboard %q height=%d", r.Args, r.Height)
	return nil
}

func TestRun(t *testing.T) {
	tests := []struct{ name, code, did, err string }{
		{"shell", "!ls -l", `shell ["sh" "-c" "ls -l"] temp=false ask=0 stdin=""`, ""},
		{"shell in the temporary folder", "!*ls", `shell ["sh" "-c" "ls"] temp=true ask=0 stdin=""`, ""},
		{"inputs are for the next command", "%with_inputs\n!a\n!b", `shell ["sh" "-c" "a"] temp=false ask=1 stdin=""|shell ["sh" "-c" "b"] temp=false ask=0 stdin=""`, ""},
		{"password", "%with_password\n!a", `shell ["sh" "-c" "a"] temp=false ask=2 stdin=""`, ""},
		{"env", "%env B=c d", `setenv B=c d|print "B=c d\n"`, ""},
		{"env in GoNB's manner", "%env B c=d", `setenv B=c=d|print "B=c=d\n"`, ""},
		{"env with spaces", "%env B = c=d", `setenv B=c=d|print "B=c=d\n"`, ""},
		{"env, quoted", `%env B="c d"`, `setenv B=c d|print "B=c d\n"`, ""},
		{"env shows the last", "%env A", `print "2\n"`, ""},
		{"env of nothing", "%env C", "", "%env: C is not set; set it with %env C=value"},
		{"tabs", "%cd\t~/$A", `chdir "/home/me/2"|print "/now\n"`, ""},
		{"cd, two", "%cd a b", "", "%cd: got 2 folders, want one; write quotes around a name with spaces"},
		{"rm", "%rm a absent", `remove a|print "removed a\n"|remove absent|warn "%rm: nothing is called absent; %list shows what is declared\n"`, ""},
		{"rm of nothing", "%remove", "", "%remove: no name, want names of variables, functions, types, constants or imports; %list shows them"},
		{"reset", "%reset", "reset", ""},
		{"reset of modules", "%reset go.mod", "reset modules", ""},
		{"goflags", `%goflags ""`, `goflags []|print "%goflags=[\"-x\"]\n"`, ""},
		{"goworkfix", "%goworkfix", `print "go.mod: replace m => /dir\n"`, ""},
		{"autoget", "%noautoget\n%autoget", "autoget false|autoget true", ""},
		{"track", "%track ~/x", `track /home/me/x|print "nothing is tracked\n"`, ""},
		{"untrack", "%untrack x...", `untrack x...|print "no longer tracked: x...\n"`, ""},
		{"widgets", "%widgets\n%widgets_hb", `widgets|print "the page answers\n"`, ""},
		{"tensorboard", `%tensorboard --logdir "$A/my runs" --height 400`, `tensorboard ["--logdir" "2/my runs"] height=400`, ""},
		{"tensorboard in single quotes", `%tensorboard --logdir '~/it"s' --reload_interval=5`, `tensorboard ["--logdir" "/home/me/it\"s" "--reload_interval=5"] height=800`, ""},
		{"tensorboard of nothing", "%tensorboard", "", "%tensorboard: no --logdir, want the folder that board.Open was given, or one above it; try %tensorboard --logdir runs"},
		{"load_ext", "%load_ext tensorboard", `print "%load_ext: nothing needs to be loaded; go on with %tensorboard --logdir DIR\n"`, ""},
		{"load_ext of Python's", "%reload_ext autoreload", "", `%reload_ext: "autoreload" is an extension of IPython, which is for Python; %help lists what Holt has`},
		{"unknown", "%nonsense", "", "%nonsense is not a command; %help lists them"},
		{"the row of !", "%!", "", "%! is not a command; %help lists them"},
		{"magic in the middle", "x\n%%bash", "", "%%bash: it stands in the middle of a cell, want it in the first line: the whole cell is its text"},
		{"wasm and test", "%wasm\n%test", "wasm folder", "%wasm: the cell has %test too, want one of them; tests run in the host, not in the page"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := &notebook{}
			_, err := Run(context.Background(), n, Split(tt.code))
			if got := fmt.Sprint(err); err == nil && tt.err != "" || err != nil && got != tt.err {
				t.Errorf("error %q, want %q", got, tt.err)
			}
			if got := strings.Join(n.log, "|"); got != tt.did {
				t.Errorf("did  %s\nwant %s", got, tt.did)
			}
		})
	}
}

func TestPlan(t *testing.T) {
	tests := []struct{ name, code, plan, text string }{
		{"none", "x := 1", "{[] false  false [] false <nil>}", "x := 1"},
		{"main", "var x = 1\n%% -a \"b c\"\nf()", "{[-a b c] true  false [] false <nil>}", "var x = 1\nflag.Parse()\nf()"},
		{"main without arguments", "%%\nf()", "{[] false  false [] false <nil>}", "\nf()"},
		{"args of this cell", "%args a\nf()", "{[a] true  false [] false <nil>}", "\nf()"},
		{"args of the next cells", "%args a", "{[a] false  false [] false <nil>}", ""},
		{"exec", "%exec f -x=1\ng()", "{[-x=1] true f false [] false <nil>}", "\ng()\nflag.Parse(); f()"},
		{"exec without arguments", "%exec f", "{[] true f false [] false <nil>}", "\nf()"},
		{"test", "%test -test.v", "{[] false  true [-test.v] false <nil>}", ""},
		{"wasm", "%wasm\n%% a\nf()", "{[a] true  false [] true <nil>}", "\nflag.Parse()\nf()"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Split(tt.code)
			p, err := Run(context.Background(), &notebook{}, c)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(p); got != tt.plan {
				t.Errorf("plan %s, want %s", got, tt.plan)
			}
			if got := p.Code(c); got != tt.text {
				t.Errorf("code %q, want %q", got, tt.text)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for line, want := range map[string]string{
		``:                     `[]`,
		`a  b`:                 `["a" "b"]`,
		`--text "hello world"`: `["--text" "hello world"]`,
		`""`:                   `[""]`,
		`a"b c"d`:              `["ab cd"]`,
		`"a\n\"\\"`:            `["a\n\"\\"]`,
		`a\b`:                  `["a\\b"]`,
		`"open`:                `["open"]`,
	} {
		if got := fmt.Sprintf("%q", words(line)); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

// TestHelp: every command is listed, and its line fits a notebook.
func TestHelp(t *testing.T) {
	text, err := Help()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range append(commands(), magicRows()...) {
		for _, name := range c.names {
			if !strings.Contains(text, name) {
				t.Errorf("%%help does not list %s", name)
			}
		}
	}
	for line := range strings.Lines(text) {
		if n := len([]rune(line)); n > 110 {
			t.Errorf("%d characters, want at most 110: %s", n, line)
		}
	}
	for _, name := range []string{"!", "%", "%%", "main", "%%bash", "capture"} {
		if text, err := Help(name); err != nil || text == "" {
			t.Errorf("%%help %s: %q, %v", name, text, err)
		}
	}
	if _, err := Help("nosuch"); err == nil || err.Error() != "%help: nothing is called nosuch; %help alone lists all commands" {
		t.Errorf("got %v", err)
	}
}

// FuzzSplit: Go text keeps its lines, whatever stands in the cell.
func FuzzSplit(f *testing.F) {
	f.Add("%env A=1\n!ls \\\n  -l\nx := `\n%no\n`")
	f.Add("package p\n%%\n//gonb:%x\\")
	f.Fuzz(func(t *testing.T, code string) {
		c := Split(code)
		if c.Magic == "" && strings.Count(c.Go, "\n") != strings.Count(code, "\n") {
			t.Errorf("%q has %d lines, its Go text %q %d", code, strings.Count(code, "\n"), c.Go, strings.Count(c.Go, "\n"))
		}
		for _, cmd := range c.Commands {
			words(cmd.Text)
		}
		Plan{Args: []string{"a"}}.Code(c)
	})
}

package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// MinGo is the oldest Go that cells are compiled with.
//
// The edits of Go's linker, compiler and runtime are for this release and the next one.
const MinGo = "go1.26"

// ErrNoGo and ErrNoCC say what is missing, for "holt doctor".
var (
	ErrNoGo = errors.New("Go is not installed")
	ErrNoCC = errors.New("there is no C compiler")
)

// Toolchain is a Go installation and its C compiler, by absolute file names.
type Toolchain struct {
	Go      string // the go command
	Root    string // GOROOT
	Version string // "go1.26.8"
	ToolDir string // the folder of compile and link
	CC      string // the C compiler
	OS      string
	Arch    string
	Linker  string // a linker that makes plugins without the C compiler's help: ld.gold or ld.bfd; may be empty

	noC  bool              // it compiles no C; there may be no compiler for it
	vars map[string]string // what "go env" says of the variables in keyVars
	tidy string            // the Go version line and keyVars as one text, for keys
}

// keyVars are the settings that change what the compiler makes. Host and
// cells are always built with the same.
//
// They are read once and set for each command, so that a person who changes one with "go env
// -w" while a kernel runs does not get cells that do not match their host.
var keyVars = []string{
	"GOAMD64", "GOARM64", "GOEXPERIMENT", "GOFIPS140",
	"CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS", "CC", "CXX",
}

// Find finds Go and a C compiler: the go command in PATH, then in GOROOT, then
// where installers put it, because a Jupyter that a desktop started lacks the
// user's PATH. Where the user's GOTOOLCHAIN names another Go, it is that one.
//
// All is asked of the go command in one call, since each takes some milliseconds at every
// start of a kernel. For the answer, GOOS and GOARCH are unset: the host runs on this
// machine, also where a person builds for another one.
func Find(ctx context.Context) (*Toolchain, error) { return find(ctx, false) }

// find is Find, or where there is no host finds Go alone, on any system: one that compiles for
// Linux, without C.
func find(ctx context.Context, noHost bool) (*Toolchain, error) {
	goCmd, err := findGo()
	if err != nil {
		return nil, err
	}
	names := append([]string{"GOROOT", "GOVERSION", "GOTOOLDIR", "GOHOSTOS", "GOHOSTARCH", "GOEXE"}, keyVars...)
	cmd := exec.CommandContext(ctx, goCmd, append([]string{"env", "-json"}, names...)...)
	cmd.Dir = os.TempDir() // no go.mod there changes the answer
	cmd.Env = overlay(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GOOS=", "GOARCH=", "CGO_ENABLED=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		text := string(bytes.TrimSpace(stderr.Bytes()))
		if strings.Contains(text, "build cache") {
			text += "; set GOCACHE or XDG_CACHE_HOME to a folder that can be written"
		}
		return nil, fmt.Errorf("build: %s env: %w: %s", goCmd, err, text)
	}
	env := map[string]string{}
	if err := json.Unmarshal(out, &env); err != nil {
		return nil, fmt.Errorf("build: %s env: %w", goCmd, err)
	}
	// With GOTOOLCHAIN the go command in PATH starts another one, whose GOROOT this is. That
	// one is used from here on, or each command would start two processes.
	if chosen := filepath.Join(env["GOROOT"], "bin", "go"+env["GOEXE"]); !sameFile(chosen, goCmd) {
		if _, err := os.Stat(chosen); err == nil {
			goCmd = chosen
		}
	}
	t := &Toolchain{
		Go: goCmd, Root: env["GOROOT"], Version: env["GOVERSION"], ToolDir: env["GOTOOLDIR"],
		OS: env["GOHOSTOS"], Arch: env["GOHOSTARCH"], vars: map[string]string{},
	}
	// "go1.26.8 X:greenteagc" names experiments after a space.
	if v, _, _ := strings.Cut(t.Version, " "); version.IsValid(v) && version.Compare(v, MinGo) < 0 {
		return nil, fmt.Errorf("build: Go is %s (%s), want %s or newer; install it from https://go.dev/dl and put it first in PATH", t.Version, goCmd, MinGo)
	}
	if noHost {
		t.OS, t.noC = "linux", true
		t.settings(env)
		return t, nil
	}
	if t.OS != "linux" {
		return nil, fmt.Errorf("build: the system is %s, want linux; run Holt in its Docker image or in WSL", t.OS)
	}
	// CC may have flags behind the command. Only the command is looked for.
	cc := strings.Fields(env["CC"])
	if len(cc) == 0 {
		cc = []string{"gcc"}
	}
	t.CC, err = exec.LookPath(cc[0])
	if err != nil {
		return nil, fmt.Errorf("build: %w (%s), which Go needs to make plugins; install one: sudo apt-get install gcc libc6-dev", ErrNoCC, cc[0])
	}
	// The order is that of preference. Where there is none, the C compiler links.
	for _, name := range []string{"ld.gold", "ld.bfd", "ld"} {
		if file, err := exec.LookPath(name); err == nil {
			t.Linker = file
			break
		}
	}
	t.settings(env)
	return t, nil
}

// settings takes over what "go env" said, and makes the text that the key of whatever is made
// with one Go and its settings has.
func (t *Toolchain) settings(env map[string]string) {
	var tidy strings.Builder
	fmt.Fprintf(&tidy, "%s %s %s/%s\n", t.Version, t.Root, t.OS, t.Arch)
	if t.noC {
		tidy.WriteString("without C\n")
	}
	for _, name := range keyVars {
		t.vars[name] = env[name]
		fmt.Fprintf(&tidy, "%s=%s\n", name, env[name])
	}
	t.tidy = tidy.String()
}

// sameFile reports whether two names are of one file, such as a symbolic link and what it
// leads to.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// findGo returns the absolute name of the go command. The error says where it was looked for.
func findGo() (string, error) {
	if file, err := exec.LookPath("go"); err == nil {
		return filepath.Abs(file)
	}
	home, _ := os.UserHomeDir()
	for _, root := range []string{os.Getenv("GOROOT"), "/usr/local/go", "/usr/lib/go", "/snap/go/current", filepath.Join(home, "go"), filepath.Join(home, "sdk", "go")} {
		if root == "" {
			continue
		}
		file := filepath.Join(root, "bin", "go")
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file, nil
		}
	}
	return "", fmt.Errorf("build: %w: no go command in PATH (%s), GOROOT or /usr/local/go; install %s or newer from https://go.dev/dl", ErrNoGo, os.Getenv("PATH"), MinGo)
}

// env returns the environment in which go commands, the compiler and the
// linker run: the user's, with everything pinned that decides what they make.
//
// Extra settings prevail over all. GOTOOLCHAIN=local keeps the go line of a go.mod, a
// notebook's or a dependency's, from changing to another Go: cells and host would no longer
// match. GOWORK=off, because a go.work above the cache folder would be taken for the main
// module's.
func (t *Toolchain) env(extra ...string) []string {
	cgo := "1"
	if t.noC {
		cgo = "0"
	}
	pinned := []string{
		"GOROOT=" + t.Root,
		"GOTOOLCHAIN=local",
		"GOWORK=off",
		"GO111MODULE=on",
		"GOOS=" + t.OS,
		"GOARCH=" + t.Arch,
		"CGO_ENABLED=" + cgo,
		"GOFLAGS=-mod=mod", // not empty, or the user's "go env -w GOFLAGS" came through
		"PATH=" + filepath.Join(t.Root, "bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
	for _, name := range keyVars {
		pinned = append(pinned, name+"="+t.vars[name]) // empty ones too, over the user's
	}
	return overlay(os.Environ(), append(pinned, extra...)...)
}

// tool returns the file name of a tool that the go command starts, such as "compile".
func (t *Toolchain) tool(name string) string { return filepath.Join(t.ToolDir, name) }

// overlay returns env with the settings of over in place of its own.
//
// Each variable is in the result once, at its first place. Where a variable comes twice,
// programs differ in which of the two they take.
func overlay(env []string, over ...string) []string {
	last := map[string]int{}
	var out []string
	for _, kv := range append(append([]string(nil), env...), over...) {
		key, _, _ := strings.Cut(kv, "=")
		if i, ok := last[key]; ok {
			out[i] = kv
			continue
		}
		last[key] = len(out)
		out = append(out, kv)
	}
	return out
}

// enough checks the go line of a go.mod.
//
// With GOTOOLCHAIN=local the go command would say so too, but at the first of many commands
// and without a word on where this Go is. A version that is no release, such as a development
// version, is let through.
func (t *Toolchain) enough(mod []byte) error {
	for line := range strings.Lines(string(mod)) {
		want, ok := strings.CutPrefix(strings.TrimSpace(line), "go ")
		if !ok {
			continue
		}
		have, _, _ := strings.Cut(t.Version, " ")
		if version.IsValid(have) && version.Compare(have, "go"+want) < 0 {
			return fmt.Errorf("build: Go is %s (%s), want go%s or newer; install it from https://go.dev/dl and put it first in PATH", have, t.Go, want)
		}
	}
	return nil
}

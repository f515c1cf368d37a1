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

	vars map[string]string // what "go env" says of the variables in keyVars
	tidy string            // the Go version line and keyVars as one text, for keys
}

// keyVars are the settings that change what the compiler makes. Host and
// cells are always built with the same.
var keyVars = []string{
	"GOAMD64", "GOARM64", "GOEXPERIMENT", "GOFIPS140",
	"CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS", "CC", "CXX",
}

// Find finds Go and a C compiler: the go command in PATH, then in GOROOT, then
// where installers put it, because a Jupyter that a desktop started lacks the
// user's PATH. Where the user's GOTOOLCHAIN names another Go, it is that one.
func Find(ctx context.Context) (*Toolchain, error) {
	goCmd, err := findGo()
	if err != nil {
		return nil, err
	}
	names := append([]string{"GOROOT", "GOVERSION", "GOTOOLDIR", "GOHOSTOS", "GOHOSTARCH"}, keyVars...)
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
	if chosen := filepath.Join(env["GOROOT"], "bin", "go"); !sameFile(chosen, goCmd) {
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
	if t.OS != "linux" {
		return nil, fmt.Errorf("build: the system is %s, want linux; run Holt in its Docker image or in WSL", t.OS)
	}
	cc := strings.Fields(env["CC"])
	if len(cc) == 0 {
		cc = []string{"gcc"}
	}
	t.CC, err = exec.LookPath(cc[0])
	if err != nil {
		return nil, fmt.Errorf("build: %w (%s), which Go needs to make plugins; install one: sudo apt-get install gcc libc6-dev", ErrNoCC, cc[0])
	}
	for _, name := range []string{"ld.gold", "ld.bfd", "ld"} {
		if file, err := exec.LookPath(name); err == nil {
			t.Linker = file
			break
		}
	}
	var tidy strings.Builder
	fmt.Fprintf(&tidy, "%s %s %s/%s\n", t.Version, t.Root, t.OS, t.Arch)
	for _, name := range keyVars {
		t.vars[name] = env[name]
		fmt.Fprintf(&tidy, "%s=%s\n", name, env[name])
	}
	t.tidy = tidy.String()
	return t, nil
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

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
func (t *Toolchain) env(extra ...string) []string {
	pinned := []string{
		"GOROOT=" + t.Root,
		"GOTOOLCHAIN=local",
		"GOWORK=off",
		"GO111MODULE=on",
		"GOOS=" + t.OS,
		"GOARCH=" + t.Arch,
		"CGO_ENABLED=1",
		"GOFLAGS=-mod=mod", // not empty, or the user's "go env -w GOFLAGS" came through
		"PATH=" + filepath.Join(t.Root, "bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
	for _, name := range keyVars {
		pinned = append(pinned, name+"="+t.vars[name]) // empty ones too, over the user's
	}
	return overlay(os.Environ(), append(pinned, extra...)...)
}

func (t *Toolchain) tool(name string) string { return filepath.Join(t.ToolDir, name) }

// overlay returns env with the settings of over in place of its own.
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

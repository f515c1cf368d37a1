package assist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/internal/plugins"
	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/jupyter/spec"
)

// Version is the gopls that Holt is tested with: the newest that Go 1.26 builds.
const Version = "v0.21.1"

const (
	module   = "golang.org/x/tools/gopls"
	lockPoll = 500 * time.Millisecond // how often it is looked whether another installation is over
)

// ErrNoGopls says that there is no gopls. It wraps nothing: the person reads it in place of an
// explanation of a name.
var ErrNoGopls = errors.New("assist: gopls is not there yet; a kernel builds it in the background, and holt gopls at once")

// own is where Holt keeps its gopls. Its name says the version, so that a newer Holt brings a
// newer one. The error says that the person has no home folder.
func own() (string, error) {
	home, err := spec.Home()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, "bin", "gopls-"+Version), nil
}

// Find returns the path of gopls: the one that [Install] made, the one that make built in the
// program's checkout, or one in PATH, in GOBIN or in GOPATH's bin.
//
// Holt's own comes first, as its version is the one that is tested. The last places are where
// go install puts programs, which are often not in the PATH of a Jupyter that a desktop
// started.
func Find() (string, error) {
	var files []string
	if file, err := own(); err == nil {
		files = append(files, file)
	}
	// Where a home for Holt's tools is named, no others of Holt's are wanted.
	if os.Getenv(plugins.HomeEnv) == "" {
		files = append(files, plugins.Beside(filepath.Join(".holt", "bin", "gopls-"+Version)))
	}
	if file, err := exec.LookPath("gopls"); err == nil {
		if file, err = filepath.Abs(file); err == nil {
			files = append(files, file)
		}
	}
	if dir := os.Getenv("GOBIN"); dir != "" {
		files = append(files, filepath.Join(dir, "gopls"))
	}
	for _, dir := range filepath.SplitList(os.Getenv("GOPATH")) {
		files = append(files, filepath.Join(dir, "bin", "gopls"))
	}
	if dir, err := os.UserHomeDir(); err == nil {
		files = append(files, filepath.Join(dir, "go", "bin", "gopls"))
	}
	for _, file := range files {
		if isProgram(file) {
			return file, nil
		}
	}
	return "", ErrNoGopls
}

// isProgram reports whether a file is there and may be executed.
func isProgram(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Install builds gopls at [Version] in Holt's own folder and returns its path. It does nothing
// where that is there already, and waits where another process is at it. The first time it
// downloads about 10 MB and takes two minutes of one processor, in which it gives way to
// everything else.
//
// The program is built aside and moved into its place, so that no process ever finds half of
// one.
func Install(ctx context.Context) (string, error) {
	file, err := own()
	if err != nil {
		return "", fmt.Errorf("assist: install gopls: %w", err)
	}
	if isProgram(file) {
		return file, nil
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("assist: install gopls: %w", err)
	}
	// The lock of a process that ends is free again, however it ends.
	lock := flock.New(filepath.Join(dir, ".gopls.lock"))
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return "", fmt.Errorf("assist: install gopls: another installation does not end: %w", err)
	}
	defer lock.Unlock()
	if isProgram(file) {
		return file, nil
	}
	tools, err := build.Find(ctx)
	// Gopls is built without C, so a missing C compiler is no reason to give up; then the go
	// command of PATH has to do.
	if err != nil && !errors.Is(err, build.ErrNoCC) {
		return "", fmt.Errorf("assist: install gopls: %w", err)
	}
	goCommand := "go"
	if tools != nil {
		goCommand = tools.Go
	}
	part, err := os.MkdirTemp(dir, ".gopls-")
	if err != nil {
		return "", fmt.Errorf("assist: install gopls: %w", err)
	}
	defer os.RemoveAll(part)
	if err := install(ctx, goCommand, part); err != nil {
		return "", err
	}
	if err := aside.Move(filepath.Join(part, "gopls"), file); err != nil {
		return "", fmt.Errorf("assist: install gopls: %w", err)
	}
	return file, nil
}

// install runs go install, which leaves the program in dir. Of what the go command says, the
// last line is the reason when it fails.
func install(ctx context.Context, goCommand, dir string) error {
	cmd := exec.CommandContext(ctx, goCommand, "install", module+"@"+Version)
	cmd.Dir = dir
	// The person's own settings for modules of theirs are none for this one.
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0")
	// A group of its own, so that the kill reaches the compilers too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("assist: install gopls: %w", err)
	}
	// The compilers that it starts inherit the priority.
	syscall.Setpriority(syscall.PRIO_PROCESS, cmd.Process.Pid, 10)
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("assist: install gopls: %w", ctx.Err())
		}
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return fmt.Errorf("assist: install gopls: go install %s@%s: %s", module, Version, lines[len(lines)-1])
	}
	return nil
}

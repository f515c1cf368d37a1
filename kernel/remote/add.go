package remote

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/holt-dl/holt/internal/shell"
	"github.com/holt-dl/holt/kernel/jupyter/spec"
)

// AddOptions say how to install Holt on a machine. The machine's Name and
// Destination are required, and its Grace; what Add finds out is filled in.
type AddOptions struct {
	Machine Machine
	Version string       // of the holt that runs
	Program fs.FS        // its sources, to build it where its binary does not run
	Backend string       // what to install for networks: "cpu", "cuda", "cuda12"; empty for nothing
	NoWarm  bool         // leave building the host program to the first cell
	Spec    spec.Options // where the kernelspec goes; its Name and Args are filled in
	Say     io.Writer    // what is being done
}

// Add installs Holt on a machine over ssh, and a kernelspec here that starts it
// there. What is there already in the same version stays; an older one is
// replaced, and kernels that run go on. An ssh that fails is an [*SSHError].
func Add(ctx context.Context, opt AddOptions) (Machine, error) {
	m := opt.Machine
	if err := m.check(); err != nil {
		return m, err
	}
	if m.SSHConfig != "" {
		abs, err := filepath.Abs(m.SSHConfig)
		if err != nil {
			return m, fmt.Errorf("remote: %w", err)
		}
		m.SSHConfig = abs // Jupyter starts kernels elsewhere
	}
	there, err := m.probe(ctx)
	if err != nil {
		return m, err
	}
	m.Holt = there["holt"]
	m.Env = map[string]string{"PATH": there["path"]}
	if err := m.install(ctx, there, opt); err != nil {
		return m, err
	}
	if err := m.prepare(ctx, opt); err != nil {
		return m, err
	}
	opt.Spec.Name = "holt-" + m.Name
	opt.Spec.Args = []string{"remote", "kernel", m.Name, "-f", "{connection_file}"}
	if opt.Spec.DisplayName == "" {
		opt.Spec.DisplayName = spec.DisplayName + " on " + m.Name
	}
	installed, err := spec.Install(opt.Spec)
	if err != nil {
		return m, err
	}
	m.Spec = installed.Dir
	return m, m.save()
}

// probe is what the machine is asked first. It prints name=value lines. The
// PATH is that of a login, since ssh's own often lacks Go.
const probe = `
echo "$(printf 'holt probe')"
echo "os=$(uname -s)"
echo "arch=$(uname -m)"
data=${HOLT_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/holt}
holt=$data/bin/holt
echo "holt=$holt"
path=$("${SHELL:-sh}" -lc 'printf "%s" "$PATH"' </dev/null 2>/dev/null | tail -n 1)
[ -n "$path" ] || path=$PATH
for dir in /usr/local/go/bin "$HOME/go/bin" "$HOME/.local/go/bin" "$HOME/sdk/go"*/bin /usr/lib/go/bin /usr/lib/go-1.*/bin /snap/bin; do
	[ -d "$dir" ] && path=$path:$dir
done
echo "path=$path"
PATH=$path
if [ -x "$holt" ]; then
	echo "version=$("$holt" version 2>/dev/null </dev/null)"
	echo "sum=$(sha256sum "$holt" | cut -d ' ' -f 1)"
	echo "for=$(cat "$holt.for" 2>/dev/null)"
fi
echo "go=$(go version 2>/dev/null </dev/null)"
echo end=
`

// probe asks what is there.
func (m Machine) probe(ctx context.Context) (map[string]string, error) {
	out, err := m.output(ctx, probe, nil, nil)
	if err != nil {
		return nil, err
	}
	_, out, _ = strings.Cut(out, "holt probe\n") // after what login scripts print
	there := map[string]string{}
	for l := range strings.Lines(out) {
		if name, value, ok := strings.Cut(strings.TrimRight(l, "\r\n"), "="); ok {
			there[name] = value
		}
	}
	if _, ok := there["end"]; !ok {
		return nil, fmt.Errorf("remote: %s: the machine answers no questions of sh; want a Linux with a shell", m.Name)
	}
	if there["os"] != "Linux" {
		return nil, fmt.Errorf("remote: %s: the machine runs %s, want Linux, as cells are loaded as Go plugins", m.Name, there["os"])
	}
	return there, nil
}

// goArch is uname's word for a machine in Go's.
var goArch = map[string]string{"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

// install brings this holt there, unless it is there.
func (m *Machine) install(ctx context.Context, there map[string]string, opt AddOptions) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("remote: %w", err)
	}
	sum, err := fileSum(self)
	if err != nil {
		return err
	}
	theirs := strings.Fields(there["version"] + " ? ?") // holt v1.2.3 1.26.8
	m.Version = opt.Version
	switch {
	case there["sum"] == sum || there["for"] == sum:
		fmt.Fprintf(opt.Say, "%s has holt %s already\n", m.Name, opt.Version)
		return nil
	case there["version"] != "" && semver.Compare(theirs[1], opt.Version) > 0 && semver.IsValid(opt.Version):
		m.Version = theirs[1]
		fmt.Fprintf(opt.Say, "%s has holt %s, which is newer than %s here, and keeps it\n", m.Name, theirs[1], opt.Version)
		return nil
	case there["version"] != "":
		fmt.Fprintf(opt.Say, "holt %s on %s is replaced by %s\n", theirs[1], m.Name, opt.Version)
	}
	arch := goArch[there["arch"]]
	if runtime.GOOS == "linux" && arch == runtime.GOARCH {
		err := m.copy(ctx, self, sum, opt.Say)
		var ssh *SSHError
		if err == nil || !errors.As(err, &ssh) || !strings.Contains(ssh.Said, doesNotRun) {
			return err
		}
		fmt.Fprintf(opt.Say, "this holt does not run on %s, so it is built there\n", m.Name)
	}
	if there["go"] == "" {
		return fmt.Errorf("remote: %s: the machine is a %s, where this holt does not run, and has no Go to build it; install Go 1.26 there from https://go.dev/dl/, and gcc (sudo apt-get install gcc libc6-dev), then try again", m.Name, there["arch"])
	}
	return m.build(ctx, sum, opt)
}

// doesNotRun is what the machine says of a binary that was made for another one.
const doesNotRun = "holt does not run here"

// put is the end of a script that has $holt.part: it takes holt's place at
// once, as a program that runs cannot be written over.
const put = `
"$holt.part" version >/dev/null || { rm -f "$holt.part"; echo "` + doesNotRun + `" >&2; exit 1; }
printf '%s\n' "$sum" >"$holt.for"
mv -f "$holt.part" "$holt"
`

func (m *Machine) script(sum, text string) string {
	return "set -e\nholt=" + shell.Quote(m.Holt) + "\nsum=" + sum + "\nPATH=" + shell.Quote(m.Env["PATH"]) + "\nexport PATH\nmkdir -p \"$(dirname \"$holt\")\"\n" + text + put
}

// copy sends the binary, compressed.
func (m *Machine) copy(ctx context.Context, file, sum string, say io.Writer) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("remote: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil {
		fmt.Fprintf(say, "copying holt (%d MB) to %s of %s\n", info.Size()>>20, m.Holt, m.Name)
	}
	_, err = m.output(ctx, m.script(sum, `gzip -dc >"$holt.part"; chmod 755 "$holt.part"`), compress(func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	}), nil)
	return err
}

// build sends the sources and builds them.
func (m *Machine) build(ctx context.Context, sum string, opt AddOptions) error {
	fmt.Fprintf(opt.Say, "building holt on %s; this takes a few minutes the first time\n", m.Name)
	_, err := m.output(ctx, m.script(sum, `
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
tar -xzf -
CGO_ENABLED=0 GOFLAGS=-mod=mod go build -trimpath -ldflags `+shell.Quote("-X github.com/holt-dl/holt/internal/buildinfo.linked="+opt.Version)+` -o "$holt.part" ./cmd/holt
cd /
`), compress(func(w io.Writer) error {
		return archive(w, opt.Program)
	}), opt.Say)
	return err
}

// archive writes the files of fsys as a tar. AddFS of archive/tar would give
// folders the modes of an embed.FS, in which no file can be written or removed.
func archive(w io.Writer, fsys fs.FS) error {
	t := tar.NewWriter(w)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		if err := t.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644}); err != nil {
			return err
		}
		_, err = t.Write(data)
		return err
	})
	return errors.Join(err, t.Close())
}

// compress returns a reader of what f writes, as gzip.
func compress(f func(io.Writer) error) io.Reader {
	r, w := io.Pipe()
	go func() {
		z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
		w.CloseWithError(errors.Join(f(z), z.Close()))
	}()
	return r
}

// prepare looks whether cells can be compiled there, and makes ready what the
// first one would wait for.
func (m *Machine) prepare(ctx context.Context, opt AddOptions) error {
	run := "PATH=" + shell.Quote(m.Env["PATH"]) + " exec " + shell.Quote(m.Holt) + " "
	if opt.Backend != "" {
		fmt.Fprintf(opt.Say, "installing the backend %s on %s\n", opt.Backend, m.Name)
		if _, err := m.output(ctx, run+"backend install "+shell.Quote(opt.Backend), nil, opt.Say); err != nil {
			return err
		}
		m.Env["HOLT_BACKEND"] = strings.TrimSuffix(opt.Backend, "12")
	}
	fmt.Fprintf(opt.Say, "looking at %s\n", m.Name)
	out, err := m.output(ctx, run+"remote check", nil, nil)
	fmt.Fprint(opt.Say, out)
	if err != nil {
		if out == "" {
			return err
		}
		return fmt.Errorf("remote: %s: cells cannot be compiled there: install on that machine what is MISSING above, and try again", m.Name)
	}
	if !opt.NoWarm {
		fmt.Fprintf(opt.Say, "building the host program on %s, which takes minutes the first time\n", m.Name)
		if _, err := m.output(ctx, run+"warm", nil, opt.Say); err != nil {
			return err
		}
	}
	return nil
}

func fileSum(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("remote: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("remote: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

package remote

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/holt-dl/holt/kernel/jupyter/spec"
)

// fakeGo is a Go that "builds" a holt of its version, if it finds the sources.
const fakeGo = `#!/bin/sh
case $1 in
version) echo go version go1.26.8 linux/riscv64 ;;
build)
	test -f go.mod && test -f cmd/holt/main.go || exit 3
	while [ $# -gt 1 ]; do
		case $1 in
		-ldflags) version=${2#-X github.com/holt-dl/holt/internal/buildinfo.linked=} ;;
		-o) out=$2 ;;
		esac
		shift
	done
	printf '#!/bin/sh\necho holt %s 1.26.8 "$@"\n' "$version" >"$out"
	chmod 755 "$out"
	;;
esac
`

// TestAdd installs on a machine of another kind, where holt is built.
func TestAdd(t *testing.T) {
	t.Setenv("HOLT_HOME", t.TempDir())
	m := newFakeMachine(t)
	bin := filepath.Join(m.dir, "bin")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(bin, "uname"), "#!/bin/sh\ncase $1 in -s) echo Linux;; -m) echo riscv64;; esac\n")
	profile := filepath.Join(m.home, ".profile")
	write(profile, "echo Welcome\nPATH="+bin+":/usr/bin:/bin\n")
	t.Setenv("PATH", bin+":/usr/bin:/bin") // the fake ssh passes it on
	t.Setenv("SHELL", "/bin/sh")

	add := func(version string) (string, error) {
		var said bytes.Buffer
		_, err := Add(context.Background(), AddOptions{
			Machine: Machine{Name: "gpu", Destination: m.Destination, SSH: m.SSH, Grace: DefaultGrace},
			Version: version,
			Program: fstest.MapFS{"go.mod": {}, "cmd/holt/main.go": {}},
			Backend: "cuda12",
			Spec:    spec.Options{Prefix: filepath.Join(m.dir, "prefix")},
			Say:     &said,
		})
		return said.String(), err
	}
	// Only a Go of the machine may hide this one, which Add looks for in the usual places too.
	write(filepath.Join(bin, "go"), "#!/bin/sh\nexit 1\n")
	_, err := add("v1.2.3")
	if want := "remote: gpu: the machine is a riscv64, where this holt does not run, and has no Go to build it; install Go 1.26 there from https://go.dev/dl/, and gcc (sudo apt-get install gcc libc6-dev), then try again"; err == nil || err.Error() != want {
		t.Errorf("without Go: %v, want %s", err, want)
	}

	write(filepath.Join(bin, "go"), fakeGo)
	holt := filepath.Join(m.home, ".local/share/holt/bin/holt")
	for _, step := range []struct {
		name, version string
		forget        bool   // that this holt was what the one there was made from
		want          string // what is said
		runs          string // the version that is there then
	}{
		{"first", "v1.2.3", false, "building holt on gpu", "v1.2.3"},
		{"again", "v1.2.3", false, "gpu has holt v1.2.3 already\n", "v1.2.3"},
		{"newer here", "v1.3.0", true, "holt v1.2.3 on gpu is replaced by v1.3.0\nbuilding holt on gpu", "v1.3.0"},
		{"older here", "v1.2.9", true, "gpu has holt v1.3.0, which is newer than v1.2.9 here, and keeps it\n", "v1.3.0"},
		{"no release here", "devel-123", true, "holt v1.3.0 on gpu is replaced by devel-123\n", "devel-123"},
	} {
		t.Run(step.name, func(t *testing.T) {
			if step.forget {
				os.Remove(holt + ".for")
			}
			said, err := add(step.version)
			if err != nil || !strings.HasPrefix(said, step.want) {
				t.Fatalf("said %q, %v, want %q", said, err, step.want)
			}
			if data, _ := os.ReadFile(holt); !strings.Contains(string(data), "echo holt "+step.runs+" ") {
				t.Errorf("there is %s, want %s", data, step.runs)
			}
			if !strings.Contains(said, "\nholt "+step.runs+" 1.26.8 remote check\n") {
				t.Errorf("said %q, want that the check ran", said)
			}
			got, err := Find("gpu")
			if err != nil || got.Holt != holt || got.Env["HOLT_BACKEND"] != "cuda" || !strings.HasPrefix(got.Env["PATH"], bin) || got.Grace != DefaultGrace {
				t.Errorf("remembered %+v, %v", got, err)
			}
			if _, err := os.Stat(filepath.Join(got.Spec, "kernel.json")); err != nil {
				t.Error(err)
			}
		})
	}
	if list, err := List(); err != nil || len(list) != 1 || list[0].Name != "gpu" {
		t.Errorf("listed %+v, %v", list, err)
	}
	gone, err := Remove("gpu")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(gone.Spec); !os.IsNotExist(err) {
		t.Errorf("the kernelspec is left: %v", err)
	}
	if _, err := Find("gpu"); err == nil || !strings.Contains(err.Error(), `remote: there is no machine "gpu"; holt remote list names those that are`) {
		t.Errorf("found what was removed: %v", err)
	}
}

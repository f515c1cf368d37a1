// Package arch checks which package imports which.
package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/holt-dl/holt"

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string // direct
	Deps       []string // all, however deep
}

// rule is one wrong arrow: no package under From may depend on one under any
// of Never, however deep. A path covers the packages below it.
type rule struct {
	From   string
	Except string // packages under From that the rule leaves out
	Never  []string
	But    string // what is under Never and may be imported all the same
	Why    string
}

var rules = []rule{
	{From: "kernel", Never: []string{module + "/dl", module + "/display"}, But: module + "/dl/words", // a table, which imports nothing
		Why: "a cell meets all three, so it does the joining"},
	{From: "dl", Never: []string{module + "/kernel", module + "/display", module + "/cmd"},
		Why: "a cell meets all three, so it does the joining"},
	{From: "display", Never: []string{module + "/kernel", module + "/dl", module + "/cmd", "github.com/gomlx"},
		Why: "display draws anything with the right methods and knows no tensor library"},
	{From: "dl", Except: "dl/backend", Never: []string{"github.com/gomlx/go-xla", "google.golang.org/protobuf"},
		Why: "what dl imports is linked again for every cell; backends are linked into the host"},
	{From: "dl/internal", Never: []string{module + "/dl"}, But: module + "/dl/internal",
		Why: "dl is made of its internal packages, so they know nothing of its tensors and layers"},
	{From: "dl/internal/tensorfile", Never: []string{"github.com/gomlx/gomlx", module + "/dl/internal"},
		Why: "files are read and written without GoMLX"},
	{From: "dl/internal/lower", Never: []string{module + "/dl/internal/xla", module + "/dl/internal/tensorfile"},
		Why: "writing a graph takes no device"},
	{From: "dl/internal/small", Never: []string{"github.com/gomlx/gomlx", module + "/dl/internal"}, But: module + "/dl/internal/small",
		Why: "loops over slices know neither graphs nor devices"},
	{From: "dl/internal/xla", Never: []string{module + "/dl/internal/lower", module + "/dl/internal/tensorfile"},
		Why: "a program is compiled and run, whatever it calculates"},
	{From: "display", Never: []string{"github.com/gomlx/go-xla", "google.golang.org/protobuf"},
		Why: "what display imports is linked again for every cell"},
	{From: "display", Except: "display/plot", Never: []string{"gonum.org", "golang.org/x/image", "html/template", "net"},
		Why: "what display imports is linked again for every cell; drawing with fonts lives in display/plot, which the host imports"},
	{From: "internal/frame", Never: []string{module + "/kernel", module + "/dl", module + "/display", module + "/cmd"},
		Why: "every cell links it"},
	{From: "kernel/cell/hint", Never: []string{module + "/kernel"}, But: module + "/kernel/cell/spell",
		Why: "a hint asks the notebook by the interface hint.Names"},
	{From: "kernel/cell/spell", Never: []string{module},
		Why: "how names and types are written needs nothing else"},
	{From: "dl/words", Never: []string{module},
		Why: "it is a table that the kernel reads"},
	{From: "internal", Never: []string{module + "/kernel", module + "/dl", module + "/display", module + "/cmd"},
		Why: "internal packages are used by the others, and not the other way round"},
}

// host is the program that cells are loaded into. It alone joins kernel,
// display, dl and the backends.
const host = module + "/cmd/holt-host"

// cmdMay is what cmd may import of this module, directly.
var cmdMay = []string{module + "/kernel", module + "/dl/backend", module + "/cmd", module + "/internal"}

func TestArrows(t *testing.T) {
	pkgs, standard := list(t)
	if len(pkgs) < 3 {
		t.Fatalf("go list found %d packages of %s, want at least 3", len(pkgs), module)
	}
	for _, bad := range wrongArrows(pkgs, standard) {
		t.Error(bad)
	}
}

// TestRules shows the rules their own wrong arrows, because a rule that never
// fires may be one that cannot.
func TestRules(t *testing.T) {
	std := map[string]bool{"fmt": true, "net/http": true}
	tests := []struct {
		pkg  pkg
		want string // a part of the complaint; empty when the arrow is right
	}{
		{pkg: pkg{ImportPath: module + "/kernel/host", Deps: []string{module + "/dl"}}, want: "kernel/host depends on " + module + "/dl"},
		{pkg: pkg{ImportPath: module + "/kernel/cell", Deps: []string{module + "/dl/words"}}},
		{pkg: pkg{ImportPath: module + "/kernel/cell/hint", Deps: []string{module + "/kernel/cell/spell", module + "/internal/near", module + "/dl/words"}}},
		{pkg: pkg{ImportPath: module + "/kernel/cell/hint", Deps: []string{module + "/kernel/cell"}}, want: "by the interface"},
		{pkg: pkg{ImportPath: module + "/kernel/cell/spell", Deps: []string{module + "/internal/near"}}, want: "needs nothing else"},
		{pkg: pkg{ImportPath: module + "/dl/words", Deps: []string{module + "/dl"}}, want: "it is a table"},
		{pkg: pkg{ImportPath: module + "/kernel/host", Deps: []string{module + "/dlx", module + "/internal/frame"}}},
		{pkg: pkg{ImportPath: module + "/dl/vision", Deps: []string{module + "/display"}}, want: "dl/vision depends on"},
		{pkg: pkg{ImportPath: module + "/dl/vision", Deps: []string{"google.golang.org/protobuf/proto"}}, want: "linked again"},
		{pkg: pkg{ImportPath: module + "/dl/backend/xla", Deps: []string{"github.com/gomlx/go-xla/pjrt"}}},
		{pkg: pkg{ImportPath: module + "/dl/internal/tensorfile", Deps: []string{module + "/internal/aside", "github.com/gomlx/compute/dtypes"}}},
		{pkg: pkg{ImportPath: module + "/dl/internal/tensorfile", Deps: []string{"github.com/gomlx/gomlx/core/graph"}}, want: "without GoMLX"},
		{pkg: pkg{ImportPath: module + "/dl/internal/tensorfile", Deps: []string{module + "/dl"}}, want: "know nothing of its tensors"},
		{pkg: pkg{ImportPath: module + "/dl/internal/lower", Deps: []string{"github.com/gomlx/gomlx/core/graph"}}},
		{pkg: pkg{ImportPath: module + "/dl/internal/lower", Deps: []string{module + "/dl/internal/xla"}}, want: "takes no device"},
		{pkg: pkg{ImportPath: module + "/dl/internal/small", Deps: []string{module + "/dl/internal/xla"}}, want: "know neither graphs"},
		{pkg: pkg{ImportPath: module + "/dl/internal/xla", Deps: []string{module + "/internal/frame", "github.com/gomlx/compute"}}},
		{pkg: pkg{ImportPath: module + "/dl/internal/xla", Deps: []string{module + "/dl"}}, want: "know nothing of its tensors"},
		{pkg: pkg{ImportPath: module + "/dl/internal/xla", Deps: []string{module + "/dl/internal/lower"}}, want: "whatever it calculates"},
		{pkg: pkg{ImportPath: module + "/dl/internal/xla", Deps: []string{"github.com/gomlx/go-xla/pjrt"}}, want: "linked again"},
		{pkg: pkg{ImportPath: module + "/display", Deps: []string{"gonum.org/v1/plot"}}, want: "display/plot"},
		{pkg: pkg{ImportPath: module + "/display/plot", Deps: []string{"gonum.org/v1/plot"}}},
		{pkg: pkg{ImportPath: module + "/display", Deps: []string{"net/http"}}, want: "linked again"},
		{pkg: pkg{ImportPath: module + "/internal/frame", Deps: []string{"fmt", "github.com/pkg/errors"}}, want: "internal/frame depends on github.com/pkg/errors"},
		{pkg: pkg{ImportPath: module + "/internal/hooks", Deps: []string{"context", "github.com/gomlx/compute"}}, want: "internal/hooks depends on github.com/gomlx/compute"},
		{pkg: pkg{ImportPath: module + "/cmd/holt", Imports: []string{module + "/kernel/jupyter/wire", module + "/dl/backend", "fmt"}}},
		{pkg: pkg{ImportPath: module + "/cmd/holt", Imports: []string{module + "/display"}}, want: "cmd/holt imports"},
		{pkg: pkg{ImportPath: module + "/cmd/holt-host", Imports: []string{module + "/display", module + "/dl", module + "/kernel/host"}}},
	}
	for _, tt := range tests {
		got := strings.Join(wrongArrows([]pkg{tt.pkg}, std), "\n")
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s with %v %v: got %q, want %q", tt.pkg.ImportPath, tt.pkg.Imports, tt.pkg.Deps, got, tt.want)
		}
	}
}

func wrongArrows(pkgs []pkg, standard map[string]bool) (bad []string) {
	for _, p := range pkgs {
		for _, r := range rules {
			if !under(p.ImportPath, module+"/"+r.From) || r.Except != "" && under(p.ImportPath, module+"/"+r.Except) {
				continue
			}
			for _, dep := range p.Deps {
				for _, never := range r.Never {
					if under(dep, never) && (r.But == "" || !under(dep, r.But)) {
						bad = append(bad, fmt.Sprintf("%s depends on %s: %s", p.ImportPath, dep, r.Why))
					}
				}
			}
		}
		if p.ImportPath == module+"/internal/frame" || p.ImportPath == module+"/internal/hooks" {
			for _, dep := range p.Deps {
				if !standard[dep] {
					bad = append(bad, fmt.Sprintf("%s depends on %s: it imports only the standard library, because every cell links it", p.ImportPath, dep))
				}
			}
		}
		if under(p.ImportPath, module+"/cmd") && p.ImportPath != host {
			for _, imp := range p.Imports {
				if under(imp, module) && imp != module && !underAny(imp, cmdMay) { // the root package carries sources
					bad = append(bad, fmt.Sprintf("%s imports %s: cmd parses the verb and calls %v", p.ImportPath, imp, cmdMay))
				}
			}
		}
	}
	return bad
}

func underAny(path string, roots []string) bool {
	for _, root := range roots {
		if under(path, root) {
			return true
		}
	}
	return false
}

// under reports whether path is root or a package below it.
func under(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// list returns this module's packages, and the names of the standard library's
// packages among what they depend on. Tests' own imports are not looked at.
func list(t *testing.T) (pkgs []pkg, standard map[string]bool) {
	t.Helper()
	readSources(t)
	var stderr bytes.Buffer
	cmd := exec.Command("go", "list", "-deps", "-e", "-json=ImportPath,Standard,Imports,Deps", module+"/...")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	standard = map[string]bool{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs, standard
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Standard {
			standard[p.ImportPath] = true
		}
		if under(p.ImportPath, module) {
			pkgs = append(pkgs, p)
		}
	}
}

// readSources reads every Go file of the module, so that go test knows what
// the answer of go list depends on, and does not repeat an old result.
func readSources(t *testing.T) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case !d.IsDir() && filepath.Ext(path) == ".go":
			_, err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

package arch

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// kernelOrder lists the kernel's packages in the order in which a cell meets them. A
// package may import those above it, and no others of the kernel.
var kernelOrder = []struct {
	what     string
	packages []string // below kernel; "" is kernel itself
}{
	{"processes and folders", []string{"machine/orphan", "machine/scratch"}},
	{"Jupyter's messages and files", []string{"jupyter/wire", "jupyter/front", "jupyter/out", "jupyter/comm", "jupyter/live", "jupyter/history", "jupyter/spec", "notebook/ipynb"}},
	{"TensorBoard", []string{"machine/tensorboard", "machine/tensorboard/tensorboardtest"}},
	{"a cell becomes a Go package", []string{"cell/gonb", "cell/spell", "cell/scope", "cell/syntax", "cell/witness", "cell/hint", "cell/parse", "cell/check", "cell/gen", "cell/listing", "cell/lineage", "cell"}},
	{"the package becomes a plugin", []string{"build/gosource", "build/linker/symlist", "build/linker/shared", "build/linker", "build"}},
	{"the plugin runs", []string{"host/msg", "host/rt", "host/gotest", "host", "host/proc", "host/hosttest"}},
	{"completion, help and errors", []string{"session/assist", "session/report"}},
	{"one notebook, through all stages", []string{"session/modules", "session/wasm", "session"}},
	{"the server", []string{""}},
	{"notebooks without Jupyter", []string{"notebook/page", "notebook/export", "notebook/batch", "notebook/course"}},
	{"kernels on other machines", []string{"remote"}},
	{"what is wrong with a machine", []string{"machine/doctor", "machine/toolchain"}},
}

func TestKernelOrder(t *testing.T) {
	pkgs, _ := list(t)
	for _, bad := range wrongOrder(pkgs) {
		t.Error(bad)
	}
}

// TestOrderOfWrongArrows shows the order its own wrong arrows.
func TestOrderOfWrongArrows(t *testing.T) {
	tests := []struct {
		from, to string
		want     string // a part of the complaint; empty when the arrow is right
	}{
		{"kernel/cell", "kernel/cell/hint", ""},
		{"kernel/cell/hint", "kernel/cell", "kernel/cell/hint imports kernel/cell, which comes after it"},
		{"kernel/jupyter/wire", "kernel", "kernel/jupyter/wire imports kernel, which comes after it"},
		{"kernel/build", "kernel/session", "which comes after it"},
		{"kernel/letters", "kernel/jupyter/wire", "kernel/letters is not in kernelOrder"},
		{"display", "dl", ""}, // the other rules'
	}
	for _, tt := range tests {
		got := strings.Join(wrongOrder([]pkg{{ImportPath: module + "/" + tt.from, Imports: []string{"fmt", module + "/" + tt.to}}}), "\n")
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s with %s: got %q, want %q", tt.from, tt.to, got, tt.want)
		}
	}
}

// TestArchitecture finds packages of the kernel that ARCHITECTURE.md does not name, and
// lines that are wider than its page.
func TestArchitecture(t *testing.T) {
	text, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		if n := utf8.RuneCountInString(line); n > 100 {
			t.Errorf("ARCHITECTURE.md:%d has %d columns, want at most 100", i+1, n)
		}
	}
	for _, p := range kernelPackages() {
		if path.Base(p) == path.Base(path.Dir(p))+"test" {
			continue // it is for tests
		} else if !strings.Contains(string(text), "`"+path.Base(p)+"`") {
			t.Errorf("ARCHITECTURE.md does not name %s", p)
		}
	}
}

// kernelPackages lists kernelOrder's packages, from the top of the module.
func kernelPackages() (all []string) {
	for _, group := range kernelOrder {
		for _, p := range group.packages {
			all = append(all, strings.TrimSuffix("kernel/"+p, "/"))
		}
	}
	return all
}

// wrongOrder lists the kernel's packages that import one which comes after them, and
// those that have no place in the order.
func wrongOrder(pkgs []pkg) (bad []string) {
	order := kernelPackages()
	for _, p := range pkgs {
		from, own := strings.CutPrefix(p.ImportPath, module+"/")
		if !own || !under(from, "kernel") {
			continue
		}
		at := slices.Index(order, from)
		if at < 0 {
			bad = append(bad, fmt.Sprintf("%s is not in kernelOrder: say where it belongs", from))
			continue
		}
		for _, imp := range p.Imports {
			to, own := strings.CutPrefix(imp, module+"/")
			if own && under(to, "kernel") && slices.Index(order, to) > at {
				bad = append(bad, fmt.Sprintf("%s imports %s, which comes after it", from, to))
			}
		}
	}
	return bad
}

// TestDrawnArrows compares the arrows that ARCHITECTURE.md draws with those of the
// code: each that is drawn is there, and between the folders that it draws there are no
// others, but for those of cmd, which joins all, and of the table dl/words.
func TestDrawnArrows(t *testing.T) {
	text, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	drawn := drawnArrows(string(text))
	if len(drawn) == 0 {
		t.Fatal("ARCHITECTURE.md draws no arrows")
	}
	pkgs, _ := list(t)
	for _, bad := range wrongDrawing(drawn, pkgs) {
		t.Error(bad)
	}
}

// TestWrongDrawing shows the comparison a drawing that is wrong in both ways.
func TestWrongDrawing(t *testing.T) {
	drawn := drawnArrows("text\n\n    cmd → kernel → internal/frame ← display          dl → GoMLX\n")
	want := []arrow{{"cmd", "kernel"}, {"kernel", "internal/frame"}, {"display", "internal/frame"}, {"dl", "GoMLX"}}
	if !slices.Equal(drawn, want) {
		t.Fatalf("drawn: %v, want %v", drawn, want)
	}
	at := func(from string, to ...string) pkg {
		return pkg{ImportPath: module + "/" + from, Imports: to}
	}
	right := []pkg{at("cmd/holt", module+"/kernel"), at("kernel/host", module+"/internal/frame", module+"/kernel"),
		at("display", module+"/internal/frame"), at("dl", "github.com/gomlx/gomlx/core/graph"), at("cmd/holt-host", module+"/dl")}
	if bad := wrongDrawing(drawn, right); bad != nil {
		t.Errorf("a right drawing: %v", bad)
	}
	wrong := append(right[:3:3], at("display/plot", module+"/kernel/cell"))
	if got, want := wrongDrawing(drawn, wrong), []string{"display → kernel is not drawn, and display/plot has it", "dl → GoMLX is drawn, and no package has it"}; !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// An arrow leads from what imports to what is imported: folders of this module, or
// GoMLX.
type arrow struct{ from, to string }

// drawnArrows reads the first line of a text that draws arrows between folders.
func drawnArrows(text string) (list []arrow) {
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "cmd → ") {
			continue
		}
		words := strings.Fields(line)
		for i := 1; i+1 < len(words); i++ {
			switch words[i] {
			case "→":
				list = append(list, arrow{words[i-1], words[i+1]})
			case "←":
				list = append(list, arrow{words[i+1], words[i-1]})
			}
		}
		return list
	}
	return nil
}

// wrongDrawing lists the drawn arrows that no package has, and those of packages that
// are not drawn.
func wrongDrawing(drawn []arrow, pkgs []pkg) (bad []string) {
	folders := map[string]string{} // as drawn → the import path
	for _, a := range drawn {
		folders[a.from], folders[a.to] = module+"/"+a.from, module+"/"+a.to
	}
	folders["GoMLX"] = "github.com/gomlx"
	folderOf := func(path string) string {
		for name, root := range folders {
			if under(path, root) {
				return name
			}
		}
		return ""
	}
	found := map[arrow]string{} // and a package that has it
	for _, p := range pkgs {
		for _, imp := range p.Imports {
			if a := (arrow{folderOf(p.ImportPath), folderOf(imp)}); a.from != "" && a.to != "" && a.from != a.to && imp != module+"/dl/words" {
				found[a] = strings.TrimPrefix(p.ImportPath, module+"/")
			}
		}
	}
	for _, a := range drawn {
		if found[a] == "" {
			bad = append(bad, fmt.Sprintf("%s → %s is drawn, and no package has it", a.from, a.to))
		}
	}
	for a, has := range found {
		if a.from != "cmd" && !slices.Contains(drawn, a) {
			bad = append(bad, fmt.Sprintf("%s → %s is not drawn, and %s has it", a.from, a.to, has))
		}
	}
	slices.Sort(bad)
	return bad
}

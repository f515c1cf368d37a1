package arch

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// kernelOrder lists the kernel's packages in the order in which a cell meets them. A
// package may import those above it, and no others of the kernel.
var kernelOrder = []struct {
	what     string
	packages []string // below kernel; "" is kernel itself
}{
	{"processes and folders", []string{"machine/orphan", "machine/scratch"}},
	{"Jupyter's messages and files", []string{"jupyter/wire", "jupyter/front", "jupyter/out", "jupyter/comm", "jupyter/history", "jupyter/spec", "notebook/ipynb"}},
	{"TensorBoard", []string{"machine/tensorboard", "machine/tensorboard/tensorboardtest"}},
	{"a cell becomes a Go package", []string{"cell/gonb", "cell/spell", "cell/scope", "cell/hint", "cell", "cell/lineage"}},
	{"the package becomes a plugin", []string{"build/gosource", "build/linker", "build"}},
	{"the plugin runs", []string{"host/msg", "host/rt", "host/gotest", "host", "host/proc", "host/hosttest"}},
	{"completion and help", []string{"session/assist"}},
	{"one notebook, through all stages", []string{"session"}},
	{"the server", []string{""}},
	{"notebooks without Jupyter", []string{"notebook/page", "notebook/export", "notebook/batch"}},
	{"kernels on other machines", []string{"remote"}},
	{"what is wrong with a machine", []string{"machine/doctor"}},
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

// TestArchitecture finds packages of the kernel that ARCHITECTURE.md does not name.
func TestArchitecture(t *testing.T) {
	text, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
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

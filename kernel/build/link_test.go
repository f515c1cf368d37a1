package build

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoList: a world whose linker wrote no list of the host's symbols has no linker, or cells would
// be linked by it.
func TestNoList(t *testing.T) {
	dir, tmp := t.TempDir(), t.TempDir()
	file := filepath.Join(tmp, "link")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	built := make(chan linkerBuilt, 1)
	built <- linkerBuilt{file: file}
	w := &World{tc: &Toolchain{}, dir: dir}
	if err := w.linkBoundHost(context.Background(), dir, tmp, nil, built); err == nil || w.bound() {
		t.Errorf("got %v, bound %v", err, w.bound())
	}
}

// TestLinkError: of what linkers print, a person sees the sentence that matters.
func TestLinkError(t *testing.T) {
	const command = "/usr/local/go/pkg/tool/linux_amd64/link: running gcc failed: exit status 1\n/usr/bin/gcc -m64 -s -o c1.so /tmp/go-link-12/go.o /tmp/go-link-12/000000.o -O2 -g\n"
	tests := []struct{ name, out, want string }{
		{"symbol twice", command + "/usr/bin/ld: /tmp/go-link-12/go.o:(.data.rel.ro+0x0): multiple definition of `go:itab.*a.T,error'; /tmp/go-link-12/go.o:(.data.rel.ro+0x40): first defined here\ncollect2: error: ld returned 1 exit status\n",
			"multiple definition of `go:itab.*a.T,error'; first defined here"},
		{"symbol twice, bound", "/c/link: /usr/bin/ld: exit status 1\n/usr/bin/ld: /tmp/holt-12/c1/go.o:(.data.rel.ro+0x0): multiple definition of `go:itab.*a.T,error'; /tmp/holt-12/c1/000001.o: first defined here\n",
			"multiple definition of `go:itab.*a.T,error'; first defined here"},
		{"gold, bound", "/c/link: /usr/bin/ld.gold: exit status 1\n/usr/bin/ld.gold: error: /tmp/holt-12/c1/go.o: requires dynamic R_X86_64_PC32 reloc against 'a.F'\n",
			"requires dynamic R_X86_64_PC32 reloc against 'a.F'"},
		{"no C function", command + "/usr/bin/ld: /tmp/go-link-12/000001.o: in function `_cgo_f':\n/tmp/go-build/cgo.go:7: undefined reference to `nosuch'\ncollect2: error: ld returned 1 exit status\n",
			"undefined reference to `nosuch'"},
		{"no library", command + "/usr/bin/ld: cannot find -lnosuch: No such file or directory\ncollect2: error: ld returned 1 exit status\n",
			"cannot find -lnosuch: No such file or directory"},
		{"gold", "/c/link: /usr/bin/ld.gold: exit status 1\n/usr/bin/ld.gold: error: /tmp/go-link-1359277026/go.o: requires dynamic R_X86_64_PC32 reloc against 'a.F' which may overflow at runtime; recompile with -fPIC\n",
			"requires dynamic R_X86_64_PC32 reloc against 'a.F' which may overflow at runtime; recompile with -fPIC"},
		{"Go's linker", "notebook/c1: relocation target a.F not defined\nnotebook/c1: relocation target a.G not defined\n",
			"notebook/c1: relocation target a.F not defined"},
		{"long", strings.Repeat("é", 300), strings.Repeat("é", 200) + "…"},
	}
	for _, tt := range tests {
		err := linkError(Unit{Path: "notebook/c1"}, tt.out, errors.New("exit status 2"))
		if want := "build: link notebook/c1: exit status 2: " + tt.want; err.Error() != want {
			t.Errorf("%s: got  %v\nwant %s", tt.name, err, want)
		}
	}
}

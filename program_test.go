package holt_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt"
)

// TestProgram looks for every file that cmd/holt and cmd/holt-host are built from.
func TestProgram(t *testing.T) {
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-deps", "-json=Dir,Standard,GoFiles,CgoFiles,SFiles,CFiles,HFiles,EmbedFiles", "./cmd/holt", "./cmd/holt-host").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Dir      string
			Standard bool

			GoFiles, CgoFiles, SFiles, CFiles, HFiles, EmbedFiles []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		dir, err := filepath.Rel(root, p.Dir)
		if p.Standard || err != nil || strings.HasPrefix(dir, "..") {
			continue
		}
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.SFiles, p.CFiles, p.HFiles, p.EmbedFiles) {
			name = filepath.ToSlash(filepath.Join(dir, name))
			if strings.HasSuffix(name, "_test.go") {
				continue // embedded with its folder, and not compiled
			}
			files++
			if _, err := fs.Stat(holt.Program, name); err != nil {
				t.Errorf("%v: add its folder to program.go", err)
			}
		}
	}
	if files < 100 {
		t.Errorf("go list names %d files of cmd/holt, want more than 100", files)
	}
	fs.WalkDir(holt.Program, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "testdata") {
			t.Errorf("%s is in the program: %v", name, err)
		}
		return nil
	})
}

package session_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// TestCleanedTemp does to a kernel what systemd-tmpfiles and the purges of
// clusters do: its files in TMPDIR are removed, and values live on.
func TestCleanedTemp(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	n := open(t, t.TempDir(), nil)
	n.must("y := 1")
	n.must("type point struct{ x, y int }\nfunc (p point) sum() int { return p.x + p.y }\np := point{1, 2}")
	n.must("func double(v int) int { return 2 * v }")
	n.must(`import "text/tabwriter"` + "\nw := tabwriter.NewWriter(os.Stdout, 0, 1, 1, ' ', 0)") // a package that the host lacks
	folder := func() string {
		t.Helper()
		dirs, _ := filepath.Glob(filepath.Join(temp, "holt-*"))
		if len(dirs) != 1 {
			t.Fatalf("TMPDIR holds %v, want one folder", dirs)
		}
		return dirs[0]
	}
	said := "^holt: files of this notebook in " + regexp.QuoteMeta(folder()) + " were removed while the kernel lived, and are there again; its values are untouched$"

	cells, _ := filepath.Glob(filepath.Join(folder(), "c*"))
	if len(cells) == 0 {
		t.Fatal("no cell has files")
	}
	for _, c := range cells {
		os.RemoveAll(c)
	}
	n.must("y++; y", "^= 2$", said)
	n.must("double(p.sum())", "^= 6$")
	n.must("fmt.Fprint(w, `a`); w.Flush()", "^a")

	// Where the cell needs no file of an earlier one, the folder of go.mod is made again all the same.
	clean(t, folder())
	n.must("1 + 1", "^= 2$", said)
	n.must("!*cat go.mod", "^module gonb_")

	clean(t, folder())
	n.must("double(y)", "^= 4$", said)
	if info, err := os.Stat(folder()); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v (%v), want drwx------", info, err)
	}
	n.must("func double(v int) int { return 3 * v }") // replaces the earlier one
	n.must("double(p.sum())", "^= 9$")
	n.must("fmt.Fprint(w, `b`); w.Flush()", "^b")
	n.must("!*cat go.mod", "^module gonb_")

	// Files that a cleaner has cut off, or that a full disk has.
	archives, _ := filepath.Glob(filepath.Join(folder(), "c*", "cell.*"))
	for _, a := range archives {
		os.Truncate(a, 10)
	}
	n.must("double(y)", "^= 6$", said)

	// Another user's folder in its place is not used.
	dir := folder()
	clean(t, dir)
	theirs := t.TempDir()
	if err := os.Symlink(theirs, dir); err != nil {
		t.Fatal(err)
	}
	n.fails("y", "something of another user is there now; restart the kernel")
	if left, err := os.ReadDir(theirs); err != nil || len(left) > 0 {
		t.Errorf("it holds %v (%v), want nothing", left, err)
	}
	os.Remove(dir)
	n.must("y", "^= 2$")
}

// clean removes a folder in which the tools of the next cell may be at work.
func clean(t *testing.T, dir string) {
	t.Helper()
	for range 100 {
		if os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s is always there again", dir)
}

// TestInterruptedLink interrupts cells while they are compiled and linked, which
// leaves nothing in TMPDIR.
func TestInterruptedLink(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	n := open(t, t.TempDir(), nil)
	n.must("x := 1")
	for after := range 20 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(after)*4*time.Millisecond)
		n.run(ctx, "x + 1")
		cancel()
	}
	n.must("x", "^= 1$")
	left, err := os.ReadDir(temp)
	if err != nil || len(left) != 1 { // the session's
		t.Errorf("TMPDIR holds %v (%v), want the session's folder alone", left, err)
	}
	var found []string
	filepath.WalkDir(temp, func(path string, d os.DirEntry, err error) error {
		if err == nil && regexp.MustCompile(`/go-(link|build)`).MatchString(path) {
			found = append(found, path)
		}
		return nil
	})
	if len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
}

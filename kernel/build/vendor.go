package build

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"go/version"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/holt-dl/holt/internal/aside"
)

// A module may bring what it needs in its folder vendor: code that no proxy has,
// such as a company's own. The go command uses such a folder for the main module
// alone, which for a world is Holt's. So each module in it becomes a module that is
// replaced by a folder: a copy, because a folder that replaces a module needs a
// go.mod, which those in vendor do not have. A copy is brought up to date whenever
// a cell imports something.

// vendored is a module in a folder vendor.
//
// Its dir is the module's folder in vendor, where the copy comes from.
type vendored struct {
	version string
	lang    string // its "go" line, "1.21"; may be empty
	dir     string
}

// readVendor reads the folder vendor beside a go.mod or go.work, if there is one
// and go build would use it. Requirements are those of the go.mod files; they have
// to agree with what was vendored.
//
// The go command uses a folder vendor when the go line says 1.14 or more and no -mod flag
// says otherwise, and refuses one that does not agree with go.mod. So does this. Lang is the
// go line, and empty where there is none.
func (ws *workspace) readVendor(dir, lang string, require []*modfile.Require) error {
	for flag := range strings.FieldsSeq(os.Getenv("GOFLAGS")) {
		if mode, ok := strings.CutPrefix(strings.TrimLeft(flag, "-"), "mod="); ok && mode != "vendor" {
			return nil
		}
	}
	if version.IsValid("go"+lang) && version.Compare("go"+lang, "go1.14") < 0 {
		return nil
	}
	file := filepath.Join(dir, "vendor", "modules.txt")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("build: the notebook's workspace: %w", err)
	}
	listed := parseVendor(text)
	// Indirect requirements need not be there: go mod vendor leaves out modules that provide
	// no package.
	for _, r := range require {
		if v, ok := listed[r.Mod.Path]; !r.Indirect && (!ok || v.version != r.Mod.Version) {
			was := "is not there"
			if ok {
				was = "is there at " + v.version
			}
			return fmt.Errorf("build: the notebook's workspace: go.mod requires %s %s, which %s in %s; run go mod vendor, or set GOFLAGS=-mod=mod to use no vendor folder", r.Mod.Path, r.Mod.Version, was, file)
		}
	}
	for path, v := range listed {
		v.dir = filepath.Join(dir, "vendor", filepath.FromSlash(path))
		if info, err := os.Stat(v.dir); err == nil && info.IsDir() { // nothing of the others is needed
			ws.vendor[path] = v
		}
	}
	return nil
}

// parseVendor reads vendor/modules.txt (https://go.dev/ref/mod#vendoring).
//
// Of
//
//	# example.org/a v1.2.0
//	## explicit; go 1.21
//	example.org/a/b
//
// it takes the module, its version and its go line. Lines of packages are passed over, and so
// are those that say again, at the end, what is replaced: they have no version before the
// arrow.
func parseVendor(text []byte) map[string]vendored {
	listed := map[string]vendored{}
	last := ""
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		if notes, ok := strings.CutPrefix(line, "## "); ok {
			for note := range strings.SplitSeq(notes, ";") {
				if lang, ok := strings.CutPrefix(strings.TrimSpace(note), "go "); ok && last != "" {
					v := listed[last]
					v.lang = lang
					listed[last] = v
				}
			}
			continue
		}
		module, ok := strings.CutPrefix(line, "# ")
		if !ok {
			continue
		}
		words := strings.Fields(module) // path version [=> …]
		last = ""
		if len(words) >= 2 && words[1] != "=>" {
			last = words[0]
			listed[last] = vendored{version: words[1]}
		}
	}
	return listed
}

// mirror makes copies of vendored modules up to date, each with a go.mod, and
// returns their folders by module. Cache is the folder that holds all copies.
//
// Folders of the same module in two notebooks' vendor folders may differ, so the name of a
// copy has a hash of where it is from. Copies are never removed.
func (ws *workspace) mirror(cache string) (map[string]string, error) {
	folders := map[string]string{}
	for path, v := range ws.vendor {
		id := sha256.Sum256([]byte(v.dir))
		to := filepath.Join(cache, fmt.Sprintf("%x", id[:10]), filepath.FromSlash(path))
		mod := "module " + modfile.AutoQuote(path) + "\n"
		if v.lang != "" {
			mod += "\ngo " + v.lang + "\n"
		}
		nested := func(dir string) bool { // the folder of another module in vendor
			rel, err := filepath.Rel(v.dir, dir)
			_, other := ws.vendor[path+"/"+filepath.ToSlash(rel)]
			return err == nil && rel != "." && other
		}
		if err := mirrorFolder(v.dir, to, []byte(mod), nested); err != nil {
			return nil, fmt.Errorf("build: copy %s: %w", v.dir, err)
		}
		folders[path] = to
	}
	return folders, nil
}

// mirrorFolder makes the folder to the same as from, plus a go.mod. Files whose
// size and time are the same are not copied again.
//
// LeaveOut reports whether a folder below from is not part of it. A file that from lacks is
// removed from to, so that the go command compiles what is there and nothing else. Files keep
// their times, by which the next call knows what has changed.
func mirrorFolder(from, to string, mod []byte, leaveOut func(dir string) bool) error {
	// What is to be in the copy, by name below it.
	keep := map[string]bool{".": true, "go.mod": true}
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		keep[rel] = true
		switch {
		case d.IsDir() && leaveOut(name):
			delete(keep, rel)
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		// The copy has one of ours.
		case rel == "go.mod":
			return nil
		}
		return mirrorFile(name, filepath.Join(to, rel))
	})
	if err != nil {
		return err
	}
	// Remove the rest.
	err = filepath.WalkDir(to, func(name string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(to, name)
		if err != nil || relErr != nil || keep[rel] {
			return errors.Join(err, relErr)
		}
		if err := os.RemoveAll(name); err != nil || d.IsDir() {
			return errors.Join(err, fs.SkipDir)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.SkipDir) {
		return err
	}
	file := filepath.Join(to, "go.mod")
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, mod) {
		return nil
	}
	return aside.WriteFile(file, aside.Bytes(mod))
}

// mirrorFile copies a file unless the copy has its size and its time.
func mirrorFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if old, err := os.Lstat(to); err == nil && old.Mode().IsRegular() && old.Size() == info.Size() && old.ModTime().Equal(info.ModTime()) {
		return nil
	}
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := aside.WriteFile(to, func(w io.Writer) error { _, err := io.Copy(w, r); return err }); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}

// vendors reports whether a "path version" comes from a folder vendor.
func (ws *workspace) vendors(module string) bool {
	if ws == nil {
		return false
	}
	path, _, _ := strings.Cut(module, " ")
	return ws.vendor[path].dir != ""
}

// mayImport is Go's rule for internal packages: only code below the parent of the
// folder internal imports them. Dir is where the notebook is. The error names what
// may, and what the notebook is.
//
// For example, example.org/a/internal/b may be imported by a notebook in the folder of
// example.org/a or below it, and not by one of example.org/c. The last element "internal"
// decides.
func (ws *workspace) mayImport(path, dir string) error {
	elems := strings.Split(path, "/")
	last := -1
	for i, e := range elems {
		if e == "internal" {
			last = i
		}
	}
	self := ws.packageOf(dir)
	if last < 0 || slices.Contains(elems, "vendor") {
		return fmt.Errorf("build: import %q: packages are not imported by their place in a vendor folder; leave out what stands before", path)
	}
	parent := strings.Join(elems[:last], "/")
	if parent != "" && (self == parent || strings.HasPrefix(self, parent+"/")) {
		return nil
	}
	if parent == "" {
		return fmt.Errorf("build: import %q: cells cannot import internal packages of the standard library", path)
	}
	where := "is in no module"
	if self != "" {
		where = "is in " + self
	}
	return fmt.Errorf("build: import %q: only packages below %s can import this internal package, and the notebook %s", path, parent, where)
}

// packageOf returns the import path of a folder of the workspace; empty where it
// is of no module there.
//
// Of modules in each other's folders the innermost counts.
func (ws *workspace) packageOf(dir string) string {
	if ws == nil {
		return ""
	}
	best, self := "", ""
	for module, folder := range ws.folders {
		rel, err := filepath.Rel(folder, dir)
		if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) || len(folder) < len(best) {
			continue
		}
		best, self = folder, module
		if rel != "." {
			self += "/" + filepath.ToSlash(rel)
		}
	}
	return self
}

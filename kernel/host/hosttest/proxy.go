package hosttest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// Proxy makes a module proxy in a folder, with a module cache of the test's
// own, and sets GOPROXY to it. Modules are named "example.com/m@v1.2.0", each
// with its files. It returns the folder.
func Proxy(t testing.TB, modules map[string]map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, files := range modules {
		path, version, _ := strings.Cut(name, "@")
		src := t.TempDir()
		Write(t, src, files)
		at := filepath.Join(dir, filepath.FromSlash(path), "@v")
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		list, err := os.OpenFile(filepath.Join(at, "list"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		list.WriteString(version + "\n")
		list.Close()
		f, err := os.Create(filepath.Join(at, version+".zip"))
		if err != nil {
			t.Fatal(err)
		}
		err = zip.CreateFromDir(f, module.Version{Path: path, Version: version}, src)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		Write(t, at, map[string]string{version + ".mod": files["go.mod"], version + ".info": `{"Version":"` + version + `","Time":"2026-01-01T00:00:00Z"}`})
	}
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(dir))
	t.Setenv("GONOSUMDB", "*")
	t.Setenv("GOMODCACHE", ModCache(t))
	return dir
}

// ModCache returns an empty folder for GOMODCACHE. What the go command puts
// there is read-only, and removed all the same.
func ModCache(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "holt-modcache-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				os.Chmod(path, 0o755)
			}
			return nil
		})
		os.RemoveAll(dir)
	})
	return dir
}

// Write writes files below dir.
func Write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/kernel/build/gosource"
)

// runtimeEdits make package runtime do work once that Go's own does for each plugin that is
// loaded, and find a module without a walk over all of them. A session has a module for each
// cell, so it is what a cell costs after a thousand others.
//
// Go's own puts the types of all modules into a new map whenever a plugin is loaded, which was
// nearly all of the time that the loading of a cell took: 5 to 9 ms. The types of a
// module do not change, and the runtime's list of modules only grows.
// Go's loop goes over the modules in pairs: it collects the types of one, by their hash, and then
// looks for those of the next among all that were collected. With the edits the map and the
// number of pairs that were done stay from one call to the next. A call for one new plugin does
// one pair: the plugin before it, and it.
//
// To which module an address belongs, Go's own finds out by a walk over the list, for the name of
// each type that it compares while it loads a plugin, and for each frame of a trace: see nearModule.
var runtimeEdits = []gosource.Edit{
	{
		File: "runtime/type.go",
		Old: `	typehash := make(map[uint32][]*_type, len(firstmoduledata.typelinks))

	modules := activeModules()
	prev := modules[0]
	for _, md := range modules[1:] {
`,
		New: `	if holtTypehash == nil {
		holtTypehash = make(map[uint32][]*_type, len(firstmoduledata.typelinks))
	}
	typehash := holtTypehash

	modules := activeModules()
	prev := modules[0]
	for i, md := range modules[1:] {
		if i < holtCollected {
			prev = md
			continue
		}
		holtCollected = i + 1
`,
		Or: &gosource.Edit{ // Go 1.27
			File: "runtime/type.go",
			Old: `	typehash := make(map[uint32][]*_type, len(prevTypelinks))
	for _, md := range modules[1:] {
`,
			New: `	if holtTypehash == nil {
		holtTypehash = make(map[uint32][]*_type, len(prevTypelinks))
	}
	typehash := holtTypehash
	for i, md := range modules[1:] {
		if i < holtCollected {
			if i == holtCollected-1 {
				prev, prevTypelinks = md, moduleTypelinks(md)
			}
			continue
		}
		holtCollected = i + 1
`,
		},
	},
	{
		File: "runtime/type.go",
		Old:  "// typelinksinit scans the types from extra modules and builds the\n",
		New: `var (
	holtTypehash  map[uint32][]*_type // of the modules that were collected, by hash
	holtCollected int                 // modules, in the order of activeModules
)

// holtTypesAt and holtCodeAt are the modules that were found last, as *moduledata: none is ever
// unloaded.
var holtTypesAt, holtCodeAt uintptr

// typelinksinit scans the types from extra modules and builds the
`,
	},
	nearModule("runtime/type.go", "\tbase := uintptr(ptrInModule)\n", "md", "base >= md.types && base < md.etypes", "holtTypesAt"),
	nearModule("runtime/type.go", "\tbase := uintptr(ptrInModule)\n\tvar md *moduledata\n", "next", "base >= next.types && base < next.etypes", "holtTypesAt"),
	nearModule("runtime/type.go", "\tbase := uintptr(unsafe.Pointer(t.Type))\n\tvar md *moduledata\n", "next", "base >= next.types && base < next.etypes", "holtTypesAt"),
	nearModule("runtime/symtab.go", "func findmoduledatap(pc uintptr) *moduledata {\n", "datap", "datap.minpc <= pc && pc < datap.maxpc", "holtCodeAt"),
}

// nearModule is the edit of a loop over all modules that looks for the one for which a condition
// holds. With it the loop begins at the host, at the module that was loaded last or at the one that
// the loop found last, the first of them for which it holds. Head is the text before the loop, name
// its variable, and at the variable that remembers what it found.
//
// The text is on as many lines as before, and no function is added, because both would change
// package runtime's export data: those have the lines of functions that are inlined, and numbers
// of symbols, which are given out to functions first. Atomic operations become single instructions,
// so the text may stand in findmoduledatap, which is nosplit and runs in signal handlers.
func nearModule(file, head, name, condition, at string) gosource.Edit {
	in := func(module string) string { return strings.ReplaceAll(condition, name+".", module+".") }
	loop := func(from string) string {
		return fmt.Sprintf("\tfor %[1]s := %[2]s; %[1]s != nil; %[1]s = %[1]s.next {\n\t\tif %[3]s {", name, from, condition)
	}
	return gosource.Edit{
		File: file,
		Old:  head + loop("&firstmoduledata") + "\n",
		New: head + "\tstart := &firstmoduledata; if !(" + in("start") + ") { if m := lastmoduledatap; " + in("m") + " { start = m }" +
			" else if m := (*moduledata)(unsafe.Pointer(atomic.Loaduintptr(&" + at + "))); m != nil && " + in("m") + " { start = m } };" +
			loop("start") + " if " + name + " != start { atomic.Storeuintptr(&" + at + ", uintptr(unsafe.Pointer(" + name + "))) }\n",
	}
}

// CheckRuntime reports why the runtime of the Go below goroot cannot be changed as
// runtimeEdits say; nil when it can.
//
// Whether it compiles, and to the same export data, only runtimeArchive finds out.
func CheckRuntime(goroot string) error {
	_, err := gosource.Apply(goroot, runtimeEdits)
	return err
}

// runtimeArchive returns an archive of package runtime with runtimeEdits. Original is
// the archive that the other packages were compiled against. The export data of the
// two are the same, or it is an error: then no package can tell them apart, and only
// the host's link takes the other.
//
// It is kept in the cache under a key that holds the export data, so it is found again as
// long as Go's own archive says the same.
func (w *World) runtimeArchive(ctx context.Context, original string) (archive string, err error) {
	files, err := gosource.Apply(w.tc.Root, runtimeEdits)
	if err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	want, err := exportData(original)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%x\n", w.tc.tidy, gosource.Sum(runtimeEdits), sha256.Sum256(want))
	archive = filepath.Join(w.cache, "pkg", "runtime-"+hex.EncodeToString(h.Sum(nil))[:20])
	if _, err := os.Stat(archive); err == nil {
		return archive, nil
	}
	tmp, err := os.MkdirTemp(w.cache, ".runtime-")
	if err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	defer os.RemoveAll(tmp)
	overlay, edited, err := gosource.Overlay(tmp, files)
	if err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	// The file has the name that it has in other archives, $GOROOT unresolved.
	var trim []string
	for name, file := range edited {
		below, err := filepath.Rel(w.tc.Root, name)
		if err != nil {
			return "", fmt.Errorf("build: %w", err)
		}
		trim = append(trim, file+"=>$GOROOT/"+filepath.ToSlash(below))
	}
	word, ok := flagWord("-trimpath=" + strings.Join(trim, ";"))
	if !ok {
		return "", fmt.Errorf("build: %s has both kinds of quotes", tmp)
	}
	// Go replaces no file below the module cache, where a toolchain that the go
	// command downloaded is. No module is needed.
	env := w.tc.env("GOMODCACHE="+filepath.Join(tmp, "mod"), "GOTMPDIR="+tmp)
	args := append([]string{"list", "-export", "-f={{.Export}}", "-overlay=" + overlay, "-gcflags=runtime=" + word}, buildFlags()...)
	out, stderr, err := run(command(ctx, tmp, env, w.tc.Go, append(args, "runtime")...), nil)
	if err != nil {
		return "", fmt.Errorf("build: package runtime: %w: %s", err, goMessage(stderr))
	}
	made := strings.TrimSpace(string(out))
	got, err := exportData(made)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(got, want) {
		return "", errors.New("build: package runtime has other export data when it is changed")
	}
	// A copy, as GOCACHE is trimmed.
	text, err := os.ReadFile(made)
	if err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	if err := aside.WriteFile(archive, aside.Bytes(text)); err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	return archive, nil
}

// exportData returns what an archive of a package says to those that import it. It
// is the archive's first file, __.PKGDEF, from the line $$B on; before that line is
// the build's ID.
//
// An archive is one of ar(5): a line, then for each file a header of 60 characters, with the
// size at 48, and the file. The export data are what the fingerprint of the package is a hash
// of, which others were compiled against.
func exportData(archive string) ([]byte, error) {
	text, err := os.ReadFile(archive)
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	const magic, header = "!<arch>\n", 60
	rest, ok := bytes.CutPrefix(text, []byte(magic))
	if ok && len(rest) > header && bytes.HasPrefix(rest, []byte("__.PKGDEF ")) {
		size, err := strconv.Atoi(strings.TrimSpace(string(rest[48:58])))
		if err == nil && size > 0 && size <= len(rest)-header {
			if _, data, ok := bytes.Cut(rest[header:header+size], []byte("\n$$B\n")); ok {
				return data, nil
			}
		}
	}
	return nil, fmt.Errorf("build: %s is no archive of a Go package", archive)
}

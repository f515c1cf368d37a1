package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// A world is kept for months on a disk that may be full, fail or be cleaned, and
// what is damaged there would crash the host or bind cells to wrong addresses. So
// what a world holds is checked:
//
//   - the record, packages.json, begins with its own checksum;
//   - the record has the checksums of the host and of what cells are linked with,
//     which are compared at each start (10 ms for the host's list of symbols);
//   - archives are too many to be read at each start: then only their sizes are
//     compared. Their names are the SHA-256 of what they hold, and that is compared
//     when a package is imported for the first time.
//
// What is damaged is made again, once. An archive has a second name in GOCACHE, with
// the same bytes, which the go command would hand out again: both are removed first.

// Damage is the error of a world that is not as it was written.
//
// What finds damage mends it first. It reaches a person only when that did not help.
type Damage struct {
	Files []string // what is damaged, by file name
	Dir   string   // the folder to remove when building again does not help
}

// Error names the damaged files and what to do.
func (d *Damage) Error() string {
	return fmt.Sprintf("build: Holt's cache is damaged (%s), and building it again did not help; remove the folder %s and run the cell again", some(d.Files), d.Dir)
}

// some joins the first names of a list.
//
// Three are enough to see what kind of files they are.
func some(names []string) string {
	if n := len(names); n > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), n-3)
	}
	return strings.Join(names, ", ")
}

// worldFiles are the files of a world whose checksums its record has. There may
// be no linker and no extld.
//
// A file that is absent has no checksum, neither in the record nor on disk, so its presence
// is compared too. go.sum is not there: go commands may add lines to it.
var worldFiles = []string{"host", symsName, linkerName, "extld", "go.mod"}

// CRC-32C has an instruction of its own on amd64 and arm64. It is against disks, not against
// people: who can write to the cache can write the record.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum returns the CRC-32C of a file.
func checksum(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := crc32.New(castagnoli)
	// Not io.Copy's small buffer: the host has 90 MB.
	if _, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, make([]byte, 256<<10)); err != nil {
		return "", err
	}
	return fmt.Sprintf("%08x", h.Sum32()), nil
}

// checksums returns those of the files of the world in dir.
//
// The files are read at the same time, as the host is by far the largest. Absent ones are
// left out.
func checksums(dir string) (map[string]string, error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs error
	sums := map[string]string{}
	for _, name := range worldFiles {
		wg.Go(func() {
			sum, err := checksum(filepath.Join(dir, name))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				sums[name] = sum
			} else if !errors.Is(err, fs.ErrNotExist) {
				errs = errors.Join(errs, err)
			}
		})
	}
	wg.Wait()
	return sums, errs
}

// encodeRecord returns the text of packages.json: a line with its checksum, and JSON.
//
// The line is eight hexadecimal digits, of all that follows it.
func encodeRecord(rec record) ([]byte, error) {
	text, err := json.Marshal(rec)
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	return fmt.Appendf(nil, "%08x\n%s", crc32.Checksum(text, castagnoli), text), nil
}

// readRecord reads packages.json. One that is not there is fs.ErrNotExist, one
// that is not as it was written a [*Damage].
//
// It does not look at the files that the record names: that is check's.
func readRecord(dir string) (rec record, err error) {
	file := filepath.Join(dir, "packages.json")
	text, err := os.ReadFile(file)
	if err != nil {
		return rec, err
	}
	sum, body, _ := strings.Cut(string(text), "\n")
	if sum != fmt.Sprintf("%08x", crc32.Checksum([]byte(body), castagnoli)) || json.Unmarshal([]byte(body), &rec) != nil {
		return rec, &Damage{Files: []string{file}}
	}
	return rec, nil
}

// check compares what the world in dir holds with its record: the sizes of
// archives, and the content of all else. With full it reads the archives too.
//
// It returns the names of the files that are not as they were, which is nil where all are. A
// record that lacks the checksum of a file that is there is not right either.
func (rec record) check(dir string, full bool) []string {
	var bad []string
	sums, err := checksums(dir)
	for _, name := range worldFiles {
		if sums[name] != rec.Sums[name] {
			bad = append(bad, filepath.Join(dir, name))
		}
	}
	// A file that could not be read has no sum, and so is bad already, unless the record has
	// none for it.
	if err != nil && len(bad) == 0 {
		bad = append(bad, dir)
	}
	for _, p := range rec.Packages {
		info, err := os.Stat(p.File)
		if err != nil || info.Size() != p.Size || full && p.verify() != nil {
			bad = append(bad, p.File)
		}
	}
	return bad
}

// gocacheName is the name of a file in GOCACHE: the SHA-256 of what it holds.
var gocacheName = regexp.MustCompile(`^([0-9a-f]{64})-d$`)

// verify reads an archive and compares it with its name. A cache of another kind
// than Go's own (GOCACHEPROG) may have names that say nothing.
func (p *pkg) verify() error {
	m := gocacheName.FindStringSubmatch(p.ID)
	if m == nil {
		return nil
	}
	f, err := os.Open(p.File)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != m[1] {
		return fmt.Errorf("build: the archive of %s is damaged", p.Path)
	}
	return nil
}

// discard removes an archive under all its names, so that the go command
// compiles the package again.
//
// Files of a world's folder but the linker are not touched: they are written anew by what
// comes after. With no files it does nothing, not even ask where GOCACHE is. In GOCACHE an
// archive HASH-d is in the folder of the first two digits of HASH.
func (w *World) discard(ctx context.Context, files []string) error {
	if len(files) == 0 {
		return nil
	}
	out, _, err := run(command(ctx, w.cache, w.tc.env(), w.tc.Go, "env", "GOCACHE"), nil)
	if err != nil {
		return fmt.Errorf("build: go env GOCACHE: %w", err)
	}
	gocache := strings.TrimSpace(string(out))
	for _, file := range files {
		name := filepath.Base(file)
		if m := gocacheName.FindStringSubmatch(name); m != nil {
			os.Remove(filepath.Join(gocache, m[1][:2], name))
			os.Remove(file)
		}
		if name == linkerName { // the linker's folder has the same bytes under another name
			os.RemoveAll(filepath.Join(w.cache, "linker"))
		}
	}
	return nil
}

// sound makes sure that an archive is as it was compiled before it is read for
// the first time, and compiles it again where it is not. For a package that the
// host lacks it also looks at the others that plugins may hold.
//
// A cell's own import leads to packages that the importer does not open, but the linker does:
// what is reached through others. Those of the host are bound to, not read again; the rest
// end up in plugins. So the first import of a package that the host lacks has all that it
// lacks looked at.
//
// It is called by importers, which have no context. After a failure the packages are looked
// at again.
func (w *World) sound(p *pkg) (err error) {
	w.verifying.Lock()
	defer w.verifying.Unlock()
	bad := w.unsound(p)
	if len(bad) == 0 {
		return nil
	}
	defer func() {
		if err != nil {
			for _, b := range bad { // the next import looks again
				delete(w.verified, b.ID)
			}
		}
	}()
	var files, paths []string
	for _, b := range bad {
		files, paths = append(files, b.File), append(paths, b.Path)
	}
	slices.Sort(paths)
	w.opt.Progress("compiling again what is damaged in Holt's cache: " + some(paths))
	ctx := context.Background() // importers know of no other
	unlock, err := lock(ctx, filepath.Dir(w.Modfile())+".lock", func() { w.opt.Progress("waiting for another kernel that builds packages") })
	if err != nil {
		return err
	}
	defer unlock()
	if err := w.discard(ctx, files); err != nil {
		return err
	}
	made, err := w.again(ctx, paths)
	if err != nil {
		return err
	}
	ids := map[string]string{}
	for _, m := range made {
		ids[m.Path] = m.ID
	}
	// Another archive than the one before would not fit what was compiled against it.
	for _, b := range bad {
		if ids[b.Path] != b.ID || b.verify() != nil {
			return &Damage{Files: files, Dir: w.cache}
		}
	}
	w.opt.Warn("Holt's cache was damaged: the compiled " + some(paths) + " was made again")
	return nil
}

// unsound returns the packages that [World.sound] has to look at and that are
// damaged. The caller holds w.verifying.
//
// They are marked as looked at, the damaged ones too: sound takes that back where it fails.
func (w *World) unsound(p *pkg) []*pkg {
	look := []*pkg{p}
	// The host's own are looked at one by one, as they are imported.
	if !p.Host && !w.verified[p.ID] {
		w.mu.RLock()
		for _, other := range w.known {
			if !other.Host && other != p {
				look = append(look, other)
			}
		}
		w.mu.RUnlock()
	}
	var bad []*pkg
	for _, q := range look {
		if w.verified[q.ID] {
			continue
		}
		w.verified[q.ID] = true
		if q.verify() != nil {
			bad = append(bad, q)
		}
	}
	return bad
}

// Rebuild makes the world's folder anew, because its host does not start although
// it was there: what can be seen to be damaged is discarded, archives included.
//
// The host is linked again in any case: its checksum was right when the world was opened. All
// archives are read, which takes seconds.
func (w *World) Rebuild(ctx context.Context) error {
	w.adds.Lock()
	defer w.adds.Unlock()
	dir := filepath.Dir(w.Modfile())
	unlock, err := lock(ctx, dir+".lock", func() { w.opt.Progress("waiting for another kernel that builds the same host") })
	if err != nil {
		return err
	}
	defer unlock()
	mod, sum, err := w.moduleFiles(w.Modfile())
	if err != nil {
		return err
	}
	if rec, err := readRecord(dir); err == nil {
		err = w.discard(ctx, rec.check(dir, true))
		if err != nil {
			return err
		}
	}
	return w.make(ctx, dir, mod, sum)
}

// CacheDir returns the folder that holds all worlds.
func (w *World) CacheDir() string { return w.cache }

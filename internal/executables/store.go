// Package executables keeps compiled programs on disk, so that a kernel that
// starts again does not compile what one before it did.
//
// A [Store] is a folder with a file for each program, named by its [Key]. The key
// is made of all that the machine code follows from: the program's text, its
// options, the plugin, its flags, the processor. A file begins with a checksum
// of the key and what follows, so that one that is damaged, cut off or under
// another's name is never given to a plugin, which would crash. Files are written
// aside and renamed, so that any number of processes share a folder. Where it
// holds more than its limit, those that were not used for the longest time go.
//
// Machine code is run with the rights of who loads it, so that only files of
// this user, or root's, are read, and none that others can write.
package executables

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/internal/plugins"
)

// Env is the variable that names another folder than that in HOLT_HOME, or is 0
// where nothing is to be kept.
const Env = "HOLT_EXECUTABLES"

// limit is how many bytes of executables are kept. A step of ResNet18 has 1.3 MiB.
const limit = 1 << 30

// Key is a checksum of all that a program's machine code follows from.
type Key [sha256.Size]byte

// KeyOf makes a key of parts, of which none runs into the next.
func KeyOf(parts ...[]byte) Key {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write(p)
	}
	return Key(h.Sum(nil))
}

// Store is a folder of executables.
type Store struct {
	Dir   string
	Limit int64 // in bytes
}

// Default is the store that the environment asks for, and false where that is none: what
// HOLT_EXECUTABLES says, or the folder executables beside that of the plugins, or in the user's cache
// where that belongs to all users and this one cannot write there.
func Default() (Store, bool) {
	dir := os.Getenv(Env)
	switch dir {
	case "0":
		return Store{}, false
	case "":
		dir = filepath.Join(filepath.Dir(plugins.Dir()), "executables")
		if cache, err := os.UserCacheDir(); err == nil && !writable(dir) {
			dir = filepath.Join(cache, "holt", "executables")
		}
	}
	return Store{Dir: dir, Limit: limit}, true
}

// writable reports whether files can be written into a folder, or the folder can be made.
func writable(dir string) bool {
	const write, enter = 2, 1
	for {
		err := syscall.Access(dir, write|enter)
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir {
			return err == nil
		}
		dir = filepath.Dir(dir)
	}
}

// magic begins every file. Its number is that of the format.
var magic = []byte("holt executable 1\n")

// suffix ends the names of files.
const suffix = ".xla"

func (s Store) file(k Key) string { return filepath.Join(s.Dir, hex.EncodeToString(k[:])+suffix) }

// sum is the checksum in the file of a key.
func sum(k Key, executable []byte) []byte {
	h := sha256.New()
	h.Write(k[:])
	h.Write(executable)
	return h.Sum(nil)
}

// errDamaged is the error of a file that does not hold what it should.
var errDamaged = errors.New("damaged")

// Load returns the executable under a key. The error wraps fs.ErrNotExist where
// there is none; a damaged file is an error, too, and is removed.
func (s Store) Load(k Key) ([]byte, error) {
	file := s.file(k)
	executable, err := read(file, k)
	if errors.Is(err, errDamaged) {
		os.Remove(file)
	}
	if err == nil {
		now := time.Now()
		os.Chtimes(file, now, now) // a folder that can only be read forgets no file
	}
	return executable, err
}

func read(file string, k Key) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := ours(info); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	rest, ok := bytes.CutPrefix(b, magic)
	if !ok || len(rest) < sha256.Size || !bytes.Equal(rest[:sha256.Size], sum(k, rest[sha256.Size:])) {
		return nil, fmt.Errorf("%s: %w", file, errDamaged)
	}
	return rest[sha256.Size:], nil
}

// ours returns an error where a file may hold what another user wrote.
func ours(info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.Mode().IsRegular() || !ok || int(stat.Uid) != os.Geteuid() && stat.Uid != 0 {
		return errors.New("it is another user's")
	}
	if info.Mode().Perm()&0o022 != 0 {
		return errors.New("other users can write it")
	}
	return nil
}

// Save keeps an executable under a key, and removes others where the folder then
// holds more than its limit.
func (s Store) Save(k Key, executable []byte) error {
	if int64(len(executable)) > s.Limit {
		return nil
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	file := s.file(k)
	err := aside.WriteFile(file, func(w io.Writer) error {
		for _, part := range [][]byte{magic, sum(k, executable), executable} {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := os.Chmod(file, 0o600); err != nil {
		return err
	}
	return s.evict()
}

// Remove takes out the executable under a key.
func (s Store) Remove(k Key) { os.Remove(s.file(k)) }

// entry is a file of the store.
type entry struct {
	file string
	size int64
	used time.Time
}

// entries lists the files, the longest unused one first.
func (s Store) entries() ([]entry, error) {
	names, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []entry
	for _, d := range names {
		if !strings.HasSuffix(d.Name(), suffix) {
			continue
		}
		if info, err := d.Info(); err == nil { // else another process has removed it
			all = append(all, entry{filepath.Join(s.Dir, d.Name()), info.Size(), info.ModTime()})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return a.used.Compare(b.used) })
	return all, err
}

// evict removes the longest unused files until the limit is kept.
func (s Store) evict() error {
	all, err := s.entries()
	total := int64(0)
	for _, e := range all {
		total += e.size
	}
	for _, e := range all {
		if total <= s.Limit {
			break
		}
		if err := os.Remove(e.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= e.size
	}
	return err
}

// Report is what is in a store.
type Report struct {
	Count   int
	Bytes   int64
	Damaged []string // files that do not hold what they should
}

// Look reads all files and writes one, which it removes. The error is why nothing can be kept.
func (s Store) Look() (r Report, err error) {
	all, err := s.entries()
	if err != nil {
		return r, err
	}
	for _, e := range all {
		r.Count++
		r.Bytes += e.size
		name, err := hex.DecodeString(strings.TrimSuffix(filepath.Base(e.file), suffix))
		if err == nil && len(name) == sha256.Size {
			_, err = read(e.file, Key(name))
		} else {
			err = errDamaged
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.Damaged = append(r.Damaged, e.file)
		}
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return r, err
	}
	f, err := os.CreateTemp(s.Dir, ".write-")
	if err != nil {
		return r, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	_, err = f.Write(make([]byte, 1<<20))
	return r, err
}

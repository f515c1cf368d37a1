package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/holt-dl/holt/internal/aside"
)

// sourceHash returns a hash of the names and texts of all files in fsys.
//
// WalkDir goes in lexical order, so the hash is the same for an embed.FS and for the folder
// that was extracted from it. Modes and times do not count. It is the name of that folder.
func sourceHash(fsys fs.FS) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := fsys.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		// A hash of each file: run together, texts could be cut otherwise and be the same.
		sum := sha256.New()
		if _, err := io.Copy(sum, f); err != nil {
			return err
		}
		fmt.Fprintf(h, "%s %x\n", name, sum.Sum(nil))
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("build: read the source: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil))[:20], nil
}

// extract writes fsys, whose hash is the name of dir, to dir, aside and then
// renamed, so that dir is either whole or absent. A damaged one is replaced.
//
// All of it is read again each time, which happens only where a world is built: "go build"
// would make a host of damaged sources without a word.
func extract(fsys fs.FS, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		if hash, err := sourceHash(os.DirFS(dir)); err == nil && hash == filepath.Base(dir) {
			return nil
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("build: the damaged source in %s cannot be removed: %w", dir, err)
		}
	}
	err := aside.NewFolder(dir, func(path string) error { return os.CopyFS(path, fsys) })
	if err != nil {
		return fmt.Errorf("build: write the source to %s: %w", dir, err)
	}
	return nil
}

// lock waits for the right to build in dir, which one kernel has at a time.
//
// Waiting is called once, where it has to wait, to show why nothing happens.
// The system gives the lock up when its process ends, so a kernel that was killed keeps none
// waiting. Unlock leaves the file: to remove it would let two kernels lock two files of one
// name.
func lock(ctx context.Context, file string, waiting func()) (unlock func(), err error) {
	l := flock.New(file)
	ok, err := l.TryLock()
	if err == nil && !ok {
		waiting()
		_, err = l.TryLockContext(ctx, 50*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("build: wait for another kernel's build (%s): %w", file, err)
	}
	return func() { l.Unlock() }, nil
}

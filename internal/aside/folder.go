package aside

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
)

// Folder makes the folder dir. fill makes a folder of its content at the path that
// it is given, which is beside dir and ends with the same name; then that takes the
// place of dir. When Folder fails, dir is as it was. A crash between the removal of
// the old folder and the renaming of the new one leaves none.
func Folder(dir string, fill func(path string) error) error {
	return within(dir, fill, func(path, spare string) error {
		if err := syncTree(path); err != nil {
			return err
		}
		// A folder cannot be renamed over another, so the older one is moved first.
		if err := os.Rename(dir, spare); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Rename(path, dir); err != nil {
			os.Rename(spare, dir)
			return err
		}
		syncFolder(filepath.Dir(dir))
		return nil
	})
}

// NewFolder is Folder for a cache, whose readers check what they find and can make
// it again: a folder that another process has made at dir meanwhile stays, and
// nothing is brought to the disk, which takes seconds for many files.
func NewFolder(dir string, fill func(path string) error) error {
	return within(dir, fill, func(path, _ string) error {
		err := os.Rename(path, dir)
		if _, there := os.Stat(dir); there == nil {
			return nil
		}
		return err
	})
}

// within makes a folder beside dir, has fill make the content in it, and calls take,
// which moves the content to dir; spare is where the old folder may be moved to, to
// be removed.
func within(dir string, fill func(path string) error, take func(path, spare string) error) error {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	Sweep(parent)
	part, err := createFolder(dir)
	if err != nil {
		return err
	}
	defer discard(part)
	path := filepath.Join(part.Name(), filepath.Base(dir))
	if err := fill(path); err != nil {
		return err
	}
	return take(path, filepath.Join(part.Name(), ".old"))
}

// createFolder makes and locks a folder beside dir, as create does a file.
func createFolder(dir string) (*os.File, error) {
	for range 100 {
		part := filepath.Join(filepath.Dir(dir), fmt.Sprintf(".%s%s%d", filepath.Base(dir), infix, rand.Uint32()))
		if err := os.Mkdir(part, 0o700); errors.Is(err, fs.ErrExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		f, err := os.Open(part)
		if err != nil {
			continue // another process took it for a leftover
		}
		if locked(f) {
			return f, nil
		}
		f.Close()
		os.Remove(part)
	}
	return nil, fmt.Errorf("%s: no free name for a folder beside it", dir)
}

// syncTree brings the files and folders below a path to the disk.
func syncTree(path string) error {
	return filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrPermission) {
			return nil // a file that not even its owner may read
		}
		if err != nil {
			return err
		}
		defer f.Close()
		// Not every file system syncs folders, and Windows only files that are open for writing.
		if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, fs.ErrPermission) {
			return err
		}
		return nil
	})
}

// syncFolder brings the names in a folder to the disk.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

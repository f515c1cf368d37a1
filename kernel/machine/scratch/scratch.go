// Package scratch makes temporary folders that do not outlive their process for
// long: the folder of a process that was killed is removed by the next one that
// asks.
//
// A folder is locked (flock) as long as its process lives, whatever ends it, and
// holds a file that says that it is Holt's. So no folder of a living process is
// removed, none of another user, and none that only has a similar name. The lock
// also keeps systemd-tmpfiles from cleaning the folder while its process lives.
package scratch

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
)

// prefix begins the names of folders, and marker is the file in each.
const (
	prefix = "holt-"
	marker = ".holt-scratch"
)

var folder = regexp.MustCompile(`^` + prefix + `[0-9]+$`)

// Dir is a temporary folder of this process.
type Dir struct {
	Path string
	lock *os.File
}

// New makes a folder in TMPDIR that only this user can read.
func New() (*Dir, error) {
	path, err := os.MkdirTemp("", prefix)
	if err != nil {
		return nil, err
	}
	d := &Dir{Path: path}
	if err := d.claim(); err != nil {
		os.RemoveAll(path)
		return nil, err
	}
	return d, nil
}

// claim locks the folder and marks it, in this order: what is marked and not
// locked is of a dead process.
func (d *Dir) claim() error {
	lock, err := os.Open(d.Path)
	if err != nil {
		return err
	}
	if err := tryLock(lock); err != nil {
		lock.Close() // a file system without locks: the folder is not marked, and stays
		return nil
	}
	d.lock = lock
	if err := os.WriteFile(filepath.Join(d.Path, marker), nil, 0o600); err != nil {
		lock.Close()
		return err
	}
	return nil
}

// Ensure makes the folder again where a cleaner has removed it, and refuses one
// that another user has put in its place.
func (d *Dir) Ensure() error {
	info, err := os.Lstat(d.Path)
	if err == nil {
		if !mine(info) {
			return fmt.Errorf("%s was removed while the kernel lived, and something of another user is there now; restart the kernel", d.Path)
		}
		return nil
	}
	if !os.IsNotExist(err) {
		return err
	}
	if err := os.Mkdir(d.Path, 0o700); err != nil {
		return err
	}
	if d.lock != nil {
		d.lock.Close()
	}
	return d.claim()
}

// Intact reports whether the folder is there and is this user's.
func (d *Dir) Intact() bool {
	info, err := os.Lstat(d.Path)
	return err == nil && mine(info)
}

// Remove removes the folder with all it holds.
func (d *Dir) Remove() error {
	err := os.RemoveAll(d.Path)
	if d.lock != nil {
		d.lock.Close() // after the removal, so that no other process is at it
		d.lock = nil
	}
	return err
}

// Sweep removes the folders of dead processes of this user from TMPDIR.
func Sweep() {
	dir, err := os.Open(os.TempDir())
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if folder.MatchString(name) {
			removeDead(filepath.Join(os.TempDir(), name))
		}
	}
}

func removeDead(path string) {
	info, err := os.Lstat(path)
	if err != nil || !mine(info) {
		return
	}
	if _, err := os.Lstat(filepath.Join(path, marker)); err != nil {
		return
	}
	lock, err := openFolder(path)
	if err != nil {
		return
	}
	defer lock.Close()
	if tryLock(lock) != nil {
		return
	}
	if err := os.RemoveAll(path); err != nil {
		slog.Debug("scratch: a folder of a dead process stays", "err", err)
	}
}

// Package aside writes files so that a reader finds all of the old
// content or all of the new, also after a crash: the new content is written to a
// file beside the old one, brought to the disk, and renamed. Folder and NewFolder
// do so with folders.
//
// A new file has the permissions that the umask leaves, as of any program that
// creates one; an existing file keeps its own. What a writer that was killed has
// left in the folder is removed by the next write there.
package aside

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// infix is between the name of a file and the number of one written beside it.
const infix = ".holt-part-"

// leftover matches the names of files written aside.
var leftover = regexp.MustCompile(`^\..*` + regexp.QuoteMeta(infix) + `[0-9]+$`)

// WriteFile makes a file of what write writes. When it fails, the file is as it
// was. A name that is a symbolic link stays one, and the file that it leads to is
// written.
func WriteFile(name string, write func(io.Writer) error) error {
	return writeFile(name, nil, write)
}

// WriteMode is WriteFile of a file with the given permissions, whatever the umask
// and the permissions of an existing file are: of a program, or of what is private.
func WriteMode(name string, mode fs.FileMode, write func(io.Writer) error) error {
	return writeFile(name, &mode, write)
}

// Bytes returns a function for WriteFile and WriteMode that writes data.
func Bytes(data []byte) func(io.Writer) error {
	return func(w io.Writer) error { _, err := w.Write(data); return err }
}

// writeFile makes a file with the permissions of want, or as WriteFile says.
func writeFile(name string, want *fs.FileMode, write func(io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	dir := filepath.Dir(name)
	Sweep(dir)
	mode, exact := fs.FileMode(0o666), false
	if want != nil {
		mode, exact = *want, true
	} else if info, err := os.Stat(name); err == nil {
		mode, exact = info.Mode().Perm(), true
	}
	f, err := create(name, mode)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			discard(f)
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if exact { // the umask has no say
		if err := f.Chmod(mode); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := renameOpen(f, name); err != nil {
		return err
	}
	// The name is on disk only when its folder is.
	syncFolder(dir)
	return nil
}

// create makes and locks a file beside name. The system gives the lock up when the
// writer ends, however it ends, so a locked file has a living writer.
func create(name string, mode fs.FileMode) (*os.File, error) {
	for range 100 {
		part := filepath.Join(filepath.Dir(name), fmt.Sprintf(".%s%s%d", filepath.Base(name), infix, rand.Uint32()))
		f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		var at *fs.PathError
		if errors.As(err, &at) {
			at.Path = name // the file that was asked for
		}
		if err != nil {
			return nil, err
		}
		if locked(f) {
			return f, nil
		}
		f.Close()
		os.Remove(part)
	}
	return nil, fmt.Errorf("%s: no free name for a file beside it", name)
}

// Sweep removes from a folder the files and folders of writers that were killed, as every
// write there does.
func Sweep(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, name := range names {
		if leftover.MatchString(name) {
			removeDead(filepath.Join(dir, name))
		}
	}
}

// abandoned reports whether what was written aside was not touched for a day. Windows
// does not say whether the writer of a folder lives.
func abandoned(info fs.FileInfo, now time.Time) bool {
	return (info.Mode().IsRegular() || info.IsDir()) && now.Sub(info.ModTime()) > 24*time.Hour
}

package aside

import (
	"os"
	"time"
)

// Windows removes and renames no file that a program has open, so that a file is as good as
// locked while its writer lives. Of a folder only the name is; what is in it can be removed.

// locked reports whether a file or folder that was just made is this process's.
func locked(*os.File) bool { return true }

// removeDead removes a file or folder that was written aside, unless its writer may live.
func removeDead(part string) {
	if info, err := os.Lstat(part); err == nil && abandoned(info, time.Now()) {
		os.RemoveAll(part)
	}
}

// renameOpen gives a file another name, for which it must be closed.
func renameOpen(f *os.File, name string) error {
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// discard closes a file or folder, without which Windows would not remove it, and removes it.
func discard(f *os.File) {
	f.Close()
	os.RemoveAll(f.Name())
}

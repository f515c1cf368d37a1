//go:build unix

package aside

import (
	"errors"
	"os"
	"syscall"
)

// locked locks a file or folder that was just made, and reports whether it is this
// process's; if not, another took it for a leftover before it was locked.
func locked(f *os.File) bool {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return !errors.Is(err, syscall.EWOULDBLOCK) // a file system without locks has none that Sweep could take
	}
	_, err = os.Lstat(f.Name())
	return err == nil
}

// removeDead removes a file or folder that was written aside, unless its writer lives
// or is another user.
func removeDead(part string) {
	f, err := os.OpenFile(part, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.EISDIR) {
		f, err = os.OpenFile(part, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
	}
	if err != nil {
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() && !info.IsDir() {
		return
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) != os.Geteuid() {
		return
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		os.RemoveAll(part)
	}
}

// renameOpen gives a file that is open another name, and closes it: it is locked until it
// has the name.
func renameOpen(f *os.File, name string) error {
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return f.Close()
}

// discard removes a file or folder that is open, and closes it, which gives up the lock.
func discard(f *os.File) {
	os.RemoveAll(f.Name())
	f.Close()
}

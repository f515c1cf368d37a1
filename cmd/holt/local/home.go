package local

import (
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"syscall"
)

// EnsureHome sets HOME where it is not set, as under supervisord and in some
// containers: Holt's cache, the go command and gopls look for it, and cells may.
func EnsureHome() {
	if os.Getenv("HOME") != "" {
		return
	}
	registered := ""
	if u, err := user.Current(); err == nil {
		registered = u.HomeDir
	}
	home, err := findHome(registered, os.TempDir(), os.Getuid())
	if err != nil {
		slog.Warn("HOME is not set, and no folder was found for it", "err", err)
		return
	}
	if home != registered {
		slog.Warn("HOME is not set, and the user has no home folder; what is built is kept in a temporary one", "folder", home)
	}
	os.Setenv("HOME", home)
}

// findHome returns the home folder that the system registers for the user, and
// without one a folder in temp that only the user can write to.
func findHome(registered, temp string, uid int) (string, error) {
	if info, err := os.Stat(registered); err == nil && info.IsDir() {
		return registered, nil
	}
	dir := filepath.Join(temp, fmt.Sprintf("holt-home-%d", uid))
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return "", err
	}
	// Others can write to temp, too: what is there already may be a trap.
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != uid || info.Mode().Perm()&0o022 != 0 {
		return "", fmt.Errorf("%s is not a folder that only this user can write to; remove it, or set HOME", dir)
	}
	return dir, nil
}

package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindHome(t *testing.T) {
	temp, uid := t.TempDir(), os.Getuid()
	registered := t.TempDir()
	if home, err := findHome(registered, temp, uid); home != registered || err != nil {
		t.Errorf("with a registered folder: %q, %v", home, err)
	}
	for range 2 { // made, and found again
		home, err := findHome("/nonexistent", temp, uid)
		if err != nil || filepath.Dir(home) != temp {
			t.Fatalf("without one: %q, %v", home, err)
		}
		if info, err := os.Stat(home); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("its mode is %v, want 0700 (%v)", info.Mode(), err)
		}
	}
	traps := map[string]func(dir string) error{
		"a folder that all can write to": func(dir string) error {
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			return os.Chmod(dir, 0o777)
		},
		"a link": func(dir string) error { return os.Symlink(registered, dir) },
		"a file": func(dir string) error { return os.WriteFile(dir, nil, 0o600) },
	}
	for name, lay := range traps {
		temp := t.TempDir()
		first, err := findHome("", temp, uid)
		if err != nil {
			t.Fatal(err)
		}
		os.Remove(first)
		if err := lay(first); err != nil {
			t.Fatal(err)
		}
		_, err = findHome("", temp, uid)
		if err == nil || !strings.Contains(err.Error(), "is not a folder that only this user can write to; remove it, or set HOME") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

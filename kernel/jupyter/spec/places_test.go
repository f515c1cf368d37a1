package spec

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlaces compares folders with those of jupyter_core on each system. Paths have slashes
// here, as filepath is that of the system of the test.
func TestPlaces(t *testing.T) {
	windows := map[string]string{"APPDATA": "/C/Users/me/AppData/Roaming", "LOCALAPPDATA": "/C/Users/me/AppData/Local", "PROGRAMDATA": "/C/ProgramData", "XDG_DATA_HOME": "/xdg"}
	tests := []struct {
		system        string
		env           map[string]string
		jupyter, holt string
		all           string // folders of all users
	}{
		{"linux", nil, "/home/me/.local/share/jupyter", "/home/me/.local/share/holt", "/usr/local/share/jupyter /usr/share/jupyter"},
		{"linux", map[string]string{"XDG_DATA_HOME": "/xdg"}, "/xdg/jupyter", "/xdg/holt", "/usr/local/share/jupyter /usr/share/jupyter"},
		{"linux", map[string]string{"XDG_DATA_HOME": "xdg"}, "/home/me/.local/share/jupyter", "/home/me/.local/share/holt", "/usr/local/share/jupyter /usr/share/jupyter"},
		{"darwin", nil, "/home/me/Library/Jupyter", "/home/me/.local/share/holt", "/usr/local/share/jupyter /usr/share/jupyter"},
		{"windows", windows, "/C/Users/me/AppData/Roaming/jupyter", "/C/Users/me/AppData/Local/holt", "/C/ProgramData/jupyter"},
		{"windows", nil, "/home/me/AppData/Roaming/jupyter", "/home/me/AppData/Local/holt", ""},
		{"windows", map[string]string{"JUPYTER_DATA_DIR": "/j", "HOLT_HOME": "/h"}, "/j", "/h", ""},
	}
	home := func() (string, error) { return "/home/me", nil }
	for _, tt := range tests {
		env := func(name string) string { return tt.env[name] }
		jupyter, err := jupyterData(tt.system, env, home)
		holt, err2 := holtHome(tt.system, env, home)
		if all := strings.Join(systemDirs(tt.system, env), " "); err != nil || err2 != nil || jupyter != tt.jupyter || holt != tt.holt || all != tt.all {
			t.Errorf("%s with %v: %s, %s and %q (%v, %v), want %s, %s and %q", tt.system, tt.env, jupyter, holt, all, err, err2, tt.jupyter, tt.holt, tt.all)
		}
	}
	none := func() (string, error) { return "", errors.New("no home") }
	for _, system := range []string{"linux", "darwin", "windows"} {
		if _, err := jupyterData(system, func(string) string { return "" }, none); err == nil {
			t.Errorf("%s without a home folder: no error", system)
		}
	}
	if program("windows") != "holt.exe" || program("darwin") != "holt" || scripts("windows") != "Scripts" || scripts("darwin") != "bin" {
		t.Error("the binary or the folder of commands has another name")
	}
}

// TestReplaceRunning: the program is there before, after, and when it cannot be written.
func TestReplaceRunning(t *testing.T) {
	file := filepath.Join(t.TempDir(), "holt.exe")
	is := func(want string) {
		t.Helper()
		files, _ := filepath.Glob(file + "*")
		text, _ := os.ReadFile(file)
		if len(files) != 1 || string(text) != want {
			t.Errorf("there are %v and it holds %q, want %q alone", files, text, want)
		}
	}
	for _, text := range []string{"first", "second"} {
		if err := replaceRunning(file, func() error { return os.WriteFile(file, []byte(text), 0o755) }); err != nil {
			t.Fatal(err)
		}
		is(text)
	}
	if err := os.WriteFile(file+".old-1", nil, 0o755); err != nil { // it ran when it was replaced
		t.Fatal(err)
	}
	full := errors.New("the disk is full")
	if err := replaceRunning(file, func() error { return full }); err != full {
		t.Errorf("error is %v, want %v", err, full)
	}
	is("second")
}

package spec

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Home is the folder in which Holt keeps what is the user's: HOLT_HOME, else
// holt in XDG_DATA_HOME, else ~/.local/share/holt, and on Windows holt in
// LOCALAPPDATA. It may not exist.
func Home() (string, error) {
	dir, err := holtHome(runtime.GOOS, os.Getenv, os.UserHomeDir)
	if err != nil {
		return "", fmt.Errorf("spec: %w; set HOLT_HOME, or install with --prefix", err)
	}
	return filepath.Abs(dir)
}

func holtHome(system string, env func(string) string, home func() (string, error)) (string, error) {
	if dir := env("HOLT_HOME"); dir != "" {
		return dir, nil
	}
	return dataFolder(system, "LOCALAPPDATA", "Local", "holt", env, home)
}

// userDataDir is jupyter_core's jupyter_data_dir.
func userDataDir() (string, error) {
	dir, err := jupyterData(runtime.GOOS, os.Getenv, os.UserHomeDir)
	if err != nil {
		return "", fmt.Errorf("spec: %w; set JUPYTER_DATA_DIR, or install with --prefix", err)
	}
	return filepath.Abs(dir)
}

func jupyterData(system string, env func(string) string, home func() (string, error)) (string, error) {
	if dir := env("JUPYTER_DATA_DIR"); dir != "" {
		return dir, nil
	}
	if system == "darwin" {
		dir, err := home()
		return filepath.Join(dir, "Library", "Jupyter"), err
	}
	return dataFolder(system, "APPDATA", "Roaming", "jupyter", env, home)
}

// dataFolder is the folder for a program's data. On Windows that is below the folder that a
// variable names, which is local or roaming in AppData; elsewhere below XDG_DATA_HOME.
func dataFolder(system, variable, appData, name string, env func(string) string, home func() (string, error)) (string, error) {
	parts := []string{".local", "share"}
	if system == "windows" {
		parts = []string{"AppData", appData}
	} else {
		variable = "XDG_DATA_HOME"
	}
	if dir := env(variable); filepath.IsAbs(dir) {
		return filepath.Join(dir, name), nil
	}
	dir, err := home()
	return filepath.Join(append(append([]string{dir}, parts...), name)...), err
}

// dataDirs is where Jupyter looks for kernels, as jupyter_core's jupyter_path.
func dataDirs() []string {
	dirs := filepath.SplitList(os.Getenv("JUPYTER_PATH"))
	if dir, err := userDataDir(); err == nil {
		dirs = append(dirs, dir)
	}
	if prefix, err := sysPrefix(); err == nil {
		dirs = append(dirs, filepath.Join(prefix, "share", "jupyter"))
	}
	return append(dirs, systemDirs(runtime.GOOS, os.Getenv)...)
}

// systemDirs is where Jupyter looks for the kernels of all users.
func systemDirs(system string, env func(string) string) []string {
	if system == "windows" {
		if dir := env("PROGRAMDATA"); dir != "" {
			return []string{filepath.Join(dir, "jupyter")}
		}
		return nil
	}
	return []string{"/usr/local/share/jupyter", "/usr/share/jupyter"}
}

// sysPrefix is sys.prefix of the Python that is active.
func sysPrefix() (string, error) {
	for _, name := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if dir := os.Getenv(name); dir != "" {
			return dir, nil
		}
	}
	for _, python := range []string{"python3", "python"} {
		out, err := exec.Command(python, "-c", "import sys; print(sys.prefix)").Output()
		if dir := strings.TrimSpace(string(out)); err == nil && dir != "" {
			return dir, nil
		}
	}
	return "", errors.New("spec: no active environment of Python is found; activate one, or name it with --prefix")
}

// Scripts is the folder of an environment of Python that holds its commands.
func Scripts(prefix string) string { return filepath.Join(prefix, scripts(runtime.GOOS)) }

func scripts(system string) string {
	if system == "windows" {
		return "Scripts"
	}
	return "bin"
}

// program is the name of holt's binary.
func program(system string) string {
	if system == "windows" {
		return "holt.exe"
	}
	return "holt"
}

// replaceRunning has write make a program anew that may run. Windows writes over no program
// that runs and lets it be renamed, so the old one is moved first. It is removed now, or when
// the program is replaced again.
func replaceRunning(file string, write func() error) error {
	const infix = ".old-"
	older, _ := filepath.Glob(file + infix + "*")
	for _, name := range older {
		os.Remove(name) // which fails while it runs
	}
	old := fmt.Sprint(file, infix, os.Getpid())
	moved := os.Rename(file, old) == nil
	err := write()
	switch {
	case moved && err != nil:
		os.Rename(old, file)
	case moved:
		os.Remove(old)
	}
	return err
}

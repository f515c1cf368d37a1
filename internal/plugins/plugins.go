// Package plugins finds the PJRT plugins of XLA on this machine:
// where go-xla looks for them, and the folder of those that Holt installed.
//
// It imports nothing but a few small packages of the standard library, so
// that cells, which link it, stay small.
package plugins

import (
	"bufio"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Environment variables that are read or set here. Go-xla reads the last two
// when it is initialised, so they must be set before its process starts.
const (
	HomeEnv   = "HOLT_HOME"
	PathEnv   = "PJRT_PLUGIN_LIBRARY_PATH"
	NoAutoEnv = "GOMLX_NO_AUTO_INSTALL"
)

// Dir is the folder of the plugins that Holt installed: plugins in HOLT_HOME,
// else in $XDG_DATA_HOME/holt, else in ~/.local/share/holt. It may not exist.
func Dir() string {
	if dir := os.Getenv(HomeEnv); dir != "" {
		return filepath.Join(dir, "plugins")
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "holt", "plugins")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "holt", "plugins")
	}
	return filepath.Join(home, ".local", "share", "holt", "plugins")
}

// Beside returns the folder or file name of the checkout that this program was built in: X/name for
// a program X/bin/holt, where make puts everything. It is empty where that does not exist.
func Beside(name string) string {
	program, err := os.Executable()
	if err != nil {
		return ""
	}
	return beside(program, name)
}

func beside(program, name string) string {
	bin := filepath.Dir(program)
	if filepath.Base(bin) != "bin" {
		return ""
	}
	path := filepath.Join(filepath.Dir(bin), name)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// Own lists the folders below dir that hold, or would hold, a plugin of
// Holt's. CUDA's lies deeper: it finds NVIDIA's libraries relative to itself.
func Own(dir string) []string {
	return []string{
		filepath.Join(dir, "cuda", "lib", "nvidia"),
		filepath.Join(dir, "cuda12", "lib", "nvidia"),
		filepath.Join(dir, "cpu"),
	}
}

// SearchDirs lists the folders to search, in order: those that go-xla v0.4.4
// searches (PJRT_PLUGIN_LIBRARY_PATH, or its defaults without it), then those
// of Holt's own plugins that exist. So a plugin that is already installed
// keeps its place, and Holt's fills a gap. Where HOLT_HOME is not set, a
// program in a checkout takes the plugins that make put there before the user's.
func SearchDirs() []string { return searchDirs(homes()...) }

// homes lists the folders that hold Holt's own plugins.
func homes() []string {
	if os.Getenv(HomeEnv) == "" {
		if dir := Beside(filepath.Join(".holt", "plugins")); dir != "" {
			return []string{dir, Dir()}
		}
	}
	return []string{Dir()}
}

// CompilerKind is the kind of plugin that compiles for CUDA, and has nothing of what
// running on a GPU needs, so that [SearchDirs] leaves it out.
const CompilerKind = "cuda-compiler"

// Compiler returns a plugin that compiles for CUDA: the one that would run programs, or
// the one that only compiles.
func Compiler() (path string, ok bool) {
	if path, ok := Find(SearchDirs(), "cuda"); ok {
		return path, true
	}
	var dirs []string
	for _, home := range homes() {
		dirs = append(dirs, filepath.Join(home, CompilerKind, "lib", "nvidia"))
	}
	return Find(dirs, "cuda")
}

// InstalledDirs is [SearchDirs] without a checkout: what a program finds that
// was copied from one.
func InstalledDirs() []string { return searchDirs(Dir()) }

// searchDirs is [SearchDirs] with the folders that hold Holt's own plugins.
func searchDirs(homes ...string) []string {
	var dirs []string
	if paths, ok := os.LookupEnv(PathEnv); ok {
		dirs = strings.Split(paths, ":")
	} else {
		dirs = defaults()
	}
	for _, home := range homes {
		for _, dir := range Own(home) {
			if info, err := os.Stat(dir); err == nil && info.IsDir() {
				dirs = append(dirs, dir)
			}
		}
	}
	seen := map[string]bool{"": true}
	return slices.DeleteFunc(dirs, func(dir string) bool {
		again := seen[dir]
		seen[dir] = true
		return again
	})
}

// defaults lists where go-xla looks when nothing is set; PathEnv replaces
// these, so they are named again (pjrt/dynamiclib_posix.go, osDefaultLibraryPaths).
func defaults() []string {
	var dirs []string
	if home, err := os.UserHomeDir(); err == nil {
		lib := filepath.Join(home, ".local", "lib")
		if runtime.GOOS == "darwin" {
			lib = filepath.Join(home, "Library", "Application Support")
		}
		dirs = append(dirs, filepath.Join(lib, "go-xla"), filepath.Join(lib, "go-xla", "nvidia"), filepath.Join(lib, "gomlx", "pjrt"))
	}
	dirs = append(dirs, "/usr/local/lib/go-xla", "/usr/local/lib/go-xla/nvidia", "/usr/local/lib/gomlx/pjrt")
	for dir := range strings.SplitSeq(os.Getenv("LD_LIBRARY_PATH"), ":") {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	if runtime.GOOS == "linux" {
		dirs = append(dirs, loaderDirs("/etc/ld.so.conf", 4)...)
	}
	return dirs
}

// loaderDirs reads the folders in a file like /etc/ld.so.conf, and in those
// that it includes, to the given depth.
func loaderDirs(path string, depth int) (dirs []string) {
	f, err := os.Open(path)
	if err != nil || depth == 0 {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if include, ok := strings.CutPrefix(line, "include"); ok {
			files, _ := filepath.Glob(strings.TrimSpace(include))
			for _, file := range files {
				dirs = append(dirs, loaderDirs(file, depth-1)...)
			}
		} else if filepath.IsAbs(line) {
			dirs = append(dirs, line)
		}
	}
	return dirs
}

// Find returns the plugin that go-xla will load under a name, "cpu" or
// "cuda", when it searches dirs. Of several versions in one folder it takes
// the last by name.
func Find(dirs []string, name string) (path string, ok bool) {
	ext := map[string]string{"darwin": ".dylib", "windows": ".dll"}[runtime.GOOS]
	if ext == "" {
		ext = ".so"
	}
	for _, dir := range dirs {
		for _, pattern := range []string{
			"pjrt[-_]plugin[-_]" + name + ext,
			"pjrt_c_api_" + name + "_plugin" + ext,
			"pjrt_c_api_" + name + "_v*_plugin" + ext,
		} {
			found, _ := filepath.Glob(filepath.Join(dir, pattern))
			found = slices.DeleteFunc(found, func(path string) bool {
				info, err := os.Stat(path) // a link may lead nowhere
				return err != nil || !info.Mode().IsRegular()
			})
			if len(found) > 0 {
				slices.Sort(found)
				return found[len(found)-1], true
			}
		}
	}
	return "", false
}

// Setup sets the environment for a process that links go-xla: where to look
// for plugins ([SearchDirs]), and never to install one by itself, which would
// need the network and hang without it. It must run before that process
// starts; in the same process it is too late.
func Setup() {
	os.Setenv(PathEnv, strings.Join(SearchDirs(), ":"))
	os.Setenv(NoAutoEnv, "1")
}

package backend

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/plugins"
)

// Dir is the folder of the plugins that Holt installed: plugins in HOLT_HOME,
// else in $XDG_DATA_HOME/holt, else in ~/.local/share/holt. It may not exist.
func Dir() string { return plugins.Dir() }

// Setup sets the environment for a process that links go-xla and that is
// started after it: PJRT_PLUGIN_LIBRARY_PATH names the folders where go-xla
// looks anyway, in its order, and then Holt's, so that a plugin which is
// already installed comes first; GOMLX_NO_AUTO_INSTALL=1 keeps go-xla's own
// installer from the network. In a process that links go-xla itself it comes
// too late, since go-xla reads these when it is initialised.
func Setup() { plugins.Setup() }

// Notices has what package dl tells its user written to w, a sentence a line: that
// a slow backend is used, say. A notebook shows them below the cell.
func Notices(w io.Writer) {
	hooks.Set(func(h *hooks.Hooks) { h.Notice = func(sentence string) { fmt.Fprintln(w, sentence) } })
}

// Find returns the path of the plugin that serves a backend, "cpu" or "cuda",
// after [Setup]. It looks at file names only; the plugin may still not load. A
// program in a checkout finds what make put beside it.
func Find(name string) (path string, ok bool) {
	return plugins.Find(plugins.SearchDirs(), name)
}

// FindInstalled is [Find] for a program that was copied from its checkout to another place.
func FindInstalled(name string) (path string, ok bool) {
	return plugins.Find(plugins.InstalledDirs(), name)
}

// Plugin is a plugin that Holt installed.
type Plugin struct {
	Kind    string   // one of Kinds
	Path    string   // the shared library, under the name that go-xla looks for
	Size    int64    // its length in bytes
	Version string   // the plugin wheel's
	Wheels  []string // the files it was made of
	SHA256  []string // their checksums, in the same order
}

// String is one line for a table or a cell.
func (p Plugin) String() string {
	return fmt.Sprintf("%s: %s %s, %s", p.Kind, wheelName(p.Wheels), p.Version, p.Path)
}

func wheelName(files []string) string {
	if len(files) == 0 {
		return "plugin"
	}
	name, _, _ := strings.Cut(files[0], "-")
	return strings.ReplaceAll(name, "_", "-")
}

// receiptName is the file that Install leaves in a plugin's folder.
const receiptName = "holt-plugin.json"

// Installed lists the plugins in [Dir] that are whole: their library is there
// with the length that was installed.
func Installed() []Plugin {
	var list []Plugin
	for _, kind := range Kinds() {
		if p, ok := installed(Dir(), kind); ok {
			list = append(list, p)
		}
	}
	return list
}

func installed(dir, kind string) (Plugin, bool) {
	folder := filepath.Join(dir, kind)
	data, err := os.ReadFile(filepath.Join(folder, receiptName))
	if err != nil {
		return Plugin{}, false
	}
	var p Plugin
	if json.Unmarshal(data, &p) != nil || p.Kind != kind {
		return Plugin{}, false
	}
	p.Path = filepath.Join(folder, layouts[kind].library()) // the folder may have moved
	info, err := os.Stat(p.Path)
	return p, err == nil && info.Size() == p.Size
}

// Remove deletes what [Install] made for a kind. A process that uses the
// plugin keeps it until its end.
func Remove(kind string) error {
	if _, ok := layouts[kind]; !ok {
		return unknownKind(kind)
	}
	if err := os.RemoveAll(filepath.Join(Dir(), kind)); err != nil {
		return fmt.Errorf("backend: remove %s: %w", kind, err)
	}
	return nil
}

package plugins

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Go-xla v0.4.4 takes a plugin for CUDA's or the processor's by words anywhere
// in its path, and cuts a path at commas: a person called nvidia would have
// bfloat16 products of another precision, and no backend at all with a plugin
// that knows no option of CUDA's. So a path with a misleading word is loaded by
// a link without it.

// misleading are the words that the path of a kind must not have.
var misleading = map[string][]string{"cpu": {"cuda", "nvidia", ","}, "cuda": {"cpu", ","}}

func misleads(kind, path string) bool {
	path = strings.ToLower(path)
	for _, word := range misleading[kind] {
		if strings.Contains(path, word) {
			return true
		}
	}
	return false
}

// Neutral returns a path of a plugin that go-xla takes for what it is: its own,
// or one through a link in a new folder. The folder is remove's to delete, when
// the plugin is not used any more.
func Neutral(kind, path string) (neutral string, remove func(), err error) {
	if !misleads(kind, path) {
		return path, func() {}, nil
	}
	base := ""
	for _, dir := range []string{os.TempDir(), "/tmp", "/var/tmp", "/dev/shm"} {
		if isDir(dir) && !misleads(kind, dir) {
			base = dir
			break
		}
	}
	if base == "" {
		return "", nil, fmt.Errorf("the path of the plugin, %s, has a word by which go-xla would take it for another (%s), and so has every folder for a link; set TMPDIR to one without",
			path, strings.Join(misleading[kind], " "))
	}
	folder, err := os.MkdirTemp(base, "holt-"+kind+"-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(folder) }
	// CUDA's plugin finds NVIDIA's libraries at ../nvidia from the folder that it
	// is loaded from: so the folder above is linked, and its own keeps its name.
	target, rest := filepath.Dir(path), filepath.Base(path)
	if kind == "cuda" {
		target, rest = filepath.Dir(target), filepath.Join(filepath.Base(target), rest)
	}
	if target, err = filepath.Abs(target); err == nil {
		err = os.Symlink(target, filepath.Join(folder, "p"))
	}
	if neutral = filepath.Join(folder, "p", rest); err == nil && misleads(kind, neutral) {
		err = fmt.Errorf("the plugin %s has a word in its name by which go-xla would take it for another; move it", path)
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return neutral, remove, nil
}

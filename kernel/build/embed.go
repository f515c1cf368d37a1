package build

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Embed is a pattern of a //go:embed line in a unit, and the line.
//
// The line is in the unit's text too, where the compiler reads it. It takes the files from
// the configuration alone.
type Embed struct {
	Pattern string
	File    string // as errors name it, such as cell[5]
	Line    int
}

// embedConfig writes what the compiler's -embedcfg reads: the files that each
// pattern stands for, by the rules of "go help embed".
//
// For "//go:embed data" and the folder DIR it is
//
//	{"Patterns": {"data": ["data/a.csv"]},
//	 "Files": {"data/a.csv": "DIR/data/a.csv"}}
//
// A pattern that is wrong is a [*CompileError] at its line.
func (u Unit) embedConfig(file string) error {
	cfg := struct {
		Patterns map[string][]string
		Files    map[string]string
	}{map[string][]string{}, map[string]string{}}
	for _, e := range u.Embed {
		names, err := embedFiles(u.CDir, e.Pattern)
		if err != nil {
			return &CompileError{[]Diagnostic{{File: e.File, Line: e.Line, Col: 1, Msg: err.Error()}}}
		}
		cfg.Patterns[e.Pattern] = names
		for _, name := range names {
			cfg.Files[name] = filepath.Join(u.CDir, filepath.FromSlash(name))
		}
	}
	text, err := json.Marshal(cfg)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}

// embedFiles lists the files below dir that a pattern stands for: those that
// it matches, and of folders all but those whose name begins with . or _,
// which all: brings in.
func embedFiles(dir, pattern string) ([]string, error) {
	glob, all := strings.CutPrefix(pattern, "all:")
	// As for packages, whose files are below their own folder.
	if !fs.ValidPath(glob) || glob == "." && !all {
		return nil, fmt.Errorf("//go:embed %s: want a path below the notebook's folder, with slashes and without ..", pattern)
	}
	matches, err := fs.Glob(os.DirFS(dir), glob)
	if err != nil {
		return nil, fmt.Errorf("//go:embed %s: %w", pattern, err)
	}
	var names []string
	for _, m := range matches {
		err := fs.WalkDir(os.DirFS(dir), m, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			base := d.Name()
			// A file that the pattern names itself is taken whatever its name is.
			if name != m && !all && (base[0] == '.' || base[0] == '_') {
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			// No symbolic link, which may lead out of the folder.
			if d.Type().IsRegular() {
				names = append(names, name)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("//go:embed %s: %w", pattern, err)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("//go:embed %s: no such files in %s, where the notebook runs", pattern, dir)
	}
	// A pattern may match a folder and a file in it.
	slices.Sort(names)
	return slices.Compact(names), nil
}

package spec

import (
	"embed"
	"io/fs"
	"os"
	"path/filepath"
)

// Templates for nbconvert (https://nbconvert.readthedocs.io/en/latest/customizing.html):
// "holt" for HTML keeps the alternative texts of pictures, which nbconvert's own
// leave out; "holt-latex" for PDF has letters for what outputs hold.
//
//go:embed nbconvert
var templates embed.FS

// templatesDir is where Jupyter looks for templates, in the data folder that
// holds a kernelspec.
func templatesDir(kernelspec string) string {
	return filepath.Join(filepath.Dir(filepath.Dir(kernelspec)), "nbconvert", "templates")
}

func writeTemplates(dir string) error {
	return fs.WalkDir(templates, "nbconvert", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("nbconvert", filepath.FromSlash(name))
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		data, err := templates.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
}

// removeTemplates leaves the templates of others alone.
func removeTemplates(dir string) error {
	ours, err := templates.ReadDir("nbconvert")
	if err != nil {
		return err
	}
	for _, t := range ours {
		if err := os.RemoveAll(filepath.Join(dir, t.Name())); err != nil {
			return err
		}
	}
	os.Remove(dir) // where nothing else is in it
	os.Remove(filepath.Dir(dir))
	return nil
}

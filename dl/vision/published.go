package vision

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/thousands"
)

// ErrNotFound is wrapped by the error of an Open that finds no data set.
var ErrNotFound = errors.New("not found or corrupted")

// published is a data set that others have put on the network.
type published struct {
	name     string // of its type, for messages
	hint     string // what to try when it is not there
	read     func(root string) (*Images, error)
	archives []archive
}

// open reads the data set in root, "data" when that is empty, or in the folder
// that HOLT_DATA names. Where neither has it, it is brought into root, if that
// is wanted.
func (p published) open(root string, download bool, progress func(done, total int64)) (*Images, error) {
	if root == "" {
		root = "data"
	}
	d, err := p.in(root)
	if more := os.Getenv("HOLT_DATA"); err != nil && more != "" {
		if d2, err2 := p.in(more); err2 == nil || !errors.Is(err2, os.ErrNotExist) {
			d, err = d2, err2
		}
	}
	if err == nil || !download {
		return d, err
	}
	for _, a := range p.archives {
		if err := fetch(hooks.Context(), a, root, progress); err != nil {
			return nil, err
		}
	}
	return p.in(root)
}

func (p published) in(root string) (*Images, error) {
	d, err := p.read(root)
	if err != nil {
		return nil, fmt.Errorf("vision: %s: dataset %w in %q (%w); %s", p.name, ErrNotFound, root, err, p.hint)
	}
	return d, nil
}

// readWhole reads a file that must have so many bytes.
func readWhole(path string, size int) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	var b []byte
	n := info.Size()
	if n == int64(size) { // else it may be too large to read
		if b, err = os.ReadFile(path); err != nil {
			return nil, err
		}
		n = int64(len(b))
	}
	if n != int64(size) {
		return nil, fmt.Errorf("%s has %s bytes, want %s", path, thousands.Text(int(n)), thousands.Text(size))
	}
	return b, nil
}

// isFolder reports whether there is such a folder.
func isFolder(parts ...string) bool {
	info, err := os.Stat(filepath.Join(parts...))
	return err == nil && info.IsDir()
}

// sourceOf says where a data set came from that may be another number of
// pictures than the published one.
func sourceOf(name string, n, whole int, train bool, root, folder string) string {
	all := allOf(name, n, train, root, folder)
	if n == whole {
		return all
	}
	return strings.Replace(all, ": all ", ": ", 1)
}

// allOf says where a whole data set came from.
func allOf(name string, n int, train bool, root, folder string) string {
	abs, err := filepath.Abs(filepath.Join(root, folder))
	if err != nil {
		abs = root
	}
	return fmt.Sprintf("%s: all %s %s pictures, from %s", name, thousands.Text(n), splitWord(train), abs)
}

func splitWord(train bool) string {
	if train {
		return "training"
	}
	return "test"
}

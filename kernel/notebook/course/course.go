// Package course writes the notebooks that holt carries to a folder of the user's, where
// they may be changed: a file that was changed since is left as it is.
package course

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/holt-dl/holt/internal/aside"
)

// record is the file in the folder that holds the SHA-256 of each file as it was written.
const record = ".holt-course.json"

// Result says what was done with the files, which are named by their paths in the folder.
type Result struct {
	Written []string // new, or in the place of an older one that was not changed
	Kept    []string // changed since they were written, or of other origin
	Same    []string // there already
}

// Write writes files to a folder, which is made. A file that is there is replaced only by a
// newer one, and only when it is as an earlier Write left it.
func Write(dir string, files fs.FS) (Result, error) {
	var r Result
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return r, fmt.Errorf("course: %w", err)
	}
	written := map[string]string{}
	if data, err := os.ReadFile(filepath.Join(dir, record)); err == nil {
		if json.Unmarshal(data, &written) != nil {
			written = map[string]string{} // then nothing is taken for unchanged
		}
	}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(to, 0o777)
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sumOf(data)
		switch old, err := os.ReadFile(to); {
		case err == nil && sumOf(old) == sum:
			r.Same = append(r.Same, name)
		case err == nil && sumOf(old) != written[name]:
			r.Kept = append(r.Kept, name)
			return nil
		case err == nil || errors.Is(err, fs.ErrNotExist):
			if err := aside.WriteFile(to, aside.Bytes(data)); err != nil {
				return err
			}
			r.Written = append(r.Written, name)
		default:
			return err
		}
		written[name] = sum
		return nil
	})
	if err != nil {
		return r, fmt.Errorf("course: %w", err)
	}
	data, err := json.MarshalIndent(written, "", " ")
	if err == nil {
		err = aside.WriteFile(filepath.Join(dir, record), aside.Bytes(append(data, '\n')))
	}
	if err != nil {
		return r, fmt.Errorf("course: %w", err)
	}
	return r, nil
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

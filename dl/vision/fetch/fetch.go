// Package fetch downloads the data sets of package vision and the weights of
// package models. Importing it, for its effect, is enough:
//
//	import _ "github.com/holt-dl/holt/dl/vision/fetch"
//
// It is a package of its own because it links network code, which a cell that
// reads pictures does not need.
package fetch

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"

	"github.com/holt-dl/holt/internal/download"
	"github.com/holt-dl/holt/internal/hooks"
)

func init() {
	hooks.Set(func(h *hooks.Hooks) { h.Archive, h.Weights = Archive, Weights })
}

// client is nil but in tests.
var client *http.Client

// Archive downloads a into root and checks it. One with a Folder is unpacked
// beside its place and renamed, and then removed. A download that was cut is
// continued by the next call.
func Archive(ctx context.Context, a hooks.Archive, root string, progress func(done, total int64)) error {
	to, bring := path.Base(a.URL), fmt.Sprintf("unpack it in %q", root)
	if a.Folder == "" {
		to, bring = a.File, fmt.Sprintf("put it at %q", filepath.Join(root, a.File))
	}
	file := download.File{URL: a.URL, Path: filepath.Join(root, to), Size: a.Size, SHA256: a.SHA256, Client: client, Progress: progress}
	if a.MD5 != "" {
		file.SHA256, file.Sum, file.SumName = a.MD5, md5.New, "md5"
	}
	if err := file.Get(ctx); err != nil {
		if errors.Is(err, download.ErrOffline) {
			err = fmt.Errorf("%w; bring %s from another machine, %s, and try again", err, a.URL, bring)
		}
		return fmt.Errorf("vision: %w", err)
	}
	if a.Folder == "" {
		os.Remove(file.Path + ".lock")
		return nil
	}
	if err := unpack(ctx, file.Path, root, a.Folder); err != nil {
		return fmt.Errorf("vision: unpack %s: %w", file.Path, err)
	}
	os.Remove(file.Path)
	os.Remove(file.Path + ".lock")
	return nil
}

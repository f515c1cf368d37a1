// Package fetch downloads the data sets of package vision and the weights of
// package models. Importing it, for its effect, is enough:
//
//	import _ "github.com/holt-dl/holt/dl/vision/fetch"
//
// It is a package of its own because it links network code, which a cell that
// reads pictures does not need.
package fetch

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt/dl/vision"
	"github.com/holt-dl/holt/dl/vision/models"
	"github.com/holt-dl/holt/internal/download"
)

func init() {
	vision.RegisterFetcher(Archive)
	models.RegisterFetcher(Weights)
}

// client is nil but in tests.
var client *http.Client

// Archive downloads a into root and checks it. One with a Folder is unpacked
// beside its place and renamed, and then removed. A download that was cut is
// continued by the next call.
func Archive(ctx context.Context, a vision.Archive, root string, progress func(done, total int64)) error {
	to, bring := path.Base(a.URL), fmt.Sprintf("unpack it in %q", root)
	if a.Folder == "" {
		to, bring = a.File, fmt.Sprintf("put it at %q", filepath.Join(root, a.File))
	}
	file := download.File{URL: a.URL, Path: filepath.Join(root, to), Size: a.Size, SHA256: a.MD5, Sum: md5.New, SumName: "md5",
		Client: client, Progress: progress}
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

// Limits of an archive, above those of the data sets: CIFAR-10 has 8 entries
// and grows from 170 to 184 MB.
const (
	maxEntries = 10_000
	maxRatio   = 20
)

// unpack extracts the folder of a .tar.gz file to root/folder, whole or not
// at all. Regular files and folders only; an entry that leaves the folder is
// an error.
func unpack(ctx context.Context, archive, root, folder string) (err error) {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	aside, err := os.MkdirTemp(root, "."+folder+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	in, err := os.OpenRoot(aside)
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	left := info.Size()*maxRatio + 1<<20
	for r, n := tar.NewReader(z), 0; ; n++ {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if n == maxEntries {
			return fmt.Errorf("more than %d entries", maxEntries)
		}
		name := path.Clean(h.Name)
		switch h.Typeflag {
		case tar.TypeXGlobalHeader:
			continue
		case tar.TypeDir:
			if err := in.MkdirAll(name, 0o755); err != nil {
				return fmt.Errorf("%q: %w", h.Name, err)
			}
			continue
		case tar.TypeReg:
		default:
			return fmt.Errorf("%q: entry is of type %q, want files and folders only", h.Name, h.Typeflag)
		}
		if name != folder && !strings.HasPrefix(name, folder+"/") {
			return fmt.Errorf("%q: entry is outside of %s", h.Name, folder)
		}
		if left -= h.Size; left < 0 {
			return fmt.Errorf("%q: the archive grows beyond %d times its size", h.Name, maxRatio)
		}
		if err := write(ctx, in, name, r); err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
	}
	if _, err := in.Stat(folder); err != nil {
		return fmt.Errorf("it does not hold %s", folder)
	}
	place := filepath.Join(root, folder)
	old := aside + "-old" // what was there was incomplete: it makes way
	if err := os.Rename(place, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	defer os.RemoveAll(old)
	return os.Rename(filepath.Join(aside, folder), place)
}

func write(ctx context.Context, in *os.Root, name string, r io.Reader) (err error) {
	if err := in.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	w, err := in.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if e := w.Close(); err == nil {
			err = e
		}
	}()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.CopyN(w, r, 1<<20); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

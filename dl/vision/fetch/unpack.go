package fetch

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt/internal/aside"
)

// Limits of an archive, above those of the data sets: CIFAR-10 has 8 entries
// and grows from 170 to 184 MB, the ants and bees have some 400.
const (
	maxEntries = 10_000
	maxRatio   = 20
)

// unpack extracts the folder of a .tar.gz or .zip file to root/folder, whole or not
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
	return aside.Folder(filepath.Join(root, folder), func(path string) error {
		in, err := os.OpenRoot(filepath.Dir(path))
		if err != nil {
			return err
		}
		defer in.Close()
		x := extraction{ctx: ctx, in: in, folder: folder, left: info.Size()*maxRatio + 1<<20}
		if strings.EqualFold(filepath.Ext(archive), ".zip") {
			err = x.zip(f, info.Size())
		} else {
			err = x.tar(f)
		}
		if err != nil {
			return err
		}
		if _, err := in.Stat(folder); err != nil {
			return fmt.Errorf("it does not hold %s", folder)
		}
		return nil
	})
}

// extraction writes the entries of one archive into a folder.
type extraction struct {
	ctx    context.Context
	in     *os.Root // nothing is written outside of it, whatever an entry is called
	folder string   // that all files lie in
	left   int64    // bytes that the entries may still have
	n      int      // entries so far
}

func (x *extraction) tar(r io.Reader) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeXGlobalHeader:
			continue
		case tar.TypeDir:
			err = x.makeFolder(h.Name)
		case tar.TypeReg:
			err = x.write(h.Name, r)
		default:
			err = fmt.Errorf("entry is of type %q, want files and folders only", h.Typeflag)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
	}
}

func (x *extraction) zip(r io.ReaderAt, size int64) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return err
	}
	for _, e := range z.File {
		switch mode := e.Mode(); {
		case strings.HasPrefix(e.Name, "__MACOSX/"): // macOS adds it, beside the folder
		case mode.IsDir():
			err = x.makeFolder(e.Name)
		case mode.IsRegular():
			var body io.ReadCloser
			if body, err = e.Open(); err == nil {
				err = x.write(e.Name, body)
				body.Close()
			}
		default:
			err = fmt.Errorf("entry is of mode %v, want files and folders only", mode)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", e.Name, err)
		}
	}
	return nil
}

func (x *extraction) count() error {
	if x.n++; x.n > maxEntries {
		return fmt.Errorf("the archive has more than %d entries", maxEntries)
	}
	return x.ctx.Err()
}

func (x *extraction) makeFolder(name string) error {
	if err := x.count(); err != nil {
		return err
	}
	return x.in.MkdirAll(path.Clean(name), 0o777)
}

func (x *extraction) write(name string, r io.Reader) (err error) {
	if err := x.count(); err != nil {
		return err
	}
	if name = path.Clean(name); name != x.folder && !strings.HasPrefix(name, x.folder+"/") {
		return fmt.Errorf("entry is outside of %s", x.folder)
	}
	if err := x.in.MkdirAll(path.Dir(name), 0o777); err != nil {
		return err
	}
	w, err := x.in.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if e := w.Close(); err == nil {
			err = e
		}
	}()
	for {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		n, err := io.CopyN(w, r, min(1<<20, x.left+1))
		if x.left -= n; x.left < 0 { // what is there counts, not what a header says
			return fmt.Errorf("the archive grows beyond %d times its size", maxRatio)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

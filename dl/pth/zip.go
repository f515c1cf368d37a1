package pth

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"slices"
	"strings"
)

// openZip reads the pickle of a zip archive.
func openZip(f io.ReaderAt, size int64) (any, source, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, nil, corrupt("the zip archive cannot be read (%v)", err)
	}
	a := &archive{files: map[string]*zip.File{}, size: size}
	code := false
	for _, e := range z.File {
		if a.files[e.Name] != nil {
			return nil, nil, corrupt("the archive holds %q twice", e.Name)
		}
		a.files[e.Name] = e
		if folder, name := path.Split(e.Name); name == "data.pkl" && strings.Count(folder, "/") <= 1 {
			a.folder = folder
		}
		code = code || strings.Contains("/"+e.Name, "/code/")
	}
	if a.files[a.folder+"data.pkl"] == nil {
		return nil, nil, fmt.Errorf("the archive has no data.pkl: %w", ErrCorrupt)
	}
	if code && a.files[a.folder+"constants.pkl"] != nil {
		return nil, nil, fmt.Errorf("it is a TorchScript program, of torch.jit.save: %w; "+
			`save its weights in Python: torch.save(torch.jit.load(path).state_dict(), "weights.pth")`, ErrRefused)
	}
	if a.files[a.folder+"byteorder"] != nil {
		order, err := a.bytes("byteorder", 100)
		if err != nil {
			return nil, nil, err
		}
		switch string(order) {
		case "little":
		case "big":
			a.big = true
		default:
			return nil, nil, corrupt("its byte order is %.10q, want little or big", order)
		}
	}
	pickle, err := a.bytes("data.pkl", maxPickle)
	if err != nil {
		return nil, nil, err
	}
	top, _, err := unpickle(bufio.NewReader(bytes.NewReader(pickle)), maxPickle)
	return top, a, err
}

// archive is a zip archive as a source.
type archive struct {
	files  map[string]*zip.File
	folder string
	size   int64 // of the whole file
	big    bool  // the first byte of a number is the most significant
}

// bytes reads an entry of at most so many bytes. Torch stores entries as they
// are; those of an archive that was packed again may be compressed.
func (a *archive) bytes(name string, most int64) ([]byte, error) {
	e := a.files[a.folder+name]
	if e == nil {
		return nil, corrupt("the archive has no %s", name)
	}
	n := e.UncompressedSize64
	if e.Method == zip.Store && (n != e.CompressedSize64 || n > uint64(a.size)) || n > uint64(max(most, a.size)) {
		return nil, corrupt("%s is of %d bytes in a file of %d", name, n, a.size)
	}
	r, err := e.OpenRaw()
	if err != nil {
		return nil, corrupt("%s cannot be read (%v)", name, err)
	}
	switch e.Method {
	case zip.Store:
	case zip.Deflate:
		r = flate.NewReader(r)
	default:
		return nil, fmt.Errorf("%s is compressed by method %d of zip, want it stored or deflated; save the file again with torch.save", name, e.Method)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, corrupt("%s ends early (%v)", name, err)
	}
	if more, _ := r.Read(make([]byte, 1)); more > 0 {
		return nil, corrupt("%s is longer than %d bytes", name, n)
	}
	// Without a checksum there is none to compare: torch writes such files
	// after torch.serialization.set_crc32_options(False).
	if e.CRC32 != 0 && e.CRC32 != crc32.ChecksumIEEE(b) {
		return nil, corrupt("%s has another checksum than the archive says", name)
	}
	return b, nil
}

func (a *archive) load(s *storage) ([]byte, error) {
	n := s.bytes()
	if e := a.files[a.folder+"data/"+s.key]; e != nil && e.UncompressedSize64 != uint64(n) {
		return nil, corrupt("storage %q has %d bytes, want %d", s.key, e.UncompressedSize64, n)
	}
	b, err := a.bytes("data/"+s.key, repeats*a.size)
	if err == nil && a.big {
		err = s.swap(b)
	}
	return b, err
}

func (a *archive) order(all []*storage) []*storage {
	slices.SortFunc(all, func(x, y *storage) int { return strings.Compare(x.key, y.key) })
	return all
}

// swap turns the bytes of each number.
func (s *storage) swap(b []byte) error {
	n := cmp.Or(s.element, s.kind.size)
	if int64(len(b))%n != 0 {
		return corrupt("storage %q has %d bytes, want a multiple of %d", s.key, len(b), n)
	}
	for ; len(b) > 0; b = b[n:] {
		slices.Reverse(b[:n])
	}
	return nil
}

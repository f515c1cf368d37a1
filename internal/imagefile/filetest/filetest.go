// Package filetest tests decoders with files that Pillow wrote or reads:
// ../testdata/files.py made them.
package filetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/holt-dl/holt/internal/imagefile"
)

// File is a picture file, and what Pillow reads in it.
type File struct {
	Name, Format, Mode         string
	Width, Height, Orientation int
	File                       []byte
	RGB                        string // SHA-256 of convert("RGB").tobytes()
}

// Files returns the files of a format, in PIL's word, or all for "".
func Files(t testing.TB, format string) (files []File) {
	t.Helper()
	_, self, _, _ := runtime.Caller(0)
	data, err := os.ReadFile(filepath.Join(filepath.Dir(self), "..", "testdata", "files.json"))
	if err != nil {
		t.Fatal(err)
	}
	var ref struct{ Rows []File }
	if err := json.Unmarshal(data, &ref); err != nil {
		t.Fatal(err)
	}
	for _, f := range ref.Rows {
		if format == "" || f.Format == format {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		t.Fatalf("files.json has no file of format %q", format)
	}
	return files
}

// Sum is the hash of pixels, planes outermost, in Pillow's order.
func Sum(pix []uint8) string {
	n := len(pix) / 3
	last := make([]byte, 0, len(pix))
	for i := range n {
		last = append(last, pix[i], pix[n+i], pix[2*n+i])
	}
	sum := sha256.Sum256(last)
	return hex.EncodeToString(sum[:])
}

// MaxPixels is what decoders are allowed here: a few megabytes.
const MaxPixels = 1 << 20

// Decode is a decoder.
type Decode func(file []byte, fits func(w, h int) error) (*imagefile.Picture, error)

// Try decodes a file that may be damaged. What comes back must be an error or
// a picture of the size that fits was asked about; Try returns the error.
func Try(t testing.TB, decode Decode, file []byte) error {
	t.Helper()
	var w, h int
	p, err := decode(file, func(width, height int) error {
		w, h = width, height
		if w < 1 || h < 1 || w > MaxPixels/h {
			return fmt.Errorf("picture is %d×%d", h, w)
		}
		return nil
	})
	switch {
	case err != nil:
		if err.Error() == "" {
			t.Errorf("error without a text for %q", file[:min(len(file), 64)])
		}
	case p.Mode == "" || p.Image.Bounds().Dx() != w || p.Image.Bounds().Dy() != h:
		t.Errorf("picture is %v of mode %q, asked about %d×%d", p.Image.Bounds(), p.Mode, w, h)
	default:
		b := p.Image.Bounds()
		p.Image.At(b.Max.X-1, b.Max.Y-1)
	}
	return err
}

// Cut decodes every beginning of the files. Less than half of one is an error.
func Cut(t *testing.T, decode Decode, format string) {
	for _, f := range Files(t, format) {
		for n := range f.File {
			if err := Try(t, decode, f.File[:n]); err == nil && n < len(f.File)/2 {
				t.Errorf("%s: %d of %d bytes are a picture", f.Name, n, len(f.File))
			}
		}
	}
}

// Flipped decodes the files with one bit turned, in 256 places over the file.
func Flipped(t *testing.T, decode Decode, format string) {
	for _, f := range Files(t, format) {
		step := max(len(f.File)/256, 1)
		for at := 0; at < len(f.File); at += step {
			b := bytes.Clone(f.File)
			b[at] ^= 1 << (at % 7)
			Try(t, decode, b)
		}
	}
}

// Fuzz starts with the files of a format.
func Fuzz(f *testing.F, decode Decode, format string) {
	for _, file := range Files(f, format) {
		f.Add(file.File)
	}
	f.Fuzz(func(t *testing.T, file []byte) { Try(t, decode, file) })
}

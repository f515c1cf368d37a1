package gif

import (
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/imagefile/filetest"
	"github.com/holt-dl/holt/internal/limit"
)

// That pixels are Pillow's is tested where all formats are: in dl/vision.

func TestTruncated(t *testing.T) { filetest.Cut(t, Decode, "GIF") }

func TestFlipped(t *testing.T) { filetest.Flipped(t, Decode, "GIF") }

func FuzzDecode(f *testing.F) { filetest.Fuzz(f, Decode, "GIF") }

func fits(int, int) error { return nil }

func TestErrors(t *testing.T) {
	for _, tt := range []struct{ file, err string }{
		{"GIF88a", "invalid GIF format: no header of a GIF file"},
		{"GIF89a", "unexpected EOF"},
		{"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "invalid GIF format: the file holds no picture"},
		{"GIF89a\x01\x00\x01\x00\x80\x00\x00abc", "unexpected EOF"},
		{"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x0c\x01\x00\x00", "invalid GIF format: codes begin with 12 bits"},
		{"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01\x07\x00", "invalid GIF format: bad code in the pixels"},
		{"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01\x05\x00", "unexpected EOF"},
	} {
		if _, err := Decode([]byte(tt.file), fits); err == nil || err.Error() != tt.err {
			t.Errorf("%q: error is %v, want %s", tt.file[:min(len(tt.file), 40)], err, tt.err)
		}
	}
}

// A short file that promises a large picture is refused before memory is taken
// for it.
func TestBombs(t *testing.T) {
	if !limit.Memory(t, 64<<20) {
		return
	}
	for _, file := range []string{
		"GIF89a\x28\x23\x28\x23\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01\x00\x00",
		"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x28\x23\x28\x23\x00\x02\x01\x00\x00",
	} {
		if _, err := Decode([]byte(file), fits); err == nil || !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "too few for a picture") {
			t.Errorf("%q: error is %v", file[:min(len(file), 20)], err)
		}
	}
}

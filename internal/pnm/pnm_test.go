package pnm

import (
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/imagefile/filetest"
	"github.com/holt-dl/holt/internal/limit"
)

// That pixels are Pillow's is tested where all formats are: in dl/vision.

func TestTruncated(t *testing.T) { filetest.Cut(t, Decode, "PPM") }

func TestFlipped(t *testing.T) { filetest.Flipped(t, Decode, "PPM") }

func FuzzDecode(f *testing.F) { filetest.Fuzz(f, Decode, "PPM") }

func fits(int, int) error { return nil }

func TestErrors(t *testing.T) {
	for _, tt := range []struct{ file, err string }{
		{"P9 1 1", "invalid PPM format: no header of a PBM, PGM, PPM or PFM file"},
		{"P7\nWIDTH 3", "PAM (P7) is not read here; convert it, to a PPM for example"},
		{"PF\n1 1\n", "PFM of three channels (PF) is not read here; convert it, to a TIFF for example"},
		{"P5 2", "unexpected EOF"},
		{"P5 2 2 0\nabcd", "invalid PPM format: largest value is 0, want 1 to 65535"},
		{"P5 2 2 65536\nabcd", "invalid PPM format: largest value is 65536, want 1 to 65535"},
		{"P5 2 -2 255\nabcd", `invalid PPM format: "-2" is no number of 0 to 2147483647`},
		{"P5 2 12345678901 255\nabcd", `invalid PPM format: "12345678901" begins a word that is too long for a number`},
		{"P5 2 2 255\nabc", "unexpected EOF"},
		{"P2 2 1 9\n3 10", "invalid PPM format: a sample is 10, and the largest value 9"},
		{"P2 2 1 9\n3 x", `invalid PPM format: "x" is no number of 0 to 2147483647`},
		{"P1 2 1\n12", "invalid PPM format: '2' among the bits of a plain PBM"},
		{"P1 2 1\n1 ", "unexpected EOF"},
		{"Pf 1 1 0\nabcd", `invalid PPM format: scale is "0", want a number that is not 0`},
		{"Pf 1 1 inf\nabcd", `invalid PPM format: scale is "inf", want a number that is not 0`},
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
		"P6 9000 9000 255\n",
		"P5 9000 9000 65535\n",
		"P4 90000 9000\n",
		"P1 90000 9000\n",
		"P3 9000 9000 9\n1 1 1",
		"Pf 9000 9000 1\n",
	} {
		if _, err := Decode([]byte(file), fits); err == nil || !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "too few for a picture") {
			t.Errorf("%q: error is %v", file[:min(len(file), 20)], err)
		}
	}
}

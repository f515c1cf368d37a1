package webp

import (
	"bytes"
	"errors"
	"image"
	"io"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/imagefile/filetest"
	"github.com/holt-dl/holt/internal/limit"
)

// That pixels are Pillow's is tested where all formats are: in dl/vision.

func TestTruncated(t *testing.T) { filetest.Cut(t, Decode, "WEBP") }

func TestFlipped(t *testing.T) { filetest.Flipped(t, Decode, "WEBP") }

func FuzzDecode(f *testing.F) { filetest.Fuzz(f, Decode, "WEBP") }

// Transparent pixels keep the colour that the file has for them.
func TestAlphaIsNotMultiplied(t *testing.T) {
	for _, f := range filetest.Files(t, "WEBP") {
		if f.Name != "lossy with alpha" {
			continue
		}
		p, err := Decode(f.File, func(int, int) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		m, ok := p.Image.(*image.NRGBA)
		if !ok || p.Mode != "RGBA" || m.Opaque() {
			t.Fatalf("picture is %T of mode %s, want a transparent one", p.Image, p.Mode)
		}
	}
}

func TestErrors(t *testing.T) {
	fits := func(int, int) error { return nil }
	huge := errors.New("too large")
	chunk := func(kind, body string) string {
		return kind + string([]byte{byte(len(body)), 0, 0, 0}) + body
	}
	file := func(chunks ...string) []byte {
		body := "WEBP" + strings.Join(chunks, "")
		return []byte("RIFF" + string([]byte{byte(len(body)), 0, 0, 0}) + body)
	}
	canvas := func(flags, w, h byte) string {
		return chunk("VP8X", string([]byte{flags, 0, 0, 0, w - 1, 0, 0, h - 1, 0, 0}))
	}
	lossless := chunk("VP8L", "\x2f\x02\x00\x00\x00\x00") // 3×1
	for _, tt := range []struct {
		file []byte
		err  string
	}{
		{[]byte("RIFFxxxxWAVE"), "invalid WebP format: no RIFF header of a WebP file"},
		{file(), "WebP file holds no picture: unexpected EOF"},
		{file(canvas(hasAnimation, 9, 9)), "WebP file holds no picture: unexpected EOF"},
		{file(canvas(hasAnimation, 9, 9), lossless), "invalid WebP format: animation without frames"},
		{file(canvas(0, 9, 9), lossless), "invalid WebP format: picture is 1×3 on a canvas of 9×9"},
		{file(canvas(0, 9, 9), canvas(0, 9, 9)), "invalid WebP format: VP8X chunk is too short or not the only one"},
		{file(chunk("VP8 ", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")), "invalid WebP format: VP8 frame has no start code"},
		{file(canvas(hasAnimation, 9, 9), chunk("ANMF", strings.Repeat("\x09", 16))), "invalid WebP format: first frame of the animation is beyond the canvas"},
	} {
		if _, err := Decode(tt.file, fits); err == nil || err.Error() != tt.err {
			t.Errorf("error is %v, want %s", err, tt.err)
		}
	}
	for _, f := range filetest.Files(t, "WEBP") {
		if _, err := Decode(f.File, func(int, int) error { return huge }); err != huge {
			t.Errorf("%s: error is %v, want that of fits", f.Name, err)
		}
		// Of some files the end is not the picture: other frames, or Exif.
		if _, err := Decode(f.File[:len(f.File)-9], fits); !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(f.Name, "animated") && !strings.Contains(f.Name, "turned") {
			t.Errorf("%s, cut: error is %v", f.Name, err)
		}
	}
}

// A canvas of 16383 × 5000 with a frame of one pixel is refused before it is
// allocated.
func TestBombs(t *testing.T) {
	if !limit.Memory(t, 64<<20) {
		return
	}
	var still []byte
	for _, f := range filetest.Files(t, "WEBP") {
		if f.Name == "lossy 1x1" {
			still = f.File[12:]
		}
	}
	frame := append(make([]byte, 16), still...)
	head := "VP8X\x0a\x00\x00\x00\x02\x00\x00\x00\xfe\x3f\x00\x87\x13\x00"
	body := "WEBP" + head + "ANMF" + string([]byte{byte(len(frame)), byte(len(frame) >> 8), 0, 0}) + string(frame)
	file := append([]byte("RIFF\xff\xff\x00\x00"), body...)
	_, err := Decode(bytes.Clone(file), func(int, int) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "too few for a picture of 5000×16383") {
		t.Errorf("error is %v", err)
	}
}

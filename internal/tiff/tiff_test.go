package tiff

import (
	"encoding/binary"
	"errors"
	"image"
	"io"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/imagefile"
	"github.com/holt-dl/holt/internal/imagefile/filetest"
	"github.com/holt-dl/holt/internal/limit"
)

// That pixels are Pillow's is tested where all formats are: in dl/vision.

func TestTruncated(t *testing.T) {
	decode := Decode
	for _, f := range filetest.Files(t, "TIFF") {
		for n := 0; n < len(f.File); n += 7 {
			// A directory at the file's beginning leaves pixels to be cut off.
			if err := filetest.Try(t, decode, f.File[:n]); err == nil && n < len(f.File)/2 {
				t.Errorf("%s: %d of %d bytes are a picture", f.Name, n, len(f.File))
			}
		}
	}
}

func TestFlipped(t *testing.T) { filetest.Flipped(t, Decode, "TIFF") }

func FuzzDecode(f *testing.F) { filetest.Fuzz(f, Decode, "TIFF") }

// file is a TIFF file of one strip, with these tags of type LONG.
func file(strip []byte, tags ...[2]uint32) []byte {
	tags = append(tags, [2]uint32{tagStripOffsets, 8}, [2]uint32{tagStripCounts, uint32(len(strip))})
	b := append([]byte("II*\x00"), binary.LittleEndian.AppendUint32(nil, uint32(8+len(strip)))...)
	b = append(b, strip...)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(tags)))
	for _, t := range tags {
		b = binary.LittleEndian.AppendUint16(b, uint16(t[0]))
		b = binary.LittleEndian.AppendUint16(b, 4)
		b = binary.LittleEndian.AppendUint32(b, 1)
		b = binary.LittleEndian.AppendUint32(b, t[1])
	}
	return append(b, 0, 0, 0, 0)
}

func fits(int, int) error { return nil }

func TestErrors(t *testing.T) {
	tags := func(more ...[2]uint32) [][2]uint32 {
		return append([][2]uint32{{tagWidth, 4}, {tagHeight, 2}, {tagBits, 8}, {tagPhotometric, blackIsZero}}, more...)
	}
	const end = " is not read here; convert it, to a PNG for example"
	for _, tt := range []struct {
		file []byte
		err  string
	}{
		{[]byte("II*"), "invalid TIFF format: no header of a TIFF file"},
		{[]byte("II*\x00\xff\xff\xff\xff"), "unexpected EOF"},
		{file(make([]byte, 8)), "invalid TIFF format: the picture has no size"},
		{file(make([]byte, 7), tags()...)[:30], "unexpected EOF"},
		{file(make([]byte, 8), tags([2]uint32{tagRows, 0})...), "invalid TIFF format: strips or tiles are 0×4 pixels"},
		{file(make([]byte, 8), tags([2]uint32{tagRows, 1})...), "invalid TIFF format: 1 strips or tiles, want 2"},
		{file(make([]byte, 8), tags([2]uint32{tagCompression, 34925})...), "TIFF with compression LZMA" + end},
		{file(make([]byte, 8), tags([2]uint32{tagCompression, 50001})...), "TIFF with compression WebP" + end},
		{file(make([]byte, 8), tags([2]uint32{tagCompression, 6})...), "TIFF with compression old-style JPEG" + end},
		{file(make([]byte, 8), tags([2]uint32{tagCompression, 4242})...), "TIFF with compression 4242" + end},
		{file(make([]byte, 8), [2]uint32{tagWidth, 4}, [2]uint32{tagHeight, 2}, [2]uint32{tagPhotometric, 8}), "TIFF with CIELab colours" + end},
		{file(make([]byte, 8), [2]uint32{tagWidth, 4}, [2]uint32{tagHeight, 2}, [2]uint32{tagPhotometric, 77}), "TIFF with photometric interpretation 77" + end},
		{file(make([]byte, 64), [2]uint32{tagWidth, 4}, [2]uint32{tagHeight, 2}, [2]uint32{tagBits, 64}, [2]uint32{tagPhotometric, 1}, [2]uint32{tagFormat, 3}),
			"TIFF with 1 samples of floating point of 64 bits (photometric interpretation 1, extra samples [])" + end},
		{file(make([]byte, 8), tags([2]uint32{tagSamples, 9})...), "TIFF with 9 samples for each pixel" + end},
		{file([]byte("\x00\x01aaaaaa"), tags([2]uint32{tagCompression, 5})...), "TIFF with compression LZW of the old style" + end},
		{file([]byte("x"), tags([2]uint32{tagCompression, 8})...), "unexpected EOF"},
		{file(make([]byte, 8), tags([2]uint32{tagCompression, 4})...), "invalid TIFF format: CCITT compression of pixels that are not black and white"},
	} {
		if _, err := Decode(tt.file, fits); err == nil || err.Error() != tt.err {
			t.Errorf("error is %v, want %s", err, tt.err)
		}
	}
	huge := errors.New("too large")
	good := file(make([]byte, 8), tags()...)
	if _, err := Decode(good, func(w, h int) error { return huge }); err != huge {
		t.Errorf("error is %v, want that of fits", err)
	}
	if _, err := Decode(good, fits); err != nil {
		t.Error(err)
	}
	if _, err := Decode(file([]byte("\x07aaaaaa"), tags([2]uint32{tagCompression, packBits})...), fits); err != io.ErrUnexpectedEOF {
		t.Errorf("error is %v", err)
	}
}

// Values with a sign and of floating point are those of the file.
func TestNumbers(t *testing.T) {
	strip := []byte{0xff, 0xff, 0x2c, 0x01, 0x00, 0x80, 0xff, 0x7f}
	p, err := Decode(file(strip, [2]uint32{tagWidth, 2}, [2]uint32{tagHeight, 2}, [2]uint32{tagBits, 16}, [2]uint32{tagPhotometric, 1}, [2]uint32{tagFormat, 2}), fits)
	if err != nil {
		t.Fatal(err)
	}
	m, ok := p.Image.(*imagefile.Numbers)
	if !ok || p.Mode != "I" || len(m.Pix) != 4 || m.Pix[0] != -1 || m.Pix[1] != 300 || m.Pix[2] != -32768 || m.Pix[3] != 32767 {
		t.Errorf("picture is %v of mode %s", p.Image, p.Mode)
	}
	if m.Bounds() != image.Rect(0, 0, 2, 2) {
		t.Errorf("bounds are %v", m.Bounds())
	}
}

// Small files that promise large pictures are refused before memory is taken
// for them, and data that would grow is read as far as the picture needs it.
func TestBombs(t *testing.T) {
	if !limit.Memory(t, 96<<20) {
		return
	}
	side := [][2]uint32{{tagWidth, 9000}, {tagHeight, 9000}, {tagBits, 16}, {tagPhotometric, 1}}
	for _, compression := range []uint32{uncompressed, lzwCoded, deflate, packBits} {
		_, err := Decode(file(make([]byte, 100), append(side, [2]uint32{tagCompression, compression})...), fits)
		if err == nil || !strings.Contains(err.Error(), "too few for a picture of 9000×9000") {
			t.Errorf("compression %d: %v", compression, err)
		}
	}
	tile := [][2]uint32{{tagWidth, 9}, {tagHeight, 9}, {tagBits, 8}, {tagPhotometric, 1}, {tagTileWidth, 65536}, {tagTileHeight, 65536}, {tagTileOffsets, 8}}
	bomb := file(make([]byte, 100), append(tile, [2]uint32{tagCompression, deflate})...)
	binary.LittleEndian.PutUint16(bomb[8+100+2+12*8:], 0xfff0) // no strips
	if _, err := Decode(bomb, fits); err == nil {
		t.Error("a tile of 65536×65536 is a picture")
	}
}

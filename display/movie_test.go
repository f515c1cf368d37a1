package display_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/display"
)

// chunks are the parts of a PNG file, whose sums it checks.
func chunks(t *testing.T, file []byte) (kinds []string, data map[string][][]byte) {
	t.Helper()
	data = map[string][][]byte{}
	for rest := file[8:]; len(rest) > 0; {
		n := binary.BigEndian.Uint32(rest)
		kind, part := string(rest[4:8]), rest[8:8+n]
		if sum := binary.BigEndian.Uint32(rest[8+n:]); sum != crc32.ChecksumIEEE(rest[4:8+n]) {
			t.Errorf("%s has the sum %x, want another", kind, sum)
		}
		if len(kinds) == 0 || kinds[len(kinds)-1] != kind {
			kinds = append(kinds, kind)
		}
		data[kind] = append(data[kind], part)
		rest = rest[12+n:]
	}
	return kinds, data
}

func file(t *testing.T, v any) []byte {
	t.Helper()
	b := display.Render(v)
	text, ok := b.Data["image/png"].(string)
	if !ok {
		t.Fatalf("no picture: %v", b.Data)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// filled is a picture of one colour.
func filled(w, h int, c color.Color) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, c)
		}
	}
	return m
}

func TestMovie(t *testing.T) {
	red, blue := color.NRGBA{R: 200, A: 255}, color.NRGBA{B: 200, A: 255}
	noise := image.NewNRGBA(image.Rect(0, 0, 32, 32)) // of more colours than a palette has
	for i := range noise.Pix {
		noise.Pix[i] = byte(i / 4 >> (i % 4 * 2)) // a pixel's number, in its red, green and blue
		if i%4 == 3 {
			noise.Pix[i] = 255
		}
	}
	tests := map[string]struct {
		movie  display.Movie
		size   image.Point
		colour byte // PNG's type of colour
		delay  uint16
	}{
		"few colours":   {display.Movie{Frames: []any{filled(320, 300, red), filled(320, 300, blue)}}, image.Pt(640, 600), 3, 500},
		"several sizes": {display.Movie{Frames: []any{filled(320, 240, red), filled(240, 300, blue)}, Each: 20 * time.Millisecond}, image.Pt(640, 600), 3, 20},
		"many colours":  {display.Movie{Frames: []any{noise, filled(224, 224, red)}}, image.Pt(448, 448), 6, 500},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			raw := file(t, test.movie)
			kinds, data := chunks(t, raw)
			want := "IHDR acTL PLTE IDAT fcTL fdAT fcTL fdAT IEND"
			if test.colour == 6 {
				want = "IHDR acTL IDAT fcTL fdAT fcTL fdAT IEND"
			}
			// Transparency of a palette is a part of its own, where frames leave room.
			if got := strings.ReplaceAll(strings.Join(kinds, " "), "tRNS ", ""); got != want {
				t.Errorf("the parts are %s, want %s", got, want)
			}
			header := data["IHDR"][0]
			if got := image.Pt(int(binary.BigEndian.Uint32(header)), int(binary.BigEndian.Uint32(header[4:]))); got != test.size || header[9] != test.colour {
				t.Errorf("size %v and colour %d, want %v and %d", got, header[9], test.size, test.colour)
			}
			if frames := binary.BigEndian.Uint32(data["acTL"][0]); frames != 2 {
				t.Errorf("%d frames, want 2", frames)
			}
			sequence := uint32(0)
			for i, control := range data["fcTL"] {
				if n := binary.BigEndian.Uint32(control); n < sequence {
					t.Errorf("frame %d has the number %d, want one from %d", i, n, sequence)
				}
				sequence = binary.BigEndian.Uint32(control) + 1
				if delay, of := binary.BigEndian.Uint16(control[20:]), binary.BigEndian.Uint16(control[22:]); delay != test.delay || of != 1000 {
					t.Errorf("frame %d stays for %d/%d s, want %d/1000", i, delay, of, test.delay)
				}
			}
			still, err := png.Decode(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			wantStill := color.Color(blue)
			if test.colour == 6 {
				wantStill = red
			}
			if got := color.NRGBAModel.Convert(still.At(5, 5)); got != wantStill {
				t.Errorf("where no frames are known there is %v, want the last frame, %v", got, wantStill)
			}
		})
	}
}

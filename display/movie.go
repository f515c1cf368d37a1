package display

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/holt-dl/holt/internal/frame"
)

// Movie is a moving picture: its frames one after the other, again and again.
//
//	display.Movie{Frames: []any{before, after}, Each: time.Second}
//
// Frames of different sizes have their upper left corners in one place. The picture is
// a PNG with frames (APNG), which browsers move; a PDF, say, shows the last frame.
type Movie struct {
	Frames []any         // each is drawn as a picture, as a [Figure] or a [Grid] is; at most 200
	Each   time.Duration // how long a frame stays, from 0.01 s on and below a minute; 0 means half a second
}

const (
	maxFrames = 200
	// maxMoved is how many pixels the frames may have in all; each takes four bytes, and
	// again as many while they are written.
	maxMoved = 1 << 25
)

func (m Movie) bundle() (frame.Bundle, error) {
	if len(m.Frames) == 0 || len(m.Frames) > maxFrames {
		return frame.Bundle{}, fmt.Errorf("display: Movie: there are %d frames, want 1 to %d", len(m.Frames), maxFrames)
	}
	var frames []image.Image
	var texts []string
	pixels := 0
	for i, v := range m.Frames {
		b, err := render(v)
		if err != nil {
			return frame.Bundle{}, fmt.Errorf("display: Movie: frame %d: %w", i, err)
		}
		picture, err := asShown(b)
		if err != nil {
			return frame.Bundle{}, fmt.Errorf("display: Movie: frame %d, a %s, %w", i, typeName(reflect.TypeOf(v)), err)
		}
		size := picture.Bounds().Size()
		if pixels += size.X * size.Y; pixels > maxMoved {
			return frame.Bundle{}, fmt.Errorf("display: Movie: the first %d frames have %d million pixels, want at most %d million in all; draw them smaller, or fewer",
				i+1, pixels>>20, maxMoved>>20)
		}
		frames = append(frames, picture)
		text, _, _ := strings.Cut(fmt.Sprint(b.Data["text/plain"]), "\n")
		if len(texts) == 0 || texts[len(texts)-1] != text {
			texts = append(texts, text)
		}
	}
	return moving(frames, m.Each, fmt.Sprintf("moving picture of %d frames\n%s", len(frames), strings.Join(texts, "\n")))
}

// asShown is the picture of a bundle, with [scale] pixels for each that it takes on the page.
func asShown(b frame.Bundle) (image.Image, error) {
	const kind = "image/png"
	data, ok := b.Data[kind].(string)
	if !ok {
		return nil, errors.New("is not drawn as a picture; want one that is")
	}
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, fmt.Errorf("has a picture that is not in base64: %w", err)
	}
	m, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("has a picture that cannot be read: %w", err)
	}
	meta, _ := b.Metadata[kind].(map[string]any)
	width, _ := meta["width"].(int)
	height, _ := meta["height"].(int)
	if width < 1 || height < 1 { // a type's own picture, which is shown pixel by pixel
		width, height = m.Bounds().Dx(), m.Bounds().Dy()
	}
	return enlargeTo(m, width*scale, height*scale), nil
}

// moving shows pictures one after the other.
func moving(frames []image.Image, each time.Duration, text string) (frame.Bundle, error) {
	if each == 0 {
		each = 500 * time.Millisecond
	}
	if each < 10*time.Millisecond || each >= time.Minute {
		return frame.Bundle{}, fmt.Errorf("display: Movie: Each is %v, want a hundredth of a second to a minute", each)
	}
	var size image.Point
	for _, m := range frames {
		size.X, size.Y = max(size.X, m.Bounds().Dx()), max(size.Y, m.Bounds().Dy())
	}
	raw, err := apng(alike(frames, size), each)
	if err != nil {
		return frame.Bundle{}, err
	}
	return frame.PNG(raw, (size.X+scale-1)/scale, (size.Y+scale-1)/scale, text), nil
}

// alike makes pictures of one size that image/png writes in one way, which the frames of
// a file must share: with one palette where that is enough, else with 32 bits a pixel.
func alike(ms []image.Image, size image.Point) []image.Image {
	whole := make([]image.Image, len(ms))
	for i, m := range ms {
		whole[i] = m
		if b := m.Bounds(); b.Size() != size {
			larger := image.NewNRGBA(image.Rectangle{Max: size})
			for y := range b.Dy() {
				for x := range b.Dx() {
					larger.SetNRGBA(x, y, at(m, b.Min.X+x, b.Min.Y+y))
				}
			}
			whole[i] = larger
		}
	}
	if shared := sharedPalette(whole); shared != nil {
		for i, m := range shared {
			whole[i] = m
		}
		return whole
	}
	for i, m := range whole {
		whole[i] = withAlpha{m}
	}
	return whole
}

// withAlpha is a picture that image/png writes with an alpha channel even where it needs none.
type withAlpha struct{ image.Image }

func (withAlpha) Opaque() bool { return false }

// apng is a PNG with frames, https://www.w3.org/TR/png-3/#apng-frame-based-animation. The last
// frame is also the picture that programs show which know no frames. The frames are [alike].
func apng(frames []image.Image, each time.Duration) ([]byte, error) {
	var out bytes.Buffer
	chunk := func(kind string, data []byte) {
		binary.Write(&out, binary.BigEndian, uint32(len(data)))
		sum := crc32.NewIEEE()
		for _, part := range [][]byte{[]byte(kind), data} {
			out.Write(part)
			sum.Write(part)
		}
		binary.Write(&out, binary.BigEndian, sum.Sum32())
	}
	number := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	still, err := encodeChunks(frames[len(frames)-1])
	if err != nil {
		return nil, err
	}
	out.WriteString(pngSignature)
	for _, c := range still {
		if c.kind == "IEND" {
			break
		}
		chunk(c.kind, c.data)
		if c.kind == "IHDR" {
			chunk("acTL", append(number(len(frames)), number(0)...)) // again and again
		}
	}
	sequence := 0
	for _, m := range frames {
		size := m.Bounds().Size()
		control := slices.Concat(number(sequence), number(size.X), number(size.Y), number(0), number(0))
		control = binary.BigEndian.AppendUint16(control, uint16(each.Milliseconds()))
		control = binary.BigEndian.AppendUint16(control, 1000)
		chunk("fcTL", append(control, 0, 0)) // the frame takes the place of the last one, also where nothing is in it
		sequence++
		chunks, err := encodeChunks(m)
		if err != nil {
			return nil, err
		}
		for _, c := range chunks {
			if c.kind == "IDAT" {
				chunk("fdAT", append(number(sequence), c.data...))
				sequence++
			}
		}
	}
	chunk("IEND", nil)
	return out.Bytes(), nil
}

const pngSignature = "\x89PNG\r\n\x1a\n"

// A pngChunk is a part of a PNG file.
type pngChunk struct {
	kind string
	data []byte
}

// encodeChunks writes a picture as PNG.
func encodeChunks(m image.Image) (chunks []pngChunk, err error) {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return nil, fmt.Errorf("display: encode a frame of %v: %w", m.Bounds().Size(), err)
	}
	rest := b.Bytes()[len(pngSignature):]
	for len(rest) > 0 {
		n := binary.BigEndian.Uint32(rest)
		chunks = append(chunks, pngChunk{string(rest[4:8]), rest[8 : 8+n]})
		rest = rest[8+n+4:]
	}
	return chunks, nil
}

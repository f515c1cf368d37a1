package vision

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/hex"
	"io"
)

// orientation reads how a picture is to be turned: 1 upright, up to 8. It is
// the tag Orientation (0x0112; Exif 2.32, section 4.6.4) of a TIFF file, or of
// the Exif data in a JPEG, PNG or WebP file; where there is no such tag, XMP's
// property of the same name. It is 1 where there is none, or none that can be
// read.
func orientation(file []byte) int {
	var exif, xmp []byte
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xd8")):
		exif, xmp = jpegMetadata(file[2:])
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n")):
		exif, xmp = pngMetadata(file[8:])
	case bytes.HasPrefix(file, []byte("RIFF")) && len(file) > 12:
		eachChunk(file[12:], binary.LittleEndian, func(kind string, body []byte) {
			switch kind {
			case "EXIF":
				exif = body
			case "XMP ":
				xmp = body
			}
		})
	case bytes.HasPrefix(file, []byte("II")), bytes.HasPrefix(file, []byte("MM")):
		exif = file
	}
	v, ok := tiffOrientation(bytes.TrimPrefix(exif, []byte(exifHead)))
	if !ok {
		v = xmpOrientation(xmp)
	}
	if v < 1 || v > 8 {
		return 1
	}
	return v
}

// How the metadata in a JPEG's APP1 segments begin.
const (
	exifHead = "Exif\x00\x00"
	xmpHead  = "http://ns.adobe.com/xap/1.0/\x00"
)

// jpegMetadata looks through the segments before the picture itself.
func jpegMetadata(b []byte) (exif, xmp []byte) {
	for len(b) >= 4 && b[0] == 0xff {
		kind, size := b[1], int(binary.BigEndian.Uint16(b[2:]))
		if kind == 0xff { // fill bytes
			b = b[1:]
			continue
		}
		if kind == 0xda || size < 2 || 2+size > len(b) {
			break
		}
		switch body := b[4 : 2+size]; {
		case kind != 0xe1:
		case exif == nil && bytes.HasPrefix(body, []byte(exifHead)):
			exif = body
		case bytes.HasPrefix(body, []byte(xmpHead)):
			xmp = body
		}
		b = b[2+size:]
	}
	return exif, xmp
}

// pngMetadata looks through the chunks: eXIf, XMP as a text, and the text in
// which ImageMagick used to put Exif.
func pngMetadata(b []byte) (exif, xmp []byte) {
	var raw []byte
	eachChunk(b, binary.BigEndian, func(kind string, body []byte) {
		key, text := pngText(kind, body)
		switch {
		case kind == "eXIf":
			exif = body
		case key == "Raw profile type exif":
			raw = text
		case key == "XML:com.adobe.xmp":
			xmp = text
		}
	})
	if exif == nil {
		// A line that is empty, the kind, the length, and lines of hexadecimal
		// numbers.
		if lines := bytes.SplitN(raw, []byte("\n"), 4); len(lines) == 4 {
			numbers := bytes.Join(bytes.Fields(lines[3]), nil)
			if data := make([]byte, len(numbers)/2); len(numbers)%2 == 0 {
				if _, err := hex.Decode(data, numbers); err == nil {
					exif = data
				}
			}
		}
	}
	return exif, xmp
}

// pngText returns the keyword and the text of a chunk of text (PNG 3, section
// 11.3.3), "" for another chunk.
func pngText(kind string, body []byte) (key string, text []byte) {
	word, text, ok := bytes.Cut(body, []byte{0})
	if !ok {
		return "", nil
	}
	squeezed := false
	switch {
	case kind == "tEXt":
	case kind == "zTXt" && len(text) > 0:
		squeezed, text = true, text[1:]
	case kind == "iTXt" && len(text) > 2:
		squeezed = text[0] == 1
		_, text, _ = bytes.Cut(text[2:], []byte{0}) // the language
		_, text, _ = bytes.Cut(text, []byte{0})     // the keyword in it
	default:
		return "", nil
	}
	if squeezed {
		const head, most = 2, 1 << 20 // of zlib's format; as in PIL
		if len(text) < head {
			return "", nil
		}
		var err error
		if text, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(text[head:])), most)); err != nil {
			return "", nil
		}
	}
	return string(word), text
}

// eachChunk calls f for each chunk, which has a length, a kind and a body, in
// PNG's order (big-endian, length first, and a checksum after the body) or
// RIFF's. It ends at a chunk that is cut off.
func eachChunk(b []byte, order binary.ByteOrder, f func(kind string, body []byte)) {
	png := order == binary.BigEndian
	for len(b) >= 8 {
		kind, size := string(b[:4]), int64(order.Uint32(b[4:]))
		if png {
			kind, size = string(b[4:8]), int64(order.Uint32(b))
		}
		if size > int64(len(b)-8) {
			return
		}
		f(kind, b[8:8+size])
		next := 8 + size
		if png {
			next += 4
		} else {
			next += size & 1 // RIFF's chunks have an even length
		}
		b = b[min(next, int64(len(b))):]
	}
}

// tiffOrientation reads the tag in the first directory of a TIFF or BigTIFF
// structure, which is what Exif is. ok is false where there is none.
func tiffOrientation(b []byte) (v int, ok bool) {
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(b, []byte("MM")) {
		order = binary.BigEndian
	} else if !bytes.HasPrefix(b, []byte("II")) {
		return 0, false
	}
	if len(b) < 16 {
		return 0, false
	}
	at, counter, entry, where := uint64(order.Uint32(b[4:])), uint64(2), 12, 8 // where in an entry its value is
	if order.Uint16(b[2:]) == 43 {                                             // BigTIFF
		at, counter, entry, where = order.Uint64(b[8:]), 8, 20, 12
	}
	if at > uint64(len(b)) || uint64(len(b))-at < counter {
		return 0, false
	}
	n := uint64(order.Uint16(b[at:]))
	if counter == 8 {
		n = order.Uint64(b[at:])
	}
	for entries := b[at+counter:]; n > 0 && len(entries) >= entry; n-- {
		if value := entries[where:]; order.Uint16(entries) == 0x0112 {
			switch kind := order.Uint16(entries[2:]); kind {
			case 6: // SBYTE; PIL takes a BYTE for data
				return int(value[0]), true
			case 3, 8: // SHORT, SSHORT
				return int(order.Uint16(value)), true
			case 4, 9: // LONG, SLONG
				return int(order.Uint32(value)), true
			}
			return 0, false
		}
		entries = entries[entry:]
	}
	return 0, false
}

// xmpOrientation reads tiff:Orientation, an attribute or an element.
func xmpOrientation(xmp []byte) int {
	for {
		_, after, ok := bytes.Cut(xmp, []byte("tiff:Orientation"))
		if !ok {
			return 0
		}
		xmp = after
		digit, ok := bytes.CutPrefix(after, []byte(`="`))
		if !ok {
			digit, ok = bytes.CutPrefix(after, []byte(">"))
		}
		if ok && len(digit) > 0 && digit[0] >= '0' && digit[0] <= '9' {
			return int(digit[0] - '0')
		}
	}
}

// upright turns and mirrors a picture as its orientation asks, as PIL's
// ImageOps.exif_transpose does.
func (m *Image) upright(orientation int) *Image {
	if orientation <= 1 || orientation > 8 {
		return m
	}
	w, h, at := quarter(orientation, m.W, m.H)
	out := &Image{C: m.C, H: h, W: w, Pix: make([]uint8, len(m.Pix))}
	for c := range m.C {
		from, to := m.Pix[c*h*w:], out.Pix[c*h*w:]
		for y := range h {
			for x := range w {
				sx, sy := at(x, y)
				to[y*w+x] = from[sy*m.W+sx]
			}
		}
	}
	return out
}

// quarter returns the size that a picture of w×h has upright, and where in the
// picture the upright one's pixel at (x, y) is.
func quarter(orientation, w, h int) (uprightW, uprightH int, at func(x, y int) (sx, sy int)) {
	if orientation >= 5 {
		w, h = h, w
	}
	return w, h, func(x, y int) (int, int) {
		switch orientation {
		case 2:
			return w - 1 - x, y
		case 3:
			return w - 1 - x, h - 1 - y
		case 4:
			return x, h - 1 - y
		case 5:
			return y, x
		case 6:
			return y, w - 1 - x
		case 7:
			return h - 1 - y, w - 1 - x
		case 8:
			return h - 1 - y, x
		}
		return x, y
	}
}

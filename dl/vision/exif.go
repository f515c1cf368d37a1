package vision

import (
	"bytes"
	"encoding/binary"
)

// orientation reads the Exif tag Orientation (0x0112; Exif 2.32, section
// 4.6.4) of a JPEG, PNG, WebP or TIFF file: 1 upright, up to 8. It is 1 where
// there is none, or none that can be read.
func orientation(head []byte) int {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xd8")):
		return jpegOrientation(head[2:])
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return chunkOrientation(head[8:], binary.BigEndian, 4, "eXIf")
	case bytes.HasPrefix(head, []byte("RIFF")) && len(head) > 12:
		return chunkOrientation(head[12:], binary.LittleEndian, 0, "EXIF")
	case bytes.HasPrefix(head, []byte("II")), bytes.HasPrefix(head, []byte("MM")):
		return tiffOrientation(head)
	}
	return 1
}

// jpegOrientation looks for the APP1 segment that holds Exif.
func jpegOrientation(b []byte) int {
	for len(b) >= 4 && b[0] == 0xff {
		kind, size := b[1], int(binary.BigEndian.Uint16(b[2:]))
		if kind == 0xda || size < 2 || 2+size > len(b) { // the picture itself
			return 1
		}
		if body := b[4 : 2+size]; kind == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return tiffOrientation(body[6:])
		}
		b = b[2+size:]
	}
	return 1
}

// chunkOrientation looks for the chunk of that kind among chunks with a
// length, a kind and a body, in PNG's order (length first, and a checksum
// after the body) or RIFF's.
func chunkOrientation(b []byte, order binary.ByteOrder, checksum int, want string) int {
	png := checksum > 0
	for len(b) >= 8 {
		kind, size := string(b[:4]), int64(order.Uint32(b[4:]))
		if png {
			kind, size = string(b[4:8]), int64(order.Uint32(b))
		}
		if size > int64(len(b)-8) {
			return 1
		}
		if kind == want {
			return tiffOrientation(bytes.TrimPrefix(b[8:8+size], []byte("Exif\x00\x00")))
		}
		next := 8 + size + int64(checksum)
		if !png {
			next += size & 1 // RIFF's chunks have an even length
		}
		if next > int64(len(b)) {
			return 1
		}
		b = b[next:]
	}
	return 1
}

// tiffOrientation reads the tag in the first directory of a TIFF structure,
// which is what Exif is.
func tiffOrientation(b []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(b, []byte("MM")) {
		order = binary.BigEndian
	} else if !bytes.HasPrefix(b, []byte("II")) {
		return 1
	}
	if len(b) < 8 {
		return 1
	}
	at := int64(order.Uint32(b[4:]))
	if at > int64(len(b)-2) {
		return 1
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			return 1
		}
		const short = 3
		if order.Uint16(entries) == 0x0112 && order.Uint16(entries[2:]) == short {
			if v := order.Uint16(entries[8:]); v >= 1 && v <= 8 {
				return int(v)
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
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

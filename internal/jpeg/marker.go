package jpeg

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

var errCut = io.ErrUnexpectedEOF

// Markers: T.81, table B.1.
const (
	sof0 = 0xc0 // baseline
	sof1 = 0xc1 // extended sequential
	sof2 = 0xc2 // progressive
	dht  = 0xc4
	jpg  = 0xc8
	dac  = 0xcc
	sofF = 0xcf
	rst0 = 0xd0
	rst7 = 0xd7
	soi  = 0xd8
	eoi  = 0xd9
	sos  = 0xda
	dqt  = 0xdb
	dri  = 0xdd
	app0 = 0xe0
	appE = 0xee
	tem  = 0x01
)

// maxScans bounds the time that a file may ask for: a scan of a few bytes can
// name all blocks of a picture. Encoders write about ten.
const maxScans = 500

// decode reads the file's segments one after the other.
func (d *decoder) decode(data []byte) error {
	rest, ok := bytes.CutPrefix(data, []byte{0xff, soi})
	if !ok {
		return FormatError("missing SOI marker")
	}
	size := len(data)
	for {
		// What is between segments is skipped, as libjpeg does.
		at := bytes.IndexByte(rest, 0xff)
		if at < 0 || at+1 >= len(rest) {
			return errCut
		}
		kind := rest[at+1]
		if kind == 0xff { // fill bytes, T.81 B.1.1.2
			rest = rest[at+1:]
			continue
		}
		rest = rest[at+2:]
		switch {
		case kind == 0 || kind == tem || kind >= rst0 && kind <= rst7:
			continue
		case kind == soi:
			return FormatError("a second SOI marker")
		case kind == eoi:
			return d.finish()
		}
		if len(rest) < 2 {
			return errCut
		}
		n := int(binary.BigEndian.Uint16(rest))
		if n < 2 {
			return FormatError("short segment length")
		}
		if n > len(rest) {
			return errCut
		}
		body := rest[2:n]
		rest = rest[n:]
		var err error
		switch {
		case kind == sof0 || kind == sof1 || kind == sof2:
			if err = d.frame(body, kind == sof2); err == nil && !d.headOnly {
				err = d.layout(size)
			}
		case kind == dht:
			err = d.huffman(body)
		case kind == dac || kind > jpg && kind <= sofF:
			return UnsupportedError("arithmetic coding")
		case kind > sof2 && kind <= jpg:
			return UnsupportedError("lossless or hierarchical coding")
		case kind == dqt:
			err = d.quantization(body)
		case kind == dri:
			if len(body) != 2 {
				return FormatError("DRI has wrong length")
			}
			d.interval = int(binary.BigEndian.Uint16(body))
		case kind == app0:
			d.jfif = d.jfif || len(body) >= 14 && bytes.HasPrefix(body, []byte("JFIF\x00"))
		case kind == appE:
			if len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")) {
				d.adobe, d.transform = true, body[11]
			}
		case kind == sos:
			if len(d.comps) == 0 {
				return FormatError("missing SOF marker")
			}
			if d.headOnly {
				return nil
			}
			if d.scans++; d.scans > maxScans {
				return FormatError("too many scans")
			}
			rest, err = d.scan(body, rest)
		}
		if err != nil {
			return err
		}
	}
}

// frame reads a SOF segment (T.81 B.2.2).
func (d *decoder) frame(b []byte, progressive bool) error {
	if len(d.comps) > 0 {
		return FormatError("multiple SOF markers")
	}
	if len(b) < 6 {
		return FormatError("SOF has wrong length")
	}
	n := int(b[5])
	d.h, d.w, d.progressive = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:])), progressive
	switch {
	case b[0] != 8:
		return UnsupportedError(fmt.Sprintf("%d bits a sample", b[0]))
	case n != 1 && n != 3 && n != 4:
		return UnsupportedError(fmt.Sprintf("%d components", n))
	case d.h == 0:
		return UnsupportedError("a height that comes after the picture")
	}
	if len(b) != 6+3*n {
		return FormatError("SOF has wrong length")
	}
	if d.w == 0 {
		return FormatError("picture of no width")
	}
	for i := range n {
		p := b[6+3*i:]
		for _, c := range d.comps {
			if c.id == p[0] {
				return FormatError("repeated component identifier")
			}
		}
		d.comps = d.store[:i+1]
		c := &d.comps[i]
		c.id, c.h, c.v, c.tq = p[0], int(p[1]>>4), int(p[1]&15), p[2]
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return FormatError("luma/chroma subsampling ratio")
		}
		if c.tq > 3 {
			return FormatError("bad Tq value")
		}
		d.maxH, d.maxV = max(d.maxH, c.h), max(d.maxV, c.v)
	}
	for _, c := range d.comps {
		if d.maxH%c.h != 0 || d.maxV%c.v != 0 {
			return UnsupportedError("colours of an uneven subsampling")
		}
	}
	return nil
}

// quantization reads a DQT segment (T.81 B.2.4.1).
func (d *decoder) quantization(b []byte) error {
	for len(b) > 0 {
		wide, at := b[0]>>4, b[0]&15
		if at > 3 {
			return FormatError("bad Tq value")
		}
		if wide > 1 {
			return FormatError("bad Pq value")
		}
		n := 64 << wide
		if b = b[1:]; len(b) < n {
			return FormatError("DQT has wrong length")
		}
		for i := range 64 {
			if wide == 1 {
				d.quant[at][i] = binary.BigEndian.Uint16(b[2*i:])
			} else {
				d.quant[at][i] = uint16(b[i])
			}
		}
		b = b[n:]
	}
	return nil
}

// huffman reads a DHT segment (T.81 B.2.4.2).
func (d *decoder) huffman(b []byte) error {
	for len(b) > 0 {
		if len(b) < 17 {
			return FormatError("DHT has wrong length")
		}
		class, at := b[0]>>4, b[0]&15
		if class > 1 {
			return FormatError("bad Tc value")
		}
		if at > 3 {
			return FormatError("bad Th value")
		}
		n := 0
		for _, k := range b[1:17] {
			n += int(k)
		}
		if n > 256 {
			return FormatError("Huffman table has excessive length")
		}
		if len(b) < 17+n {
			return FormatError("DHT has wrong length")
		}
		if !d.headOnly {
			t := &d.dc[at]
			if class == 1 {
				t = &d.ac[at]
			}
			if err := t.build([16]uint8(b[1:17]), b[17:17+n], class == 0); err != nil {
				return err
			}
		}
		b = b[17+n:]
	}
	return nil
}

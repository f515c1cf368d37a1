package tiff

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/image/ccitt"
	"golang.org/x/image/tiff/lzw"
)

// Compressions.
const (
	uncompressed = 1
	ccittRLE     = 2
	group3       = 3
	group4       = 4
	lzwCoded     = 5
	oldJPEG      = 6
	jpegCoded    = 7
	deflate      = 8
	packBits     = 32773
	oldDeflate   = 32946
	ccittWords   = 32771
	zstdCoded    = 50000
)

// compressions names those that are known and not read.
var compressions = map[int]string{
	oldJPEG: "old-style JPEG", 32766: "NeXT", 32809: "ThunderScan", 34661: "JBIG", 34676: "SGI LogLuv", 34677: "SGI LogLuv 24", 34712: "JPEG 2000", 34887: "LERC",
	34925: "LZMA", 50001: "WebP", 50002: "JPEG XL",
}

// ratio is how many bytes one byte of compressed data can stand for, at most.
func ratio(compression int) int {
	switch compression {
	case uncompressed:
		return 1
	case packBits:
		return 64
	case deflate, oldDeflate:
		return 1032 // of zlib's author
	case lzwCoded:
		return 1 << 11 // the longest string has 4,096 bytes, for 12 bits
	}
	return 1 << 15 // of zstd a repeated block; of CCITT a white row for a bit
}

// known reports whether a compression is read, as an error that names it.
func (p *pixels) known() error {
	switch p.compression {
	case uncompressed, ccittRLE, ccittWords, group3, group4, lzwCoded, jpegCoded, deflate, packBits, oldDeflate, zstdCoded:
	default:
		name := compressions[p.compression]
		if name == "" {
			name = fmt.Sprint(p.compression)
		}
		return UnsupportedError("compression " + name)
	}
	return nil
}

// fits reports whether a compression can hold such samples.
func (p *pixels) fits() error {
	if p.compression == group3 && p.d.number(tagT4Options, 0)&uncompressedM != 0 {
		return UnsupportedError("compression CCITT group 3 with parts that are not compressed")
	}
	fax := p.compression == ccittRLE || p.compression == ccittWords || p.compression == group3 || p.compression == group4
	if fax && (p.bits != 1 || p.stored != 1) {
		return FormatError("CCITT compression of pixels that are not black and white")
	}
	return nil
}

// expand undoes the compression of a chunk of rows, which gives size bytes.
func (p *pixels) expand(data []byte, w, h, size int) ([]byte, error) {
	if p.d.number(tagFillOrder, 1) == 2 && p.compression != jpegCoded {
		turned := make([]byte, len(data))
		for i, b := range data {
			turned[i] = bits.Reverse8(b)
		}
		data = turned
	}
	in := bytes.NewReader(data)
	var r io.Reader
	switch p.compression {
	case uncompressed:
		if len(data) < size {
			return nil, io.ErrUnexpectedEOF
		}
		return bytes.Clone(data[:size]), nil // the predictor changes it
	case packBits:
		return unpackBits(data, size)
	case lzwCoded:
		if len(data) > 1 && data[0] == 0 && data[1]&1 == 1 {
			return nil, UnsupportedError("compression LZW of the old style")
		}
		z := lzw.NewReader(in, lzw.MSB, 8)
		defer z.Close()
		r = z
	case deflate, oldDeflate:
		z, err := zlib.NewReader(in)
		if err != nil {
			return nil, cut(err)
		}
		defer z.Close()
		r = z
	case zstdCoded:
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(64<<20))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	case ccittRLE:
		return (&fax{data: data, width: w, align: 8}).rows(h)
	case ccittWords:
		return (&fax{data: data, width: w, align: 16}).rows(h)
	case group3:
		return (&fax{data: data, width: w, endOfLines: true, two: p.d.number(tagT4Options, 0)&twoDimensions != 0}).rows(h)
	case group4:
		// A set bit is a black pixel, whatever Photometric makes of it.
		r = ccitt.NewReader(in, ccitt.MSB, ccitt.Group4, w, h, &ccitt.Options{Invert: true})
	}
	// The buffer grows with what comes.
	out, err := io.ReadAll(io.LimitReader(r, int64(size)))
	if len(out) == size {
		return out, nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return nil, cut(err)
}

// cut gives data that end early the error which says so.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// unpackBits undoes PackBits: TIFF 6.0, section 9.
func unpackBits(data []byte, size int) ([]byte, error) {
	var out []byte
	for len(out) < size {
		if len(data) < 2 {
			return nil, io.ErrUnexpectedEOF
		}
		n := int(int8(data[0]))
		switch {
		case n >= 0:
			n = min(n+1, size-len(out))
			if len(data) < n+1 {
				return nil, io.ErrUnexpectedEOF
			}
			out, data = append(out, data[1:n+1]...), data[n+1:]
		case n == -128:
			data = data[1:]
		default:
			out, data = append(out, bytes.Repeat(data[1:2], min(1-n, size-len(out)))...), data[2:]
		}
	}
	return out, nil
}

// unpredict adds to each sample the one of the pixel before it, from which the
// file stores the difference (TIFF 6.0, section 14; Technical Note 3 for
// floating point).
func (p *pixels) unpredict(data []byte, stride, perPixel int) error {
	switch kind := p.d.number(tagPredictor, 1); {
	case kind == 1 || p.compression != lzwCoded && p.compression != deflate && p.compression != oldDeflate && p.compression != zstdCoded:
		return nil
	case kind == 2 && (p.bits == 8 || p.bits == 16 || p.bits == 32):
		for ; len(data) >= stride; data = data[stride:] {
			row := data[:stride]
			size := p.bits / 8
			for i := perPixel * size; i+size <= len(row); i += size {
				before := i - perPixel*size
				switch p.bits {
				case 8:
					row[i] += row[before]
				case 16:
					p.d.order.PutUint16(row[i:], p.d.order.Uint16(row[i:])+p.d.order.Uint16(row[before:]))
				case 32:
					p.d.order.PutUint32(row[i:], p.d.order.Uint32(row[i:])+p.d.order.Uint32(row[before:]))
				}
			}
		}
		return nil
	case kind == 3 && p.bits == 32 && p.format == floats:
		plain := make([]byte, stride)
		for ; len(data) >= stride; data = data[stride:] {
			row := data[:stride]
			for i := perPixel; i < len(row); i++ {
				row[i] += row[i-perPixel]
			}
			n := stride / 4 // the highest bytes of all samples come first, in either order
			for i := range n {
				p.d.order.PutUint32(plain[4*i:], uint32(row[i])<<24|uint32(row[n+i])<<16|uint32(row[2*n+i])<<8|uint32(row[3*n+i]))
			}
			copy(row, plain)
		}
		return nil
	default:
		return UnsupportedError(fmt.Sprintf("predictor %d for samples of %d bits", kind, p.bits))
	}
}

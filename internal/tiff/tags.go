package tiff

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Tags: TIFF 6.0, appendix A.
const (
	tagWidth        = 256
	tagHeight       = 257
	tagBits         = 258
	tagCompression  = 259
	tagPhotometric  = 262
	tagFillOrder    = 266
	tagStripOffsets = 273
	tagSamples      = 277
	tagRows         = 278
	tagStripCounts  = 279
	tagPlanar       = 284
	tagT4Options    = 292
	tagPredictor    = 317
	tagColorMap     = 320
	tagTileWidth    = 322
	tagTileHeight   = 323
	tagTileOffsets  = 324
	tagTileCounts   = 325
	tagExtra        = 338
	tagFormat       = 339
	tagJPEGTables   = 347
	tagYCbCrFactors = 529
	tagYCbCrSampled = 530
	tagReference    = 532
)

// FormatError is what is wrong with a file.
type FormatError string

func (e FormatError) Error() string { return "invalid TIFF format: " + string(e) }

// UnsupportedError is what a file has that is not read here.
type UnsupportedError string

func (e UnsupportedError) Error() string {
	return "TIFF with " + string(e) + " is not read here; convert it, to a PNG for example"
}

// directory holds the tags of a picture whose values are numbers, and where
// the bytes of the others are.
type directory struct {
	order  binary.ByteOrder
	values map[int][]float64
	bytes  map[int][]byte // of type BYTE and UNDEFINED
}

// sizes of the types of values, in bytes: TIFF 6.0, section 2, and BigTIFF.
var sizes = [19]int{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

// order returns the byte order that a file begins with. As PIL does, it takes
// a magic number that was written in the other order.
func order(file []byte) (o binary.ByteOrder, big, ok bool) {
	if len(file) < 4 {
		return nil, false, false
	}
	switch string(file[:4]) {
	case "II*\x00", "II\x00*":
		return binary.LittleEndian, false, true
	case "MM\x00*", "MM*\x00":
		return binary.BigEndian, false, true
	case "II+\x00":
		return binary.LittleEndian, true, true
	case "MM\x00+":
		return binary.BigEndian, true, true
	}
	return nil, false, false
}

// readDirectory reads the tags of the first picture. What they take is bounded
// by the file's length.
func readDirectory(file []byte) (*directory, error) {
	o, big, ok := order(file)
	if !ok {
		return nil, FormatError("no header of a TIFF file")
	}
	// In BigTIFF counts and offsets have eight bytes.
	head, word, entry := 8, 4, 12
	if big {
		head, word, entry = 16, 8, 20
	}
	number := func(b []byte) uint64 {
		if big {
			return o.Uint64(b)
		}
		return uint64(o.Uint32(b))
	}
	if len(file) < head {
		return nil, io.ErrUnexpectedEOF
	}
	at := number(file[head-word:])
	counter := 2
	if big {
		counter = 8
	}
	if at > uint64(len(file)) || uint64(len(file))-at < uint64(counter) {
		return nil, io.ErrUnexpectedEOF
	}
	rest := file[at:]
	n := uint64(o.Uint16(rest))
	if big {
		n = o.Uint64(rest)
	}
	rest = rest[counter:]
	if n > uint64(len(rest)/entry) {
		return nil, io.ErrUnexpectedEOF
	}
	d := &directory{order: o, values: map[int][]float64{}, bytes: map[int][]byte{}}
	for range n {
		tag, kind, count := int(o.Uint16(rest)), int(o.Uint16(rest[2:])), number(rest[4:])
		inline := rest[4+word:][:word]
		rest = rest[entry:]
		if kind >= len(sizes) || sizes[kind] == 0 || !wanted(tag) || d.values[tag] != nil || d.bytes[tag] != nil {
			continue
		}
		if count > uint64(len(file)/sizes[kind]) {
			return nil, FormatError(fmt.Sprintf("tag %d has %d values, which the file is too short for", tag, count))
		}
		size := int(count) * sizes[kind]
		data := inline
		if size > word {
			at := number(inline)
			if at > uint64(len(file)) || uint64(len(file))-at < uint64(size) {
				return nil, fmt.Errorf("tag %d is beyond the file's end: %w", tag, io.ErrUnexpectedEOF)
			}
			data = file[at:]
		}
		data = data[:size]
		if tag == tagJPEGTables {
			d.bytes[tag] = data
			continue
		}
		values := make([]float64, count)
		for i := range values {
			values[i] = value(o, kind, data[i*sizes[kind]:])
		}
		d.values[tag] = values
	}
	return d, nil
}

// wanted reports whether a tag says something about the pixels.
func wanted(tag int) bool {
	switch tag {
	case tagWidth, tagHeight, tagBits, tagCompression, tagPhotometric, tagFillOrder, tagStripOffsets, tagSamples, tagRows,
		tagStripCounts, tagPlanar, tagT4Options, tagPredictor, tagColorMap, tagTileWidth, tagTileHeight, tagTileOffsets,
		tagTileCounts, tagExtra, tagFormat, tagJPEGTables, tagYCbCrFactors, tagYCbCrSampled, tagReference:
		return true
	}
	return false
}

// value reads one number. Those of a file are well below 2⁵³, which float64
// holds.
func value(o binary.ByteOrder, kind int, b []byte) float64 {
	switch kind {
	case 3:
		return float64(o.Uint16(b))
	case 4, 13:
		return float64(o.Uint32(b))
	case 5:
		return float64(o.Uint32(b)) / float64(o.Uint32(b[4:]))
	case 6:
		return float64(int8(b[0]))
	case 8:
		return float64(int16(o.Uint16(b)))
	case 9:
		return float64(int32(o.Uint32(b)))
	case 10:
		return float64(int32(o.Uint32(b))) / float64(int32(o.Uint32(b[4:])))
	case 11:
		return float64(math.Float32frombits(o.Uint32(b)))
	case 12:
		return math.Float64frombits(o.Uint64(b))
	case 16, 18:
		return float64(o.Uint64(b))
	case 17:
		return float64(int64(o.Uint64(b)))
	}
	return float64(b[0])
}

// maxNumber bounds what number returns, so that sums and products of two fit
// into an int.
const maxNumber = 1<<31 - 1

// number is the first value of a tag that holds a whole number.
func (d *directory) number(tag, missing int) int {
	if v := d.values[tag]; len(v) > 0 {
		if v[0] >= 0 && v[0] <= maxNumber {
			return int(v[0])
		}
		return maxNumber
	}
	return missing
}

// numbers are the values of a tag that holds whole numbers.
func (d *directory) numbers(tag int) []int {
	values := d.values[tag]
	n := make([]int, len(values))
	for i, v := range values {
		n[i] = -1
		if v >= 0 && v < 1<<53 {
			n[i] = int(v)
		}
	}
	return n
}

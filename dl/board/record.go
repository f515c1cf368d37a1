package board

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"iter"
)

// A record of TFRecord is the length of its data (uint64, little-endian), the
// masked CRC-32C of these 8 bytes, the data, and the data's masked CRC-32C.

const (
	headSize = 8 + 4
	tailSize = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the checksum as it is stored: turned and moved, because the
// checksum of data that holds its own checksum is of no use.
func masked(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// appendRecord adds a record to b.
func appendRecord(b, data []byte) []byte {
	at := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b[at:]))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}

// errDamaged is what records ends with when a checksum differs; at a record
// that is cut off it is io.ErrUnexpectedEOF.
var errDamaged = errors.New("a record's checksum differs")

// records yields the data of the whole records of a file of the given size,
// which bounds what is taken in memory. The slice is the caller's.
func records(r io.Reader, size int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for left := size; left > 0; {
			var head [headSize]byte
			if left < headSize {
				yield(nil, io.ErrUnexpectedEOF)
				return
			}
			if _, err := io.ReadFull(r, head[:]); err != nil {
				yield(nil, cut(err))
				return
			}
			left -= headSize
			length := binary.LittleEndian.Uint64(head[:])
			if masked(head[:8]) != binary.LittleEndian.Uint32(head[8:]) {
				yield(nil, errDamaged)
				return
			}
			if left < tailSize || length > uint64(left-tailSize) {
				yield(nil, io.ErrUnexpectedEOF)
				return
			}
			data := make([]byte, length+tailSize)
			if _, err := io.ReadFull(r, data); err != nil {
				yield(nil, cut(err))
				return
			}
			left -= int64(len(data))
			data, sum := data[:length:length], binary.LittleEndian.Uint32(data[length:])
			if masked(data) != sum {
				yield(nil, errDamaged)
				return
			}
			if !yield(data, nil) {
				return
			}
		}
	}
}

// cut says of a file that ends, which another program may be writing, that
// its last record is not whole.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

package board

import (
	"encoding/binary"
	"errors"
	"iter"
	"math"
)

// message is a protocol buffer being written: of the little that an event
// needs, because cells are linked with this package. Fields of value 0 are
// written too where a reader tells them from absent ones.
// https://protobuf.dev/programming-guides/encoding
type message []byte

const (
	wireVarint = 0
	wireFixed8 = 1
	wireBytes  = 2
	wireFixed4 = 5
)

func (m message) key(field, wire int) message {
	return binary.AppendUvarint(m, uint64(field<<3|wire))
}

func (m message) int(field int, v int64) message {
	return binary.AppendUvarint(m.key(field, wireVarint), uint64(v))
}

func (m message) double(field int, v float64) message {
	return binary.LittleEndian.AppendUint64(m.key(field, wireFixed8), math.Float64bits(v))
}

func (m message) float(field int, v float32) message {
	return binary.LittleEndian.AppendUint32(m.key(field, wireFixed4), math.Float32bits(v))
}

// bytes adds text, bytes or a message inside of this one.
func (m message) bytes(field int, b []byte) message {
	m = binary.AppendUvarint(m.key(field, wireBytes), uint64(len(b)))
	return append(m, b...)
}

func (m message) text(field int, s string) message { return m.bytes(field, []byte(s)) }

// doubles adds a packed list.
func (m message) doubles(field int, list []float64) message {
	b := make([]byte, 0, 8*len(list))
	for _, v := range list {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return m.bytes(field, b)
}

// field is one field of a message that is read.
type field struct {
	num  int
	bits uint64 // of a number
	data []byte // of a text, or a message
}

func (f field) double() float64 { return math.Float64frombits(f.bits) }
func (f field) float() float32  { return math.Float32frombits(uint32(f.bits)) }

var errMessage = errors.New("the record is no protocol buffer")

// fields yields the fields of a message in the order they come, and at last
// an error if it is damaged.
func fields(b []byte) iter.Seq2[field, error] {
	return func(yield func(field, error) bool) {
		for len(b) > 0 {
			key, n := binary.Uvarint(b)
			if n <= 0 || key>>3 == 0 || key>>3 > 1<<29-1 {
				yield(field{}, errMessage)
				return
			}
			b = b[n:]
			f := field{num: int(key >> 3)}
			switch key & 7 {
			case wireVarint:
				if f.bits, n = binary.Uvarint(b); n <= 0 {
					yield(field{}, errMessage)
					return
				}
				b = b[n:]
			case wireFixed8:
				if len(b) < 8 {
					yield(field{}, errMessage)
					return
				}
				f.bits, b = binary.LittleEndian.Uint64(b), b[8:]
			case wireFixed4:
				if len(b) < 4 {
					yield(field{}, errMessage)
					return
				}
				f.bits, b = uint64(binary.LittleEndian.Uint32(b)), b[4:]
			case wireBytes:
				size, n := binary.Uvarint(b)
				if n <= 0 || size > uint64(len(b)-n) {
					yield(field{}, errMessage)
					return
				}
				f.data, b = b[n:n+int(size)], b[n+int(size):]
			default:
				yield(field{}, errMessage)
				return
			}
			if !yield(f, nil) {
				return
			}
		}
	}
}

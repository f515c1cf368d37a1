package board

import (
	"encoding/binary"
	"iter"
)

// Records lets tests look into a file.
var Records = records

// AppendRecord lets them make one.
var AppendRecord = appendRecord

// Fields yields the fields of a message, numbers as eight bytes. It ends where
// the bytes are no message.
func Fields(b []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for f, err := range fields(b) {
			if err != nil {
				return
			}
			if f.data == nil {
				f.data = binary.BigEndian.AppendUint64(nil, f.bits)
			}
			if !yield(f.num, f.data) {
				return
			}
		}
	}
}

package remote

import (
	"bufio"
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestPacketErrors(t *testing.T) {
	tests := []struct{ name, in, err string }{
		{"nothing", "", "EOF"},
		{"no kind", "\x00\x00\x00\x00\x01", "remote: packet: length is 0, want 1 to 314572800"},
		{"too long", "\xff\xff\xff\xff\x01", "remote: packet: length is 4294967295, want 1 to 314572800"},
		{"unknown kind", "\x00\x00\x00\x01\x63", "remote: packet: kind is 99, want 1 to 9; is Holt of another version on the other machine?"},
		{"cut in a length", "\x00\x00\x00\x03\x01ab", "remote: packet: 2 bytes are left for a frame, want at least 4"},
		{"frame too long", "\x00\x00\x00\x06\x01\x00\x00\x00\x09a", "remote: packet: a frame is 9 bytes, want at most the 1 that are left"},
		{"cut in a frame", "\x00\x00\x00\x08\x01\x00\x00\x00\x03a", "unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readPacket(bufio.NewReader(strings.NewReader(tt.in)))
			if err == nil || err.Error() != tt.err {
				t.Errorf("got %v, want %s", err, tt.err)
			}
		})
	}
}

func FuzzPacket(f *testing.F) {
	f.Add(packet{kindIOPub, [][]byte{[]byte("topic"), {}, bytes.Repeat([]byte("x"), 300)}}.append(nil))
	f.Add(ack(7).append(nil))
	f.Add(pack(kindHello, hello{Do: doOpen}).append(nil))
	f.Add([]byte("\x00\x00\x00\x06\x01\x00\x00\x00\x09a"))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := readPacket(bufio.NewReader(bytes.NewReader(in)))
		if err != nil {
			return
		}
		out := p.append(nil)
		if len(out) != p.size() || !bytes.HasPrefix(in, out) {
			t.Fatalf("%x came out as %x", in, out)
		}
		again, err := readPacket(bufio.NewReader(bytes.NewReader(out)))
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%v became %v, %v", p, again, err)
		}
		var h hello
		p.unpack(kindHello, &h)
	})
}

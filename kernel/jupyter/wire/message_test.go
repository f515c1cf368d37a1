package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	c, d := NewCodec("key"), NewCodec("key")
	sent := c.New("execute_request", json.RawMessage(`{"msg_id":"p"}`), map[string]any{"code": "x"})
	sent.Identities = [][]byte{[]byte("a"), []byte("b")}
	sent.Metadata = json.RawMessage(`{"cellId":"c"}`)
	sent.Buffers = [][]byte{{0, 1, 2}, {}}
	got, err := d.Decode(c.Encode(sent))
	if err != nil {
		t.Fatal(err)
	}
	if got.Header != sent.Header {
		t.Errorf("header is %+v\nwant %+v", got.Header, sent.Header)
	}
	for _, p := range []struct {
		name      string
		got, want []byte
	}{{"parent", got.Parent, sent.Parent}, {"metadata", got.Metadata, sent.Metadata}, {"content", got.Content, sent.Content}} {
		if !bytes.Equal(p.got, p.want) {
			t.Errorf("%s is %s, want %s", p.name, p.got, p.want)
		}
	}
	if fmt.Sprint(got.Identities, got.Buffers) != fmt.Sprint(sent.Identities, sent.Buffers) {
		t.Errorf("identities and buffers are %q %v", got.Identities, got.Buffers)
	}
}

func TestDecodeErrors(t *testing.T) {
	c := NewCodec("key")
	sign := func(parts ...string) [][]byte {
		frames := [][]byte{delimiter, nil}
		for _, p := range parts {
			frames = append(frames, []byte(p))
		}
		frames[1] = c.signature(frames[2:6])
		return frames
	}
	const header = `{"msg_id":"1","msg_type":"x"}`
	good := sign(header, "{}", "{}", "{}")
	change := func(i int, to string) [][]byte {
		f := slices.Clone(good)
		f[i] = []byte(to)
		return f
	}
	tests := []struct {
		name   string
		frames [][]byte
		err    string
	}{
		{"good", good, ""},
		{"again", good, "wire: message: the signature was used before, want each message once"},
		{"nothing", nil, "wire: message: 0 frames without a delimiter, want <IDS|MSG>"},
		{"no delimiter", change(0, "x"), "wire: message: 6 frames without a delimiter, want <IDS|MSG>"},
		{"short", good[:4], "wire: message: 3 frames after the delimiter, want signature, header, parent, metadata, content"},
		{"no signature", change(1, ""), "wire: message: the signature is no signature, want 64 hexadecimal digits"},
		{"long signature", change(1, strings.Repeat("0", 66)), "wire: message: the signature is no signature, want 64 hexadecimal digits"},
		{"wrong signature", change(1, strings.Repeat("0", 64)), "wire: message: the signature does not match, want one made with this kernel's key"},
		{"changed content", change(5, `{"a":1}`), "wire: message: the signature does not match, want one made with this kernel's key"},
		{"header no object", sign(`[]`, "{}", "{}", "{}"), "wire: message: the header is something else, want a JSON object of strings"},
		{"header of numbers", sign(`{"msg_id":1}`, "{}", "{}", "{}"), "wire: message: the header is something else, want a JSON object of strings"},
		{"header empty", sign(`{}`, "{}", "{}", "{}"), "wire: message: the header is incomplete, want msg_id and msg_type"},
		{"parent cut", sign(header, "{", "{}", "{}"), "wire: message: the parent header is something else, want a JSON object"},
		{"content null", sign(header, "{}", "{}", "null"), "wire: message: the content is something else, want a JSON object"},
		{"deep metadata", sign(header, "{}", "{\"a\":"+strings.Repeat("[", 1_000_000), "{}"), "wire: message: the metadata is something else, want a JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.Decode(tt.frames)
			if tt.err == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var bad *MalformedError
			if !errors.As(err, &bad) || err.Error() != tt.err {
				t.Errorf("error is %v\nwant %s", err, tt.err)
			}
		})
	}
}

func TestReplaysAreForgottenInOrder(t *testing.T) {
	c := NewCodec("key")
	part := func(i int) (signature []byte, parts [][]byte) {
		parts = [][]byte{[]byte(fmt.Sprint(i))}
		return c.signature(parts), parts
	}
	for i := range seenLimit + 1 {
		if err := c.verify(part(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.verify(part(1)); err == nil {
		t.Error("a replay within the last 65,536 messages was accepted")
	}
	if len(c.seen) != seenLimit {
		t.Errorf("%d signatures are kept, want %d", len(c.seen), seenLimit)
	}
}

// Without a key nothing is signed, as the protocol has it.
func TestEmptyKey(t *testing.T) {
	c := NewCodec("")
	frames := c.Encode(c.New("x", nil, map[string]any{}))
	if len(frames[1]) != 0 {
		t.Errorf("signature is %q, want none", frames[1])
	}
	if _, err := c.Decode(frames); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	c := NewCodec("")
	m := c.New("execute_request", json.RawMessage(`{"msg_id":"p"}`), map[string]any{"code": "x := 1"})
	m.Identities = [][]byte{[]byte("id")}
	m.Buffers = [][]byte{{1, 2, 3}}
	f.Add(join(c.Encode(m)))
	f.Add(join([][]byte{delimiter, {}, []byte("{"), []byte("{}"), []byte("{}"), []byte("{}")}))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := c.Decode(bytes.Split(data, []byte("\n")))
		if err != nil {
			return
		}
		if m.Header.ID == "" || m.Header.Type == "" {
			t.Fatalf("header is %+v", m.Header)
		}
		// What was understood is understood again.
		frames := c.Encode(m)
		again, err := c.Decode(frames)
		if err != nil {
			t.Fatalf("%v: %q", err, frames)
		}
		if !bytes.Equal(again.Content, m.Content) || len(again.Buffers) != len(m.Buffers) {
			t.Fatalf("content is %s, was %s", again.Content, m.Content)
		}
	})
}

func join(frames [][]byte) []byte { return bytes.Join(frames, []byte("\n")) }

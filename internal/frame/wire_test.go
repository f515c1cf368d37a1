package frame

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestWriteRead(t *testing.T) {
	messages := []Message{
		{Kind: KindClear, Wait: true},
		{Kind: KindResult, Cell: 7, Bundle: &Bundle{
			Data:      map[string]any{"text/plain": "π ≈ 3 <b>\u2028\x00", "application/json": map[string]any{"a": []any{1.0, nil}}},
			Metadata:  map[string]any{"image/png": map[string]any{"width": 3.0}},
			DisplayID: "d-1",
		}},
		{Kind: "host.ready", Body: json.RawMessage(`{"pid":12}`)},
	}
	var buf bytes.Buffer
	for _, m := range messages {
		if err := Write(&buf, m); err != nil {
			t.Fatal(err)
		}
	}
	r := iotest.OneByteReader(&buf) // a socket may hand over a byte at a time
	for _, want := range messages {
		got, err := Read(r)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	}
	if _, err := Read(r); err != io.EOF {
		t.Errorf("after the last message: %v, want io.EOF", err)
	}
}

// oneWrite fails the test when a message comes in more than one piece.
type oneWrite struct{ calls int }

func (w *oneWrite) Write(p []byte) (int, error) { w.calls++; return len(p), nil }

func TestWriteOnce(t *testing.T) {
	var w oneWrite
	if err := Write(&w, Message{Kind: KindDisplay}); err != nil || w.calls != 1 {
		t.Errorf("%d calls of Write, error %v; want one call, so that writers may share a socket", w.calls, err)
	}
}

func TestWriteErrors(t *testing.T) {
	err := Write(io.Discard, Message{Kind: KindDisplay, Bundle: &Bundle{Data: map[string]any{"application/json": math.NaN()}}})
	if want := "frame: encode display: json: unsupported value: NaN"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestReadErrors(t *testing.T) {
	tests := []struct {
		name, in, err string
		is            error
	}{
		{name: "nothing", in: "", err: "EOF", is: io.EOF},
		{name: "half a length", in: "\x00\x00", err: "unexpected EOF", is: io.ErrUnexpectedEOF},
		{name: "half a body", in: "\x00\x00\x00\x09{}", err: "unexpected EOF", is: io.ErrUnexpectedEOF},
		{name: "length without body", in: "\x00\x00\x00\x02", err: "unexpected EOF", is: io.ErrUnexpectedEOF},
		{name: "forged length", in: "\xff\xff\xff\xff{}", err: "frame: length is 4294967295 bytes, want at most 268435456"},
		{name: "no JSON", in: "\x00\x00\x00\x02{]", err: "frame: decode: invalid character ']' looking for beginning of object key string"},
		{name: "empty body", in: "\x00\x00\x00\x00", err: "frame: decode: unexpected end of JSON input"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(tt.in))
			if err == nil || err.Error() != tt.err {
				t.Errorf("got %v\nwant %s", err, tt.err)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%v is not %v", err, tt.is)
			}
		})
	}
}

// FuzzRead reads any bytes, and writes what was read back: reading that again
// must give the same message.
func FuzzRead(f *testing.F) {
	for _, m := range []Message{
		{Kind: KindClear, Wait: true},
		{Kind: KindUpdate, Cell: -1, Bundle: &Bundle{Data: map[string]any{"text/plain": "x\xff"}, DisplayID: "d"}},
		{Kind: "x", Body: json.RawMessage("[1, 2e9]")},
	} {
		var buf bytes.Buffer
		if err := Write(&buf, m); err != nil {
			f.Fatal(err)
		}
		f.Add(buf.Bytes())
	}
	f.Add([]byte("\x00\x00\x00\x04null"))
	f.Add([]byte("\x7f\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := Read(bytes.NewReader(in))
		if err != nil {
			return
		}
		var buf bytes.Buffer
		if err := Write(&buf, first); err != nil {
			t.Fatalf("cannot write what was read: %v", err)
		}
		again, err := Read(&buf)
		if err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		// Compare as JSON: a Body keeps its spaces when read and loses them when written.
		a, _ := json.Marshal(first)
		b, _ := json.Marshal(again)
		if !bytes.Equal(a, b) {
			t.Errorf("read %s\nthen %s", a, b)
		}
	})
}

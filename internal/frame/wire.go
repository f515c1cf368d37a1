package frame

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// Kind says what a [Message] is.
type Kind string

// What a host process tells its kernel about output.
const (
	KindDisplay Kind = "display" // a new picture below the cell
	KindUpdate  Kind = "update"  // the same picture, changed
	KindResult  Kind = "result"  // the value of the cell
	KindClear   Kind = "clear"   // remove the cell's output
	KindWarn    Kind = "warn"    // a sentence that the person should read: text on the standard error
)

// Message is one frame between the host process and the kernel. Kinds other
// than those above belong to the kernel and its host, which keep their
// content in Body.
type Message struct {
	Kind   Kind            `json:"kind"`
	Cell   int             `json:"cell,omitempty"` // the cell it belongs to; 0 for the one that runs
	Bundle *Bundle         `json:"bundle,omitempty"`
	Wait   bool            `json:"wait,omitempty"`
	Live   *Live           `json:"live,omitempty"`   // of what goes on in the host; nil for all else
	Notice bool            `json:"notice,omitempty"` // it says what the cell waits for: see package notice
	Body   json.RawMessage `json:"body,omitempty"`
}

// MaxSize is the largest frame in bytes that [Read] accepts and [Write] sends.
const MaxSize = 256 << 20

// Write sends m in one call of w.Write.
func Write(w io.Writer, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("frame: encode %s: %w", m.Kind, err)
	}
	if len(body) > MaxSize {
		return fmt.Errorf("frame: %s is %d bytes, want at most %d; show a smaller picture", m.Kind, len(body), MaxSize)
	}
	buf := make([]byte, 4, 4+len(body))
	binary.BigEndian.PutUint32(buf, uint32(len(body)))
	_, err = w.Write(append(buf, body...))
	return err
}

// Read receives one message. It returns io.EOF only between messages.
func Read(r io.Reader) (Message, error) {
	var m Message
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return m, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > MaxSize {
		return m, fmt.Errorf("frame: length is %d bytes, want at most %d", n, MaxSize)
	}
	// Grow with what arrives, so that a forged length cannot claim memory.
	body, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err != nil {
		return m, err
	}
	if len(body) < int(n) {
		return m, io.ErrUnexpectedEOF
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("frame: decode: %w", err)
	}
	return m, nil
}

package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Version is the version of the Jupyter messaging protocol that is spoken
// (https://jupyter-client.readthedocs.io/en/stable/messaging.html).
const Version = "5.4"

// Header names a message and its sender.
type Header struct {
	ID       string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"` // ISO 8601
	Type     string `json:"msg_type"`
	Version  string `json:"version"`
}

// Message is one Jupyter message.
type Message struct {
	Identities [][]byte // where it came from, or the topic it is published under
	Header     Header
	RawHeader  json.RawMessage // the header as it came, which a reply returns as its parent
	Parent     json.RawMessage // header of the request; empty where there is none
	Metadata   json.RawMessage
	Content    json.RawMessage
	Buffers    [][]byte
}

// MalformedError is a message that cannot be acted on: drop it.
type MalformedError struct {
	Got, Want string
}

func (e *MalformedError) Error() string {
	return fmt.Sprintf("wire: message: %s, want %s", e.Got, e.Want)
}

var delimiter = []byte("<IDS|MSG>")

// seenLimit is how many signatures a [Codec] remembers, as many as
// jupyter_client's Session does.
const seenLimit = 1 << 16

// Codec signs and checks the messages of one kernel. Its methods may be called
// by several goroutines.
type Codec struct {
	key     []byte
	session string

	mu   sync.Mutex
	seen map[[sha256.Size]byte]bool
	ring [][sha256.Size]byte // of seen, oldest at next once it is full
	next int
}

// NewCodec returns the codec of a kernel with the key. With an empty key
// nothing is signed and everything is believed.
func NewCodec(key Key) *Codec {
	return &Codec{key: []byte(key), session: NewID(), seen: map[[sha256.Size]byte]bool{}}
}

// NewID returns a random identifier.
func NewID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Now is the time as a header gives it.
func Now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000Z") }

// New returns a message of the type with fresh header. The content is encoded
// as JSON; a content that cannot be is a bug, and panics.
func (c *Codec) New(typ string, parent json.RawMessage, content any) *Message {
	body, err := json.Marshal(content)
	if err != nil {
		panic(fmt.Errorf("wire: encode %s: %w", typ, err))
	}
	return &Message{
		Header: Header{
			ID: NewID(), Session: c.session, Username: "holt",
			Date: Now(), Type: typ, Version: Version,
		},
		Parent:  parent,
		Content: body,
	}
}

// Encode returns the frames of m.
func (c *Codec) Encode(m *Message) [][]byte {
	header, err := json.Marshal(m.Header)
	if err != nil {
		panic(fmt.Errorf("wire: encode header: %w", err)) // it holds only strings
	}
	parts := [][]byte{header, orEmpty(m.Parent), orEmpty(m.Metadata), orEmpty(m.Content)}
	frames := make([][]byte, 0, len(m.Identities)+6+len(m.Buffers))
	frames = append(frames, m.Identities...)
	frames = append(frames, delimiter, c.signature(parts))
	frames = append(frames, parts...)
	return append(frames, m.Buffers...)
}

// Decode checks frames and returns the message that they hold, or a
// [*MalformedError].
func (c *Codec) Decode(frames [][]byte) (*Message, error) {
	start := -1
	for i, f := range frames {
		if bytes.Equal(f, delimiter) {
			start = i
			break
		}
	}
	if start < 0 {
		return nil, &MalformedError{fmt.Sprintf("%d frames without a delimiter", len(frames)), "<IDS|MSG>"}
	}
	if len(frames) < start+6 {
		return nil, &MalformedError{fmt.Sprintf("%d frames after the delimiter", len(frames)-start-1), "signature, header, parent, metadata, content"}
	}
	parts := frames[start+2 : start+6]
	if err := c.verify(frames[start+1], parts); err != nil {
		return nil, err
	}
	m := &Message{Identities: frames[:start], RawHeader: parts[0], Buffers: frames[start+6:]}
	if err := json.Unmarshal(parts[0], &m.Header); err != nil || !isObject(parts[0]) {
		return nil, &MalformedError{"the header is something else", "a JSON object of strings"}
	}
	if m.Header.ID == "" || m.Header.Type == "" {
		return nil, &MalformedError{"the header is incomplete", "msg_id and msg_type"}
	}
	for i, name := range []string{"parent header", "metadata", "content"} {
		if p := parts[i+1]; !isObject(p) || !json.Valid(p) {
			return nil, &MalformedError{"the " + name + " is something else", "a JSON object"}
		}
	}
	m.Parent, m.Metadata, m.Content = parts[1], parts[2], parts[3]
	return m, nil
}

// Signed reports whether frames, as [Socket.Messages] delivers them or without
// the sender, are a message that someone with the key has made for the kernel now.
// What the kernel itself has signed is on iopub for everyone to read, and shows
// nothing; nor does what was received before.
func (c *Codec) Signed(frames [][]byte) bool {
	start := slices.IndexFunc(frames, func(f []byte) bool { return bytes.Equal(f, delimiter) })
	if len(c.key) == 0 {
		return true
	}
	if start < 0 || len(frames) < start+6 {
		return false
	}
	parts := frames[start+2 : start+6]
	got, err := c.genuine(frames[start+1], parts)
	var h Header
	if err != nil || json.Unmarshal(parts[0], &h) != nil || h.Session == c.session {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.seen[got]
}

// genuine compares a signature in constant time.
func (c *Codec) genuine(signature []byte, parts [][]byte) (got [sha256.Size]byte, err error) {
	if n, err := hex.Decode(got[:], signature[:min(len(signature), 2*sha256.Size)]); err != nil || n != sha256.Size || len(signature) != 2*sha256.Size {
		return got, &MalformedError{"the signature is no signature", "64 hexadecimal digits"}
	}
	if !hmac.Equal(got[:], c.sum(parts)) {
		return got, &MalformedError{"the signature does not match", "one made with this kernel's key"}
	}
	return got, nil
}

// verify checks the signature, and that it was never used.
func (c *Codec) verify(signature []byte, parts [][]byte) error {
	if len(c.key) == 0 {
		return nil
	}
	got, err := c.genuine(signature, parts)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[got] {
		return &MalformedError{"the signature was used before", "each message once"}
	}
	c.seen[got] = true
	if len(c.ring) < seenLimit {
		c.ring = append(c.ring, got)
	} else {
		delete(c.seen, c.ring[c.next])
		c.ring[c.next] = got
		c.next = (c.next + 1) % seenLimit
	}
	return nil
}

func (c *Codec) signature(parts [][]byte) []byte {
	if len(c.key) == 0 {
		return nil
	}
	return []byte(hex.EncodeToString(c.sum(parts)))
}

func (c *Codec) sum(parts [][]byte) []byte {
	mac := hmac.New(sha256.New, c.key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

func isObject(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	return len(b) > 0 && b[0] == '{'
}

func orEmpty(b json.RawMessage) []byte {
	if len(b) == 0 {
		return []byte("{}")
	}
	return b
}

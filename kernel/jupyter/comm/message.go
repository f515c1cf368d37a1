package comm

import "encoding/json"

// Message is a message of a comm
// (https://jupyter-client.readthedocs.io/en/stable/messaging.html#custom-messages).
type Message struct {
	Kind     Kind
	ID       string
	Target   string          // of an open
	Data     json.RawMessage // empty means {}
	Metadata json.RawMessage // of the whole message; empty means {}
	Buffers  [][]byte
}

// Kind is what a [Message] does.
type Kind string

// The kinds of comm messages.
const (
	Open  Kind = "comm_open"
	Data  Kind = "comm_msg"
	Close Kind = "comm_close"
)

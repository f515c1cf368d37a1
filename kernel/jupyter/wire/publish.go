package wire

import (
	"bytes"
	"strconv"
)

// EncodePublished returns the frames of a message for iopub, under the topic
// "kernel.SESSION.TYPE".
func (c *Codec) EncodePublished(m *Message) [][]byte {
	m.Identities = [][]byte{[]byte("kernel." + m.Header.Session + "." + m.Header.Type)}
	return c.Encode(m)
}

// PublishedType returns the type of a message from iopub, which its topic ends
// with, and "" where it has no such topic, as an iopub_welcome.
func PublishedType(frames [][]byte) string {
	if len(frames) == 0 {
		return ""
	}
	topic := frames[0]
	return string(topic[bytes.LastIndexByte(topic, '.')+1:])
}

// Essential reports whether a client that reads too slowly must still get a
// published message.
func Essential(frames [][]byte) bool {
	switch PublishedType(frames) {
	case "stream", "display_data", "update_display_data", "execute_result":
		return false
	}
	return true
}

// Welcome sends iopub_welcome to a client that has subscribed to a topic: it will
// receive everything that is published from now on
// (https://github.com/jupyter/enhancement-proposals/blob/master/65-jupyter-xpub/jupyter-xpub.md).
// It fits [Socket.OnSubscribe].
func (c *Codec) Welcome(topic string) [][]byte {
	msg := c.New("iopub_welcome", nil, map[string]any{"subscription": topic})
	msg.Identities = [][]byte{[]byte(topic)}
	return c.Encode(msg)
}

// Missed tells a client that it read too slowly for n messages, of which last
// was the last. It fits [Socket.OnDropped].
func (c *Codec) Missed(n int, last [][]byte) [][]byte {
	return c.LeftOut(n, last, "this client did not read them in time")
}

// LeftOut tells a client that n messages, of which last was the last, are
// missing, and why.
func (c *Codec) LeftOut(n int, last [][]byte, why string) [][]byte {
	msg := c.New("stream", Parent(last), map[string]any{
		"name": "stderr",
		"text": "\n[holt: " + strconv.Itoa(n) + " outputs are missing here: " + why + "]\n",
	})
	msg.Identities = [][]byte{last[0]}
	return c.Encode(msg)
}

// Parent returns the parent header in the frames of a message that was encoded
// here, nil where there is none.
func Parent(frames [][]byte) []byte { return part(frames, 3) }

// Content returns the content in the frames of a message that was encoded
// here, nil where there is none.
func Content(frames [][]byte) []byte { return part(frames, 5) }

// part returns the frame that is n behind the delimiter: signature, header,
// parent header, metadata, content, buffers.
func part(frames [][]byte, n int) []byte {
	for i, f := range frames {
		if bytes.Equal(f, delimiter) {
			if i+n < len(frames) {
				return frames[i+n]
			}
			return nil
		}
	}
	return nil
}

package remote

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// kind is what a packet is.
type kind byte

// The kinds of packets. Those up to kindStop are numbered by the link,
// and come once and in order.
const (
	kindShell kind = iota + 1
	kindControl
	kindStdin
	kindIOPub
	kindEnd   // from the keeper, last: why the kernel ended, an [ending]
	kindStop  // to the keeper: end the kernel
	kindAck   // the sender has received so many numbered packets; also a sign of life
	kindHello // to the agent and the keeper, first on a line: a [hello]
	kindReply // the answer to it: a [reply]
)

// numbered reports whether the link keeps packets of the kind until they have arrived.
func (k kind) numbered() bool { return k >= kindShell && k <= kindStop }

// packet is one message on a line.
//
//	length  uint32, big-endian, of all that follows
//	kind    byte
//	frames  each a uint32 length and its bytes
type packet struct {
	kind   kind
	frames [][]byte
}

const (
	maxPacket = 300 << 20 // bytes; a Jupyter message has at most 256 MiB
	maxFrames = 8192
)

// size is how many bytes a packet takes on the line.
func (p packet) size() int {
	n := 5
	for _, f := range p.frames {
		n += 4 + len(f)
	}
	return n
}

// append appends the packet as it is on the line to b.
func (p packet) append(b []byte) []byte {
	b = slices.Grow(b, p.size())
	b = binary.BigEndian.AppendUint32(b, uint32(p.size()-4))
	b = append(b, byte(p.kind))
	for _, f := range p.frames {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	return b
}

// readPacket reads one packet. Memory grows with what arrives, not with the
// length that is claimed.
func readPacket(r *bufio.Reader) (packet, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return packet{}, err
	}
	size := int64(binary.BigEndian.Uint32(head[:])) - 1
	p := packet{kind: kind(head[4])}
	if size < 0 || size > maxPacket {
		return packet{}, fmt.Errorf("remote: packet: length is %d, want 1 to %d", size+1, maxPacket)
	}
	if p.kind < kindShell || p.kind > kindReply {
		return packet{}, fmt.Errorf("remote: packet: kind is %d, want %d to %d; is Holt of another version on the other machine?", p.kind, kindShell, kindReply)
	}
	for size > 0 {
		var length [4]byte
		if size < 4 {
			return packet{}, fmt.Errorf("remote: packet: %d bytes are left for a frame, want at least 4", size)
		}
		if _, err := io.ReadFull(r, length[:]); err != nil {
			return packet{}, noEOF(err)
		}
		n := int64(binary.BigEndian.Uint32(length[:]))
		size -= 4
		if n > size {
			return packet{}, fmt.Errorf("remote: packet: a frame is %d bytes, want at most the %d that are left", n, size)
		}
		if len(p.frames) == maxFrames {
			return packet{}, fmt.Errorf("remote: packet: more than %d frames", maxFrames)
		}
		frame, err := readBody(r, int(n))
		if err != nil {
			return packet{}, noEOF(err)
		}
		p.frames = append(p.frames, frame)
		size -= n
	}
	return p, nil
}

func readBody(r io.Reader, size int) ([]byte, error) {
	const chunk = 1 << 20
	body := make([]byte, 0, min(size, chunk))
	for len(body) < size {
		n := min(size-len(body), chunk)
		body = slices.Grow(body, n)[:len(body)+n]
		if _, err := io.ReadFull(r, body[len(body)-n:]); err != nil {
			return nil, err
		}
	}
	return body, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// pack returns a packet that holds v as JSON. Its types always encode.
func pack(k kind, v any) packet {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("remote: encode packet: %w", err))
	}
	return packet{k, [][]byte{data}}
}

// unpack decodes the JSON that a packet of the kind holds into v.
func (p packet) unpack(k kind, v any) error {
	if p.kind != k || len(p.frames) != 1 {
		return fmt.Errorf("remote: packet: kind is %d with %d frames, want kind %d with one", p.kind, len(p.frames), k)
	}
	if err := json.Unmarshal(p.frames[0], v); err != nil {
		return fmt.Errorf("remote: packet of kind %d: %w", k, err)
	}
	return nil
}

func ack(n uint64) packet {
	return packet{kindAck, [][]byte{binary.BigEndian.AppendUint64(nil, n)}}
}

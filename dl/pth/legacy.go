package pth

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/big"
	"slices"
)

// magic is the number that a file of the older format begins with.
var magic, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)

// maxSmall is what a pickle of a few numbers may take in memory, in bytes.
const maxSmall = 1 << 16

// openLegacy reads a file of the older format: pickles of a magic number, the
// version, facts about the machine, the object, and the storages' keys; then
// each storage as its length and its elements.
func openLegacy(r *bufio.Reader, size int64) (any, source, error) {
	first, _, err := unpickle(r, maxSmall)
	if n, ok := first.(*big.Int); err != nil || !ok || n.Cmp(magic) != 0 {
		return nil, nil, corrupt("it begins with no number that torch.save writes")
	}
	const version = 1001
	if v, _, err := unpickle(r, maxSmall); err != nil || v != int64(version) {
		return nil, nil, corrupt("its version is %v, want %d", v, version)
	}
	system, _, err := unpickle(r, maxSmall)
	if err != nil {
		return nil, nil, err
	}
	if d, ok := system.(*dict); !ok || d.Get("little_endian") == false {
		return nil, nil, corrupt("it is of a big-endian machine, or of none")
	}
	top, storages, err := unpickle(r, maxPickle)
	if err != nil {
		return nil, nil, err
	}
	names, _, err := unpickle(r, maxPickle)
	if err != nil {
		return nil, nil, err
	}
	keys, ok := names.(*list)
	if !ok {
		return nil, nil, corrupt("it does not list its storages")
	}
	l := &legacy{r: r, left: size, storages: storages, place: map[string]int{}}
	for i, k := range keys.Items {
		key, ok := k.(string)
		if _, twice := l.place[key]; !ok || twice {
			return nil, nil, corrupt("storage %d has no key of its own", i)
		}
		l.place[key] = i
		l.keys = append(l.keys, key)
	}
	return top, l, nil
}

// legacy is a file of the older format as a source. It is read once, from
// front to back.
type legacy struct {
	r        *bufio.Reader
	left     int64 // bytes that storages can have at most
	storages map[string]*storage
	keys     []string // of the storages in the file's order
	place    map[string]int
	next     int // place of the storage that r is at
}

func (l *legacy) order(all []*storage) []*storage {
	slices.SortFunc(all, func(x, y *storage) int { return l.place[x.key] - l.place[y.key] })
	return all
}

func (l *legacy) load(s *storage) ([]byte, error) {
	place, ok := l.place[s.key]
	if !ok {
		return nil, corrupt("storage %q is not in the file", s.key)
	}
	for ; l.next < place; l.next++ { // what no tensor of the state dict uses
		skipped := l.storages[l.keys[l.next]]
		if skipped == nil {
			return nil, corrupt("storage %q is of no tensor", l.keys[l.next])
		}
		n, err := l.length(skipped)
		if err == nil {
			_, err = io.CopyN(io.Discard, l.r, n)
		}
		if err != nil {
			return nil, corrupt("storage %q is cut off", skipped.key)
		}
	}
	l.next++
	n, err := l.length(s)
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(l.r, b); err != nil {
		return nil, corrupt("storage %q is cut off", s.key)
	}
	return b, nil
}

// length reads the length that a storage begins with, and returns its bytes.
func (l *legacy) length(s *storage) (int64, error) {
	var n int64
	if err := binary.Read(l.r, binary.LittleEndian, &n); err != nil {
		return 0, corrupt("storage %q is cut off", s.key)
	}
	bytes := s.n * s.kind.size
	if n != s.n || bytes > l.left {
		return 0, corrupt("storage %q has %d elements, want %d, and %d bytes at most", s.key, n, s.n, l.left)
	}
	l.left -= bytes
	return bytes, nil
}

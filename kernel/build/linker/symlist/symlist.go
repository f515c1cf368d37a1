// Package symlist is about files that list the symbols of a program or a plugin, to which
// later plugins are bound. Go's linker writes them, and reads them as the compiler of
// cells does: both have this package as cmd/internal/symlist, so it imports nothing but
// the standard library.
//
// A list is one file, which is mapped and never read as a whole:
//
//	magic, then four uint32: buckets, and offset, length of the list of packages
//	a uint32 per bucket: the offset of a record, or 0. A symbol is in the bucket
//	    of its hash or, when that is taken, in the next that is free
//	records: uvarints version*4+kind and size, then name, external name where it
//	    differs, type header and pointer mask, each a uvarint length and bytes
//	a uint32 per numbered symbol of a package: the offset of its record
//	the list of packages: lines of path, fingerprint, offset of the numbers, how many
package symlist

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

const (
	magic  = "holtsym1"
	header = len(magic) + 4*4
)

// Kind is a kind of symbols.
type Kind int

const (
	Hidden Kind = iota // known by number only: nothing can be bound to it
	Data
	Text
)

// Sym is one record.
type Sym struct {
	Name    string
	Version int // its ABI
	Kind    Kind
	Size    int64
	Extname string // in the ELF symbol table
	Header  []byte // of a type: what decodetypeSize and its like read
	Mask    []byte // of a type: a bit per word, set for pointers; nil when too long
}

// Package is a package that a list knows.
type Package struct {
	Fingerprint [8]byte
	off, n      int // its numbered symbols
}

// List is a list of symbols.
type List struct {
	b       []byte
	buckets int
}

var errNone = errors.New("not a list of symbols")

// Map maps a file. It stays mapped.
func Map(file string) (*List, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < int64(header) {
		return nil, errNone
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return New(b)
}

// New is the list that a file holds.
func New(b []byte) (*List, error) {
	if len(b) < header || string(b[:len(magic)]) != magic {
		return nil, errNone
	}
	x := &List{b: b}
	x.buckets = x.uint32(len(magic))
	return x, nil
}

func (x *List) uint32(off int) int { return int(binary.LittleEndian.Uint32(x.b[off:])) }

// Packages returns the packages of a list, by escaped import path.
func (x *List) Packages() (map[string]Package, error) {
	off, n := x.uint32(len(magic)+4), x.uint32(len(magic)+8)
	if off+n > len(x.b) {
		return nil, errNone
	}
	packages := map[string]Package{}
	for line := range strings.Lines(string(x.b[off : off+n])) {
		words := strings.Fields(line) // fmt.Sscanf would take a millisecond for all
		if len(words) != 4 {
			return nil, errNone
		}
		var p Package
		fingerprint, err := hex.DecodeString(words[1])
		if err != nil {
			return nil, err
		}
		copy(p.Fingerprint[:], fingerprint)
		if p.off, err = strconv.Atoi(words[2]); err != nil {
			return nil, err
		}
		if p.n, err = strconv.Atoi(words[3]); err != nil {
			return nil, err
		}
		packages[words[0]] = p
	}
	return packages, nil
}

// record begins to decode the record at off: rest is what follows its name.
func (x *List) record(off int) (s Sym, rest decoder) {
	d := decoder{x.b[off:]}
	v := d.number()
	s.Version, s.Kind = v>>2, Kind(v&3)
	s.Size = int64(d.number())
	s.Name = string(d.text())
	return s, d
}

// whole decodes the rest of a record.
func (s Sym) whole(d decoder) Sym {
	if s.Extname = string(d.text()); s.Extname == "" {
		s.Extname = s.Name
	}
	s.Header, s.Mask = d.text(), d.text()
	return s
}

// decoder reads numbers and texts of a record.
type decoder struct{ b []byte }

func (d *decoder) number() int {
	v, n := binary.Uvarint(d.b)
	d.b = d.b[n:]
	return int(v)
}

func (d *decoder) text() []byte {
	n := d.number()
	t := d.b[:n:n]
	d.b = d.b[n:]
	return t
}

// Lookup finds a symbol that can be bound to.
func (x *List) Lookup(name string, version int) (s Sym, ok bool) {
	for i := hash(name, version) % x.buckets; ; i = (i + 1) % x.buckets {
		off := x.uint32(header + 4*i)
		if off == 0 {
			return Sym{}, false
		}
		if s, rest := x.record(off); s.Name == name && s.Version == version {
			return s.whole(rest), true
		}
	}
}

// Numbered returns the symbol that compilers call number i of a package.
func (x *List) Numbered(p Package, i int) (s Sym, ok bool) {
	if i >= p.n {
		return Sym{}, false
	}
	s, rest := x.record(x.uint32(p.off + 4*i))
	return s.whole(rest), true
}

func hash(name string, version int) int {
	h := uint32(2166136261) // FNV-1a
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return int((h ^ uint32(version)) * 16777619)
}

// Numbers are the symbols of a package in the order of their numbers.
type Numbers struct {
	Path        string // escaped
	Fingerprint [8]byte
	Syms        []Sym
}

// Encode returns the file that lists symbols, and those of packages by number.
func Encode(syms []Sym, packages []Numbers) []byte {
	type key struct {
		name    string
		version int
	}
	buckets := len(syms)*3/2 + 1
	out := make([]byte, header+4*buckets)
	put := func(at, v int) { binary.LittleEndian.PutUint32(out[at:], uint32(v)) }
	offsets := map[key]int{}
	add := func(s Sym) (off int) {
		off = len(out)
		if s.Extname == s.Name {
			s.Extname = ""
		}
		out = binary.AppendUvarint(out, uint64(s.Version<<2|int(s.Kind)))
		out = binary.AppendUvarint(out, uint64(s.Size))
		for _, text := range [][]byte{[]byte(s.Name), []byte(s.Extname), s.Header, s.Mask} {
			out = binary.AppendUvarint(out, uint64(len(text)))
			out = append(out, text...)
		}
		return off
	}
	for _, s := range syms {
		i := hash(s.Name, s.Version) % buckets
		for binary.LittleEndian.Uint32(out[header+4*i:]) != 0 {
			i = (i + 1) % buckets
		}
		off := add(s)
		offsets[key{s.Name, s.Version}] = off
		put(header+4*i, off)
	}
	var list bytes.Buffer
	for _, p := range packages {
		var numbers []byte
		for _, s := range p.Syms {
			off, ok := offsets[key{s.Name, s.Version}]
			if !ok {
				off = add(Sym{Name: s.Name, Version: s.Version, Kind: Hidden})
			}
			numbers = binary.LittleEndian.AppendUint32(numbers, uint32(off))
		}
		fmt.Fprintf(&list, "%s %x %d %d\n", p.Path, p.Fingerprint, len(out), len(p.Syms))
		out = append(out, numbers...)
	}
	copy(out, magic)
	put(len(magic), buckets)
	put(len(magic)+4, len(out))
	put(len(magic)+8, list.Len())
	return append(out, list.Bytes()...)
}

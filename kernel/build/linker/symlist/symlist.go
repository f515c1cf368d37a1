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
//
// # Why
//
// A plugin could be bound by the symbol table of the host itself, as -linkshared reads those
// of shared libraries. But that means to read all of it, and a cell names few of the symbols
// that the host has. So a list is laid out for look-ups in place: to open it costs one call
// of mmap and the lines of its packages, and a look-up touches the pages of one bucket and
// one record.
//
// An object file refers to a symbol of another package in one of two ways
// (cmd/internal/goobj): by its name, which [List.Lookup] answers, or by a package and the
// symbol's number there, which [List.Numbered] answers. Cells are compiled with -linkshared,
// which makes the compiler use names alone; the packages that come with a cell are not, and
// use numbers. A package's numbers are given out when it is compiled. Whether an archive was
// compiled against the same export data as the list's shows in [Package.Fingerprint].
//
// All numbers are little-endian, and nothing is aligned. Readers do not check offsets: a list
// that is damaged makes them panic. The host's is compared with its checksum when a world is
// opened.
package symlist

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	// magic begins every list.
	magic = "holtsym1"
	// header is the length of what precedes the buckets: magic, and four numbers of which the
	// last is not used.
	header = len(magic) + 4*4
)

// Kind is a kind of symbols.
//
// The compiler of cells leaves out code only where a list has a Text of that name; the linker
// gives an import the ELF type STT_FUNC for Text and STT_OBJECT for Data.
type Kind int

const (
	Hidden Kind = iota // known by number only: nothing can be bound to it
	Data               // a variable, a constant, a type
	Text               // code
)

// Sym is one record.
//
// Name and Version together are the key: Go's linker has a function once for each ABI that it
// can be called by. Header and Mask are there because Go's linker reads the types of the
// variables that it places, to tell the garbage collector where pointers are, and a type that
// is in another module has no content for it to read.
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
//
// Go's linker compares fingerprints, which are hashes of export data, and refuses to link a
// package that was compiled against another version of its import.
type Package struct {
	Fingerprint [8]byte
	off, n      int // its numbered symbols
}

// List is a list of symbols.
type List struct {
	// b is the whole file, and shared with what look-ups return: Header and Mask are parts of
	// it, and must not be written to.
	b       []byte
	buckets int // how many there are; never 0
}

// errNone is the error of a file that is no list, or too short for one.
var errNone = errors.New("not a list of symbols")

// New is the list that a file holds.
//
// It is for lists that are in memory already. The list keeps b.
func New(b []byte) (*List, error) {
	if len(b) < header || string(b[:len(magic)]) != magic {
		return nil, errNone
	}
	x := &List{b: b}
	x.buckets = x.uint32(len(magic))
	return x, nil
}

// uint32 returns the number at an offset in the file.
func (x *List) uint32(off int) int { return int(binary.LittleEndian.Uint32(x.b[off:])) }

// Packages returns the packages of a list, by escaped import path.
//
// A path is escaped as in the names of symbols (objabi.PathToPrefix): the dots behind its
// last slash and all bytes that are not plain are %xx. So it holds no blank, and the lines
// can be cut at blanks. Such a line is
//
//	strings 5a0f3c6e21d4b798 1181204 163
//
// that is a package whose numbered symbols, 163 of them, have their offsets at 1181204.
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
//
// Decoding stops behind the name, since most look-ups that meet another name in their bucket
// need no more of it.
func (x *List) record(off int) (s Sym, rest decoder) {
	d := decoder{x.b[off:]}
	v := d.number()
	// Three kinds fit into the lowest two bits.
	s.Version, s.Kind = v>>2, Kind(v&3)
	s.Size = int64(d.number())
	s.Name = string(d.text())
	return s, d
}

// whole decodes the rest of a record.
//
// Most symbols have the same name in the ELF symbol table as in Go, so an empty one stands
// for that.
func (s Sym) whole(d decoder) Sym {
	if s.Extname = string(d.text()); s.Extname == "" {
		s.Extname = s.Name
	}
	s.Header, s.Mask = d.text(), d.text()
	return s
}

// decoder reads numbers and texts of a record.
//
// Each call takes what it returns off the front.
type decoder struct{ b []byte }

// number reads a uvarint.
func (d *decoder) number() int {
	v, n := binary.Uvarint(d.b)
	d.b = d.b[n:]
	return int(v)
}

// text reads a length and as many bytes, which it does not copy. Its capacity is its length,
// so that appending to it cannot write into the file.
func (d *decoder) text() []byte {
	n := d.number()
	t := d.b[:n:n]
	d.b = d.b[n:]
	return t
}

// Lookup finds a symbol that can be bound to.
//
// It ends, because a third of the buckets are free (see [Encode]). A Hidden symbol is in no
// bucket.
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
//
// It is false where the package has fewer: the reference is to another archive of it. Unlike
// those of Lookup, the symbol may be Hidden: then its name is all there is.
func (x *List) Numbered(p Package, i int) (s Sym, ok bool) {
	if i >= p.n {
		return Sym{}, false
	}
	s, rest := x.record(x.uint32(p.off + 4*i))
	return s.whole(rest), true
}

// hash is the same in every process, since it decides where in a file a symbol is. The
// version goes in last, as if it were one more byte.
func hash(name string, version int) int {
	h := uint32(2166136261) // FNV-1a
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return int((h ^ uint32(version)) * 16777619)
}

// Numbers are the symbols of a package in the order of their numbers.
//
// Of Syms only Name and Version are looked at.
type Numbers struct {
	Path        string // escaped
	Fingerprint [8]byte
	Syms        []Sym
}

// Encode returns the file that lists symbols, and those of packages by number.
//
// Syms are those that can be bound to, and no two may have the same name and version. The
// symbols of packages are found among them or, where they are not there, added as Hidden:
// those that are local to the module or that it lacks. They are needed for their numbers
// alone, without which those behind them would have others.
func Encode(syms []Sym, packages []Numbers) []byte {
	type key struct {
		name    string
		version int
	}
	// Half as many again as there are symbols, and one: then look-ups find a free bucket
	// soon, and there is one when there are no symbols.
	buckets := len(syms)*3/2 + 1
	// Header and buckets are filled in when the offsets are known. No record is at offset 0,
	// so 0 marks a free bucket.
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
	// The records of what can be bound to.
	for _, s := range syms {
		i := hash(s.Name, s.Version) % buckets
		for binary.LittleEndian.Uint32(out[header+4*i:]) != 0 {
			i = (i + 1) % buckets
		}
		off := add(s)
		offsets[key{s.Name, s.Version}] = off
		put(header+4*i, off)
	}
	// The numbers of each package, and its line in the list of packages.
	var list bytes.Buffer
	for _, p := range packages {
		// They are collected aside, since add may append records in between.
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
	// At last the header. The list of packages is at the end of the file.
	copy(out, magic)
	put(len(magic), buckets)
	put(len(magic)+4, len(out))
	put(len(magic)+8, list.Len())
	return append(out, list.Bytes()...)
}

// Package shared makes a shared object of the one object that Go's linker writes for a
// plugin, which is what the system's linker does otherwise, in a process of its own that
// takes as long as the rest of the link.
//
// It is added to Go's linker, where it is cmd/link/internal/shared, so it imports
// nothing but the standard library. Go's linker writes few kinds of sections, symbols and
// relocations. Whatever is not among them is an error, and the caller has the system's
// linker.
//
// What comes out is what gold makes of the same object with -shared -z now:
// global symbols stay open to the first definition in the process, which is how cells
// share types, and a call or an address of one goes through the table of addresses, GOT.
// There are four differences. Calls need no lazily filled table of their own, since all
// symbols are bound when the plugin is loaded. What is constant after the relocations lies
// with the variables: on pages of its own it would cost each cell 4 KB and a memory map,
// of which Linux allows 65,530. There is no thread-local memory: see tlsg.
// And the symbols that mark where memory ends, for C, are absent.
//
// The format is in the System V ABI, its amd64 supplement, and for .gnu.hash in
// https://sourceware.org/legacy-ml/binutils/2006-10/msg00377.html.
package shared

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

const (
	page     = 4096 // the size of a page, by which memory is protected
	symSize  = 24   // an elf.Sym64
	relaSize = 24   // an elf.Rela64
	pltSize  = 8    // a jump through the GOT, padded
)

// tlsg is the thread-local variable in which a Go program has its goroutine. Each module
// has one, and all use that of the program, which is undefined in the result: then a
// module needs no thread-local memory of its own.
const tlsg = "runtime.tlsg"

// Link returns the shared object of an object for amd64. The error says what in it is
// unknown.
func Link(object []byte) (so []byte, err error) {
	defer func() {
		if r := recover(); r != nil { // an offset beyond the end of the object
			so, err = nil, fmt.Errorf("the object is damaged: %v", r)
		}
	}()
	l := &link{object: object}
	for _, step := range []func() error{l.sections, l.symbols, l.relocations, l.layout, l.apply} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return l.out, nil
}

// link is one call of Link.
type link struct {
	object []byte
	placed []*section // those that are in memory, in the order of their addresses
	byNum  []*section // the object's, by number; nil where one is not in memory
	rela   []elf.Section64
	symtab elf.Section64
	strtab []byte
	syms   []symbol
	relocs []relocation
	got    []*symbol // those with a place in the GOT, in its order
	plt    []*symbol // those with a jump, in the order of the jumps

	dynamic []*symbol // those that others can see: undefined ones, then by bucket
	defined int       // the index in dynamic of the first that is defined
	buckets int
	dynstr  bytes.Buffer

	relative []elf.Rela64 // dynamic relocations without a symbol
	symbolic []elf.Rela64 // and with one

	// What is made here.
	dynsymS, dynstrS, hashS, relaS, pltS, dynamicS, gotS *section
	out                                                  []byte

	// Where in the file and in memory that begins which is written to, where what only
	// relocations write to ends, and where all does.
	dataOff, dataAddr, fileEnd, memEnd uint64
}

// section is a section in memory.
type section struct {
	elf.Section64
	name  string
	data  []byte // nil where there is nothing but zeros
	index int    // in the result
	made  uint64 // its size, where it is made here
}

// symbol is a symbol of the object.
type symbol struct {
	elf.Sym64
	name string
	home *section // nil where it is undefined
	// open says that the dynamic linker binds it: to the first definition in the
	// process, which may be another than the one here.
	open     bool
	inDynsym bool
	dynsym   uint64 // its index there
	hash     uint32
	got, plt int // places in these tables, from 1; 0 where it has none
}

// addr is the address of a symbol that is defined here.
func (s *symbol) addr() uint64 { return s.home.Addr + s.Value }

// relocation is a place that depends on where something is.
type relocation struct {
	home   *section
	off    uint64 // in home
	kind   elf.R_X86_64
	sym    *symbol
	addend int64
}

var order = binary.LittleEndian

// text returns the string at an offset in a table of strings.
func text(table []byte, off uint32) string {
	t := table[off:]
	return string(t[:bytes.IndexByte(t, 0)])
}

// read decodes one record at an offset.
func read[T any](b []byte, off uint64, v *T) {
	if _, err := binary.Decode(b[off:], order, v); err != nil {
		panic(err)
	}
}

// sections sorts the object's sections by what the memory that they become may be used
// for: code, constants, what is constant after the relocations, variables, zeros.
func (l *link) sections() error {
	var h elf.Header64
	read(l.object, 0, &h)
	if string(h.Ident[:4]) != elf.ELFMAG || elf.Class(h.Ident[elf.EI_CLASS]) != elf.ELFCLASS64 || elf.Data(h.Ident[elf.EI_DATA]) != elf.ELFDATA2LSB ||
		elf.Type(h.Type) != elf.ET_REL || elf.Machine(h.Machine) != elf.EM_X86_64 {
		return errors.New("it is no object for amd64")
	}
	headers := make([]elf.Section64, h.Shnum)
	for i := range headers {
		read(l.object, h.Shoff+uint64(i)*uint64(h.Shentsize), &headers[i])
	}
	content := func(s elf.Section64) []byte { return l.object[s.Off : s.Off+s.Size : s.Off+s.Size] }
	names := content(headers[h.Shstrndx])
	var code, constant, relro, variable, zero []*section
	l.byNum = make([]*section, len(headers))
	inits := 0
	for i, s := range headers {
		name, kind, flags := text(names, s.Name), elf.SectionType(s.Type), elf.SectionFlag(s.Flags)
		if flags&elf.SHF_ALLOC == 0 {
			switch kind {
			case elf.SHT_NULL, elf.SHT_STRTAB, elf.SHT_PROGBITS: // names, and what debuggers read
			case elf.SHT_RELA:
				l.rela = append(l.rela, s)
			case elf.SHT_SYMTAB:
				l.symtab, l.strtab = s, content(headers[s.Link])
			default:
				return fmt.Errorf("section %s is a %v", name, kind)
			}
			continue
		}
		if kind == elf.SHT_INIT_ARRAY {
			if inits++; inits > 1 {
				return errors.New("it has two lists of functions to call at its start")
			}
		}
		p := &section{Section64: s, name: name}
		if kind != elf.SHT_NOBITS {
			p.data = content(s)
		}
		if kind != elf.SHT_NOBITS && kind != elf.SHT_PROGBITS && kind != elf.SHT_INIT_ARRAY || s.Addralign > page {
			return fmt.Errorf("section %s is a %v with alignment %d", name, kind, s.Addralign)
		}
		isRelro := strings.HasPrefix(name, ".data.rel.ro") || kind == elf.SHT_INIT_ARRAY
		switch {
		case flags == elf.SHF_ALLOC|elf.SHF_EXECINSTR && kind == elf.SHT_PROGBITS:
			code = append(code, p)
		case flags == elf.SHF_ALLOC && kind == elf.SHT_PROGBITS:
			constant = append(constant, p)
		case flags == elf.SHF_ALLOC|elf.SHF_WRITE && isRelro:
			relro = append(relro, p)
		case flags == elf.SHF_ALLOC|elf.SHF_WRITE && (kind == elf.SHT_PROGBITS || s.Size == 0):
			variable = append(variable, p)
		case flags == elf.SHF_ALLOC|elf.SHF_WRITE:
			zero = append(zero, p)
		case flags == elf.SHF_ALLOC|elf.SHF_WRITE|elf.SHF_TLS && kind == elf.SHT_NOBITS:
			continue
		default:
			return fmt.Errorf("section %s is a %v with %v", name, kind, flags)
		}
		l.byNum[i] = p
	}
	made := func(name string, kind elf.SectionType, flags elf.SectionFlag, entry uint64) *section {
		return &section{name: name, Section64: elf.Section64{Type: uint32(kind), Flags: uint64(flags | elf.SHF_ALLOC), Addralign: 8, Entsize: entry}}
	}
	l.dynsymS = made(".dynsym", elf.SHT_DYNSYM, 0, symSize)
	l.dynstrS = made(".dynstr", elf.SHT_STRTAB, 0, 0)
	l.hashS = made(".gnu.hash", elf.SHT_GNU_HASH, 0, 0)
	l.relaS = made(".rela.dyn", elf.SHT_RELA, 0, relaSize)
	l.pltS = made(".plt", elf.SHT_PROGBITS, elf.SHF_EXECINSTR, pltSize)
	l.dynamicS = made(".dynamic", elf.SHT_DYNAMIC, elf.SHF_WRITE, 16)
	l.gotS = made(".got", elf.SHT_PROGBITS, elf.SHF_WRITE, 8)
	l.placed = slices.Concat([]*section{l.dynsymS, l.dynstrS, l.hashS, l.relaS, l.pltS}, code, constant,
		relro, []*section{l.dynamicS, l.gotS}, variable, zero)
	for i, s := range l.placed {
		s.index = 1 + i
	}
	return nil
}

// relro reports whether a section is constant after the relocations.
func (l *link) relro(s *section) bool {
	return s == l.dynamicS || s == l.gotS || strings.HasPrefix(s.name, ".data.rel.ro") || elf.SectionType(s.Type) == elf.SHT_INIT_ARRAY
}

// symbols reads the object's symbols.
func (l *link) symbols() error {
	l.syms = make([]symbol, l.symtab.Size/symSize)
	for i := range l.syms {
		s := &l.syms[i]
		b := l.object[l.symtab.Off+uint64(i)*symSize:]
		s.Sym64 = elf.Sym64{
			Name: order.Uint32(b), Info: b[4], Other: b[5], Shndx: order.Uint16(b[6:]), Value: order.Uint64(b[8:]), Size: order.Uint64(b[16:]),
		}
		s.name = text(l.strtab, s.Name)
		bind, kind, visible := elf.ST_BIND(s.Info), elf.ST_TYPE(s.Info), elf.ST_VISIBILITY(s.Other)
		switch {
		case kind == elf.STT_TLS && s.name == tlsg && bind == elf.STB_GLOBAL:
			s.open = true // and without a home
			continue
		case kind == elf.STT_TLS, kind == elf.STT_FILE:
			continue // with a relocation it is an error: it has no home
		}
		if kind != elf.STT_NOTYPE && kind != elf.STT_OBJECT && kind != elf.STT_FUNC && kind != elf.STT_SECTION ||
			bind != elf.STB_LOCAL && bind != elf.STB_GLOBAL || visible != elf.STV_DEFAULT && visible != elf.STV_HIDDEN {
			return fmt.Errorf("symbol %s is a %v, %v, %v", s.name, kind, bind, visible)
		}
		switch n := elf.SectionIndex(s.Shndx); {
		case n == elf.SHN_UNDEF:
			s.open = bind == elf.STB_GLOBAL && visible == elf.STV_DEFAULT
			continue
		case int(n) >= len(l.byNum) || l.byNum[n] == nil:
			return fmt.Errorf("symbol %s is in section %v", s.name, n)
		}
		s.home = l.byNum[s.Shndx]
		if s.Value > s.home.Size {
			return fmt.Errorf("symbol %s is beyond section %s", s.name, s.home.name)
		}
		if bind == elf.STB_GLOBAL && visible == elf.STV_DEFAULT {
			s.open = true
			l.see(s)
		}
	}
	return nil
}

// see puts a symbol among those that the dynamic linker knows.
func (l *link) see(s *symbol) {
	if !s.inDynsym {
		s.inDynsym = true
		l.dynamic = append(l.dynamic, s)
	}
}

// relocations reads the relocations, and counts what they need of the tables.
func (l *link) relocations() error {
	for _, s := range l.rela {
		if int(s.Info) >= len(l.byNum) || l.byNum[s.Info] == nil {
			continue // of what only debuggers read
		}
		home := l.byNum[s.Info]
		for off := s.Off; off < s.Off+s.Size; off += relaSize {
			b := l.object[off:]
			info := order.Uint64(b[8:])
			r := relocation{home: home, off: order.Uint64(b), kind: elf.R_X86_64(elf.R_TYPE64(info)), addend: int64(order.Uint64(b[16:]))}
			r.sym = &l.syms[elf.R_SYM64(info)]
			local := elf.ST_TYPE(r.sym.Info) == elf.STT_TLS
			if local != (r.kind == elf.R_X86_64_GOTTPOFF) || r.sym.home == nil && !r.sym.open || home.data == nil {
				return fmt.Errorf("relocation %v of %s in %s", r.kind, r.sym.name, home.name)
			}
			if r.sym.open {
				l.see(r.sym)
			}
			switch r.kind {
			case elf.R_X86_64_64:
				if elf.SectionFlag(home.Flags)&elf.SHF_WRITE == 0 {
					return fmt.Errorf("an address of %s in %s", r.sym.name, home.name)
				}
				l.relaS.made += relaSize
			case elf.R_X86_64_PC32:
				if r.sym.open {
					return fmt.Errorf("relocation %v of %s, which may be elsewhere", r.kind, r.sym.name)
				}
			case elf.R_X86_64_PLT32:
				if r.sym.open {
					l.needGOT(r.sym)
					if r.sym.plt == 0 {
						l.plt = append(l.plt, r.sym)
						r.sym.plt = len(l.plt)
					}
				}
			case elf.R_X86_64_GOTPCREL, elf.R_X86_64_GOTTPOFF:
				l.needGOT(r.sym)
			default:
				return fmt.Errorf("relocation %v of %s", r.kind, r.sym.name)
			}
			l.relocs = append(l.relocs, r)
		}
	}
	l.relaS.made += relaSize * uint64(len(l.got))
	l.gotS.made = 8 * uint64(len(l.got))
	l.pltS.made = pltSize * uint64(len(l.plt))
	l.sortDynamic()
	return nil
}

// needGOT gives a symbol a place in the GOT.
func (l *link) needGOT(s *symbol) {
	if s.got == 0 {
		l.got = append(l.got, s)
		s.got = len(l.got)
	}
}

// sortDynamic puts the dynamic symbols into the order that .gnu.hash asks for.
func (l *link) sortDynamic() {
	n := 0
	for _, s := range l.dynamic {
		s.hash = gnuHash(s.name)
		if s.home != nil {
			n++
		}
	}
	l.buckets = n/2 + 1
	bucket := func(s *symbol) int {
		if s.home == nil {
			return -1
		}
		return int(s.hash % uint32(l.buckets))
	}
	slices.SortStableFunc(l.dynamic, func(a, b *symbol) int { return cmp.Compare(bucket(a), bucket(b)) })
	l.defined = len(l.dynamic) - n
	l.dynstr.WriteByte(0)
	for i, s := range l.dynamic {
		s.dynsym, s.Name = uint64(1+i), uint32(l.dynstr.Len())
		l.dynstr.WriteString(s.name)
		l.dynstr.WriteByte(0)
	}
	l.dynsymS.made = symSize * uint64(1+len(l.dynamic))
	l.dynstrS.made = uint64(l.dynstr.Len())
	l.hashS.made = 16 + 8*uint64(l.bloom()) + 4*uint64(l.buckets) + 4*uint64(n)
	l.dynamicS.made = 16 * uint64(len(l.tags()))
}

// bloom is the number of words in the filter of .gnu.hash, a power of two: about a
// byte for a symbol.
func (l *link) bloom() int {
	words := 1
	for words*8 < len(l.dynamic)-l.defined {
		words *= 2
	}
	return words
}

// bloomShift makes a second hash of the first one.
const bloomShift = 26

func gnuHash(name string) uint32 {
	h := uint32(5381)
	for i := range len(name) {
		h = h*33 + uint32(name[i])
	}
	return h
}

// layout gives the sections their places. In the file they lie one after the other.
// What is written to begins on a page of its own.
func (l *link) layout() error {
	off := uint64(headerSize + programs*programSize)
	addr := off
	for _, s := range l.placed {
		if s.made > 0 {
			s.Size = s.made
		}
		if l.dataAddr == 0 && elf.SectionFlag(s.Flags)&elf.SHF_WRITE != 0 {
			l.dataOff, l.dataAddr = off, up(addr, page)+off%page
			addr = l.dataAddr
		}
		gap := up(addr, max(1, s.Addralign)) - addr
		s.Addr, s.Off = addr+gap, off+gap
		addr = s.Addr + s.Size
		if elf.SectionType(s.Type) != elf.SHT_NOBITS || s.Size == 0 || l.relro(s) {
			off = s.Off + s.Size
		}
	}
	l.fileEnd, l.memEnd = off, addr
	if addr > math.MaxInt32 {
		return fmt.Errorf("it takes %d bytes", addr)
	}
	return nil
}

func up(n, align uint64) uint64 { return (n + align - 1) / align * align }

// tags are the records of the dynamic section.
func (l *link) tags() [][2]uint64 {
	list := [][2]uint64{
		{uint64(elf.DT_RELA), l.relaS.Addr}, {uint64(elf.DT_RELASZ), l.relaS.Size}, {uint64(elf.DT_RELAENT), relaSize},
		{uint64(elf.DT_RELACOUNT), uint64(len(l.relative))},
		{uint64(elf.DT_SYMTAB), l.dynsymS.Addr}, {uint64(elf.DT_SYMENT), symSize},
		{uint64(elf.DT_STRTAB), l.dynstrS.Addr}, {uint64(elf.DT_STRSZ), l.dynstrS.Size},
		{uint64(elf.DT_GNU_HASH), l.hashS.Addr},
	}
	for _, s := range l.placed {
		if elf.SectionType(s.Type) == elf.SHT_INIT_ARRAY {
			list = append(list, [2]uint64{uint64(elf.DT_INIT_ARRAY), s.Addr}, [2]uint64{uint64(elf.DT_INIT_ARRAYSZ), s.Size})
		}
	}
	return append(list, [2]uint64{uint64(elf.DT_FLAGS), uint64(elf.DF_BIND_NOW)}, [2]uint64{uint64(elf.DT_FLAGS_1), uint64(elf.DF_1_NOW)}, [2]uint64{})
}

// apply writes the result, in which all relocations are done or left to the dynamic
// linker.
func (l *link) apply() error {
	names := []byte{0}
	for _, s := range l.placed {
		s.Name = uint32(len(names))
		names = append(append(names, s.name...), 0)
	}
	shstrtab := elf.Section64{Name: uint32(len(names)), Type: uint32(elf.SHT_STRTAB), Off: l.fileEnd, Addralign: 1}
	names = append(names, ".shstrtab\x00"...)
	shstrtab.Size = uint64(len(names))
	headers := up(l.fileEnd+uint64(len(names)), 8)
	l.out = make([]byte, headers, headers+uint64(len(l.placed)+2)*sectionSize)
	copy(l.out[l.fileEnd:], names)
	for _, s := range l.placed {
		copy(l.out[s.Off:], s.data)
	}
	for _, r := range l.relocs {
		if err := l.relocate(r); err != nil {
			return err
		}
	}
	l.writeTables()

	l.dynsymS.Link, l.dynsymS.Info = uint32(l.dynstrS.index), 1
	l.hashS.Link, l.relaS.Link, l.dynamicS.Link = uint32(l.dynsymS.index), uint32(l.dynsymS.index), uint32(l.dynstrS.index)
	l.out = append(l.out, make([]byte, sectionSize)...)
	for _, s := range l.placed {
		l.append(s.Section64)
	}
	l.append(shstrtab)
	l.writeHeaders(headers)
	return nil
}

// append writes a record at the end of the result.
func (l *link) append(record any) {
	var err error
	if l.out, err = binary.Append(l.out, order, record); err != nil {
		panic(err)
	}
}

// relocate does one relocation.
func (l *link) relocate(r relocation) error {
	place := r.home.Addr + r.off
	at := l.out[r.home.Off+r.off:]
	if r.kind == elf.R_X86_64_64 {
		if r.sym.open {
			l.symbolic = append(l.symbolic, elf.Rela64{Off: place, Info: elf.R_INFO(uint32(r.sym.dynsym), uint32(elf.R_X86_64_64)), Addend: r.addend})
			return nil
		}
		l.relativeTo(at, place, int64(r.sym.addr())+r.addend)
		return nil
	}
	var target uint64
	switch {
	case r.kind == elf.R_X86_64_GOTPCREL, r.kind == elf.R_X86_64_GOTTPOFF:
		target = l.gotS.Addr + 8*uint64(r.sym.got-1)
	case r.sym.plt > 0:
		target = l.pltS.Addr + pltSize*uint64(r.sym.plt-1)
	default:
		target = r.sym.addr()
	}
	v := int64(target) + r.addend - int64(place)
	if v != int64(int32(v)) {
		return fmt.Errorf("relocation %v of %s is too far", r.kind, r.sym.name)
	}
	order.PutUint32(at, uint32(v))
	return nil
}

// relativeTo has the dynamic linker add the plugin's address to a value.
func (l *link) relativeTo(at []byte, place uint64, value int64) {
	order.PutUint64(at, uint64(value))
	l.relative = append(l.relative, elf.Rela64{Off: place, Info: uint64(elf.R_X86_64_RELATIVE), Addend: value})
}

// writeTables writes the sections that are made here.
func (l *link) writeTables() {
	for i, s := range l.plt {
		at := l.pltS.Off + pltSize*uint64(i)
		next := l.pltS.Addr + pltSize*uint64(i) + 6
		copy(l.out[at:], "\xff\x25\x00\x00\x00\x00\xcc\xcc") // JMP *got(RIP); INT3; INT3
		order.PutUint32(l.out[at+2:], uint32(l.gotS.Addr+8*uint64(s.got-1)-next))
	}
	for i, s := range l.got {
		place := l.gotS.Addr + 8*uint64(i)
		if s.open {
			kind := elf.R_X86_64_GLOB_DAT
			if elf.ST_TYPE(s.Info) == elf.STT_TLS {
				kind = elf.R_X86_64_TPOFF64
			}
			l.symbolic = append(l.symbolic, elf.Rela64{Off: place, Info: elf.R_INFO(uint32(s.dynsym), uint32(kind))})
		} else {
			l.relativeTo(l.out[l.gotS.Off+8*uint64(i):], place, int64(s.addr()))
		}
	}
	for i, r := range append(l.relative, l.symbolic...) {
		at := l.out[l.relaS.Off+relaSize*uint64(i):]
		order.PutUint64(at, r.Off)
		order.PutUint64(at[8:], r.Info)
		order.PutUint64(at[16:], uint64(r.Addend))
	}
	for i, s := range l.dynamic {
		at := l.out[l.dynsymS.Off+symSize*uint64(1+i):]
		order.PutUint32(at, s.Name)
		at[4], at[5] = s.Info, s.Other
		if s.home != nil {
			order.PutUint16(at[6:], uint16(s.home.index))
			order.PutUint64(at[8:], s.addr())
		}
		order.PutUint64(at[16:], s.Size)
	}
	copy(l.out[l.dynstrS.Off:], l.dynstr.Bytes())
	l.writeHash()
	for i, t := range l.tags() {
		at := l.out[l.dynamicS.Off+16*uint64(i):]
		order.PutUint64(at, t[0])
		order.PutUint64(at[8:], t[1])
	}
}

// writeHash writes .gnu.hash: a filter that says of most names that they are not here,
// and for each bucket its first symbol and the hashes of all, of which the last one is
// odd and the others are even.
func (l *link) writeHash() {
	at := l.out[l.hashS.Off:]
	first := 1 + l.defined
	for i, v := range []int{l.buckets, first, l.bloom(), bloomShift} {
		order.PutUint32(at[4*i:], uint32(v))
	}
	filter := at[16:]
	buckets := filter[8*l.bloom():]
	hashes := buckets[4*l.buckets:]
	list := l.dynamic[l.defined:]
	for i, s := range list {
		word := filter[8*(int(s.hash/64)%l.bloom()):]
		order.PutUint64(word, order.Uint64(word)|1<<(s.hash%64)|1<<(s.hash>>bloomShift%64))
		bucket := s.hash % uint32(l.buckets)
		if at := buckets[4*bucket:]; order.Uint32(at) == 0 {
			order.PutUint32(at, uint32(first+i))
		}
		last := i+1 == len(list) || list[i+1].hash%uint32(l.buckets) != bucket
		hash := s.hash &^ 1
		if last {
			hash |= 1
		}
		order.PutUint32(hashes[4*i:], hash)
	}
}

const (
	headerSize  = 64
	programSize = 56
	programs    = 4 // as in writeHeaders
	sectionSize = 64
)

// writeHeaders writes the file's header, and what the loader maps.
func (l *link) writeHeaders(sections uint64) {
	h := elf.Header64{
		Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Phoff: headerSize, Shoff: sections, Ehsize: headerSize, Phentsize: programSize, Phnum: programs,
		Shentsize: sectionSize, Shnum: uint16(len(l.placed) + 2), Shstrndx: uint16(len(l.placed) + 1),
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	put := func(at int, record any) {
		if _, err := binary.Encode(l.out[at:], order, record); err != nil {
			panic(err)
		}
	}
	put(0, h)
	for i, p := range [programs]elf.Prog64{
		{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Filesz: l.dataOff, Memsz: l.dataOff, Align: page},
		{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Off: l.dataOff, Vaddr: l.dataAddr,
			Filesz: l.fileEnd - l.dataOff, Memsz: l.memEnd - l.dataAddr, Align: page},
		{Type: uint32(elf.PT_DYNAMIC), Flags: uint32(elf.PF_R | elf.PF_W), Off: l.dynamicS.Off, Vaddr: l.dynamicS.Addr,
			Filesz: l.dynamicS.Size, Memsz: l.dynamicS.Size, Align: 8},
		{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16},
	} {
		p.Paddr = p.Vaddr
		put(headerSize+programSize*i, p)
	}
}

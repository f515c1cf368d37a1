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
// There are five differences. Symbols of the plugin's own package, which no module before it can
// have, are bound here: the dynamic linker would look for each of them in all modules, of which
// there is one for each cell. Calls need no lazily filled table of their own, since all
// symbols are bound when the plugin is loaded. What is constant after the relocations lies
// with the variables: on pages of its own it would cost each cell 4 KB and a memory map,
// of which Linux allows 65,530. There is no thread-local memory: see tlsg.
// And the symbols that mark where memory ends, for C, are absent.
//
// The format is in the System V ABI, its amd64 supplement, and for .gnu.hash in
// https://sourceware.org/legacy-ml/binutils/2006-10/msg00377.html.
//
// # The steps
//
// [Link] goes through the object five times, each time with what the step before has found:
//
//   - sections: which sections become memory, and in which order;
//   - symbols: which of them the dynamic linker may bind elsewhere;
//   - relocations: which symbols need a place in the tables that are made here, and so how large
//     these are;
//   - layout: the address and the place in the file of each section;
//   - apply: the bytes.
//
// In memory the result is
//
//	headers .dynsym .dynstr .gnu.hash .rela.dyn .plt, code, constants    R X
//	.data.rel.ro .init_array .dynamic .got, variables, zeros             R W
//
// two segments, so that a plugin takes two memory maps, besides what the kernel adds for
// zeros.
//
// # What a relocation becomes
//
// An open symbol is one that the dynamic linker binds. V is the symbol's address, P the place
// that is relocated, A the addend:
//
//	R_X86_64_64        V+A    open: the dynamic linker does it, by the symbol's name
//	                          else: it adds the plugin's address (R_X86_64_RELATIVE)
//	R_X86_64_PC32      V+A-P  open: an error; else done here
//	R_X86_64_PLT32     V+A-P  open: V is that of a jump in .plt; else done here
//	R_X86_64_GOTPCREL  V+A-P  V is that of a place in .got, which holds the symbol's address
//	R_X86_64_GOTTPOFF  V+A-P  V is that of a place in .got, which holds tlsg's offset from
//	                          the thread pointer
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

// Link returns the shared object of an object for amd64. Symbols that begin with own, such as
// "notebook/c5.", are of the plugin's own package; with an empty one none are. The error says what
// in the object is unknown.
func Link(object []byte, own string) (so []byte, err error) {
	defer func() {
		if r := recover(); r != nil { // an offset beyond the end of the object
			so, err = nil, fmt.Errorf("the object is damaged: %v", r)
		}
	}()
	l := &link{object: object, own: own}
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
	own    string     // what the names of the plugin's own package begin with
	placed []*section // those that are in memory, in the order of their addresses
	byNum  []*section // the object's, by number; nil where one is not in memory
	// Of the object: its sections of relocations, those for debuggers included, its table of
	// symbols, and the names of these.
	rela   []elf.Section64
	symtab elf.Section64
	strtab []byte
	syms   []symbol
	relocs []relocation
	got    []*symbol // those with a place in the GOT, in its order
	plt    []*symbol // those with a jump, in the order of the jumps

	dynamic []*symbol // those that others can see: undefined ones, then by bucket
	defined int       // the index in dynamic of the first that is defined
	// buckets is how many .gnu.hash has; at least 1.
	buckets int
	dynstr  bytes.Buffer // the names of dynamic

	relative []elf.Rela64 // dynamic relocations without a symbol
	symbolic []elf.Rela64 // and with one

	// What is made here.
	// Their data is nil: writeTables writes them into out.
	dynsymS, dynstrS, hashS, relaS, pltS, dynamicS, gotS *section
	out                                                  []byte

	// Where what is written to begins, in the file and in memory; where the content of the
	// file ends, before the names of sections; and where the memory ends.
	dataOff, dataAddr, fileEnd, memEnd uint64
}

// section is a section in memory.
//
// Addr and Off of its header are the object's until layout has set them.
type section struct {
	elf.Section64
	name  string
	data  []byte // nil where there is nothing but zeros
	index int    // in the result
	made  uint64 // its size, where it is made here
}

// symbol is a symbol of the object.
//
// Name of its Sym64 is the offset of the name in the object until sortDynamic sets it, for
// those that are in dynamic, to the offset in .dynstr.
type symbol struct {
	elf.Sym64
	name string
	home *section // nil where it is undefined
	// open says that the dynamic linker binds it: to the first definition in the
	// process, which may be another than the one here.
	open bool
	// inDynsym keeps see from putting it into dynamic twice.
	inDynsym bool
	dynsym   uint64 // its index there
	hash     uint32 // of the name, as .gnu.hash wants it
	got, plt int    // places in these tables, from 1; 0 where it has none
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

// order is the byte order of amd64's files.
var order = binary.LittleEndian

// text returns the string at an offset in a table of strings.
func text(table []byte, off uint32) string {
	t := table[off:]
	return string(t[:bytes.IndexByte(t, 0)])
}

// read decodes one record at an offset. It panics beyond the end of the object, which Link
// makes an error.
func read[T any](b []byte, off uint64, v *T) {
	if _, err := binary.Decode(b[off:], order, v); err != nil {
		panic(err)
	}
}

// sections sorts the object's sections by what the memory that they become may be used
// for: code, constants, what is constant after the relocations, variables, zeros.
//
// A section without SHF_ALLOC has no place in memory; of those only relocations and symbols
// are of use. The others must be of the kinds and flags that Go's linker writes.
//
// The tables that are made here come before the code and before the variables, so that what
// is constant and what is written to are together.
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
	// The capacity ends with the section: nothing can be appended over what follows.
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
		// Go's linker writes one, with a function that puts the plugin's moduledata into the
		// list of the runtime. DT_INIT_ARRAY can name only one.
		if kind == elf.SHT_INIT_ARRAY {
			if inits++; inits > 1 {
				return errors.New("it has two lists of functions to call at its start")
			}
		}
		p := &section{Section64: s, name: name}
		if kind != elf.SHT_NOBITS {
			p.data = content(s)
		}
		// A segment begins at a page, so no larger alignment could be kept.
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
		// The thread-local memory of tlsg. It gets no place, and byNum stays nil, so that a
		// symbol or relocation of it that is not foreseen is an error.
		case flags == elf.SHF_ALLOC|elf.SHF_WRITE|elf.SHF_TLS && kind == elf.SHT_NOBITS:
			continue
		default:
			return fmt.Errorf("section %s is a %v with %v", name, kind, flags)
		}
		l.byNum[i] = p
	}
	// The sections that are made here. Their sizes are known after relocations.
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
		// Section 0 is none: SHN_UNDEF.
		s.index = 1 + i
	}
	return nil
}

// relro reports whether a section is constant after the relocations. Such a section has its
// bytes in the file even where it holds nothing but zeros, since what follows has.
func (l *link) relro(s *section) bool {
	return s == l.dynamicS || s == l.gotS || strings.HasPrefix(s.name, ".data.rel.ro") || elf.SectionType(s.Type) == elf.SHT_INIT_ARRAY
}

// symbols reads the object's symbols.
//
// A symbol is open when it is global and visible: then the dynamic linker takes the
// definition of the first module that has it, as ELF's rules for interposition say, and that
// is how a type or a variable of a package is the same in all plugins. It may be this
// plugin's own, so what is defined here and open is shown to the dynamic linker. What is
// local or hidden is reached directly, and so is what is of the plugin's own package, which is
// shown for later plugins.
func (l *link) symbols() error {
	l.syms = make([]symbol, l.symtab.Size/symSize)
	for i := range l.syms {
		s := &l.syms[i]
		// By hand, since there are many and binary.Decode goes by reflection.
		b := l.object[l.symtab.Off+uint64(i)*symSize:]
		s.Sym64 = elf.Sym64{
			Name: order.Uint32(b), Info: b[4], Other: b[5], Shndx: order.Uint16(b[6:]), Value: order.Uint64(b[8:]), Size: order.Uint64(b[16:]),
		}
		s.name = text(l.strtab, s.Name)
		bind, kind, visible := elf.ST_BIND(s.Info), elf.ST_TYPE(s.Info), elf.ST_VISIBILITY(s.Other)
		switch {
		// Its content here is of no interest: the program has the one that counts.
		case kind == elf.STT_TLS && s.name == tlsg && bind == elf.STB_GLOBAL:
			s.open = true // and without a home
			continue
		case kind == elf.STT_TLS, kind == elf.STT_FILE:
			continue // with a relocation it is an error: it has no home
		}
		// Weak symbols, STT_GNU_IFUNC and protected visibility have rules of their own, which
		// Go does not need.
		if kind != elf.STT_NOTYPE && kind != elf.STT_OBJECT && kind != elf.STT_FUNC && kind != elf.STT_SECTION ||
			bind != elf.STB_LOCAL && bind != elf.STB_GLOBAL || visible != elf.STV_DEFAULT && visible != elf.STV_HIDDEN {
			return fmt.Errorf("symbol %s is a %v, %v, %v", s.name, kind, bind, visible)
		}
		switch n := elf.SectionIndex(s.Shndx); {
		case n == elf.SHN_UNDEF:
			// The empty symbol 0 comes here too, and stays closed. An undefined symbol is
			// shown to the dynamic linker only when a relocation needs it.
			s.open = bind == elf.STB_GLOBAL && visible == elf.STV_DEFAULT
			continue
		// Reserved numbers are beyond the end of byNum: SHN_ABS, SHN_COMMON.
		case int(n) >= len(l.byNum) || l.byNum[n] == nil:
			return fmt.Errorf("symbol %s is in section %v", s.name, n)
		}
		s.home = l.byNum[s.Shndx]
		// Not >=: a symbol may mark the end of its section.
		if s.Value > s.home.Size {
			return fmt.Errorf("symbol %s is beyond section %s", s.name, s.home.name)
		}
		if bind == elf.STB_GLOBAL && visible == elf.STV_DEFAULT {
			s.open = l.own == "" || !strings.HasPrefix(s.name, l.own)
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
//
// It only counts and checks; relocate does them, when addresses are known.
func (l *link) relocations() error {
	for _, s := range l.rela {
		// Info is the section that the relocations change.
		if int(s.Info) >= len(l.byNum) || l.byNum[s.Info] == nil {
			continue // of what only debuggers read
		}
		home := l.byNum[s.Info]
		for off := s.Off; off < s.Off+s.Size; off += relaSize {
			b := l.object[off:]
			info := order.Uint64(b[8:])
			r := relocation{home: home, off: order.Uint64(b), kind: elf.R_X86_64(elf.R_TYPE64(info)), addend: int64(order.Uint64(b[16:]))}
			r.sym = &l.syms[elf.R_SYM64(info)]
			// Local says that the symbol is thread-local. Of those only tlsg is open, so it
			// is reached by GOTTPOFF and by nothing else, and nothing else by GOTTPOFF. A
			// section without content has nothing to relocate.
			local := elf.ST_TYPE(r.sym.Info) == elf.STT_TLS
			if local != (r.kind == elf.R_X86_64_GOTTPOFF) || r.sym.home == nil && !r.sym.open || home.data == nil {
				return fmt.Errorf("relocation %v of %s in %s", r.kind, r.sym.name, home.name)
			}
			if r.sym.open {
				l.see(r.sym)
			}
			switch r.kind {
			case elf.R_X86_64_64:
				// The dynamic linker would have to make code or constants writable while it
				// binds: DT_TEXTREL, which Go's objects do not need.
				if elf.SectionFlag(home.Flags)&elf.SHF_WRITE == 0 {
					return fmt.Errorf("an address of %s in %s", r.sym.name, home.name)
				}
				l.relaS.made += relaSize
			// An address relative to the instruction, with 32 bits. The other definition may
			// be farther away than 2 GB, and the code cannot be changed when it is loaded.
			case elf.R_X86_64_PC32:
				if r.sym.open {
					return fmt.Errorf("relocation %v of %s, which may be elsewhere", r.kind, r.sym.name)
				}
			// A call. One jump through the GOT serves all calls of a function.
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
	// The dynamic linker fills in each place of the GOT. A jump has no relocation of its own.
	l.relaS.made += relaSize * uint64(len(l.got))
	l.gotS.made = 8 * uint64(len(l.got))
	l.pltS.made = pltSize * uint64(len(l.plt))
	l.sortDynamic()
	return nil
}

// needGOT gives a symbol a place in the GOT.
//
// A closed symbol can have one too, since code reaches it by GOTPCREL all the same: its
// address is the plugin's plus a constant.
func (l *link) needGOT(s *symbol) {
	if s.got == 0 {
		l.got = append(l.got, s)
		s.got = len(l.got)
	}
}

// sortDynamic puts the dynamic symbols into the order that .gnu.hash asks for.
//
// Those that are defined elsewhere come first and are not in the table. The others are sorted
// by bucket, since a bucket is a run of symbols in .dynsym. The sort is stable, so the result
// follows from the object alone.
//
// It also gives the sections for them their sizes. The number of the tags does not depend on
// what they say, so tags can be counted before there are addresses.
func (l *link) sortDynamic() {
	n := 0
	for _, s := range l.dynamic {
		s.hash = gnuHash(s.name)
		if s.home != nil {
			n++
		}
	}
	// Two symbols a bucket, and one bucket where there are none: the dynamic linker divides
	// by the number.
	l.buckets = n/2 + 1
	// Undefined ones get -1, which sorts before all buckets.
	bucket := func(s *symbol) int {
		if s.home == nil {
			return -1
		}
		return int(s.hash % uint32(l.buckets))
	}
	slices.SortStableFunc(l.dynamic, func(a, b *symbol) int { return cmp.Compare(bucket(a), bucket(b)) })
	l.defined = len(l.dynamic) - n
	// Offset 0 is the empty name.
	l.dynstr.WriteByte(0)
	for i, s := range l.dynamic {
		s.dynsym, s.Name = uint64(1+i), uint32(l.dynstr.Len())
		l.dynstr.WriteString(s.name)
		l.dynstr.WriteByte(0)
	}
	l.dynsymS.made = symSize * uint64(1+len(l.dynamic))
	l.dynstrS.made = uint64(l.dynstr.Len())
	// Four numbers, the filter's words, the buckets, and a hash for each defined symbol.
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

// gnuHash is the hash of .gnu.hash, by Daniel Bernstein: h*33 + c, from 5381.
func gnuHash(name string) uint32 {
	h := uint32(5381)
	for i := range len(name) {
		h = h*33 + uint32(name[i])
	}
	return h
}

// layout gives the sections their places. In the file they are one after the other.
// What is written to begins on a page of its own.
//
// ELF wants the address of a segment and its offset in the file to be the same modulo the
// page, because the file is mapped by pages. So no padding is needed in the file where the
// second segment begins: the page of the file in which the first one ends is mapped twice,
//
//	file      … constants | variables …
//	memory    … constants |             a page of the first segment
//	                      | variables … the next page, of the second segment
//
// each time with the bytes of the other segment at its rim, which nothing uses.
func (l *link) layout() error {
	off := uint64(headerSize + programs*programSize)
	addr := off
	for _, s := range l.placed {
		if s.made > 0 {
			s.Size = s.made
		}
		// The first section that is written to: .data.rel.ro, or .dynamic where there is
		// none.
		if l.dataAddr == 0 && elf.SectionFlag(s.Flags)&elf.SHF_WRITE != 0 {
			l.dataOff, l.dataAddr = off, up(addr, page)+off%page
			addr = l.dataAddr
		}
		gap := up(addr, max(1, s.Addralign)) - addr
		s.Addr, s.Off = addr+gap, off+gap
		addr = s.Addr + s.Size
		// Zeros at the end take no place in the file: addr goes on and off does not. Such
		// sections come last.
		if elf.SectionType(s.Type) != elf.SHT_NOBITS || s.Size == 0 || l.relro(s) {
			off = s.Off + s.Size
		}
	}
	l.fileEnd, l.memEnd = off, addr
	// Then an address relative to an instruction always fits.
	if addr > math.MaxInt32 {
		return fmt.Errorf("it takes %d bytes", addr)
	}
	return nil
}

// up rounds n up to a multiple of align.
func up(n, align uint64) uint64 { return (n + align - 1) / align * align }

// tags are the records of the dynamic section.
//
// DT_BIND_NOW and DF_1_NOW say the same in the old and the new way: all symbols are bound
// before dlopen returns, so an undefined one is dlopen's error and not a crash later. There
// is no DT_NEEDED: all that a plugin needs is in the process. The last record is DT_NULL.
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
//
// The file ends with what only tools read: the names of the sections, then the table of their
// headers, at a multiple of 8.
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
	// Relocations go over the copied content. They also collect what is left to the dynamic
	// linker, so the tables come after them.
	for _, r := range l.relocs {
		if err := l.relocate(r); err != nil {
			return err
		}
	}
	l.writeTables()

	// Link is the section that a table refers to. Info of .dynsym is the first symbol that is
	// not local: only symbol 0 is.
	l.dynsymS.Link, l.dynsymS.Info = uint32(l.dynstrS.index), 1
	l.hashS.Link, l.relaS.Link, l.dynamicS.Link = uint32(l.dynsymS.index), uint32(l.dynsymS.index), uint32(l.dynstrS.index)
	// Header 0 is empty.
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
//
// All but an address of 64 bits are 32 bits relative to their place. An instruction counts
// from its end, which the addend makes up for: it is -4 where the place is the last four
// bytes.
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
//
// The dynamic linker takes the value from the record (R_X86_64_RELATIVE is B+A, with the
// addend in the record). That it is in its place too is for those who read the file.
func (l *link) relativeTo(at []byte, place uint64, value int64) {
	order.PutUint64(at, uint64(value))
	l.relative = append(l.relative, elf.Rela64{Off: place, Info: uint64(elf.R_X86_64_RELATIVE), Addend: value})
}

// writeTables writes the sections that are made here.
//
// The GOT comes before .rela.dyn, since it adds to the relocations, and .dynamic last, since
// it says how many are relative.
func (l *link) writeTables() {
	// A jump is 6 bytes, whose last four are the distance from its end to the place in the
	// GOT.
	for i, s := range l.plt {
		at := l.pltS.Off + pltSize*uint64(i)
		next := l.pltS.Addr + pltSize*uint64(i) + 6
		copy(l.out[at:], "\xff\x25\x00\x00\x00\x00\xcc\xcc") // JMP *got(RIP); INT3; INT3
		order.PutUint32(l.out[at+2:], uint32(l.gotS.Addr+8*uint64(s.got-1)-next))
	}
	for i, s := range l.got {
		place := l.gotS.Addr + 8*uint64(i)
		if s.open {
			// The dynamic linker writes the address there or, of tlsg, the offset from the
			// thread's pointer. That offset is the same in all threads because the variable
			// is the program's: its memory is laid out when the program starts.
			kind := elf.R_X86_64_GLOB_DAT
			if elf.ST_TYPE(s.Info) == elf.STT_TLS {
				kind = elf.R_X86_64_TPOFF64
			}
			l.symbolic = append(l.symbolic, elf.Rela64{Off: place, Info: elf.R_INFO(uint32(s.dynsym), uint32(kind))})
		} else {
			l.relativeTo(l.out[l.gotS.Off+8*uint64(i):], place, int64(s.addr()))
		}
	}
	// Relative ones first: DT_RELACOUNT lets the dynamic linker do them in a loop that looks
	// up nothing.
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
		// An undefined symbol keeps section 0 and value 0.
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
		// Two bits of one word, chosen by two hashes. Where one of them is clear, the dynamic
		// linker goes on to the next module without a look at the buckets.
		word := filter[8*(int(s.hash/64)%l.bloom()):]
		order.PutUint64(word, order.Uint64(word)|1<<(s.hash%64)|1<<(s.hash>>bloomShift%64))
		bucket := s.hash % uint32(l.buckets)
		// A bucket holds the number of its first symbol, and 0 when it has none: no defined
		// symbol has number 0.
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
//
// Sections is the offset of the table of section headers.
//
// Constants are in the segment with the code, which saves one more map. There is no
// PT_GNU_RELRO, for the reason that the package comment gives. PT_GNU_STACK without PF_X says
// that no stack needs to be executable; without it glibc takes the opposite for granted.
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
		// Physical addresses mean nothing here; linkers write the same again.
		p.Paddr = p.Vaddr
		put(headerSize+programSize*i, p)
	}
}

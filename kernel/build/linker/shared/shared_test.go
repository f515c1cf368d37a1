package shared

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cell returns testdata/cell.o, which Go 1.26.8's linker, changed as package linker says,
// wrote for a cell with a type that has a method, variables and a deferred call.
func cell(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "cell.o"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// facts is what the dynamic linker does with a shared object, without addresses: its
// symbols, and the places that it writes to with what it writes there. Gold puts calls
// into a table of their own, lets the symbols for thread-local memory be seen and adds
// marks of its own, which are left out.
func facts(t *testing.T, so []byte) []string {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(so))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	relro := f.Section(".data.rel.ro").Addr // of which gold makes one section
	relroEnd := f.Section(".init_array").Addr
	where := func(addr uint64) string {
		if addr >= relro && addr < relroEnd {
			return fmt.Sprintf("relro+%#x", addr-relro)
		}
		for _, s := range f.Sections {
			if s.Flags&elf.SHF_ALLOC == 0 || s.Flags&elf.SHF_TLS != 0 || addr < s.Addr || addr >= s.Addr+s.Size {
				continue
			}
			if strings.HasPrefix(s.Name, ".got") {
				return "table"
			}
			return fmt.Sprintf("%s+%#x", s.Name, addr-s.Addr)
		}
		return "the end of a section"
	}
	syms, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		if elf.ST_TYPE(s.Info) != elf.STT_TLS && s.Name != "_end" && s.Name != "_edata" && s.Name != "__bss_start" {
			place := "undefined"
			if s.Section != elf.SHN_UNDEF {
				place = where(s.Value)
			}
			list = append(list, fmt.Sprintf("symbol %s %#x %d %s", s.Name, s.Info, s.Size, place))
		}
	}
	for _, name := range []string{".rela.dyn", ".rela.plt"} {
		s := f.Section(name)
		if s == nil {
			continue
		}
		data, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		for ; len(data) > 0; data = data[relaSize:] {
			var r elf.Rela64
			read(data, 0, &r)
			kind, what := elf.R_X86_64(elf.R_TYPE64(r.Info)), ""
			switch kind {
			case elf.R_X86_64_RELATIVE:
				what = where(uint64(r.Addend))
			case elf.R_X86_64_GLOB_DAT, elf.R_X86_64_JMP_SLOT:
				kind = elf.R_X86_64_GLOB_DAT
				what = syms[elf.R_SYM64(r.Info)-1].Name
			default:
				what = syms[elf.R_SYM64(r.Info)-1].Name
			}
			list = append(list, fmt.Sprintf("%v at %s: %s", kind, where(r.Off), what))
		}
	}
	slices.Sort(list)
	return slices.Compact(list) // gold has one place in each of its two tables for one symbol
}

// TestGold: the result says to the dynamic linker what gold's does.
func TestGold(t *testing.T) {
	gold, err := exec.LookPath("ld.gold")
	if err != nil {
		t.Skip("there is no ld.gold to compare with")
	}
	so, err := Link(cell(t), "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "gold.so")
	args := []string{"-m", "elf_x86_64", "-shared", "-s", "-z", "relro", "-z", "now", "--hash-style=gnu", "-nostdlib", "-o", file, "testdata/cell.o"}
	if out, err := exec.Command(gold, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	theirs, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, want := facts(t, so), facts(t, theirs)
	// Gold has no place in the table for what is here, since it writes the address into
	// the instruction, but one for each function whose address is written elsewhere.
	got = slices.DeleteFunc(got, func(fact string) bool { return strings.HasPrefix(fact, "R_X86_64_RELATIVE at table: ") })
	all := slices.Clone(want)
	want = slices.DeleteFunc(want, func(fact string) bool {
		name, ok := strings.CutPrefix(fact, "R_X86_64_GLOB_DAT at table: ")
		return ok && !slices.Contains(got, fact) &&
			slices.ContainsFunc(all, func(other string) bool {
				return strings.HasPrefix(other, "R_X86_64_64 ") && strings.HasSuffix(other, ": "+name)
			})
	})
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestOwn: what is of the plugin's own package is bound to it, and seen by later plugins.
func TestOwn(t *testing.T) {
	open, err := Link(cell(t), "")
	if err != nil {
		t.Fatal(err)
	}
	own, err := Link(cell(t), "notebook/c40.")
	if err != nil {
		t.Fatal(err)
	}
	count := func(so []byte, what string) (n int) {
		for _, fact := range facts(t, so) {
			if strings.HasPrefix(fact, what) && strings.Contains(fact, " notebook/c40.") {
				n++
			}
		}
		return n
	}
	if n := count(open, "R_X86_64_"); n == 0 {
		t.Error("the cell has no relocation of its own package to compare with")
	}
	if n := count(own, "R_X86_64_"); n > 0 {
		t.Errorf("the dynamic linker looks for %d symbols of the plugin's own package", n)
	}
	if a, b := count(open, "symbol "), count(own, "symbol "); a == 0 || a != b {
		t.Errorf("%d symbols of its package are seen, want %d", b, a)
	}
}

// TestHash: each symbol is found by its name as the dynamic linker looks for it, and the
// filter and the ends of buckets let other names end.
func TestHash(t *testing.T) {
	so, err := Link(cell(t), "")
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(so))
	if err != nil {
		t.Fatal(err)
	}
	syms, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	table, err := f.Section(".gnu.hash").Data()
	if err != nil {
		t.Fatal(err)
	}
	word := func(i uint32) uint32 { return binary.LittleEndian.Uint32(table[4*i:]) }
	buckets, first, bloom := word(0), word(1), word(2)
	find := func(name string) (steps int, ok bool) {
		h := gnuHash(name)
		filter := binary.LittleEndian.Uint64(table[16+8*(h/64%bloom):])
		if filter>>(h%64)&1 == 0 || filter>>(h>>word(3)%64)&1 == 0 {
			return 0, false
		}
		i := word(4 + 2*bloom + h%buckets)
		if i == 0 {
			return 0, false
		}
		for ; ; i++ {
			steps++
			hash := word(4 + 2*bloom + buckets + i - first)
			if hash|1 == h|1 && syms[i-1].Name == name {
				return steps, true
			}
			if hash&1 == 1 {
				return steps, false
			}
		}
	}
	for _, s := range syms {
		if _, ok := find(s.Name); ok != (s.Section != elf.SHN_UNDEF) {
			t.Errorf("%s: found is %v", s.Name, ok)
		}
	}
	for i := range 1000 {
		if steps, ok := find(fmt.Sprint("absent", i)); ok || steps > 20 {
			t.Errorf("an absent name: found is %v after %d steps", ok, steps)
		}
	}
}

// TestSegments: what the loader maps is as it has to be.
func TestSegments(t *testing.T) {
	so, err := Link(cell(t), "")
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(so))
	if err != nil {
		t.Fatal(err)
	}
	progs := map[elf.ProgType]*elf.Prog{}
	var end uint64
	for _, p := range f.Progs {
		progs[p.Type] = p
		if p.Type == elf.PT_LOAD {
			if p.Off%page != p.Vaddr%page || p.Vaddr/page < (end+page-1)/page || p.Off+p.Filesz > uint64(len(so)) {
				t.Errorf("a segment at %#x of the file, %#x of memory, after %#x", p.Off, p.Vaddr, end)
			}
			end = p.Vaddr + p.Memsz
		}
	}
	if p := progs[elf.PT_GNU_STACK]; p.Flags&elf.PF_X != 0 {
		t.Error("stacks are executable")
	}
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Addr%max(1, s.Addralign) != 0 {
			t.Errorf("%s is at %#x, with alignment %d", s.Name, s.Addr, s.Addralign)
		}
	}
}

// TestUnknown: what is not known is an error, whatever it is.
func TestUnknown(t *testing.T) {
	object := cell(t)
	f, err := elf.NewFile(bytes.NewReader(object))
	if err != nil {
		t.Fatal(err)
	}
	rela := f.Section(".rela.text").Offset
	tests := map[string]struct {
		change func(b []byte) []byte
		want   string
	}{
		"another machine": {func(b []byte) []byte { b[18] = byte(elf.EM_AARCH64); return b }, "it is no object for amd64"},
		"a program":       {func(b []byte) []byte { b[16] = byte(elf.ET_EXEC); return b }, "it is no object for amd64"},
		"a thread-local variable": {func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[rela+8:], uint32(elf.R_X86_64_GOTTPOFF))
			return b
		}, "relocation R_X86_64_GOTTPOFF of "},
		"an address in code": {func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[rela+8:], uint32(elf.R_X86_64_64))
			return b
		}, "an address of "},
		"a section of another kind": {func(b []byte) []byte {
			at := binary.LittleEndian.Uint64(b[40:]) + sectionSize*2
			binary.LittleEndian.PutUint32(b[at+4:], uint32(elf.SHT_NOTE))
			return b
		}, "is a SHT_NOTE"},
		"a weak symbol": {func(b []byte) []byte {
			s := f.Section(".symtab")
			at := s.Offset + s.Size - symSize
			b[at+4] = byte(elf.STB_WEAK)<<4 | b[at+4]&15
			return b
		}, "STB_WEAK"},
		"half of it": {func(b []byte) []byte { return b[:len(b)/2] }, "the object is damaged: "},
		"nothing":    {func(b []byte) []byte { return nil }, "the object is damaged: "},
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		tt := tests[name]
		if _, err := Link(tt.change(bytes.Clone(object)), ""); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

package symlist

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
)

// TestList: what was encoded is found again, by name and by number.
func TestList(t *testing.T) {
	var syms []Sym
	for i := range 300 {
		n := strconv.Itoa(i)
		syms = append(syms, Sym{Name: "p.f" + n, Extname: "p.f" + n, Version: i % 2, Kind: Text, Size: int64(i), Header: []byte{}, Mask: []byte{}})
	}
	syms = append(syms, Sym{Name: "type:p.T", Extname: "type:short", Kind: Data, Size: 48, Header: []byte("header"), Mask: []byte{5}})
	hidden := Sym{Name: "p.hidden", Extname: "p.hidden", Version: 1, Header: []byte{}, Mask: []byte{}}
	b := Encode(syms, []Numbers{{Path: "p", Fingerprint: [8]byte{1, 2, 3}, Syms: []Sym{syms[7], hidden}}, {Path: "q%2ex"}})

	file := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	x, err := Map(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range syms {
		if got, ok := x.Lookup(want.Name, want.Version); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, ok, want)
		}
	}
	for _, none := range []Sym{{Name: "p.f1"}, {Name: "p.f0", Version: 1}, {Name: "p.hidden", Version: 1}, {}} {
		if got, ok := x.Lookup(none.Name, none.Version); ok {
			t.Errorf("%+v is found as %+v", none, got)
		}
	}
	packages, err := x.Packages()
	if err != nil || !slices.Equal(slices.Sorted(maps.Keys(packages)), []string{"p", "q%2ex"}) || packages["p"].Fingerprint != [8]byte{1, 2, 3} {
		t.Fatalf("packages: got %v, %v", packages, err)
	}
	for i, want := range []Sym{syms[7], hidden} {
		if got, ok := x.Numbered(packages["p"], i); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("number %d: got %+v, %v, want %+v", i, got, ok, want)
		}
	}
	if got, ok := x.Numbered(packages["p"], 2); ok {
		t.Errorf("number 2: got %+v", got)
	}
}

// TestNone: what is no list, or only a part of one, is an error.
func TestNone(t *testing.T) {
	whole := Encode([]Sym{{Name: "p.f"}}, []Numbers{{Path: "p"}})
	dir := t.TempDir()
	for i, text := range [][]byte{nil, whole[:10], []byte("this is a text and not a list"), whole[:len(whole)-1]} {
		file := filepath.Join(dir, strconv.Itoa(i))
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		x, err := Map(file)
		if err == nil {
			_, err = x.Packages()
		}
		if err == nil || err.Error() != "not a list of symbols" {
			t.Errorf("%q: got %v", text, err)
		}
	}
	if _, err := Map(filepath.Join(dir, "absent")); !os.IsNotExist(err) {
		t.Errorf("an absent file: got %v", err)
	}
}

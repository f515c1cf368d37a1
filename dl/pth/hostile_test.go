package pth_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl/pth"
	"github.com/holt-dl/holt/internal/golden"
	"github.com/holt-dl/holt/internal/limit"
)

// pickled is a file that testdata/pickles.py wrote.
type pickled struct {
	Name string
	Wrap bool
	File string
	data []byte
}

func pickles(t testing.TB) []pickled {
	t.Helper()
	var all []pickled
	if err := json.Unmarshal(must(os.ReadFile("testdata/pickles.json")), &all); err != nil {
		t.Fatal(err)
	}
	for i, p := range all {
		z := must(zlib.NewReader(bytes.NewReader(must(base64.StdEncoding.DecodeString(p.File)))))
		all[i].data = must(io.ReadAll(z))
		if p.Wrap {
			all[i].data = archive(all[i].data)
		}
	}
	return all
}

// archive is a file of torch.save with that pickle and storages.
func archive(pickle []byte, storages ...[]byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	store := func(name string, data []byte) {
		e := must(w.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: zip.Store}))
		e.Write(data)
	}
	store("data.pkl", pickle)
	for i, s := range storages {
		store(fmt.Sprintf("data/%d", i), s)
	}
	w.Close()
	return b.Bytes()
}

// TestPickles lists pickles that do harm, or are wrong, or hold what dl cannot,
// and exactly what is said of each.
func TestPickles(t *testing.T) {
	var b strings.Builder
	for _, p := range pickles(t) {
		dict, err := load(p.data)
		if err != nil && !errors.Is(err, pth.ErrCorrupt) && !errors.Is(err, pth.ErrRefused) && !strings.Contains(err.Error(), "want") {
			t.Errorf("%s: the error tells nothing to do: %v", p.Name, err)
		}
		if err == nil {
			fmt.Fprintf(&b, "%s\n    %d tensors\n", p.Name, len(dict))
		} else {
			fmt.Fprintf(&b, "%s\n    %v\n", p.Name, err)
		}
	}
	golden.Check(t, "pickles", []byte(b.String()))
	if _, err := os.Stat("executed"); err == nil {
		t.Error("a pickle was executed")
	}
}

// TestMemory loads pickles that ask for as much memory as they can, in little
// memory.
func TestMemory(t *testing.T) {
	if !limit.Memory(t, 384<<20) {
		return
	}
	const (
		large   = 8 << 20 // bytes, each of which could be an object
		prelude = "\x80\x02ctorch\nFloatStorage\nq\x010ctorch._utils\n_rebuild_tensor\nq\x030"
		storage = "(X\x07\x00\x00\x00storageh\x01X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQq\x02" // of one number
		item    = "X\x01\x00\x00\x00a"
	)
	repeat := func(before, ops string, bytes int) []byte {
		return archive([]byte("\x80\x04" + before + strings.Repeat(ops, bytes/len(ops)) + "."))
	}
	million := "(" + strings.Repeat("K\x01", 1<<20) + "tq\x000"
	one := []byte{1, 2, 3, 4}
	tests := []struct {
		name string
		file func() []byte
		err  string
	}{
		{"dictionaries", func() []byte { return repeat("", "}", large) }, "the pickle would take too much memory"},
		{"sets", func() []byte { return repeat("", "\x8f", large) }, "the pickle would take too much memory"},
		{"marks", func() []byte { return repeat("", "(", large) }, "the pickle would take too much memory"},
		{"lists in a memo", func() []byte { return repeat("", "]\x94", large) }, "the pickle would take too much memory"},
		{"a dictionary of nothing", func() []byte { return repeat("}", "NNs", large) }, "the pickle would take too much memory"},
		{"numbers, listed anew", func() []byte { return repeat("]q\x00", "(h\x00h\x00h\x00e", large) }, "the pickle would take too much memory"},
		{"tensors of a million axes", func() []byte { return repeat(million+prelude+storage+"0", "h\x03(h\x02K\x00h\x00h\x00tR0", 1<<20) },
			"the pickle calls torch._utils._rebuild_tensor with 4 arguments that do not fit"},
		{"dictionaries of a million pairs", func() []byte {
			return repeat("](K\x01K\x02\x86q\x000("+strings.Repeat("h\x00", 1<<18)+"eq\x02ccollections\nOrderedDict\nq\x01", "h\x01h\x02\x85R0", 1<<20)
		}, "the pickle"},
		{"a storage of 2 EB", func() []byte {
			return archive([]byte(prelude+"}"+item+"h\x03((X\x07\x00\x00\x00storageh\x01X\x01\x00\x00\x000X\x03\x00\x00\x00cpu\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x07tQK\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x85K\x01\x85tRs."), one)
		}, `tensor "a": its shape is [1099511627776] with strides [1]`},
		{"one number, 2^40 times", func() []byte {
			return archive([]byte(prelude+"}"+item+"h\x03("+storage+"K\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x85K\x00\x85tRs."), one)
		}, `tensor "a": its shape is [1099511627776] with strides [0]`},
		{"one number, 2^24 times", func() []byte {
			return archive([]byte(prelude+"}"+item+"h\x03("+storage+"K\x00J\x00\x00\x00\x01\x85K\x00\x85tRs."), one)
		}, `tensor "a": the file's`},
		{"entries that overlap", overlapping, `bytes would become more than 16 times as many`},
		{"a pickle that grows a thousandfold", deflated, "data.pkl is of 1073741824 bytes in a file of"},
		{"65,535 entries that are not there", forgedDirectory, "the zip archive cannot be read"},
	}
	for _, tt := range tests {
		file := tt.file()
		debug.FreeOSMemory() // of making the file
		_, err := load(file)
		if err == nil || !strings.Contains(err.Error(), tt.err) || len(err.Error()) > 500 {
			t.Errorf("%s: %v\nwant %s", tt.name, err, tt.err)
		}
	}
	// A file of the older format that promises storages which are not there.
	legacy := must(os.ReadFile("testdata/legacy.pth"))
	at := bytes.LastIndex(legacy, binary.LittleEndian.AppendUint64(nil, 24)) // the number of elements before a storage
	if at < 0 {
		t.Fatal("legacy.pth has no storage of 24 elements")
	}
	binary.LittleEndian.PutUint64(legacy[at:], 1<<60)
	if _, err := load(legacy); !errors.Is(err, pth.ErrCorrupt) {
		t.Errorf("a forged length: %v", err)
	}
}

// overlapping is an archive whose 1,000 storages of 1 MB are all the same bytes.
func overlapping() []byte {
	const size = 1 << 20
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	data := make([]byte, size)
	var pickle strings.Builder
	pickle.WriteString("\x80\x02}ctorch\nFloatStorage\nq\x01ctorch._utils\n_rebuild_tensor\nq\x0300")
	for i := range 1000 {
		fmt.Fprintf(&pickle, "X\x04\x00\x00\x00%04dh\x03((X\x07\x00\x00\x00storageh\x01X\x04\x00\x00\x00%04dX\x03\x00\x00\x00cpuJ\x00\x00\x04\x00tQK\x00J\x00\x00\x04\x00\x85K\x01\x85tRs", i, i)
	}
	pickle.WriteByte('.')
	e := must(w.CreateHeader(&zip.FileHeader{Name: "data.pkl", Method: zip.Store}))
	io.WriteString(e, pickle.String())
	e = must(w.CreateHeader(&zip.FileHeader{Name: "data/0000", Method: zip.Store}))
	e.Write(data)
	w.Close()
	// The directory names the one entry a thousand times.
	whole := b.Bytes()
	end := bytes.LastIndex(whole, []byte("PK\x05\x06"))
	start := int(binary.LittleEndian.Uint32(whole[end+16:]))
	first := bytes.Index(whole[start+4:end], []byte("PK\x01\x02")) + 4 + start
	entry := whole[first:end]
	out := bytes.Clone(whole[:first])
	for i := range 1000 {
		copied := bytes.Clone(entry)
		copy(copied[46:], fmt.Sprintf("data/%04d", i))
		out = append(out, copied...)
	}
	tail := bytes.Clone(whole[end:])
	binary.LittleEndian.PutUint16(tail[8:], 1001)
	binary.LittleEndian.PutUint16(tail[10:], 1001)
	binary.LittleEndian.PutUint32(tail[12:], uint32(len(out)-start))
	return append(out, tail...)
}

// deflated is an archive whose pickle is compressed, and of 1 GB.
func deflated() []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	e := must(w.Create("archive/data.pkl"))
	zeros := make([]byte, 1<<20)
	for range 1 << 10 {
		e.Write(zeros)
	}
	w.Close()
	return b.Bytes()
}

// forgedDirectory ends as an archive whose directory is the rest of the file.
func forgedDirectory() []byte {
	b := append([]byte("PK\x03\x04"), make([]byte, 1<<20)...)
	end := append([]byte("PK\x05\x06\x00\x00\x00\x00\xff\xff\xff\xff"), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(end[12:], 1<<20)
	return append(b, end...)
}

// TestFlippedBits turns every bit of the places that say sizes and names, and
// each byte of the rest, in files of both formats. A storage that is changed
// is found by its checksum in the archive.
func TestFlippedBits(t *testing.T) {
	whole := must(os.ReadFile("testdata/zip.pth"))
	good := must(load(whole))
	changed := 0
	for at := range whole {
		for bit := range 8 {
			b := bytes.Clone(whole)
			b[at] ^= 1 << bit
			dict, err := load(b)
			if err != nil {
				continue
			}
			for name, x := range good {
				if y := dict[name]; y == nil || fmt.Sprint(y.Float64s()) != fmt.Sprint(x.Float64s()) {
					changed++
					t.Errorf("with bit %d of byte %d turned, %s is %v, want %v or an error", bit, at, name, y, x)
				}
			}
			if changed > 3 {
				return
			}
		}
	}
}

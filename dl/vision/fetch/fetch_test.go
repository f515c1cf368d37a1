package fetch

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/internal/hooks"
)

type entry struct {
	name, body string
	kind       byte
	link       string
}

func pack(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		if err := w.WriteHeader(&tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Size: int64(len(e.body)), Mode: 0o777}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(e.body))
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

// packZip is pack for a .zip file.
func packZip(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		switch e.kind {
		case tar.TypeDir:
			h.Name = strings.TrimSuffix(e.name, "/") + "/"
			h.Method = zip.Store
		case tar.TypeSymlink:
			h.SetMode(os.ModeSymlink | 0o777)
			e.body = e.link
		case tar.TypeChar:
			h.SetMode(os.ModeDevice | os.ModeCharDevice | 0o666)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(e.body))
	}
	w.Close()
	return b.Bytes()
}

// serve gives body to every request, as a server that is trusted by Archive.
func serve(t *testing.T, body []byte) (url string) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}))
	client = s.Client()
	t.Cleanup(func() { s.Close(); client = nil })
	return s.URL
}

func TestArchive(t *testing.T) {
	folder := entry{name: "set/", kind: tar.TypeDir}
	file := entry{name: "set/a.bin", body: "hello"}
	tests := []struct {
		name    string
		entries []entry
		raw     func([]byte) []byte
		err     string
	}{
		{name: "plain", entries: []entry{folder, file}},
		{name: "without folders", entries: []entry{file}},
		{name: "dot", entries: []entry{{name: "./set/a.bin", body: "hello"}}},
		{name: "up", entries: []entry{file, {name: "../evil", body: "x"}}, err: `"../evil": entry is outside of set`},
		{name: "up inside", entries: []entry{{name: "set/../../evil", body: "x"}}, err: `"set/../../evil": entry is outside of set`},
		{name: "absolute", entries: []entry{{name: "/tmp/evil", body: "x"}}, err: `entry is outside of set`},
		{name: "folder outside", entries: []entry{{name: "../evil", kind: tar.TypeDir}}, err: `path escapes from parent`},
		{name: "beside", entries: []entry{file, {name: "settings", body: "x"}}, err: `"settings": entry is outside of set`},
		{name: "symbolic link", entries: []entry{{name: "set/l", kind: tar.TypeSymlink, link: "/etc/passwd"}}, err: `"set/l": entry is of type '2', want files and folders only`},
		{name: "hard link", entries: []entry{{name: "set/l", kind: tar.TypeLink, link: "/etc/passwd"}}, err: `entry is of type '1'`},
		{name: "device", entries: []entry{{name: "set/d", kind: tar.TypeChar}}, err: `entry is of type '3'`},
		{name: "twice", entries: []entry{file, file}, err: "file exists"},
		{name: "bomb", entries: []entry{{name: "set/z", body: strings.Repeat("\x00", 8<<20)}}, err: `"set/z": the archive grows beyond 20 times its size`},
		{name: "another folder", entries: []entry{{name: "other", kind: tar.TypeDir}}, err: "it does not hold set"},
		{name: "truncated", entries: []entry{folder, file}, raw: func(b []byte) []byte { return b[:len(b)-20] }, err: "unexpected EOF"},
		{name: "not gzip", raw: func([]byte) []byte { return []byte("not an archive at all") }, err: "gzip: invalid header"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := pack(t, tt.entries...)
			if tt.raw != nil {
				body = tt.raw(body)
			}
			sum := md5.Sum(body)
			a := hooks.Archive{URL: serve(t, body) + "/set.tar.gz", Size: int64(len(body)), MD5: hex.EncodeToString(sum[:]), Folder: "set"}
			fetchInto(t, a, tt.err)
		})
	}
}

// fetchInto brings an archive and looks at all that is there afterwards: the
// folder set with a.bin, or, with an error, at most the archive itself.
func fetchInto(t *testing.T, a hooks.Archive, want string) {
	t.Helper()
	outer := t.TempDir()
	root := filepath.Join(outer, "data")
	err := Archive(t.Context(), a, root, nil)
	if want != "" {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	} else {
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(root, "set", "a.bin"))
		if string(got) != "hello" {
			t.Errorf("file is %q, %v", got, err)
		}
	}
	for _, where := range []string{outer, root} {
		list, _ := os.ReadDir(where)
		for _, e := range list {
			ok := where == outer && e.Name() == "data" || where == root && (e.Name() == "set" && want == "" ||
				strings.HasPrefix(e.Name(), path.Base(a.URL)) && want != "")
			if !ok {
				t.Errorf("left in %s: %s", where, e.Name())
			}
		}
	}
}

func TestZip(t *testing.T) {
	folder := entry{name: "set/", kind: tar.TypeDir}
	file := entry{name: "set/a.bin", body: "hello"}
	lying := func(b []byte) []byte { // each header says that a.bin has one byte
		for _, head := range []string{"PK\x01\x02", "PK\x03\x04"} {
			at := bytes.Index(b, []byte(head)) + map[string]int{"PK\x01\x02": 24, "PK\x03\x04": 22}[head]
			binary.LittleEndian.PutUint32(b[at:], 1)
		}
		return b
	}
	many := make([]entry, 10_001)
	for i := range many {
		many[i] = entry{name: fmt.Sprintf("set/%d/", i%3), kind: tar.TypeDir}
	}
	tests := []struct {
		name    string
		entries []entry
		raw     func([]byte) []byte
		err     string
	}{
		{name: "plain", entries: []entry{folder, file}},
		{name: "without folders", entries: []entry{file}},
		{name: "made on a Mac", entries: []entry{folder, file, {name: "__MACOSX/set/._a.bin", body: "x"}}},
		{name: "up", entries: []entry{file, {name: "../evil", body: "x"}}, err: `"../evil": entry is outside of set`},
		{name: "up inside", entries: []entry{{name: "set/../../evil", body: "x"}}, err: `"set/../../evil": entry is outside of set`},
		{name: "up behind macOS", entries: []entry{folder, file, {name: "__MACOSX/../../evil", body: "x"}}},
		{name: "backslashes", entries: []entry{{name: `..\..\evil`, body: "x"}}, err: `entry is outside of set`},
		{name: "absolute", entries: []entry{{name: "/tmp/evil", body: "x"}}, err: `"/tmp/evil": entry is outside of set`},
		{name: "folder outside", entries: []entry{{name: "../evil/", kind: tar.TypeDir}}, err: `path escapes from parent`},
		{name: "beside", entries: []entry{file, {name: "settings", body: "x"}}, err: `"settings": entry is outside of set`},
		{name: "symbolic link", entries: []entry{{name: "set/l", kind: tar.TypeSymlink, link: "/etc"}, {name: "set/l/evil", body: "x"}},
			err: `"set/l": entry is of mode Lrwxrwxrwx, want files and folders only`},
		{name: "device", entries: []entry{{name: "set/d", kind: tar.TypeChar}}, err: `"set/d": entry is of mode Dcrw-rw-rw-`},
		{name: "twice", entries: []entry{file, file}, err: "file exists"},
		{name: "bomb", entries: []entry{{name: "set/z", body: strings.Repeat("\x00", 8<<20)}}, err: `"set/z": the archive grows beyond 20 times its size`},
		{name: "many entries", entries: many, err: "the archive has more than 10000 entries"},
		{name: "forged size", entries: []entry{file}, raw: lying, err: `"set/a.bin": zip: `},
		{name: "another folder", entries: []entry{{name: "other/", kind: tar.TypeDir}}, err: "it does not hold set"},
		{name: "truncated", entries: []entry{folder, file}, raw: func(b []byte) []byte { return b[:len(b)-20] }, err: "zip: not a valid zip file"},
		{name: "flipped bits", entries: []entry{file}, raw: func(b []byte) []byte { b[bytes.Index(b, []byte("a.bin"))+7] ^= 0xff; return b }, err: `"set/a.bin": `},
		{name: "not a zip", raw: func([]byte) []byte { return []byte("not an archive at all") }, err: "zip: not a valid zip file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := packZip(t, tt.entries...)
			if tt.raw != nil {
				body = tt.raw(body)
			}
			sum := sha256.Sum256(body)
			a := hooks.Archive{URL: serve(t, body) + "/set.zip", Size: int64(len(body)), SHA256: hex.EncodeToString(sum[:]), Folder: "set"}
			fetchInto(t, a, tt.err)
		})
	}
}

// A file that is no archive is put at its place as it is.
func TestFile(t *testing.T) {
	body := []byte("0123")
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(body) }))
	defer s.Close()
	client = s.Client()
	defer func() { client = nil }()
	sum := md5.Sum(body)
	root := t.TempDir()
	a := hooks.Archive{URL: s.URL + "/a.gz", MD5: hex.EncodeToString(sum[:]), File: filepath.Join("MNIST", "raw", "a.gz")}
	if err := Archive(t.Context(), a, root, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(root, "MNIST", "raw", "a.gz")); string(got) != "0123" {
		t.Errorf("file is %q, %v", got, err)
	}
	if list, _ := os.ReadDir(filepath.Join(root, "MNIST", "raw")); len(list) != 1 {
		t.Errorf("left beside it: %v", list)
	}
}

func TestArchiveOffline(t *testing.T) {
	a := hooks.Archive{URL: "https://127.0.0.1:1/set.tar.gz", Size: 1, MD5: "00000000", Folder: "set"}
	err := Archive(t.Context(), a, t.TempDir(), nil)
	if err == nil || !strings.Contains(err.Error(), "vision: download: 127.0.0.1:1 is not reachable: ") ||
		!strings.Contains(err.Error(), "; bring https://127.0.0.1:1/set.tar.gz from another machine, unpack it in ") {
		t.Errorf("error is %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	for _, e := range []entry{{name: "set/a.bin", body: "hello"}, {name: "../evil", body: "x"}, {name: "set/l", kind: tar.TypeSymlink, link: "/tmp"}} {
		f.Add(pack(f, e), false)
		f.Add(packZip(f, e), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, zip bool) {
		outer := t.TempDir()
		root := filepath.Join(outer, "data")
		os.Mkdir(root, 0o755)
		archive := filepath.Join(root, "set.tar.gz")
		if zip {
			archive = filepath.Join(root, "set.zip")
		}
		os.WriteFile(archive, b, 0o644)
		err := unpack(t.Context(), archive, root, "set")
		list, _ := os.ReadDir(outer)
		inner, _ := os.ReadDir(root)
		want := 1
		if err == nil {
			want = 2
		}
		if len(list) != 1 || len(inner) != want {
			t.Errorf("%v: left behind %v, %v", err, list, inner)
		}
	})
}

package download

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// quick shortens the waits of a test: what a server may take, and the pause
// before another try.
func quick(t *testing.T, silence time.Duration) {
	connect, stall, pause := ConnectTimeout, StallTimeout, retryPause
	ConnectTimeout, StallTimeout, retryPause = silence, silence, time.Millisecond
	t.Cleanup(func() { ConnectTimeout, StallTimeout, retryPause = connect, stall, pause })
}

// blob is 1 MB that does not repeat.
var blob = func() []byte {
	b := make([]byte, 1<<20)
	rng := rand.NewChaCha8([32]byte{1})
	rng.Read(b)
	return b
}()

func sum(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }

// content serves blob with ranges, as a file server does.
func content(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(blob))
}

// cutting serves at most n bytes per request and then drops the line.
func cutting(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		content(&cutWriter{ResponseWriter: w, left: n}, r)
	}
}

type cutWriter struct {
	http.ResponseWriter
	left int
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if w.left == 0 {
		w.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	n, err := w.ResponseWriter.Write(p[:min(len(p), w.left)])
	w.left -= n
	if err == nil && n < len(p) {
		w.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

func file(t *testing.T, h http.Handler) File {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	return File{URL: s.URL + "/blob", Path: filepath.Join(t.TempDir(), "in", "blob"), Size: int64(len(blob)), SHA256: sum(blob), Client: s.Client()}
}

func check(t *testing.T, f File) {
	t.Helper()
	got, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, blob) {
		t.Error("the file differs from what was served")
	}
	if _, err := os.Stat(f.Path + ".part"); err == nil {
		t.Error(".part is left behind")
	}
}

func TestGet(t *testing.T) {
	quick(t, time.Minute)
	var requests atomic.Int32
	count := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { requests.Add(1); h(w, r) }
	}
	md5sum := md5.Sum(blob)
	tests := []struct {
		name     string
		serve    http.HandlerFunc
		part     []byte // what an earlier run left
		change   func(*File)
		requests int32
		err      string
	}{
		{name: "plain", serve: content, requests: 1},
		{name: "md5", serve: content, requests: 1, change: func(f *File) {
			f.Sum, f.SumName, f.SHA256 = md5.New, "md5", hex.EncodeToString(md5sum[:])
		}},
		{name: "resumes", serve: content, part: blob[:700_000], requests: 1},
		{name: "part is whole", serve: content, part: blob, requests: 0},
		{name: "part is too long", serve: content, part: append(bytes.Clone(blob), 1), requests: 1},
		{name: "part is wrong", serve: content, part: make([]byte, 1000), requests: 2},
		{name: "server without ranges", part: blob[:1000], requests: 1,
			serve: func(w http.ResponseWriter, r *http.Request) { w.Write(blob) }},
		{name: "server continues elsewhere", part: blob[:1000], requests: 2,
			serve: func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Range") == "" {
					content(w, r)
					return
				}
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(blob)-1, len(blob)))
				w.WriteHeader(http.StatusPartialContent)
				w.Write(blob)
			}},
		{name: "line cut every 300 kB", serve: cutting(300_000), requests: 4},
		{name: "redirect", requests: 2, serve: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/blob" {
				http.Redirect(w, r, "/elsewhere", http.StatusFound)
				return
			}
			content(w, r)
		}},
		{name: "busy once", requests: 2, serve: func(w http.ResponseWriter, r *http.Request) {
			if requests.Load() == 1 {
				http.Error(w, "busy", http.StatusServiceUnavailable)
				return
			}
			content(w, r)
		}},
		{name: "size not known", serve: content, requests: 1, change: func(f *File) { f.Size = 0 }},
		{name: "size not known, resumes", serve: content, part: blob[:700_000], requests: 1, change: func(f *File) { f.Size = 0 }},
		{name: "size not known, part is whole", serve: content, part: blob, requests: 0, change: func(f *File) { f.Size = 0 }},
		{name: "size not known, part is too long", serve: content, part: append(bytes.Clone(blob), 1), requests: 2, change: func(f *File) { f.Size = 0 }},
		{name: "size not known, nor said", requests: 1, change: func(f *File) { f.Size = 0 }, serve: func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush() // so that there is no Content-Length
			w.Write(blob)
		}},
		{name: "size not known, line cut", serve: cutting(300_000), requests: 4, change: func(f *File) { f.Size = 0 }},
		{name: "the beginning of a hash", serve: content, requests: 1, change: func(f *File) { f.SHA256 = strings.ToUpper(f.SHA256[:8]) }},
		{name: "too little of a hash", requests: 0, err: "File needs Path, Size and SHA256", change: func(f *File) { f.SHA256 = f.SHA256[:7] }},
		{name: "wrong hash", serve: content, requests: 1, err: "checksum differs: sha256 is " + sum(blob) + ", want " + sum(nil),
			change: func(f *File) { f.SHA256 = sum(nil) }},
		{name: "wrong length", serve: content, requests: 1, err: "the server has 1048576 bytes, want 1048575: checksum differs",
			change: func(f *File) { f.Size-- }},
		{name: "endless", requests: 1, err: "more than the 1048576 bytes that were promised", serve: func(w http.ResponseWriter, r *http.Request) {
			for range 100 {
				if _, err := w.Write(blob); err != nil {
					return
				}
			}
		}},
		{name: "missing", serve: http.NotFound, requests: 1, err: "the server answers 404 Not Found"},
		{name: "cut at once, for ever", serve: cutting(0), requests: 5, err: "of 1048576 bytes are kept: the next try continues there"},
		{name: "redirect loop", requests: 6, err: "more than 5 redirects",
			serve: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/blob", http.StatusFound) }},
		{name: "redirect to http", requests: 1, err: "http://example.invalid/: address is http, want https",
			serve: func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://example.invalid/", http.StatusFound)
			}},
		{name: "not https", requests: 0, err: "http://example.invalid/x: address is http, want https",
			change: func(f *File) { f.URL = "http://example.invalid/x" }},
		{name: "no checksum", requests: 0, err: "File needs Path, Size and SHA256",
			change: func(f *File) { f.SHA256 = "" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			requests.Store(0)
			f := file(t, count(tt.serve))
			if tt.change != nil {
				tt.change(&f)
			}
			if tt.part != nil {
				os.MkdirAll(filepath.Dir(f.Path), 0o755)
				if err := os.WriteFile(f.Path+".part", tt.part, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			err := f.Get(t.Context())
			if got := requests.Load(); got != tt.requests {
				t.Errorf("%d requests, want %d", got, tt.requests)
			}
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error is %v, want %q", err, tt.err)
				}
				if _, err := os.Stat(f.Path); err == nil {
					t.Error("a file that failed is at its place")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			check(t, f)
			if err := f.Get(t.Context()); err != nil || requests.Load() != tt.requests {
				t.Errorf("a second Get made a request, or failed: %v", err)
			}
		})
	}
}

func TestGetSilence(t *testing.T) {
	quick(t, 300*time.Millisecond)
	release := make(chan struct{})
	defer close(release)
	tests := []struct {
		name  string
		serve http.HandlerFunc
		err   string
	}{
		{"no answer", func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			panic(http.ErrAbortHandler) // no answer at all
		}, "is not reachable: no answer within 300ms"},
		{"falls silent", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				w.Write(blob[:1000])
				w.(http.Flusher).Flush()
			}
			select {
			case <-release:
			case <-r.Context().Done():
			}
			panic(http.ErrAbortHandler)
		}, "is not reachable: no answer within 300ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := file(t, tt.serve)
			err := f.Get(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error is %v, want %q", err, tt.err)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		f := file(t, http.NotFoundHandler())
		f.URL = "https://" + l.Addr().String() + "/x"
		err = f.Get(t.Context())
		if !errors.Is(err, ErrOffline) || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("error is %v, want ErrOffline and connection refused", err)
		}
	})
	t.Run("stopped", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		f := file(t, tests[1].serve)
		err := f.Get(ctx)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v, want context canceled", err)
		}
	})
}

// Many who want one file make one download.
func TestGetTogether(t *testing.T) {
	var requests atomic.Int32
	f := file(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		time.Sleep(50 * time.Millisecond)
		content(w, r)
	}))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := f.Get(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	check(t, f)
}

func TestProgress(t *testing.T) {
	f := file(t, http.HandlerFunc(content))
	var seen []int64
	f.Progress = func(done, total int64) {
		if total != f.Size || len(seen) > 0 && done < seen[len(seen)-1] {
			t.Errorf("progress %d of %d after %v", done, total, seen)
		}
		seen = append(seen, done)
	}
	if err := f.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(seen) < 2 || seen[0] != 0 || seen[len(seen)-1] != f.Size {
		t.Errorf("progress was %v, want 0 … %d", seen, f.Size)
	}
}

func TestPage(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/x-"+r.Header.Get("Accept"))
		w.Write(blob[:1000])
	}))
	defer s.Close()
	body, u, kind, err := Page(t.Context(), s.Client(), s.URL+"/a", "try", 1000)
	if err != nil || len(body) != 1000 || u.Path != "/a" || kind != "text/x-try" {
		t.Errorf("got %d bytes, %v, %q, %v", len(body), u, kind, err)
	}
	if _, _, _, err := Page(t.Context(), s.Client(), s.URL, "", 999); err == nil || !strings.Contains(err.Error(), "page is over 999 bytes") {
		t.Errorf("error is %v", err)
	}
}

// A password in an address, as PIP_INDEX_URL may hold one, is never shown.
func TestNoPasswordInErrors(t *testing.T) {
	quick(t, time.Minute)
	f := file(t, http.NotFoundHandler())
	u, _ := url.Parse(f.URL)
	u.User = url.UserPassword("me", "hunter2")
	f.URL = u.String()
	if err := f.Get(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error is %v", err)
	}
}

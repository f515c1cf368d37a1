// Package download brings one known file from the network to disk.
//
// A [File] says what the bytes must be: their number and their SHA-256. So
// where they come from need not be trusted, and a file that is already there
// is recognised without a request. [File.Get] continues a download that was
// cut, in this run or an earlier one, keeps the unfinished bytes beside the
// target as PATH.part, and renames only what it has checked.
//
// Nothing here waits for ever: a server that cannot be reached is an error
// after [ConnectTimeout], one that falls silent after [StallTimeout]. At most
// five redirects are followed, and none away from https.
package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/holt-dl/holt/internal/aside"
)

// Limits of every download. Tests shorten the times.
var (
	ConnectTimeout = 8 * time.Second  // to the first byte of an answer, redirects included
	StallTimeout   = 30 * time.Second // without a byte, before the line counts as cut
	retryPause     = time.Second      // before a cut download is continued; doubled each time
)

const (
	maxRedirects = 5
	maxCuts      = 5 // cut lines in a row that brought nothing new

	// maxUnknown is the longest file of which only the checksum is known.
	maxUnknown = 8 << 30

	minDigits = 8 // of a checksum
)

var (
	// ErrOffline is wrapped by the error of a download whose server could not
	// be reached, so that a caller can say what works without it.
	ErrOffline = errors.New("not reachable")

	// ErrChecksum is wrapped by the error of a download whose bytes are not
	// those that the [File] promises. Nothing is left on disk.
	ErrChecksum = errors.New("checksum differs")
)

// File is one file to bring.
type File struct {
	URL    string // https, or http on this machine's loopback address; required
	Path   string // where it goes; its folder is made when missing; required
	Size   int64  // its exact length in bytes; 0 when the publisher does not say
	SHA256 string // 64 hexadecimal digits, or the first 8 or more where the publisher gives no more; required

	// Sum and SumName replace SHA256 for a publisher who gives another
	// checksum: Sum hashes, and SHA256 holds the digits it must give.
	Sum     func() hash.Hash
	SumName string // such as "md5"

	// Client makes the requests; nil means [NewClient].
	Client *http.Client

	// Patience is how long the server may think before its first byte; 0
	// means ConnectTimeout. A cache that fetches the whole file first needs more.
	Patience time.Duration

	// Progress, when not nil, is called with how far the download is: at the start,
	// then at most ten times a second, and at the end. It is called by the
	// goroutine that called Get.
	// A total of 0 is not known.
	Progress func(done, total int64)
}

// Get makes f.Path hold the promised bytes. It returns at once when it does
// already. Two processes that want the same file wait for one another.
//
// A cut line is continued, as long as each attempt brings something. When
// Get fails, the bytes that arrived stay in f.Path + ".part" for the next Get,
// unless they are known to be wrong.
func (f File) Get(ctx context.Context) error {
	u, err := f.check()
	if err != nil {
		return err
	}
	if f.Check() == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o777); err != nil {
		return fmt.Errorf("download: %w", err)
	}
	lock := flock.New(f.Path + ".lock")
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return fmt.Errorf("download: wait for %s: %w", f.Path+".lock", err)
	}
	defer lock.Unlock()   // the file stays: removing it would let two others in
	if f.Check() == nil { // another process brought it while we waited
		return nil
	}
	resumed, err := f.fetch(ctx, u)
	if err != nil {
		return err
	}
	if err := f.verify(f.Path + ".part"); err != nil {
		os.Remove(f.Path + ".part")
		if !resumed {
			return err
		}
		// The old part may have been the wrong half: once more from the start.
		if _, err := f.fetch(ctx, u); err != nil {
			return err
		}
		if err := f.verify(f.Path + ".part"); err != nil {
			os.Remove(f.Path + ".part")
			return err
		}
	}
	if err := aside.Move(f.Path+".part", f.Path); err != nil {
		return fmt.Errorf("download: %w", err)
	}
	return nil
}

func (f File) check() (*url.URL, error) {
	if f.Path == "" || f.Size < 0 || len(f.SHA256) < minDigits {
		return nil, fmt.Errorf("download: File needs Path, Size and SHA256, got %q, %d and %q", f.Path, f.Size, f.SHA256)
	}
	u, err := url.Parse(f.URL)
	if err != nil {
		return nil, fmt.Errorf("download: %w", err)
	}
	return u, CheckURL(u)
}

// CheckURL refuses an address that is neither https nor on this machine.
func CheckURL(u *url.URL) error {
	host := u.Hostname()
	local := host == "localhost" || host == "127.0.0.1" || host == "::1"
	if u.Scheme == "https" || u.Scheme == "http" && local {
		return nil
	}
	return fmt.Errorf("download: %s: address is %s, want https", u.Redacted(), u.Scheme)
}

// Check tells why f.Path does not hold the promised bytes, if so. It makes no
// request.
func (f File) Check() error {
	info, err := os.Stat(f.Path)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	if !info.Mode().IsRegular() || f.Size > 0 && info.Size() != f.Size {
		return fmt.Errorf("download: %s has %d bytes, want %d: %w", f.Path, info.Size(), f.Size, ErrChecksum)
	}
	return f.verify(f.Path)
}

// verify compares the checksum of the file at path with the promised one.
func (f File) verify(path string) error {
	sum, name := f.Sum, f.SumName
	if sum == nil {
		sum, name = sha256.New, "sha256"
	}
	r, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	defer r.Close()
	h := sum()
	if _, err := io.Copy(h, r); err != nil {
		return fmt.Errorf("download: read %s: %w", path, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); !strings.HasPrefix(got, strings.ToLower(f.SHA256)) {
		return fmt.Errorf("download: %s: %w: %s is %s, want %s; the file was changed on its way or at its source", filepath.Base(f.Path), ErrChecksum, name, got, f.SHA256)
	}
	return nil
}

// fetch fills the .part file up to its size, and reports whether any of it was
// there before. Bytes are not checked here.
func (f File) fetch(ctx context.Context, u *url.URL) (resumed bool, err error) {
	part, err := os.OpenFile(f.Path+".part", os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return false, fmt.Errorf("download: %w", err)
	}
	defer func() {
		if e := part.Close(); err == nil && e != nil {
			err = fmt.Errorf("download: %w", e)
		}
	}()
	have, err := part.Seek(0, io.SeekEnd)
	if err != nil {
		return false, fmt.Errorf("download: %w", err)
	}
	resumed = have > 0
	if f.Size > 0 && have > f.Size { // not ours
		if err := part.Truncate(0); err != nil {
			return false, fmt.Errorf("download: %w", err)
		}
		have, resumed = 0, false
	}
	t := transfer{File: f, u: u, part: part, have: have, whole: f.Size == 0 && f.verify(part.Name()) == nil}
	if t.Client == nil {
		t.Client = NewClient()
	}
	pause := retryPause
	for cuts := 0; !t.complete(); {
		before := t.have
		t.report(true)
		err := t.attempt(ctx)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return resumed, stopped(ctx, u)
		}
		var cut *cutError
		if !errors.As(err, &cut) {
			return resumed, err
		}
		if t.have > before {
			cuts, pause = 0, retryPause
		} else if cuts++; cuts == maxCuts {
			return resumed, fmt.Errorf("%w; %d of %d bytes are kept: the next try continues there", err, t.have, t.Size)
		}
		select {
		case <-ctx.Done():
			return resumed, stopped(ctx, u)
		case <-time.After(pause):
			pause *= 2
		}
	}
	if err := part.Sync(); err != nil {
		return resumed, fmt.Errorf("download: %w", err)
	}
	t.report(true)
	return resumed, nil
}

func stopped(ctx context.Context, u *url.URL) error {
	return fmt.Errorf("download: %s: stopped: %w", u.Redacted(), context.Cause(ctx))
}

// transfer is the state of one fetch across cut lines.
type transfer struct {
	File  // its Size is set by the first answer, where it was not known
	u     *url.URL
	part  *os.File
	have  int64
	whole bool      // all is there, though its size was not known
	last  time.Time // of the last call of Progress
}

func (t *transfer) complete() bool { return t.whole || t.Size > 0 && t.have == t.Size }

// most is how many bytes may come.
func (t *transfer) most() int64 {
	if t.Size == 0 {
		return maxUnknown
	}
	return t.Size
}

func (t *transfer) report(now bool) {
	if t.Progress == nil || !now && time.Since(t.last) < 100*time.Millisecond {
		return
	}
	t.last = time.Now()
	t.Progress(t.have, t.Size)
}

// cutError is a connection that broke after it was made: worth another attempt.
type cutError struct{ err error }

func (e *cutError) Error() string { return e.err.Error() }
func (e *cutError) Unwrap() error { return e.err }

// attempt makes one request and appends what it brings.
func (t *transfer) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// One timer serves both limits: first for the answer, then for each read.
	patience := t.Patience
	if patience == 0 {
		patience = ConnectTimeout
	}
	timer := time.AfterFunc(patience, func() {
		cancel(fmt.Errorf("no answer within %v", patience))
	})
	defer timer.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.u.String(), nil)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	req.Header.Set("User-Agent", "holt")
	req.Header.Set("Accept-Encoding", "identity") // lengths must be the file's
	if t.have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", t.have))
	}
	resp, err := do(t.Client, req)
	if err != nil {
		return offline(ctx, t.u, err)
	}
	defer resp.Body.Close()
	if err := t.accept(resp); err != nil {
		return err
	}
	buf := make([]byte, 256<<10)
	for {
		timer.Reset(StallTimeout)
		n, err := resp.Body.Read(buf)
		if int64(n) > t.most()-t.have {
			t.part.Truncate(0)
			return fmt.Errorf("download: %s: more than the %d bytes that were promised: %w", t.u.Redacted(), t.most(), ErrChecksum)
		}
		if n > 0 {
			if _, err := t.part.WriteAt(buf[:n], t.have); err != nil {
				return fmt.Errorf("download: %w", err)
			}
			t.have += int64(n)
			t.report(false)
		}
		switch {
		case err == io.EOF && t.Size == 0: // the server did not say either
			t.whole = true
			return nil
		case err == io.EOF && t.have == t.Size:
			return nil
		case err == io.EOF:
			return &cutError{fmt.Errorf("download: %s: the line was cut after %d of %d bytes", t.u.Redacted(), t.have, t.Size)}
		case err != nil && context.Cause(ctx) != nil && context.Cause(ctx) != context.Canceled:
			return &cutError{fmt.Errorf("download: %s: no byte for %v, after %d of %d", t.u.Redacted(), StallTimeout, t.have, t.Size)}
		case err != nil:
			return &cutError{fmt.Errorf("download: %s: %w after %d of %d bytes", t.u.Redacted(), err, t.have, t.Size)}
		}
	}
}

// accept reads the status of an answer, and prepares the part for its body.
func (t *transfer) accept(resp *http.Response) error {
	switch {
	case resp.StatusCode == http.StatusOK:
		if t.have > 0 { // the server cannot continue
			t.have = 0
			if err := t.part.Truncate(0); err != nil {
				return fmt.Errorf("download: %w", err)
			}
		}
		if err := t.learn(resp.ContentLength); err != nil {
			return err
		}
		if resp.ContentLength >= 0 && resp.ContentLength != t.Size {
			return fmt.Errorf("download: %s: the server has %d bytes, want %d: %w", t.u.Redacted(), resp.ContentLength, t.Size, ErrChecksum)
		}
		return nil
	case resp.StatusCode == http.StatusPartialContent:
		start, total, ok := contentRange(resp.Header.Get("Content-Range"))
		if err := t.learn(total); err != nil {
			return err
		}
		if !ok || start != t.have || total >= 0 && total != t.Size {
			// Not the continuation that was asked for: begin again.
			t.have = 0
			if err := t.part.Truncate(0); err != nil {
				return fmt.Errorf("download: %w", err)
			}
			return &cutError{fmt.Errorf("download: %s: the server continues with %q", t.u.Redacted(), resp.Header.Get("Content-Range"))}
		}
		return nil
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		t.have = 0
		if err := t.part.Truncate(0); err != nil {
			return fmt.Errorf("download: %w", err)
		}
		return &cutError{fmt.Errorf("download: %s: the server refused to continue", t.u.Redacted())}
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= 500:
		return &cutError{fmt.Errorf("download: %s: the server answers %s: %w", t.u.Redacted(), resp.Status, ErrOffline)}
	default:
		return fmt.Errorf("download: %s: the server answers %s", t.u.Redacted(), resp.Status)
	}
}

// learn takes the file's size from the server, where the publisher does not
// give it.
func (t *transfer) learn(size int64) error {
	if t.Size > 0 || size <= 0 {
		return nil
	}
	if size > maxUnknown {
		return fmt.Errorf("download: %s: the server has %d bytes, want at most %d", t.u.Redacted(), size, int64(maxUnknown))
	}
	t.Size = size
	return nil
}

// contentRange reads "bytes 100-199/1234"; total is -1 for "*".
func contentRange(s string) (start, total int64, ok bool) {
	s, found := strings.CutPrefix(s, "bytes ")
	span, size, found2 := strings.Cut(s, "/")
	from, _, found3 := strings.Cut(span, "-")
	if !found || !found2 || !found3 {
		return 0, 0, false
	}
	start, err := strconv.ParseInt(from, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	if size == "*" {
		return start, -1, true
	}
	total, err = strconv.ParseInt(size, 10, 64)
	return start, total, err == nil
}

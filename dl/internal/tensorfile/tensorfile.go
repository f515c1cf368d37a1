// Package tensorfile reads and writes safetensors files: named tensors, as
// values on the host. [Write] and [Read] are all of it; package dl makes its
// own tensors of a file's.
//
// A file is 8 bytes of header length, little-endian, a JSON header that gives
// each tensor's type, shape and offsets, then the bytes of all tensors without
// gaps. https://huggingface.co/docs/safetensors
//
// A file may be damaged or forged. So the header is checked before memory is
// taken for what it promises, and every error for a wrong file wraps
// [ErrCorrupt]. Messages begin with "dl:", because it is dl whose user reads
// them.
package tensorfile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gomlx/compute/dtypes"

	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/internal/filetype"
	"github.com/holt-dl/holt/internal/float8"
)

// Tensor is a tensor of a file.
type Tensor struct {
	DType  dtypes.DType
	Shape  []int
	Values any // a slice of the DType's Go type, in row-major order
}

// maxHeader is the longest header that the format's own readers accept.
const maxHeader = 100_000_000

// Limits of a header beyond the format's own. JSON takes ten times its length in
// memory and more, so that they are checked on the text.
const (
	maxRank     = 64       // axes of a tensor, as PyTorch's
	maxEntry    = 4 << 10  // bytes of the entry of a tensor
	maxMetadata = 16 << 20 // bytes
)

// checksumKey is the entry of the header's metadata that holds the SHA-256 of
// the bytes after the header, in hexadecimal.
const checksumKey = "holt.sha256"

// metadataKey is the entry of the header that is no tensor.
const metadataKey = "__metadata__"

var safetensorsTypes = map[string]dtypes.DType{
	"BOOL": dtypes.Bool, "U8": dtypes.Uint8, "I8": dtypes.Int8, "U16": dtypes.Uint16, "I16": dtypes.Int16,
	"U32": dtypes.Uint32, "I32": dtypes.Int32, "U64": dtypes.Uint64, "I64": dtypes.Int64,
	"F16": dtypes.Float16, "BF16": dtypes.BFloat16, "F32": dtypes.Float32, "F64": dtypes.Float64,
}

// float8s are the types of a byte that are widened to float32.
var float8s = map[string]func(uint8) float32{
	"F8_E4M3": float8.E4M3FN, "F8_E5M2": float8.E5M2, "F8_E8M0": float8.E8M0,
	"F8_E4M3FNUZ": float8.E4M3FNUZ, "F8_E5M2FNUZ": float8.E5M2FNUZ,
}

// stored returns the type of a tensor's bytes in a file.
func stored(name string) (dtypes.DType, bool) {
	if float8s[name] != nil {
		return dtypes.Uint8, true
	}
	kind, ok := safetensorsTypes[name]
	return kind, ok
}

// ErrCorrupt is wrapped by the error for a weights file that is not what was
// written: cut off, changed, or no safetensors file at all.
var ErrCorrupt = errors.New("the file is damaged or not a safetensors file")

type tensorHeader struct {
	DType   string    `json:"dtype"`
	Shape   []int     `json:"shape"`
	Offsets [2]uint64 `json:"data_offsets"`
}

// Write writes tensors to a file: beside its place, synced, and then renamed.
// The metadata has a checksum of the values, which [Read] compares.
func Write(path string, tensors map[string]Tensor) (err error) {
	names := slices.Sorted(maps.Keys(tensors))
	header := map[string]any{}
	var at uint64
	sum := sha256.New()
	for _, name := range names {
		t := tensors[name]
		kind := ""
		for k, d := range safetensorsTypes {
			if d == t.DType {
				kind = k
			}
		}
		if kind == "" || name == metadataKey {
			return fmt.Errorf("dl: save %s: %s is %s, which safetensors cannot hold; convert it to float32", path, name, strings.ToLower(t.DType.String()))
		}
		b := t.bytes()
		sum.Write(b)
		header[name] = tensorHeader{kind, append([]int{}, t.Shape...), [2]uint64{at, at + uint64(len(b))}}
		at += uint64(len(b))
	}
	header[metadataKey] = map[string]string{"format": "pt", checksumKey: hex.EncodeToString(sum.Sum(nil))}
	head, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("dl: save %s: %w", path, err)
	}
	for len(head)%8 != 0 {
		head = append(head, ' ') // the tensors begin at a multiple of 8
	}
	err = aside.WriteFile(path, func(w io.Writer) error {
		if err := binary.Write(w, binary.LittleEndian, uint64(len(head))); err != nil {
			return err
		}
		if _, err := w.Write(head); err != nil {
			return err
		}
		for _, name := range names {
			if _, err := w.Write(tensors[name].bytes()); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("dl: save %s: %w; make the folder first: os.MkdirAll", path, err)
	}
	if err != nil {
		return fmt.Errorf("dl: save %s: %w", path, err)
	}
	return nil
}

// size returns the number of elements.
func (t Tensor) size() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// bytes returns the values as they are in memory, which on every machine that
// Go and XLA share is little-endian, as the format wants.
func (t Tensor) bytes() []byte {
	if t.size() == 0 {
		return nil
	}
	return dtypes.UnsafeByteSliceFromAny(t.Values)
}

// Read reads all tensors of a file, of the parts that an index such as
// model.safetensors.index.json lists, or of the folder that holds such an
// index. float8 becomes float32.
func Read(path string) (map[string]Tensor, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return loadFolder(path)
	}
	if strings.HasSuffix(path, indexSuffix) {
		return loadParts(path)
	}
	tensors, _, err := loadFile(path)
	if errors.Is(err, errIndex) { // under another name
		return loadParts(path)
	}
	return tensors, err
}

// wantSafetensors is what [loadFile] reads, for messages.
const wantSafetensors = "a safetensors file"

// errIndex is wrapped by the error for a file that is an index of parts.
var errIndex = fmt.Errorf("%w (it is an index)", ErrCorrupt)

// loadFile reads one file. It returns the bytes of its tensors too.
func loadFile(path string) (tensors map[string]Tensor, data int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("dl: load weights: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("dl: load weights: %w", err)
	}
	if info.IsDir() {
		return nil, 0, fmt.Errorf("dl: load %s: %w", path, filetype.Folder(path).Error(path, wantSafetensors, ErrCorrupt))
	}
	tensors, data, err = readSafetensors(bufio.NewReaderSize(f, 1<<20), info.Size())
	if errors.Is(err, ErrCorrupt) {
		if kind, known := filetype.Of(f, info.Size(), path); known && kind.Name != filetype.Safetensors {
			wraps := ErrCorrupt
			if kind.Name == filetype.Index {
				wraps = errIndex
			}
			err = kind.Error(path, wantSafetensors, wraps)
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("dl: load %s: %w", path, err)
	}
	return tensors, data, nil
}

// readSafetensors reads a file of the given size. It returns the bytes of its
// tensors too.
func readSafetensors(r io.Reader, size int64) (tensors map[string]Tensor, bytes int64, err error) {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w; save or download it again", fmt.Sprintf(format, args...), ErrCorrupt)
	}
	var length uint64
	if size < 8 || binary.Read(r, binary.LittleEndian, &length) != nil {
		return nil, 0, bad("the file has %d bytes, want at least 8", size)
	}
	if length > maxHeader || length > uint64(size-8) {
		return nil, 0, bad("the header has %d bytes, want at most %d", length, min(maxHeader, size-8))
	}
	head := make([]byte, length)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, 0, bad("the header ends early")
	}
	items, checksum, err := readHeader(head)
	if err != nil {
		return nil, 0, bad("%v", err)
	}
	slices.SortFunc(items, func(a, b item) int {
		for i := range 2 { // empty tensors come before the one that begins where they do
			if a.Offsets[i] != b.Offsets[i] {
				if a.Offsets[i] < b.Offsets[i] {
					return -1
				}
				return 1
			}
		}
		return strings.Compare(a.name, b.name)
	})
	data := uint64(size) - 8 - length
	at := uint64(0)
	for _, it := range items {
		kind, ok := stored(it.DType)
		if !ok {
			return nil, 0, fmt.Errorf("tensor %q is of type %q, which dl cannot read; convert it to F32", it.name, it.DType)
		}
		if len(it.Shape) > maxRank {
			return nil, 0, bad("tensor %.100q has %d axes, want at most %d", it.name, len(it.Shape), maxRank)
		}
		want := uint64(kind.Size())
		for _, n := range it.Shape {
			if n < 0 || n > 0 && want > math.MaxInt64/uint64(n) {
				return nil, 0, bad("the shape of %q is %v", it.name, it.Shape)
			}
			want *= uint64(n)
		}
		from, to := it.Offsets[0], it.Offsets[1]
		if from != at || to < from || to-from != want || to > data {
			return nil, 0, bad("tensor %q lies at %d to %d, want %d to %d of %d bytes", it.name, from, to, at, at+want, data)
		}
		at = to
	}
	if at != data {
		return nil, 0, bad("the tensors end at %d of %d bytes", at, data)
	}
	tensors = make(map[string]Tensor, len(items))
	var sum hash.Hash = sha256.New()
	for _, it := range items {
		kind, _ := stored(it.DType)
		t := Tensor{DType: kind, Shape: it.Shape}
		t.Values = dtypes.MakeAnySlice(kind, t.size())
		b := t.bytes()
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, 0, bad("tensor %q ends early", it.name)
		}
		if t.DType == dtypes.Bool {
			for _, v := range b {
				if v > 1 {
					return nil, 0, bad("tensor %q holds %d for a bool", it.name, v)
				}
			}
		}
		if checksum != "" {
			sum.Write(b)
		}
		if widen := float8s[it.DType]; widen != nil {
			wide := make([]float32, len(b))
			for i, v := range b {
				wide[i] = widen(v)
			}
			t.DType, t.Values = dtypes.Float32, wide
		}
		tensors[it.name] = t
	}
	if checksum != "" && checksum != hex.EncodeToString(sum.Sum(nil)) {
		return nil, 0, bad("the checksum differs")
	}
	return tensors, int64(data), nil
}

// item is one tensor of a header.
type item struct {
	name string
	tensorHeader
}

// readHeader takes a header apart, entry by entry, so that a wrong one ends it
// before much memory is taken. A name that is there twice is an error: readers
// would not agree which counts.
func readHeader(head []byte) (items []item, checksum string, err error) {
	if !utf8.Valid(head) {
		return nil, "", fmt.Errorf("the header is no UTF-8 text")
	}
	d := json.NewDecoder(bytes.NewReader(head))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, "", fmt.Errorf("the header is no JSON object (it begins with %.20q)", head)
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, "", fmt.Errorf("the header is no JSON object (%w)", err)
		}
		name := key.(string) // so it is in an object
		if seen[name] {
			return nil, "", fmt.Errorf("the header has %.100q twice", name)
		}
		seen[name] = true
		var entry json.RawMessage
		if err := d.Decode(&entry); err != nil {
			return nil, "", fmt.Errorf("the header of %.100q is wrong (%w)", name, err)
		}
		if name == metadataKey {
			if len(entry) > maxMetadata {
				return nil, "", fmt.Errorf("the metadata has %d bytes, want at most %d", len(entry), maxMetadata)
			}
			var meta map[string]string
			if err := json.Unmarshal(entry, &meta); err != nil {
				return nil, "", fmt.Errorf("the metadata is not text (%w)", err)
			}
			checksum = meta[checksumKey]
			continue
		}
		if len(entry) > maxEntry {
			return nil, "", fmt.Errorf("the header has %d bytes for %.100q, want at most %d", len(entry), name, maxEntry)
		}
		it := item{name, tensorHeader{Offsets: [2]uint64{math.MaxUint64, 0}}}
		if err := json.Unmarshal(entry, &it.tensorHeader); err != nil {
			return nil, "", fmt.Errorf("the header of %.100q is wrong (%w)", name, err)
		}
		if it.Shape == nil || it.Offsets[1] < it.Offsets[0] {
			return nil, "", fmt.Errorf("the header of %.100q is wrong (it lacks its shape or its place)", name)
		}
		items = append(items, it)
	}
	if _, err := d.Token(); err != nil {
		return nil, "", fmt.Errorf("the header is no JSON object (%w)", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, "", fmt.Errorf("the header goes on after its end")
	}
	return items, checksum, nil
}

package dl

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
	"math"
	"os"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
)

// The file format is safetensors: 8 bytes of header length, little-endian, a
// JSON header that gives each tensor's type, shape and place, then the bytes
// of all tensors without gaps. https://huggingface.co/docs/safetensors

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

var safetensorsTypes = map[string]DType{
	"BOOL": dtypes.Bool, "U8": dtypes.Uint8, "I8": dtypes.Int8, "U16": dtypes.Uint16, "I16": dtypes.Int16,
	"U32": dtypes.Uint32, "I32": dtypes.Int32, "U64": dtypes.Uint64, "I64": dtypes.Int64,
	"F16": dtypes.Float16, "BF16": dtypes.BFloat16, "F32": dtypes.Float32, "F64": dtypes.Float64,
}

// ErrCorrupt is wrapped by the error for a weights file that is not what was
// written: cut off, changed, or no safetensors file at all.
var ErrCorrupt = errors.New("the file is damaged or not a safetensors file")

type tensorHeader struct {
	DType   string    `json:"dtype"`
	Shape   []int     `json:"shape"`
	Offsets [2]uint64 `json:"data_offsets"`
}

// SaveStateDict writes tensors to a safetensors file, as [Model.Save] does.
func SaveStateDict(path string, dict StateDict) (err error) {
	names := make([]string, 0, len(dict))
	for name := range dict {
		names = append(names, name)
	}
	slices.Sort(names)
	header := map[string]any{}
	var at uint64
	sum := sha256.New()
	for _, name := range names {
		t := dict[name]
		kind := ""
		for k, d := range safetensorsTypes {
			if d == t.dtype {
				kind = k
			}
		}
		if kind == "" || name == metadataKey {
			return fmt.Errorf("dl: save %s: %s is %s, which safetensors cannot hold; convert it to float32", path, name, typeName(t.dtype))
		}
		b := t.bytes()
		sum.Write(b)
		header[name] = tensorHeader{kind, append([]int{}, t.shape...), [2]uint64{at, at + uint64(len(b))}}
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
	err = writeAtomically(path, func(w io.Writer) error {
		if err := binary.Write(w, binary.LittleEndian, uint64(len(head))); err != nil {
			return err
		}
		if _, err := w.Write(head); err != nil {
			return err
		}
		for _, name := range names {
			if _, err := w.Write(dict[name].bytes()); err != nil {
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

// bytes returns the tensor's values as they lie in memory, which on every
// machine that Go and XLA share is little-endian, as the format wants.
func (t *Tensor) bytes() []byte {
	flat := t.flat()
	if t.Size() == 0 {
		return nil
	}
	return dtypes.UnsafeByteSliceFromAny(flat)
}

// LoadStateDict reads all tensors of a safetensors file. It checks the header
// before it takes memory for what the header promises, and the checksum where
// the file has one. A file that fails is an error that wraps [ErrCorrupt].
func LoadStateDict(path string) (StateDict, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("dl: load weights: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("dl: load weights: %w", err)
	}
	dict, err := readSafetensors(bufio.NewReaderSize(f, 1<<20), info.Size())
	if err != nil {
		return nil, fmt.Errorf("dl: load %s: %w", path, err)
	}
	return dict, nil
}

// readSafetensors reads a file of the given size.
func readSafetensors(r io.Reader, size int64) (StateDict, error) {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w; save or download it again", fmt.Sprintf(format, args...), ErrCorrupt)
	}
	var length uint64
	if size < 8 || binary.Read(r, binary.LittleEndian, &length) != nil {
		return nil, bad("the file has %d bytes, want at least 8", size)
	}
	if length > maxHeader || length > uint64(size-8) {
		return nil, bad("the header has %d bytes, want at most %d", length, min(maxHeader, size-8))
	}
	head := make([]byte, length)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, bad("the header ends early")
	}
	items, checksum, err := readHeader(head)
	if err != nil {
		return nil, bad("%v", err)
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
		kind, ok := safetensorsTypes[it.DType]
		if !ok {
			return nil, fmt.Errorf("tensor %q is of type %q, which dl cannot read; convert it to F32", it.name, it.DType)
		}
		if len(it.Shape) > maxRank {
			return nil, bad("tensor %.100q has %d axes, want at most %d", it.name, len(it.Shape), maxRank)
		}
		want := uint64(kind.Size())
		for _, n := range it.Shape {
			if n < 0 || n > 0 && want > math.MaxInt64/uint64(n) {
				return nil, bad("the shape of %q is %v", it.name, it.Shape)
			}
			want *= uint64(n)
		}
		from, to := it.Offsets[0], it.Offsets[1]
		if from != at || to < from || to-from != want || to > data {
			return nil, bad("tensor %q lies at %d to %d, want %d to %d of %d bytes", it.name, from, to, at, at+want, data)
		}
		at = to
	}
	if at != data {
		return nil, bad("the tensors end at %d of %d bytes", at, data)
	}
	dict := make(StateDict, len(items))
	var sum hash.Hash = sha256.New()
	for _, it := range items {
		t := &Tensor{shape: append(Shape{}, it.Shape...), dtype: safetensorsTypes[it.DType]}
		t.host = dtypes.MakeAnySlice(t.dtype, t.Size())
		b := t.bytes()
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, bad("tensor %q ends early", it.name)
		}
		if t.dtype == dtypes.Bool {
			for _, v := range b {
				if v > 1 {
					return nil, bad("tensor %q holds %d for a bool", it.name, v)
				}
			}
		}
		if checksum != "" {
			sum.Write(b)
		}
		dict[it.name] = t
	}
	if checksum != "" && checksum != hex.EncodeToString(sum.Sum(nil)) {
		return nil, bad("the checksum differs")
	}
	return dict, nil
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
		if name == metadataKey && len(entry) <= maxMetadata {
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

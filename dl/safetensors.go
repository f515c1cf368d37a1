package dl

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
)

// The file format is safetensors: 8 bytes of header length, little-endian, a
// JSON header that gives each tensor's type, shape and place, then the bytes
// of all tensors without gaps. https://huggingface.co/docs/safetensors

// maxHeader is the longest header that the format's own readers accept.
const maxHeader = 100_000_000

// checksumKey is the entry of the header's metadata that holds the SHA-256 of
// the bytes after the header, in hexadecimal.
const checksumKey = "holt.sha256"

var safetensorsTypes = map[string]DType{
	"BOOL": dtypes.Bool, "U8": dtypes.Uint8, "I8": dtypes.Int8, "U16": dtypes.Uint16, "I16": dtypes.Int16,
	"U32": dtypes.Uint32, "I32": dtypes.Int32, "U64": dtypes.Uint64, "I64": dtypes.Int64,
	"F16": dtypes.Float16, "BF16": dtypes.BFloat16, "F32": dtypes.Float32, "F64": dtypes.Float64,
}

// ErrCorrupt is wrapped by the error for a weights file that is not what was
// written: cut off, changed, or no safetensors file at all.
var ErrCorrupt = errors.New("the file is damaged or not a safetensors file")

// StateDict is a set of named tensors, as PyTorch's state_dict.
type StateDict map[string]*Tensor

// Save writes the weights, as of the last whole training step, to a
// safetensors file that PyTorch reads unchanged: safetensors.torch.load_file.
//
// The file is written beside its place, synced, and renamed, so that at every
// moment path is the old file or the whole new one. Its metadata holds a
// checksum, which [Model.Load] checks.
func (m *Model) Save(path string) error { return SaveStateDict(path, m.StateDict()) }

// StateDict returns a copy of the weights by name, as of the last whole
// training step.
func (m *Model) StateDict() StateDict {
	values, release := m.snapshot()
	defer release()
	dict := StateDict{}
	for i, s := range m.specs {
		dict[s.name] = s.keep(values[i])
	}
	return dict
}

// Load reads weights that [Model.Save] or PyTorch wrote. The file must hold
// exactly the model's parameters in their shapes; float16, bfloat16 and
// float64 become float32. A file that does not fit, or is damaged, is an
// error, and leaves the model as it was.
func (m *Model) Load(path string) error {
	dict, err := LoadStateDict(path)
	if err != nil {
		return err
	}
	if err := m.LoadStateDict(dict); err != nil {
		return fmt.Errorf("dl: load %s: %w", path, err)
	}
	return nil
}

// LoadStateDict gives the model the weights of dict, which must have exactly
// the model's names and shapes. The model takes the tensors' values, not the
// tensors.
func (m *Model) LoadStateDict(dict StateDict) error {
	var missing, unknown []string
	values := make([]*Tensor, len(m.specs))
	for i, s := range m.specs {
		t := dict[s.name]
		switch {
		case t == nil:
			missing = append(missing, s.name)
		case !t.shape.Equal(s.shape):
			return &ShapeError{Op: "weights " + s.name, Got: t.shape, Want: fmt.Sprint([]int(s.shape)), Fix: "the file is of a network with other sizes"}
		default:
			values[i] = s.keep(t)
		}
	}
	for name := range dict {
		if !slices.Contains(m.Names(), name) {
			unknown = append(unknown, name)
		}
	}
	if len(missing)+len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("the weights lack %s and have %s too many; the file is of another network", list(missing), list(unknown))
	}
	m.train.Lock()
	defer m.train.Unlock()
	m.replace(values)
	return nil
}

// list writes names for a message, the first few of them.
func list(names []string) string {
	switch n := len(names); {
	case n == 0:
		return "none"
	case n > 4:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:4], ", "), n-4)
	}
	return strings.Join(names, ", ")
}

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
		if kind == "" || name == "__metadata__" {
			return fmt.Errorf("dl: save %s: %s is %s, which safetensors cannot hold; convert it to float32", path, name, typeName(t.dtype))
		}
		b := t.bytes()
		sum.Write(b)
		header[name] = tensorHeader{kind, append([]int{}, t.shape...), [2]uint64{at, at + uint64(len(b))}}
		at += uint64(len(b))
	}
	header["__metadata__"] = map[string]string{"format": "pt", checksumKey: hex.EncodeToString(sum.Sum(nil))}
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

// writeAtomically writes a file beside path, syncs it, and renames it.
func writeAtomically(path string, write func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	// The name is on disk only when its folder is.
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
	return nil
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
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(head, &entries); err != nil {
		return nil, bad("the header is no JSON object (%v)", err)
	}
	var checksum string
	if raw, ok := entries["__metadata__"]; ok {
		var meta map[string]string
		if err := json.Unmarshal(raw, &meta); err != nil {
			return nil, bad("the metadata is not text (%v)", err)
		}
		checksum = meta[checksumKey]
		delete(entries, "__metadata__")
	}
	type item struct {
		name string
		tensorHeader
	}
	var items []item
	for name, raw := range entries {
		h := tensorHeader{Offsets: [2]uint64{math.MaxUint64, 0}}
		if err := json.Unmarshal(raw, &h); err != nil {
			return nil, bad("the header of %q is wrong (%v)", name, err)
		}
		items = append(items, item{name, h})
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
	dict := StateDict{}
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

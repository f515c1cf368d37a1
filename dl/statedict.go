package dl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/internal/tensorfile"
	"github.com/holt-dl/holt/internal/near"
)

// StateDict is a set of named tensors, as PyTorch's state_dict.
type StateDict map[string]*Tensor

// ErrCorrupt is wrapped by the error for a weights file that is not what was
// written: cut off, changed, or no safetensors file at all.
var ErrCorrupt = tensorfile.ErrCorrupt

// SaveStateDict writes tensors to a safetensors file, as [Model.Save] does. In a job that
// trains with Options.Devices [All] the process of rank 0 alone writes.
func SaveStateDict(path string, dict StateDict) error {
	tensors := make(map[string]tensorfile.Tensor, len(dict))
	for name, t := range dict {
		tensors[name] = tensorfile.Tensor{DType: t.dtype, Shape: t.shape, Values: t.flat()}
	}
	if !thisJob().writes() {
		return nil
	}
	return tensorfile.Write(path, tensors)
}

// LoadStateDict reads all tensors of a safetensors file, of the parts that an
// index such as model.safetensors.index.json lists, or of the folder that holds
// such an index. It checks the header before it takes memory for what the
// header promises, and the checksum where the file has one. float8 becomes
// float32. A file that fails, or is of another format, is an error that wraps
// [ErrCorrupt].
func LoadStateDict(path string) (StateDict, error) {
	tensors, err := tensorfile.Read(path)
	if err != nil {
		return nil, err
	}
	dict := make(StateDict, len(tensors))
	for name, t := range tensors {
		dict[name] = hostTensor(t.DType, t.Shape, t.Values)
	}
	return dict, nil
}

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
// tensors, and copies them when they are first needed: as [FromSlice] says, a
// slice that a tensor was made of must not change.
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
			values[i] = s.take(t)
		}
	}
	for name := range dict {
		if !slices.Contains(m.Names(), name) {
			unknown = append(unknown, name)
		}
	}
	if len(missing)+len(unknown) > 0 {
		slices.Sort(unknown)
		if prefix := m.prefixOf(dict); prefix != "" {
			return fmt.Errorf("the names of the weights begin with %q, as torch.nn.DataParallel and torch.compile save them; take it off: model.LoadStateDict(dict.TrimPrefix(%q))", prefix, prefix)
		}
		return fmt.Errorf("the weights lack %s and have %s too many; the file is of another network", near.List(missing), near.List(unknown))
	}
	m.replace(m.vars, values)
	return nil
}

// prefixOf returns what all names of dict have before the model's own, and ""
// where that is not so.
func (m *Model) prefixOf(dict StateDict) string {
	for _, prefix := range []string{"module.", "_orig_mod.", "model."} {
		trimmed := dict.TrimPrefix(prefix)
		if len(trimmed) == len(m.specs) && !slices.ContainsFunc(m.specs, func(s spec) bool { return trimmed[s.name] == nil }) {
			return prefix
		}
	}
	return ""
}

// TrimPrefix returns the tensors whose names begin with prefix, under what
// follows it, as torch's consume_prefix_in_state_dict_if_present does: weights
// that torch.nn.DataParallel saved begin with "module.".
func (d StateDict) TrimPrefix(prefix string) StateDict {
	trimmed := StateDict{}
	for name, t := range d {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			trimmed[rest] = t
		}
	}
	return trimmed
}

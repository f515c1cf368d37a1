package pth

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/internal/pickle"
)

// The functions that are understood. Any other makes a [pickle.Object], and none
// is called.
const (
	rebuildTensor    = class("torch._utils._rebuild_tensor")
	rebuildTensorV2  = class("torch._utils._rebuild_tensor_v2")
	rebuildTensorV3  = class("torch._utils._rebuild_tensor_v3") // with a dtype, of a storage of bytes
	rebuildParameter = class("torch._utils._rebuild_parameter")
	torchSize        = class("torch.Size")

	// Of a parameter that has further attributes, which are left out.
	rebuildParameterWithState = class("torch._utils._rebuild_parameter_with_state")

	// Of a tensor that was on a device which numpy does not know.
	rebuildFromCPU = class("torch._utils._rebuild_device_tensor_from_cpu_tensor")
)

// rebuildFromType are functions that call another and give the tensor a class,
// such as torch.nn.Buffer, which is left out.
var rebuildFromType = map[class]bool{
	"torch._tensor._rebuild_from_type": true, "torch._tensor._rebuild_from_type_v2": true, "torch.tensor._rebuild_from_type": true,
}

// What to do about a file that is refused.
const saveWeights = "save it in Python as torch.save(model.state_dict(), path), or as safetensors"

// foreign are functions for tensors that dl has no place for, and what to do
// about them in Python.
var foreign = map[class]string{
	"torch._utils._rebuild_qtensor":                  noQuantized,
	"torch._utils._rebuild_sparse_tensor":            "dl has no sparse tensors: save x.to_dense()",
	"torch._utils._rebuild_sparse_csr_tensor":        "dl has no sparse tensors: save x.to_dense()",
	"torch._utils._rebuild_nested_tensor":            "dl has no nested tensors: save torch.nested.to_padded_tensor(x, 0)",
	"torch._utils._rebuild_meta_tensor_no_storage":   "it was on the device meta, where a tensor has no values",
	"torch._utils._rebuild_wrapper_subclass":         "it is of a class of its own: save a plain tensor, such as x.dequantize() or x.full_tensor()",
	"torch._utils._rebuild_device_tensor_from_numpy": "it is kept as a numpy array: save x.cpu()",
}

// foreignTensor reports whether a function makes a tensor, though none that
// can be read, and what to do about it.
func foreignTensor(f class) (try string, ok bool) {
	if try = foreign[f]; try != "" {
		return try, true
	}
	module, name, _ := strings.Cut(string(f), "._rebuild_")
	return saveWeights, name != "" && (module == "torch" || strings.HasPrefix(module, "torch."))
}

// textStorage is how protocol 0 writes what stands for a storage.
var textStorage = regexp.MustCompile(`^\('storage', <class '([\w.]+)'>, '([^']*)', '[^']*', (\d+)(?:, None)?\)$`)

// torch knows the functions of torch. It implements [pickle.Hooks].
type torch struct{ storages map[string]*storage }

// Persistent finds what stands for an object that is not in the pickle: a
// storage, or a class of the older format.
func (h torch) Persistent(_ *pickle.Machine, id any) any {
	if text, ok := id.(string); ok {
		part := textStorage.FindStringSubmatch(text)
		if part == nil {
			pickle.Fail("the pickle refers to %.100q, want a storage", text)
		}
		n, err := strconv.ParseInt(part[3], 10, 64)
		if err != nil {
			pickle.Fail("storage %.100q is of %s elements", part[2], part[3])
		}
		return h.storage(class(part[1]), part[2], n)
	}
	t, ok := id.(tuple)
	if ok && len(t) > 1 && t[0] == "module" { // a class and its source
		return t[1]
	}
	if !ok || len(t) < 5 || t[0] != "storage" {
		pickle.Fail("the pickle refers to %s, want a storage", kindOf(id))
	}
	of, _ := t[1].(class)
	key, isKey := t[2].(string)
	n, isNumber := t[4].(int64)
	if !isKey || !isNumber {
		pickle.Fail("storage %.100q of %.100q is wrong", key, of)
	}
	if len(t) > 5 && t[5] != nil {
		pickle.Fail("storage %.100q is a view of another, which torch has not written for years", key)
	}
	return h.storage(of, key, n)
}

// storage returns the storage of that key.
func (h torch) storage(of class, key string, n int64) *storage {
	k, known := storageKind(of)
	if !known || n < 0 || n > math.MaxInt64/16 {
		pickle.Fail("storage %.100q of %.100q is wrong", key, of)
	}
	s := h.storages[key]
	if s == nil {
		s = &storage{key: key, kind: k, n: n}
		h.storages[key] = s
	}
	if s.n != n || s.kind.name != k.name {
		pickle.Fail("storage %q is there with two sizes", key)
	}
	return s
}

// Call makes tensors. It implements [pickle.Hooks].
func (h torch) Call(m *pickle.Machine, name class, a tuple) (any, bool) {
	for rebuildFromType[name] && len(a) > 2 { // (function, class, arguments, state)
		inner, isClass := a[0].(class)
		args, isTuple := a[2].(tuple)
		if !isClass || !isTuple {
			pickle.Fail("the pickle calls %s with arguments that do not fit", name)
		}
		name, a = inner, args
	}
	switch name {
	case torchSize:
		if len(a) == 1 {
			return a[0], true
		}
	case rebuildParameter, rebuildParameterWithState, rebuildFromCPU:
		if len(a) > 0 {
			switch a[0].(type) {
			case *tensor, *unreadable:
				return a[0], true
			}
		}
	case rebuildTensor, rebuildTensorV2, rebuildTensorV3:
		if t := readTensor(name, a); t != nil {
			return t, true
		}
	default:
		if try, ok := foreignTensor(name); ok {
			return &unreadable{fmt.Sprintf("it is made by %.200q", string(name)), try}, true
		}
		return nil, false
	}
	pickle.Fail("the pickle calls %s with %d arguments that do not fit", name, len(a))
	return nil, false
}

// readTensor reads the arguments (storage, offset, size, stride, requires_grad,
// hooks, [dtype,] metadata), of which the older functions lack the last. It
// returns nil for others.
func readTensor(f class, a tuple) any {
	if len(a) < 4 {
		return nil
	}
	s, isStorage := a[0].(*storage)
	offset, isNumber := a[1].(int64)
	size, isSize := numbers(a[2])
	stride, isStride := numbers(a[3])
	if !isStorage || !isNumber || !isSize || !isStride {
		return nil
	}
	t := &tensor{storage: s, kind: s.kind, offset: offset, size: size, stride: stride}
	metadata := 6
	if f == rebuildTensorV3 {
		metadata = 7
		if len(a) < 7 {
			return nil
		}
		k, known := dtypeKind(a[6])
		if !known {
			return &unreadable{fmt.Sprintf("it is of type %.100v", a[6]), "dl has no such numbers: save x.float()"}
		}
		t.kind, s.element = k, k.size
	}
	if len(a) > metadata && a[metadata] != nil {
		d, ok := a[metadata].(*dict)
		if !ok {
			return nil
		}
		for _, bit := range d.Items {
			switch {
			case bit[1] == false:
			case bit[0] == "neg" && bit[1] == true:
				t.neg = true
			default: // "conj", of a complex one, or what a later torch has
				return &unreadable{fmt.Sprintf("it has %.100q set to %.100v, which changes its values", fmt.Sprint(bit[0]), bit[1]), "save x.resolve_conj().resolve_neg()"}
			}
		}
	}
	return t
}

// maxAxes is more than torch has, 64.
const maxAxes = 64

// numbers converts a tuple of integers. A longer one than a tensor has axes is
// none, because a pickle could repeat it as often as it likes.
func numbers(v any) (list []int64, ok bool) {
	t, ok := v.(tuple)
	if len(t) > maxAxes {
		return nil, false
	}
	for _, item := range t {
		n, is := item.(int64)
		if !is {
			return nil, false
		}
		list = append(list, n)
	}
	return list, ok
}

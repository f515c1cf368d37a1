package pth

import (
	"fmt"
	"math"
)

// The functions that are understood.
const (
	orderedDict      = class("collections.OrderedDict")
	rebuildTensor    = class("torch._utils._rebuild_tensor")
	rebuildTensorV2  = class("torch._utils._rebuild_tensor_v2")
	rebuildParameter = class("torch._utils._rebuild_parameter")
	torchSize        = class("torch.Size")

	// Of a parameter that has further attributes, which are left out.
	rebuildParameterWithState = class("torch._utils._rebuild_parameter_with_state")
)

// What to do about a file that is refused.
const saveWeights = "save it in Python as torch.save(model.state_dict(), path), or as safetensors"

// foreign are functions for tensors that dl has no place for, and what to do
// about them in Python.
var foreign = map[class]string{
	"torch._utils._rebuild_qtensor":           "dl has no quantized tensors: save x.dequantize()",
	"torch._utils._rebuild_sparse_tensor":     "dl has no sparse tensors: save x.to_dense()",
	"torch._utils._rebuild_sparse_csr_tensor": "dl has no sparse tensors: save x.to_dense()",
	"torch._utils._rebuild_tensor_v3":         "it is for types that dl has not, such as torch.uint16 and torch.float8_e5m2: save x.float()",
	"torch.ComplexFloatStorage":               "dl has no complex numbers: save torch.view_as_real(x)",
	"torch.ComplexDoubleStorage":              "dl has no complex numbers: save torch.view_as_real(x)",
}

// refuse ends the pickle because of what it asks for.
func refuse(what, try string) {
	panic(pickleError{fmt.Errorf("it asks for %s: %w; %s", what, ErrRefused, try)})
}

// global finds a name of Python's, or refuses it.
func global(module, name string) class {
	full := class(module + "." + name)
	switch full {
	case orderedDict, rebuildTensor, rebuildTensorV2, rebuildParameter, rebuildParameterWithState, torchSize:
		return full
	}
	if _, ok := kinds[name]; ok && module == "torch" {
		return full
	}
	try := foreign[full]
	if try == "" {
		try = saveWeights
	}
	refuse(fmt.Sprintf("%.200q", string(full)), try)
	return ""
}

// persistent finds a storage by what stands for it.
func (m *machine) persistent(id any) *storage {
	t, ok := id.(tuple)
	if !ok || len(t) < 5 || t[0] != "storage" {
		fail("the pickle refers to a %s, want a storage", kindOf(id))
	}
	of, _ := t[1].(class)
	key, isKey := t[2].(string)
	n, isNumber := t[4].(int64)
	name := string(of)
	k, known := kinds[name[min(len(name), len("torch.")):]]
	if !known || !isKey || !isNumber || n < 0 || n > math.MaxInt64/16 {
		fail("storage %.100q of %.100q is wrong", key, of)
	}
	if len(t) > 5 && t[5] != nil {
		fail("storage %.100q is a view of another, which torch has not written for years", key)
	}
	s := m.storages[key]
	if s == nil {
		s = &storage{key: key, kind: k, n: n}
		m.storages[key] = s
	}
	if s.n != n || s.kind.name != k.name {
		fail("storage %q is there with two sizes", key)
	}
	return s
}

// call makes what a function of Python's would return.
func (m *machine) call(f, args any) any {
	name, ok := f.(class)
	a, isTuple := args.(tuple)
	if !ok || !isTuple {
		fail("the pickle calls what is no function")
	}
	switch name {
	case orderedDict:
		if len(a) == 0 {
			return &dict{}
		}
		if pairs, ok := a[0].(*list); ok && len(a) == 1 { // so Python 2 writes it
			return m.fromPairs(pairs)
		}
	case torchSize:
		if len(a) == 1 {
			return a[0]
		}
	case rebuildParameter, rebuildParameterWithState:
		if len(a) > 0 {
			if t, ok := a[0].(*tensor); ok {
				return t
			}
		}
	case rebuildTensor, rebuildTensorV2:
		if len(a) < 4 {
			break
		}
		s, isStorage := a[0].(*storage)
		offset, isNumber := a[1].(int64)
		size, isSize := numbers(a[2])
		stride, isStride := numbers(a[3])
		if isStorage && isNumber && isSize && isStride {
			return &tensor{s, offset, size, stride}
		}
	}
	fail("the pickle calls %s with %d arguments that do not fit", name, len(a))
	return nil
}

// fromPairs makes a dictionary of a list of keys and values.
func (m *machine) fromPairs(pairs *list) *dict {
	m.charge(len(pairs.items) * opCost)
	d := &dict{}
	for _, p := range pairs.items {
		var pair []any
		switch p := p.(type) {
		case *list:
			pair = p.items
		case tuple:
			pair = p
		}
		if len(pair) != 2 {
			fail("the pickle makes a dictionary of a %s, want pairs", kindOf(p))
		}
		d.add(pair[0], pair[1])
	}
	return d
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

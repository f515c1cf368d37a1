package pth

import (
	"bufio"
	"fmt"

	"github.com/holt-dl/holt/internal/pickle"
)

// What a pickle is made of.
type (
	dict   = pickle.Dict
	list   = pickle.List
	tuple  = pickle.Tuple
	class  = pickle.Class
	object = pickle.Object
)

// unreadable stands for a tensor that dl has no place for.
type unreadable struct{ what, try string }

// maxPickle is what a pickle may take in memory, in bytes: enough for a state
// dict of 40,000 tensors.
const maxPickle = 128 << 20

// unpickle reads one pickle, and not a byte beyond it. It returns the object
// and the storages that it refers to, by their keys.
func unpickle(r *bufio.Reader, limit int) (any, map[string]*storage, error) {
	t := torch{map[string]*storage{}}
	top, err := pickle.Read(r, limit, false, t)
	if err != nil {
		return nil, nil, corrupt("%v", err)
	}
	return top, t.storages, nil
}

// isModel reports whether an object is a torch.nn.Module, by its attributes.
func isModel(o *object) bool {
	d, ok := o.State.(*dict)
	return ok && d.Get("_parameters") != nil && d.Get("_modules") != nil
}

// kindOf says with an article what a value is.
func kindOf(v any) string {
	switch v := v.(type) {
	case *tensor, *unreadable:
		return "a tensor"
	case *object:
		if isModel(v) {
			return fmt.Sprintf("a whole model of class %.100q", string(v.Class))
		}
	case *storage:
		return "a storage"
	}
	return pickle.KindOf(v)
}

package pth

import (
	"fmt"
	"math/big"
	"strconv"
)

// What a pickle is made of, besides nil, bool, int64, float64, string and
// *big.Int.
type (
	dict  struct{ items [][2]any }
	list  struct{ items []any }
	tuple []any
	class string // a function or class, such as "torch._utils._rebuild_tensor_v2"
	mark  struct{}

	// object stands for what Python would have made by calling a function or a
	// class. Nothing is called: only what was put in as into a dictionary or a
	// list is kept.
	object struct {
		class class
		dict  dict
		list  list
		model bool // it has the attributes of a torch.nn.Module
	}

	// unreadable stands for a tensor that dl has no place for.
	unreadable struct{ what, try string }
)

// add appends an item.
func (d *dict) add(key, value any) {
	switch key.(type) {
	case nil, bool, int64, float64, string:
	default: // tuples, objects: no tensor is asked for by such a key
		key = nil
	}
	d.items = append(d.items, [2]any{key, value})
}

func (d *dict) get(key string) any {
	for _, item := range d.items {
		if item[0] == key {
			return item[1]
		}
	}
	return nil
}

// dictOf returns a dictionary's items, those of Python's subclasses of dict too.
func dictOf(v any) (*dict, bool) {
	switch v := v.(type) {
	case *dict:
		return v, true
	case *object:
		return &v.dict, len(v.dict.items) > 0
	}
	return nil, false
}

// keyText is how a path names a key: as text, or as a number in digits.
func keyText(key any) (string, bool) {
	switch key := key.(type) {
	case string:
		return key, true
	case int64:
		return strconv.FormatInt(key, 10), true
	}
	return "", false
}

// kindOf says with an article what a value is.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case *tensor, *unreadable:
		return "a tensor"
	case *dict:
		return "a dictionary"
	case *list, tuple:
		return "a list"
	case string:
		return "a text"
	case int64, float64, bool, *big.Int:
		return "a number"
	case class:
		return fmt.Sprintf("%.100q", string(v))
	case *object:
		if v.model {
			return fmt.Sprintf("a whole model of class %.100q", string(v.class))
		}
		return fmt.Sprintf("an object of %.100q", string(v.class))
	}
	return "a storage"
}

package pickle

import (
	"fmt"
	"math/big"
	"strconv"
)

// What a pickle is made of, besides nil, bool, int64, float64, string and
// *big.Int. Texts of Python 2 are strings of bytes.
type (
	Dict  struct{ Items [][2]any }
	List  struct{ Items []any }
	Tuple []any
	Bytes []byte
	Class string // a function or class, such as "torch._utils._rebuild_tensor_v2"
	mark  struct{}
)

// Object stands for what Python would have made by calling a function or a
// class, of which none was called.
type Object struct {
	Class Class
	Args  Tuple // that it would have been called with, where that is known
	State any   // that it would have been given, its attributes mostly
	Dict  Dict  // what was put in as into a dictionary
	List  List  // what was put in as into a list or a set
}

// Add appends an item.
func (d *Dict) Add(key, value any) {
	switch key := key.(type) {
	case nil, bool, int64, float64, string:
	case Bytes:
		d.Items = append(d.Items, [2]any{string(key), value})
		return
	default: // tuples, objects: not asked for by such a key
		d.Items = append(d.Items, [2]any{nil, value})
		return
	}
	d.Items = append(d.Items, [2]any{key, value})
}

// Get returns the value of a key, the last where there are several, or nil.
func (d *Dict) Get(key string) any {
	for i := len(d.Items) - 1; i >= 0; i-- {
		if d.Items[i][0] == key {
			return d.Items[i][1]
		}
	}
	return nil
}

// DictOf returns a dictionary's items, those of Python's subclasses of dict too.
func DictOf(v any) (*Dict, bool) {
	switch v := v.(type) {
	case *Dict:
		return v, true
	case *Object:
		return &v.Dict, len(v.Dict.Items) > 0
	}
	return nil, false
}

// KeyText is how a path names a key: as text, or as a number in digits.
func KeyText(key any) (string, bool) {
	switch key := key.(type) {
	case string:
		return key, true
	case int64:
		return strconv.FormatInt(key, 10), true
	}
	return "", false
}

// KindOf says with an article what a value is.
func KindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case *Dict:
		return "a dictionary"
	case *List, Tuple:
		return "a list"
	case string:
		return "a text"
	case Bytes:
		return "bytes"
	case int64, float64, bool, *big.Int:
		return "a number"
	case Class:
		return fmt.Sprintf("%.100q", string(v))
	case *Object:
		return fmt.Sprintf("an object of %.100q", string(v.Class))
	}
	return "an object"
}

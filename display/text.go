package display

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of the text of one value.
const (
	maxDepth  = 6       // structs in slices in maps …
	maxItems  = 100     // of one slice, array or map
	maxFields = 100     // of one struct
	maxInner  = 500     // bytes of a string inside another value
	maxString = 1 << 16 // bytes of a string by itself, or of what String returns
	maxTotal  = 1 << 14 // bytes of everything else
	lineWidth = 100     // a longer struct, map or slice of them goes on several lines
)

// text describes any value for a person at a notebook.
//
// It reads like %+v with these differences: strings inside other values are
// quoted, structs by themselves carry their name, pointers to structs are
// followed once, error and String methods are used at every depth and may
// panic, long values are cut with a count of what is left out, and wide ones
// are broken into lines.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "<nil>"
	case string:
		return cut(v, maxString)
	}
	rv := reflect.ValueOf(v)
	if s, ok := method(rv); ok {
		return s
	}
	if rv.Kind() == reflect.String {
		return cut(rv.String(), maxString)
	}
	p := printer{left: maxTotal}
	s := p.value(rv, 0, true)
	if width(s) > lineWidth && !strings.Contains(s, "\n") {
		p = printer{left: maxTotal, lines: true}
		s = p.value(rv, 0, true)
	}
	return s
}

// method returns what v's Error or String method says, and whether it has one.
func method(v reflect.Value) (s string, ok bool) {
	if !v.IsValid() || !v.CanInterface() {
		if v.IsValid() && v.Type() == reflect.TypeFor[time.Duration]() {
			return time.Duration(v.Int()).String(), true // an unexported field
		}
		return "", false
	}
	defer func() {
		if r := recover(); r != nil {
			ok = true
			if v.Kind() == reflect.Pointer && v.IsNil() {
				s = "<nil>" // as fmt does for a method that needs its receiver
			} else {
				s = fmt.Sprintf("<%s: its method panicked: %s>", typeName(reflect.TypeOf(v.Interface())), cut(fmt.Sprint(r), maxInner))
			}
		}
	}()
	switch m := v.Interface().(type) {
	case error:
		return cut(m.Error(), maxString), true
	case fmt.Stringer:
		return cut(m.String(), maxString), true
	}
	return "", false
}

// printer writes one value within a budget of bytes.
type printer struct {
	left  int  // bytes
	lines bool // break composite values into lines
}

// value formats v. Named says whether a struct carries its type's name.
func (p *printer) value(v reflect.Value, depth int, named bool) string {
	if !v.IsValid() {
		return p.spend("<nil>")
	}
	if depth > 0 {
		if s, ok := method(v); ok {
			return p.spend(cut(s, maxInner))
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		return p.spend(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return p.spend(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return p.spend(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32:
		return p.spend(fmt.Sprint(float32(v.Float())))
	case reflect.Float64:
		return p.spend(fmt.Sprint(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		return p.spend(fmt.Sprint(v.Complex()))
	case reflect.String:
		return p.spend(quote(v.String()))
	case reflect.Interface:
		if v.IsNil() {
			return p.spend("<nil>")
		}
		return p.value(v.Elem(), depth, named)
	case reflect.Pointer:
		return p.pointer(v, depth)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return p.spend("[]")
		}
		return p.list(v, depth)
	case reflect.Map:
		return p.dict(v, depth)
	case reflect.Struct:
		return p.fields(v, depth, named)
	default: // chan, func, unsafe pointer: addresses change from run to run
		if v.IsNil() {
			return p.spend("<nil>")
		}
		return p.spend("<" + typeName(v.Type()) + ">")
	}
}

func (p *printer) pointer(v reflect.Value, depth int) string {
	switch {
	case v.IsNil():
		return p.spend("<nil>")
	case depth > 0 && v.Elem().Kind() == reflect.Struct:
		return p.spend("&" + typeName(v.Type().Elem()) + "{…}")
	case depth > 0:
		return p.spend("<" + typeName(v.Type()) + ">")
	}
	if s, ok := method(v.Elem()); ok {
		return "&" + p.spend(s)
	}
	return p.spend("&") + p.value(v.Elem(), depth+1, true)
}

func (p *printer) list(v reflect.Value, depth int) string {
	var items []string
	n := v.Len()
	for i := range min(n, maxItems) {
		if depth >= maxDepth || p.left <= 0 {
			break
		}
		items = append(items, p.value(v.Index(i), depth+1, false))
	}
	if rest := n - len(items); rest > 0 {
		items = append(items, fmt.Sprintf("… %d more", rest))
	}
	wide := n > 0 && isComposite(v.Type().Elem())
	return p.join("[", items, "]", depth, wide)
}

func (p *printer) dict(v reflect.Value, depth int) string {
	keys := v.MapKeys()
	slices.SortStableFunc(keys, compare)
	var items []string
	for _, key := range keys[:min(len(keys), maxItems)] {
		if depth >= maxDepth || p.left <= 0 {
			break
		}
		items = append(items, p.value(key, depth+1, false)+":"+p.value(v.MapIndex(key), depth+1, false))
	}
	if rest := len(keys) - len(items); rest > 0 {
		items = append(items, fmt.Sprintf("… %d more", rest))
	}
	return p.join("map[", items, "]", depth, true)
}

func (p *printer) fields(v reflect.Value, depth int, named bool) string {
	name := ""
	if named {
		name = typeName(v.Type())
	}
	var items []string
	n := v.NumField()
	for i := range min(n, maxFields) {
		if depth >= maxDepth || p.left <= 0 {
			break
		}
		items = append(items, v.Type().Field(i).Name+":"+p.value(v.Field(i), depth+1, false))
	}
	if rest := n - len(items); rest > 0 {
		items = append(items, fmt.Sprintf("… %d more", rest))
	}
	return p.join(name+"{", items, "}", depth, true)
}

// join puts items between open and close: on one line where they fit or where
// there is no use in more, else one a line.
func (p *printer) join(open string, items []string, close string, depth int, wide bool) string {
	p.left -= len(items) // the spaces
	flat := open + strings.Join(items, " ") + close
	if !p.lines || !wide || len(items) == 1 && !strings.Contains(flat, "\n") || width(flat)+2*depth <= lineWidth && !strings.Contains(flat, "\n") {
		return flat
	}
	indent := "\n" + strings.Repeat("  ", depth+1)
	return open + indent + strings.Join(items, indent) + "\n" + strings.Repeat("  ", depth) + close
}

func (p *printer) spend(s string) string {
	p.left -= len(s)
	return s
}

func isComposite(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array, reflect.Interface, reflect.Pointer, reflect.String:
		return true
	}
	return false
}

// compare orders map keys: numbers and strings by value, others by their text.
func compare(a, b reflect.Value) int {
	for a.Kind() == reflect.Interface && !a.IsNil() {
		a = a.Elem()
	}
	for b.Kind() == reflect.Interface && !b.IsNil() {
		b = b.Elem()
	}
	switch {
	case a.CanInt() && b.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint() && b.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat() && b.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	}
	one, two := printer{left: maxInner}, printer{left: maxInner}
	return strings.Compare(one.value(a, 1, true), two.value(b, 1, true))
}

// typeName is a type's name as its own package writes it. Cells are packages
// that no one named, so for a named type the package is left out.
func typeName(t reflect.Type) string {
	if t.Name() != "" {
		name, _, generic := strings.Cut(t.Name(), "[") // arguments carry import paths
		if generic {
			name += "[…]"
		}
		return name
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + typeName(t.Elem())
	case reflect.Slice:
		return "[]" + typeName(t.Elem())
	case reflect.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), typeName(t.Elem()))
	case reflect.Map:
		return "map[" + typeName(t.Key()) + "]" + typeName(t.Elem())
	case reflect.Chan:
		return t.ChanDir().String() + " " + typeName(t.Elem())
	case reflect.Func:
		return "func(" + typeNames(t.NumIn(), t.In) + ")" + results(t)
	case reflect.Struct:
		return "struct"
	}
	return t.String()
}

func results(t reflect.Type) string {
	switch t.NumOut() {
	case 0:
		return ""
	case 1:
		return " " + typeName(t.Out(0))
	}
	return " (" + typeNames(t.NumOut(), t.Out) + ")"
}

func typeNames(n int, at func(int) reflect.Type) string {
	names := make([]string, n)
	for i := range n {
		names[i] = typeName(at(i))
	}
	return strings.Join(names, ", ")
}

// quote quotes s, cut to what fits inside another value.
func quote(s string) string {
	if len(s) <= maxInner {
		return strconv.Quote(s)
	}
	head := head(s, maxInner)
	return strconv.Quote(head) + fmt.Sprintf("… %d more bytes", len(s)-len(head))
}

// cut shortens s to at most max bytes and says how much is left out.
func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	head := head(s, max)
	return head + fmt.Sprintf("… %d more bytes", len(s)-len(head))
}

// head is the longest prefix of s with at most n bytes that ends between runes.
func head(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// wide are the characters that take two places of a terminal's line: East
// Asian ones (Unicode Standard Annex 11, W and F, in whole blocks) and emoji.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x1100, 0x115f, 1}, {0x2e80, 0x303e, 1}, {0x3041, 0xa4cf, 1}, {0xa960, 0xa97c, 1}, {0xac00, 0xd7a3, 1},
		{0xf900, 0xfaff, 1}, {0xfe30, 0xfe6f, 1}, {0xff01, 0xff60, 1}, {0xffe0, 0xffe6, 1},
	},
	R32: []unicode.Range32{{0x1f300, 0x1f64f, 1}, {0x1f680, 0x1f6ff, 1}, {0x1f900, 0x1faff, 1}, {0x20000, 0x3fffd, 1}},
}

// width is how many places of a line s takes where all letters are equally
// wide.
func width(s string) (n int) {
	for _, r := range s {
		switch {
		case r < 0x300: // no need to look further
			n++
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf): // on the letter before, or nothing
		case unicode.Is(wide, r):
			n += 2
		default:
			n++
		}
	}
	return n
}

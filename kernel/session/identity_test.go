package session_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// identityTypes are types whose values cross cells: some of packages that the host
// links, most of packages that come with a cell's plugin, some of the notebook.
var identityTypes = []struct{ path, name string }{
	{"time", "time.Time"}, {"time", "time.Duration"}, {"os", "os.File"}, {"sync", "sync.Mutex"},
	{"encoding/json", "json.Decoder"}, {"fmt", "fmt.Stringer"}, {"", "int"}, {"", "error"},
	{"net/url", "url.URL"}, {"text/template", "template.Template"}, {"container/list", "list.Element"},
	{"math/big", "big.Int"}, {"regexp", "regexp.Regexp"}, {"encoding/csv", "csv.ParseError"},
	{"go/token", "token.Position"}, {"go/ast", "ast.Ident"}, {"image", "image.RGBA"},
	{"image/color", "color.NRGBA"}, {"text/tabwriter", "tabwriter.Writer"}, {"hash", "hash.Hash32"},
	{"encoding/xml", "xml.Name"}, {"net/netip", "netip.Addr"}, {"archive/tar", "tar.Header"},
	{"", "Own"}, {"", "Box[Own]"}, {"", "Face"},
}

// identitySetup declares what the cells below use. Kinds makes types by reflect.
const identitySetup = `import (
	"fmt"
	"reflect"
)
type Own struct{ A int; b string }
func (o Own) Say() string { return fmt.Sprint(o.A, o.b) }
type Face interface{ Say() string }
type Box[T any] struct{ V T }
func (b Box[T]) Get() T { return b.V }
func Kinds(t reflect.Type) map[string]reflect.Type {
	return map[string]reflect.Type{
		"slice": reflect.SliceOf(t), "map": reflect.MapOf(reflect.TypeFor[string](), t),
		"chan": reflect.ChanOf(reflect.BothDir, t), "array": reflect.ArrayOf(3, t),
		"pointer": reflect.PointerTo(t),
		"func": reflect.FuncOf([]reflect.Type{t}, []reflect.Type{reflect.PointerTo(t)}, false),
	}
}
made := map[string]any{}                 // values, by type and kind
keys := map[any]string{}                 // names of types, by a value
types := map[reflect.Type]string{}       // names of types
kinds := map[string]map[string]reflect.Type{}
checks, bad := 0, 0
func Check(ok bool, what string) {
	checks++
	if !ok { bad++; fmt.Println("bad:", what) }
}`

// identityMake and identityReflect fill the maps, and identityCheck compares what is in
// them, each in a cell of its own. PKG.T is replaced by the type. The first cell spells
// every type that reflect makes in the second: in Go's plugins, a type that reflect
// makes before any code spells it is another one than the type that is spelled later.
const (
	identityMake = `
made["PKG.T composites"] = []any{[]PKG.T(nil), map[string]PKG.T(nil), (chan PKG.T)(nil), [3]*PKG.T{}, func(*PKG.T) {}, struct{ X *PKG.T; n int }{}, (*interface{ M(PKG.T) })(nil), [3]PKG.T{}, (func(PKG.T) *PKG.T)(nil)}
made["PKG.T generic"] = Box[*PKG.T]{}
keys[[2]*PKG.T{}] = "PKG.T"
types[reflect.TypeFor[map[string]PKG.T]()] = "PKG.T"
`
	identityReflect = `
kinds["PKG.T"] = Kinds(reflect.TypeFor[PKG.T]())
`
	identityCheck = `
func() {
	all := made["PKG.T composites"].([]any)
	_, s := all[0].([]PKG.T)
	_, m := all[1].(map[string]PKG.T)
	_, c := all[2].(chan PKG.T)
	_, a := all[3].([3]*PKG.T)
	_, f := all[4].(func(*PKG.T))
	_, i := all[6].(*interface{ M(PKG.T) })
	Check(s && m && c && a && f && i, "PKG.T: assertions")
	n := 0
	for _, v := range all {
		switch v.(type) {
		case []PKG.T: n += 1
		case map[string]PKG.T: n += 10
		case chan PKG.T: n += 100
		case [3]*PKG.T: n += 1000
		case func(*PKG.T): n += 10000
		}
	}
	Check(n == 11111, fmt.Sprint("PKG.T: type switch ", n))
	Check(keys[[2]*PKG.T{}] == "PKG.T" && types[reflect.TypeFor[map[string]PKG.T]()] == "PKG.T", "PKG.T: map keys")
	k := kinds["PKG.T"]
	for kind, t := range map[string]reflect.Type{
		"slice": reflect.TypeFor[[]PKG.T](), "map": reflect.TypeFor[map[string]PKG.T](), "chan": reflect.TypeFor[chan PKG.T](),
		"array": reflect.TypeFor[[3]PKG.T](), "pointer": reflect.TypeFor[*PKG.T](), "func": reflect.TypeFor[func(PKG.T) *PKG.T](),
	} {
		if t != k[kind] { Check(false, "PKG.T: reflect's "+kind); return }
	}
	Check(true, "")
	b, ok := made["PKG.T generic"].(Box[*PKG.T])
	Check(ok && b.Get() == nil && reflect.TypeOf(b) == reflect.TypeFor[Box[*PKG.T]](), "PKG.T: generic")
}()
`
)

// TestTypeIdentity: values keep their types between cells: in assertions, in type
// switches, as keys of maps, by reflect, and in instances of a generic type that two
// cells made. There are five checks for each of 26 types.
func TestTypeIdentity(t *testing.T) {
	n := open(t, t.TempDir(), nil)
	n.must(identitySetup)
	cell := func(text string, at, to int) string {
		var imports, body strings.Builder
		for _, typ := range identityTypes[at:to] {
			if typ.path != "" {
				fmt.Fprintf(&imports, "import %q\n", typ.path)
			}
			body.WriteString(strings.ReplaceAll(text, "PKG.T", typ.name))
		}
		return imports.String() + body.String()
	}
	const group = 5
	for at := 0; at < len(identityTypes); at += group {
		to := min(at+group, len(identityTypes))
		n.must(cell(identityMake, at, to))
		n.must(cell(identityReflect, at, to))
		if out, f := n.run(context.Background(), cell(identityCheck, at, to)); f != nil || out != "" {
			t.Errorf("types %d to %d: %s", at, to, out)
		}
	}
	// Once more, in a cell that comes after all the others.
	if out, f := n.run(context.Background(), cell(identityCheck, 0, len(identityTypes))); f != nil || out != "" {
		t.Errorf("at the end: %s", out)
	}
	n.must("fmt.Println(checks, bad)", fmt.Sprintf("^%d 0$", 2*5*len(identityTypes)))
}

// Package words is a dictionary from PyTorch's names to Holt's, for messages: what
// a person who is used to PyTorch types, and what is written here instead.
//
// The table is words.tsv, one entry a line. It belongs to dl and changes with it;
// the kernel, which must not import dl, reads it here. This package imports
// nothing of Holt.
package words

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Word is an entry of the table.
type Word struct {
	// Place is what has the name in PyTorch: "torch" for functions, layers,
	// losses, optimizers and all else of torch, torch.nn and so on; "Tensor",
	// "Module", … for methods. The head of words.tsv lists all.
	Place string
	Names []string // as PyTorch writes them; "*" stands for all others of the place
	// Missing says that Holt has no such thing. The text is then the way round.
	Missing bool
	// Text says what to write. Code is in back quotes, and in code $x is the
	// receiver or the first argument, and $(2, 3) the other arguments, or 2, 3
	// where they are not plain numbers.
	Text string
}

//go:embed words.tsv
var table string

//go:embed pytorch.txt
var pytorch string

type key struct{ place, name string }

var index = sync.OnceValues(func() ([]Word, map[key]Word) {
	var all []Word
	byName := map[key]Word{}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(cells) != 4 {
			continue // a comment, or empty
		}
		w := Word{Place: cells[0], Names: strings.Fields(cells[1]), Missing: cells[2] == "no", Text: cells[3]}
		all = append(all, w)
		for _, n := range w.Names {
			byName[key{w.Place, Fold(n)}] = w
		}
	}
	return all, byName
})

// All returns the whole table.
func All() []Word {
	all, _ := index()
	return slices.Clone(all)
}

// Find returns the entry for a name, however it is spelt, in the first of the
// places that has one.
func Find(name string, places ...string) (Word, bool) {
	_, byName := index()
	for _, p := range places {
		if w, ok := byName[key{p, Fold(name)}]; ok {
			return w, true
		}
	}
	return Word{}, false
}

// Fold makes names equal that differ in capital letters and underscores, such as
// index_select and IndexSelect.
func Fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

var known = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, n := range Names() {
		names[Fold(n)] = true
	}
	return names
})

// Names lists the public names of PyTorch and torchvision, as they write them, each
// once.
func Names() []string {
	var names []string
	seen := map[string]bool{}
	for line := range strings.Lines(pytorch) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for n := range strings.FieldsSeq(line) {
			if !seen[Fold(n)] {
				names, seen[Fold(n)] = append(names, n), true
			}
		}
	}
	return names
}

// Known reports whether PyTorch has a function, type or method of that name,
// however it is spelt.
func Known(name string) bool { return known()[Fold(name)] }

// Package says where the names of a package are looked up that a cell names.
type Package struct {
	Holt   []string // packages of Holt that may have them, such as "dl"
	Places []string // of the table
}

// Packages are those of PyTorch and its neighbours, and Holt's own, by the names
// that cells give them.
var Packages = map[string]Package{
	"torch": {[]string{"dl"}, []string{"torch"}}, "nn": {[]string{"dl"}, []string{"torch"}}, "F": {[]string{"dl"}, []string{"torch"}},
	"functional": {[]string{"dl"}, []string{"torch"}}, "optim": {[]string{"dl"}, []string{"torch"}}, "lr_scheduler": {[]string{"dl"}, []string{"torch"}},
	"data": {[]string{"dl"}, []string{"torch"}}, "jnp": {[]string{"dl"}, []string{"numpy", "torch"}}, "jax": {[]string{"dl"}, []string{"torch"}},
	"tf": {[]string{"dl"}, []string{"torch"}}, "keras": {[]string{"dl"}, []string{"torch"}},
	"init":        {[]string{"dl"}, []string{"init", "torch"}},
	"np":          {[]string{"dl"}, []string{"numpy", "torch"}},
	"numpy":       {[]string{"dl"}, []string{"numpy", "torch"}},
	"torchvision": {[]string{"vision", "models", "dl"}, []string{"transforms", "datasets", "models", "torchvision"}},
	"transforms":  {[]string{"vision", "dl"}, []string{"transforms"}}, "T": {[]string{"vision", "dl"}, []string{"transforms"}},
	"v2": {[]string{"vision", "dl"}, []string{"transforms"}}, "TF": {[]string{"vision", "dl"}, []string{"transforms"}},
	"datasets": {[]string{"vision", "dl"}, []string{"datasets"}}, "models": {[]string{"models", "dl"}, []string{"models"}},
	"vutils": {[]string{"display"}, []string{"torchvision"}}, "utils": {[]string{"dl", "display"}, []string{"torchvision", "torch"}},
	"plt": {[]string{"display"}, []string{"pyplot"}}, "matplotlib": {[]string{"display"}, []string{"pyplot"}}, "sns": {[]string{"display"}, []string{"pyplot"}},
	"ax": {[]string{"display"}, []string{"pyplot"}}, "tensorboard": {[]string{"board"}, []string{"torch"}},
	"dl":     {[]string{"dl"}, []string{"torch", "init", "transforms", "datasets", "models", "torchvision"}},
	"vision": {[]string{"vision"}, []string{"transforms", "datasets", "models", "torchvision"}}, "display": {[]string{"display"}, []string{"pyplot", "torchvision"}},
	"board": {[]string{"board"}, []string{"board"}}, "pth": {[]string{"pth"}, []string{"torch"}},
}

// Own are Holt's packages, in the order in which a name is looked up in them.
var Own = []string{"dl", "vision", "models", "display", "board", "pth"}

// Places are those of the table that packages have.
var Places = []string{"torch", "init", "transforms", "datasets", "models", "torchvision", "pyplot"}

// Type says where the methods of a type's values are looked up.
type Type struct {
	Place string // of the table
	Name  string // what the table calls a value, or "" where it is $x
}

// Types are Holt's types by their names. For others, see Kind.
var Types = map[string]Type{
	"dl.Tensor": {"Tensor", ""}, "dl.Model": {"Module", "model"}, "dl.Optim": {"Optim", "opt"}, "dl.Step": {"Step", "step"},
	"dl.Schedule": {"Schedule", "schedule"}, "dl.DataLoader": {"Loader", "loader"}, "dl.Batch": {"Batch", "batch"},
}

// Kind is Types for types that are one of many: losses, optimizers, schedulers,
// layers and data sets, which the names and methods of a type tell.
func Kind(name string, has func(methods ...string) bool) Type {
	own := strings.HasPrefix(name, "dl.")
	switch {
	case own && strings.HasSuffix(name, "Loss"):
		return Type{Place: "Loss"}
	case own && has("For"):
		return Type{Place: "Settings"}
	case own && (strings.HasSuffix(name, "LR") || name == "dl.ReduceLROnPlateau"):
		return Type{Place: "Scheduler"}
	case has("Forward"):
		return Type{Place: "Module"}
	case has("Len", "Get"):
		return Type{"Dataset", "set"}
	}
	return Type{}
}

// Samples are values for parameters of Holt's types, as a person could write them.
var Samples = map[string][]string{"*dl.Tensor": {"y", "z", "w"}, "[]*dl.Tensor": {"[]*dl.Tensor{x, y}"}}

// Operator returns the methods that do what an operator of Go does on tensors: with
// another value, and with a number. They are "" where there is none.
func Operator(op string) (method, byNumber string) {
	w, _ := Find(op, "operator")
	method, byNumber, _ = strings.Cut(w.Text, " ")
	return method, byNumber
}

// Spells reports whether the entry has a name in the way it is spelt here, capital
// or not: F.softplus and nn.Softplus are two.
func (w Word) Spells(name string) bool {
	return slices.ContainsFunc(w.Names, func(n string) bool {
		return Fold(n) == Fold(name) && (n[0] >= 'a') == (name[0] >= 'a')
	})
}

var code = regexp.MustCompile("`[^`]*`")

// Code returns the pieces of Go code of an entry's text.
func (w Word) Code() []string {
	var pieces []string
	for _, q := range code.FindAllString(w.Text, -1) {
		pieces = append(pieces, strings.Trim(q, "`"))
	}
	return pieces
}

var given = regexp.MustCompile(`\$\(([^)]*)\)`)

// Say returns the text for a receiver, or first argument, x. The arguments args
// take the place of $(…) where they are given.
func (w Word) Say(x, args string) string {
	text := strings.ReplaceAll(w.Text, "`", "")
	text = strings.ReplaceAll(text, "$x", x)
	return given.ReplaceAllStringFunc(text, func(m string) string {
		if args != "" {
			return args
		}
		return given.FindStringSubmatch(m)[1]
	})
}

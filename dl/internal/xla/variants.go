package xla

import (
	"crypto/sha256"
	"math"
	"slices"
	"sync"
)

// What is recorded at every call is found again by the checksum of its text. The
// text has all but the numbers that Go gave: two calls that differ only in these
// are variants of one program. In the first variant all numbers are constants.
// A number that was seen to change is an input of later variants, so that one
// which differs at every call compiles twice and no more.

// Variant is a program in which some numbers are constants, and others inputs,
// which follow its other inputs.
type Variant struct {
	Program *Program
	Inputs  []bool // which of the numbers are inputs

	numbers []float64
}

// fits reports whether the variant can run with some numbers.
func (v *Variant) fits(numbers []float64) bool {
	for i, n := range numbers {
		if !v.Inputs[i] && math.Float64bits(n) != math.Float64bits(v.numbers[i]) {
			return false
		}
	}
	return true
}

// variants holds what was compiled, by the checksum of its text.
var variants struct {
	sync.Mutex
	by     map[[sha256.Size]byte]*variantList
	recent [][sha256.Size]byte // the longest unused one first
}

// mostTexts is for how many texts programs are kept.
const mostTexts = 512

type variantList struct {
	mu  sync.Mutex
	all []*Variant
}

// FindVariant returns the program for a text's checksum that runs with some
// numbers. Where there is none, compile makes it, and is given which of the
// numbers are to be inputs.
func FindVariant(text [sha256.Size]byte, numbers []float64, compile func(inputs []bool) (*Program, error)) (*Variant, error) {
	list := variantsOf(text)
	list.mu.Lock()
	defer list.mu.Unlock()
	for _, v := range list.all {
		if v.fits(numbers) {
			return v, nil
		}
	}
	v := &Variant{Inputs: make([]bool, len(numbers)), numbers: slices.Clone(numbers)}
	if n := len(list.all); n > 0 {
		last := list.all[n-1]
		for i, x := range numbers {
			v.Inputs[i] = last.Inputs[i] || math.Float64bits(x) != math.Float64bits(last.numbers[i])
		}
	}
	var err error
	if v.Program, err = compile(v.Inputs); err != nil {
		return nil, err
	}
	list.all = append(list.all, v)
	return v, nil
}

// variantsOf returns the programs of a text, and forgets those of the text that
// was not used for the longest time where there are too many.
func variantsOf(text [sha256.Size]byte) *variantList {
	variants.Lock()
	defer variants.Unlock()
	if variants.by == nil {
		variants.by = map[[sha256.Size]byte]*variantList{}
	}
	list := variants.by[text]
	if list == nil {
		list = &variantList{}
		variants.by[text] = list
	}
	if n := len(variants.recent); n == 0 || variants.recent[n-1] != text {
		variants.recent = append(slices.DeleteFunc(variants.recent, func(t [sha256.Size]byte) bool { return t == text }), text)
		if n >= mostTexts {
			delete(variants.by, variants.recent[0])
			variants.recent = slices.Delete(variants.recent, 0, 1)
		}
	}
	return list
}

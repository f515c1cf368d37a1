// maps: missing keys, deletion, struct keys, nested, counting
package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

type key struct {
	x, y int
	s    string
}

type grid map[key]rune

func (g grid) set(x, y int, r rune) grid { g[key{x, y, ""}] = r; return g }

func words(text string) map[string]int {
	count := map[string]int{}
	for w := range strings.FieldsSeq(strings.ToLower(text)) {
		count[w]++
	}
	return count
}

func main() {
	m := map[string][]int{"a": {1}}
	m["b"] = append(m["b"], 2, 3)
	m["a"][0]++
	v, ok := m["zz"]
	fmt.Println(m, len(m), v == nil, ok)
	delete(m, "a")
	delete(m, "nothing")
	fmt.Println(m)
	count := words("the cat the dog The end")
	for _, w := range slices.Sorted(maps.Keys(count)) {
		fmt.Print(w, "=", count[w], " ")
	}
	fmt.Println()
	g := grid{}.set(1, 2, 'x').set(3, 4, 'y')
	fmt.Println(string(g[key{1, 2, ""}]), g[key{x: 3, y: 4}] == 'y', g[key{}])
	nested := map[string]map[int]bool{}
	if nested["q"] == nil {
		nested["q"] = map[int]bool{}
	}
	nested["q"][7] = true
	fmt.Println(nested, nested["w"][1])
	type local struct{ n int }
	ptrs := map[int]*local{1: {5}}
	ptrs[1].n *= 2
	fmt.Println(ptrs[1].n, *ptrs[1])
	clone := maps.Clone(count)
	clear(count)
	fmt.Println(len(count), len(clone), maps.Equal(clone, words("end the the the dog cat")))
}

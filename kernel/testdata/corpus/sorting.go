// slices, sort, comparison functions, stable order
package main

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
)

type person struct {
	name string
	age  int
}

type people []person

func (p people) names() string {
	var out []string
	for _, x := range p {
		out = append(out, x.name)
	}
	return strings.Join(out, " ")
}

func quick[T cmp.Ordered](xs []T) []T {
	if len(xs) < 2 {
		return xs
	}
	var lo, hi []T
	for _, x := range xs[1:] {
		if x < xs[0] {
			lo = append(lo, x)
		} else {
			hi = append(hi, x)
		}
	}
	return slices.Concat(quick(lo), xs[:1], quick(hi))
}

func main() {
	ps := people{{"eve", 30}, {"bob", 25}, {"ann", 30}, {"dan", 25}}
	byAge := func(a, b person) int { return cmp.Compare(a.age, b.age) }
	slices.SortStableFunc(ps, byAge)
	fmt.Println(ps.names())
	slices.SortFunc(ps, func(a, b person) int {
		return cmp.Or(-cmp.Compare(a.age, b.age), strings.Compare(a.name, b.name))
	})
	fmt.Println(ps.names())
	sort.Slice(ps, func(i, j int) bool { return ps[i].name < ps[j].name })
	i, ok := slices.BinarySearchFunc(ps, "dan", func(p person, s string) int { return strings.Compare(p.name, s) })
	fmt.Println(ps, i, ok)
	fmt.Println(quick([]int{3, 1, 2, 3, 0}), quick([]string{"b", "a"}), quick([]float64(nil)) == nil)
	oldest := slices.MaxFunc(ps, byAge)
	fmt.Println(oldest.name, slices.Index(ps, oldest), slices.ContainsFunc(ps, func(p person) bool { return p.age > 99 }))
	xs := []int{5, 2, 8}
	slices.Reverse(xs)
	xs = slices.Insert(xs, 1, 7, 7)
	fmt.Println(xs, slices.Compact(slices.Clone(xs)), min(3, 1), max(xs[0], 2))
}

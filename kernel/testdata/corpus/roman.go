// strings, runes, bytes, builders
package main

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

var numerals = []struct {
	val int
	sym string
}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}}

func roman(n int) string {
	var b strings.Builder
	for _, r := range numerals {
		for ; n >= r.val; n -= r.val {
			b.WriteString(r.sym)
		}
	}
	return b.String()
}

func arabic(s string) (n int) {
	for _, r := range numerals {
		for strings.HasPrefix(s, r.sym) {
			n += r.val
			s = s[len(r.sym):]
		}
	}
	return n
}

func reverse(s string) string {
	rs := []rune(s)
	for i, j := 0, len(rs)-1; i < j; i, j = i+1, j-1 {
		rs[i], rs[j] = rs[j], rs[i]
	}
	return string(rs)
}

func main() {
	for _, n := range []int{4, 9, 14, 1994, 2026} {
		fmt.Print(roman(n), "=", arabic(roman(n)), " ")
	}
	fmt.Println()
	s := "héllo, 世界"
	fmt.Println(len(s), utf8.RuneCountInString(s), reverse(s), s[1:3], s[0], strings.ToUpper(s))
	b := []byte(s)
	b[0] = 'H'
	fmt.Println(string(b), s, bytes.Contains(b, []byte("世")), string(rune(65)))
	fields := strings.FieldsFunc("a1b22c", func(r rune) bool { return r < 'a' })
	fmt.Printf("%q %v\n", fields, strings.Split("a,b,c", ","))
	raw := `line "one"
	line two\n`
	fmt.Println(len(raw), strings.Count(raw, "\n"), strings.Title("x"), "tab\there")
	r := strings.NewReplacer("<", "&lt;", ">", "&gt;")
	fmt.Println(r.Replace("<b>"), "a"+"b" < "b", strings.Compare("a", "b"))
}

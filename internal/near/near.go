// Package near finds the name that a person may have meant, for error messages,
// and writes names in them.
package near

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// To returns the name that is most like s, or "" when none is much alike. One
// that differs in nothing but capital letters and underscores comes first.
func To(s string, names []string) string {
	if all := All(s, names); len(all) > 0 {
		return all[0]
	}
	return ""
}

// All returns the names that are equally like s, and more than all others.
func All(s string, names []string) []string {
	var best []string
	limit := utf8.RuneCountInString(s)/3 + 1
	for _, n := range slices.Sorted(slices.Values(names)) {
		same := n != s && len(n) >= 2 && strings.EqualFold(strings.ReplaceAll(n, "_", ""), strings.ReplaceAll(s, "_", ""))
		if n == s || (len(n) < 2 || len(s) < 3) && !same {
			continue
		}
		d := 0
		if !same {
			if d = edits(s, n); unicode.ToLower(firstRune(s)) != unicode.ToLower(firstRune(n)) {
				d++
			}
		}
		switch {
		case d < limit:
			best, limit = []string{n}, d
		case d == limit && len(best) > 0 && best[len(best)-1] != n:
			best = append(best, n)
		}
	}
	return best
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// edits counts the letters to insert, remove, change or swap with their
// neighbour until a is b (optimal string alignment).
func edits(a, b string) int {
	s, t := []rune(a), []rune(b)
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			change := 1
			if s[i-1] == t[j-1] {
				change = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(s)][len(t)]
}

// List writes names for a message, the first few of them.
func List(names []string) string {
	switch n := len(names); {
	case n == 0:
		return "none"
	case n > 4:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:4], ", "), n-4)
	}
	return strings.Join(names, ", ")
}

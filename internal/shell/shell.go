// Package shell writes words for the lines of a POSIX shell.
package shell

import "strings"

// Quote makes any text one word of a line.
//
// Within single quotes a shell leaves all as it is, and nothing stands for a single quote: so
// the text is closed there, a quote with a backslash follows, and it is opened again.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// plain are the characters that mean themselves in a word, wherever they stand.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:@%+"

// Word is Quote for a line that a person reads: a text without special characters stays as it
// is.
func Word(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(plain, r) }) {
		return s
	}
	return Quote(s)
}

package gonb

import (
	"os"
	"strings"
)

// words cuts the rest of a command line at white space. Double quotes keep a
// word together, with \n, \t, \" and \\ inside; "" is an empty word.
//
//	--text "hello world"    [--text] [hello world]
//	a"b c"d                 [ab cd]
//	""                      one word, which is empty
//	a\b                     [a\b]
//	"open                   [open]
//
// A backslash means something inside of quotes alone, and a quote that is not closed reaches
// to the end of the line.
func words(line string) []string { return split(line, `"`) }

// split is words with other quotes; inside of single ones every character
// stands for itself.
//
// begun says that there is a word, which may be empty; quoted is the quote that is open, or 0.
func split(line, quotes string) []string {
	var list []string
	var word strings.Builder
	begun, quoted := false, byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == quoted:
			quoted = 0
		case quoted == 0 && strings.IndexByte(quotes, c) >= 0:
			quoted, begun = c, true
		// \" and \\ are the second character, as is any other that has no meaning of its own.
		case quoted == '"' && c == '\\' && i+1 < len(line):
			i++
			switch line[i] {
			case 'n':
				word.WriteByte('\n')
			case 't':
				word.WriteByte('\t')
			default:
				word.WriteByte(line[i])
			}
		case quoted == 0 && (c == ' ' || c == '\t'):
			if begun {
				list = append(list, word.String())
				word.Reset()
			}
			begun = false
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	if begun {
		list = append(list, word.String())
	}
	return list
}

// expand replaces ~ at the start of a file name by the home folder, and $NAME
// and ${NAME} by what the environment of the cells says.
//
// No shell reads these lines. HOME, too, is that of the cells, which may have set another.
// What is not set becomes nothing, as in a shell.
func expand(nb Notebook, file string) string {
	get := func(key string) string {
		value, _ := lookup(nb, key)
		return value
	}
	if file == "~" || strings.HasPrefix(file, "~/") {
		file = get("HOME") + file[1:]
	}
	return os.Expand(file, get)
}

// lookup finds a variable in the environment of the cells. Of several of one name the last
// counts, as os/exec has it.
func lookup(nb Notebook, key string) (value string, ok bool) {
	for _, kv := range nb.Environ() {
		if k, v, _ := strings.Cut(kv, "="); k == key {
			value, ok = v, true
		}
	}
	return value, ok
}

package session

import (
	"strings"

	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/session/assist"
)

// special is the part of a line that begins with % up to a byte offset, or "".
func special(code string, offset int) string {
	line := code[strings.LastIndexByte(code[:offset], '\n')+1 : offset]
	text := strings.TrimPrefix(strings.TrimLeft(line, " \t"), "//gonb:")
	if !strings.HasPrefix(text, "%") {
		return ""
	}
	return text
}

// completeCommand completes the name of a command, or an option; ok is false
// elsewhere.
func completeCommand(code string, offset int) (c assist.Completion, ok bool) {
	text := special(code, offset)
	word := text[strings.LastIndexAny(text, " \t")+1:]
	c = assist.Completion{Start: offset - len(word), End: offset}
	for _, name := range gonb.Complete(text) {
		c.Matches = append(c.Matches, assist.Match{Text: name, Type: "magic"})
	}
	return c, len(c.Matches) > 0
}

// explainCommand returns what %help says of the command that a line begins with.
func explainCommand(code string, offset int) (assist.Inspection, bool) {
	end := offset
	for end < len(code) && !strings.ContainsRune(" \t\r\n", rune(code[end])) {
		end++
	}
	name, _, _ := strings.Cut(special(code, end), " ")
	if name == "" {
		return nil, false
	}
	text, err := gonb.Help(name)
	if err != nil {
		return nil, false
	}
	return assist.Inspection{"text/plain": text}, true
}

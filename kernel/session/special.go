package session

import (
	"strings"

	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/session/assist"
)

// special is the part of a line that begins with % up to a byte offset, or "". GoNB's notation,
// in which a command is a comment for other tools, counts too:
//
//	//gonb:%wasm
//
// The offset must be within the code.
func special(code string, offset int) string {
	line := code[strings.LastIndexByte(code[:offset], '\n')+1 : offset]
	text := strings.TrimPrefix(strings.TrimLeft(line, " \t"), "//gonb:")
	if !strings.HasPrefix(text, "%") {
		return ""
	}
	return text
}

// completeCommand completes the name of a command, or an option; ok is false elsewhere. It asks
// neither gopls nor the host, so that commands are completed from the first moment on.
func completeCommand(code string, offset int) (c assist.Completion, ok bool) {
	text := special(code, offset)
	word := text[strings.LastIndexAny(text, " \t")+1:]
	c = assist.Completion{Start: offset - len(word), End: offset}
	for _, name := range gonb.Complete(text) {
		c.Matches = append(c.Matches, assist.Match{Text: name, Type: "magic"})
	}
	return c, len(c.Matches) > 0
}

// explainCommand returns what %help says of the command that a line begins with; ok is false
// elsewhere. The cursor may be inside of its name, so the name is read to its end first.
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

package pickle

import (
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// unescape reads a text of protocol 0: S is one of Python 2 in quotes, V is
// Latin-1 with \u escapes for other letters.
func unescape(op byte, line string) string {
	if op == 'S' {
		if n := len(line); n < 2 || line[0] != line[n-1] || line[0] != '\'' && line[0] != '"' {
			Fail("the pickle has a text without quotes")
		}
		line = line[1 : len(line)-1]
	} else {
		line = latin1(line)
	}
	var b strings.Builder
	for line != "" {
		i := strings.IndexByte(line, '\\')
		if i < 0 || i+1 == len(line) {
			break
		}
		b.WriteString(line[:i])
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[line[i+1]]
		if digits > 0 && i+2+digits <= len(line) {
			if n, err := strconv.ParseUint(line[i+2:i+2+digits], 16, 32); err == nil {
				b.WriteRune(rune(n))
				line = line[i+2+digits:]
				continue
			}
		}
		if plain := strings.IndexByte(`\'"ntr`, line[i+1]); plain >= 0 && op == 'S' {
			b.WriteByte("\\'\"\n\t\r"[plain])
		} else {
			b.WriteString(line[i : i+2])
		}
		line = line[i+2:]
	}
	b.WriteString(line)
	return b.String()
}

// latin1 decodes a text of one byte a letter.
func latin1(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0 {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// float reads a number in digits.
func float(line string) float64 {
	f, err := strconv.ParseFloat(line, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		Fail("the pickle has %.50q for a number", line)
	}
	return f
}

// decimal reads a number in digits. 00 and 01 are truths.
func decimal(line string) any {
	switch line {
	case "00", "01":
		return line == "01"
	}
	if len(line) > maxName {
		return &Object{Class: "builtins.int"} // no key or size has so many digits
	}
	n, ok := new(big.Int).SetString(strings.TrimSuffix(line, "L"), 10)
	if !ok {
		Fail("the pickle has %.50q for a number", line)
	}
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

// long decodes two's complement.
func long(b []byte) any {
	var n big.Int
	negative := len(b) > 0 && b[len(b)-1]&0x80 != 0
	slices.Reverse(b)
	n.SetBytes(b)
	if negative {
		n.Sub(&n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if n.IsInt64() {
		return n.Int64()
	}
	return &n
}

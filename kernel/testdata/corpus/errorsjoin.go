// wrapping, joining, comparing errors
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

type coded int

func (c coded) Error() string        { return "code " + strconv.Itoa(int(c)) }
func (c coded) Is(target error) bool { return target == io.EOF && c == 0 }

func fail(n int) error {
	switch {
	case n < 0:
		return nil
	case n == 0:
		return coded(0)
	}
	return fmt.Errorf("level %d: %w", n, fail(n-1))
}

func parse(s string) (n int, err error) {
	if n, err = strconv.Atoi(s); err != nil {
		return 0, fmt.Errorf("parse: %w", err)
	}
	return n, nil
}

func main() {
	err := fail(2)
	var c coded
	fmt.Println(err, errors.Is(err, io.EOF), errors.As(err, &c), c == 0)
	both := errors.Join(fail(0), nil, os.ErrNotExist)
	fmt.Println(errors.Is(both, os.ErrNotExist), errors.Is(both, io.EOF))
	fmt.Println(both)
	_, err = parse("x")
	var num *strconv.NumError
	fmt.Println(errors.As(err, &num), num.Func, num.Num, errors.Unwrap(err) == error(num))
	n, err := parse("42")
	fmt.Println(n, err, fail(-1) == nil)
}

// methods with pointer and value receivers, errors of one's own
package main

import (
	"errors"
	"fmt"
)

type account struct {
	owner   string
	balance int
}

type shortfall struct{ need, have int }

func (e *shortfall) Error() string { return fmt.Sprintf("need %d, have %d", e.need, e.have) }

var errClosed = errors.New("closed")

func (a *account) deposit(n int) { a.balance += n }

func (a *account) withdraw(n int) error {
	if a.owner == "" {
		return fmt.Errorf("withdraw: %w", errClosed)
	}
	if n > a.balance {
		return fmt.Errorf("withdraw from %s: %w", a.owner, &shortfall{n, a.balance})
	}
	a.balance -= n
	return nil
}

func (a account) String() string { return fmt.Sprintf("%s:%d", a.owner, a.balance) }

func main() {
	a := &account{owner: "ann"}
	a.deposit(10)
	err := a.withdraw(4)
	fmt.Println(a, err)
	err = a.withdraw(40)
	var s *shortfall
	fmt.Println(errors.As(err, &s), s.need-s.have, err)
	a.owner = ""
	err = a.withdraw(1)
	fmt.Println(errors.Is(err, errClosed), err)
	b := *a
	b.deposit(1)
	fmt.Println(a.balance, b.balance)
	deposit := a.deposit
	deposit(5)
	(*account).deposit(a, 6)
	fmt.Println(a.balance)
}

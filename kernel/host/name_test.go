package host

import (
	"errors"
	"fmt"
	"testing"
)

type ShapeError struct{}

func (*ShapeError) Error() string { return "shape" }

type stage struct{ err error }

func (s stage) Error() string { return "stage: " + s.err.Error() }
func (s stage) Unwrap() error { return s.err }

func TestTypeName(t *testing.T) {
	tests := []struct {
		v    any
		want string
	}{
		{stage{fmt.Errorf("more: %w", &ShapeError{})}, "*host.ShapeError"},
		{stage{errors.New("plain")}, "host.stage"},
		{errors.Join(errors.New("plain"), &ShapeError{}), "*errors.joinError"},
		{fmt.Errorf("%w and %w", stage{&ShapeError{}}, errors.New("plain")), "*host.ShapeError"},
		{errors.New("plain"), "*errors.errorString"},
		{"text", "string"},
	}
	for _, tt := range tests {
		if got := typeName(tt.v); got != tt.want {
			t.Errorf("%v is named %s, want %s", tt.v, got, tt.want)
		}
	}
}

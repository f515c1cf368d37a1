package modules

import (
	"slices"
	"testing"
)

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{{"/a/b", "/a/b", true}, {"/a", "/a/b", false}, {"/a...", "/a/b", true}, {"/b...", "/a/b", false}} {
		if got := matches(tt.pattern, tt.path); got != tt.want {
			t.Errorf("matches(%q, %q) = %v", tt.pattern, tt.path, got)
		}
	}
}

func TestGcflags(t *testing.T) {
	m := &Modules{flags: []string{"-gcflags=-m=2", "--gcflags=all=-N -l", "-race", "-tags=a"}}
	if got, want := m.GCFlags(), []string{"-m=2", "-N", "-l"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

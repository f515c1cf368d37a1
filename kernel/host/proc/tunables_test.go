package proc

import (
	"slices"
	"testing"
)

func TestWithLargePages(t *testing.T) {
	const ours = "GLIBC_TUNABLES=glibc.malloc.hugetlb=1"
	for _, tt := range []struct {
		name      string
		env, want []string
	}{
		{"nothing said", []string{"A=1"}, []string{"A=1", ours}},
		{"another tunable", []string{"GLIBC_TUNABLES=glibc.malloc.arena_max=2"},
			[]string{"GLIBC_TUNABLES=glibc.malloc.arena_max=2", "GLIBC_TUNABLES=glibc.malloc.arena_max=2:glibc.malloc.hugetlb=1"}},
		{"said already", []string{"GLIBC_TUNABLES=glibc.malloc.hugetlb=0"}, []string{"GLIBC_TUNABLES=glibc.malloc.hugetlb=0"}},
		{"empty", []string{"GLIBC_TUNABLES="}, []string{"GLIBC_TUNABLES=", ours}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := withLargePages(slices.Clone(tt.env)); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

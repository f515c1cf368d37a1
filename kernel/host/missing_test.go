package host

import (
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/host/rt"
)

type noMethods struct{}

func TestMissingMethod(t *testing.T) {
	rt.Host.Missing = nameMissing
	defer func() { rt.Host = rt.Hooks{} }()
	missing := func(f func()) (text string) {
		defer func() { text = rt.Recovered(recover()).(error).Error() }()
		f()
		return ""
	}
	var v any = noMethods{}
	if got, want := missing(func() { v.(interface{ Ħarea() }).Ħarea() }), ": missing method area"; !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want the end %q", got, want)
	}
	if got := missing(func() { v.(interface{ Area() }).Area() }); got != "interface conversion: host.noMethods is not interface { Area() }: missing method Area" {
		t.Errorf("got %q", got)
	}
}

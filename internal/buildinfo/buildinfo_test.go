package buildinfo

import (
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	revision := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "0123456789abcdef0123"}}
	for _, tt := range []struct {
		main     string
		settings []debug.BuildSetting
		want     string
	}{
		{"v1.2.3", revision, "v1.2.3"},
		{"(devel)", revision, "devel-0123456789ab"},
		{"", nil, "devel"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Version: tt.main}, Settings: tt.settings}
		if got := versionOf(info); got != tt.want {
			t.Errorf("%q with %v is %q, want %q", tt.main, tt.settings, got, tt.want)
		}
	}
	defer func() { linked = "" }()
	linked = "v2.0.0"
	if got := Version(); got != "v2.0.0" {
		t.Errorf("a release is %q, want what the build was told", got)
	}
}

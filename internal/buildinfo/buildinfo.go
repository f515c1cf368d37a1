// Package buildinfo says which version of Holt a program is.
package buildinfo

import (
	"runtime/debug"
	"strings"
)

// linked is the version that a release build sets, with
// -ldflags "-X github.com/holt-dl/holt/internal/buildinfo.linked=v1.2.3".
var linked = ""

// Version is what the build was told, else what the go command recorded: the version of the
// module for a program that go install built, a revision for one from a checkout.
func Version() string {
	if linked != "" {
		return linked
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

// Go is the version of the Go that built the program, such as 1.26.8.
func Go() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return strings.TrimPrefix(info.GoVersion, "go")
	}
	return ""
}

// Release is the version under which a module proxy has this program's source; empty for a
// program that was built from a checkout.
func Release() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Sum != "" {
		return info.Main.Version
	}
	return ""
}

// Dependency is the version of a module that the program was built with; empty where it was
// built without.
func Dependency(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == module {
				return d.Version
			}
		}
	}
	return ""
}

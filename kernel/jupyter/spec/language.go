package spec

import (
	"runtime"
	"strings"
)

// LanguageInfo is what a kernel_info_reply says of Go, and what notebooks that
// were run keep as metadata.language_info
// (https://jupyter-client.readthedocs.io/en/stable/messaging.html#kernel-info).
func LanguageInfo() map[string]any {
	return map[string]any{
		"name":               "go",
		"version":            strings.TrimPrefix(runtime.Version(), "go"),
		"mimetype":           "text/x-go",
		"file_extension":     ".go",
		"pygments_lexer":     "go",
		"codemirror_mode":    "go",
		"nbconvert_exporter": "script",
	}
}

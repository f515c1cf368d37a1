package kernel

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
)

func ok() map[string]any { return map[string]any{"status": "ok"} }

// failed is the content of a reply to a request that could not be answered.
func failed(name, value string) map[string]any {
	return map[string]any{"status": "error", "ename": name, "evalue": value, "traceback": []string{}}
}

// cutRequest returns the name of a request, such as "debug" of "debug_request".
func cutRequest(typ string) (name string, found bool) {
	return strings.CutSuffix(typ, "_request")
}

func logPanic(r any) {
	slog.Error("kernel: panic", "value", fmt.Sprint(r), "stack", string(debug.Stack()))
}

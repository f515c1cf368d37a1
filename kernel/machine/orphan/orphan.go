// Package orphan ends what Jupyter started and then left behind.
package orphan

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Watch calls stop when the process named by JPY_PARENT_PID, which is the
// Jupyter server that started this one, is gone without a word, as ipykernel
// does. It returns then, or when ctx ends, and at once where none is named.
func Watch(ctx context.Context, stop func()) {
	pid, err := strconv.Atoi(os.Getenv("JPY_PARENT_PID"))
	if err != nil || pid <= 1 {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) || os.Getppid() == 1 && pid != 1 {
				slog.Info("the Jupyter server is gone")
				stop()
				return
			}
		}
	}
}

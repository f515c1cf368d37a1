package fetch

import (
	"context"
	"errors"
	"fmt"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/download"
)

// Weights downloads a file to path and checks that its SHA-256 begins with
// sum, of at least 8 digits. A download that was cut is continued by the next call; a
// file that is there and right is left alone.
func Weights(ctx context.Context, url, path, sum string) error {
	file := download.File{URL: url, Path: path, SHA256: sum, Client: client}
	if notice := dl.Notice; notice != nil {
		said := int64(-1)
		file.Progress = func(done, total int64) {
			if total > 0 && 10*done/total != said {
				said = 10 * done / total
				notice(fmt.Sprintf("download %s: %d %% of %.0f MB", url, 10*said, float64(total)/1e6))
			}
		}
	}
	err := file.Get(ctx)
	if errors.Is(err, download.ErrOffline) {
		return fmt.Errorf("%w; bring %s from another machine, put it at %q, and try again", err, url, path)
	}
	return err
}

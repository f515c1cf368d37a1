package fetch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/holt-dl/holt/internal/download"
	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/notice"
)

// Weights downloads a file to path and checks that its SHA-256 begins with
// sum, of at least 8 digits. A download that was cut is continued by the next call; a
// file that is there and right is left alone.
func Weights(ctx context.Context, url, path, sum string) error {
	progress, end := notice.Download(filepath.Base(url), hooks.Get().Notice)
	file := download.File{URL: url, Path: path, SHA256: sum, Client: client, Progress: progress}
	err := file.Get(ctx)
	end(err)
	if errors.Is(err, download.ErrOffline) {
		return fmt.Errorf("%w; bring %s from another machine, put it at %q, and try again", err, url, path)
	}
	return err
}

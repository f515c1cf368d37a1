package vision

import (
	"context"
	"fmt"
	"path"

	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/notice"
)

// archive is a published file that holds a data set or a part of it.
type archive = hooks.Archive

func fetch(ctx context.Context, a archive, root string, progress func(done, total int64)) error {
	fetcher := hooks.Get().Archive
	if fetcher == nil {
		return fmt.Errorf("vision: download %s: this program has no network code; import _ %q", a.URL, "github.com/holt-dl/holt/dl/vision/fetch")
	}
	end := func(error) {}
	if progress == nil {
		progress, end = notice.Download(path.Base(a.URL), hooks.Get().Notice)
	}
	err := fetcher(ctx, a, root, progress)
	end(err)
	return err
}

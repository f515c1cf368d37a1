package vision

import (
	"context"
	"fmt"
	"path"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/notice"
)

// Archive is a published file that holds a data set or a part of it.
type Archive struct {
	URL    string
	Size   int64  // bytes of the file; 0 when it is not known
	MD5    string // hexadecimal, as the publisher gives it
	SHA256 string // the same, where the publisher gives this one; MD5 is then empty
	Folder string // the one folder that a .tar.gz or .zip file holds, at its top
	File   string // where another file goes, below root; it is not unpacked
}

// Fetcher brings an archive and unpacks it, so that root/Folder or root/File
// is there afterwards, whole or not at all. progress may be nil.
type Fetcher func(ctx context.Context, a Archive, root string, progress func(done, total int64)) error

var fetcher Fetcher

// RegisterFetcher makes downloads known to the data sets. Package fetch calls
// it when it is initialised.
func RegisterFetcher(f Fetcher) { fetcher = f }

func fetch(ctx context.Context, a Archive, root string, progress func(done, total int64)) error {
	if fetcher == nil {
		return fmt.Errorf("vision: download %s: this program has no network code; import _ %q", a.URL, "github.com/holt-dl/holt/dl/vision/fetch")
	}
	end := func(error) {}
	if progress == nil {
		progress, end = notice.Download(path.Base(a.URL), dl.Notice)
	}
	err := fetcher(ctx, a, root, progress)
	end(err)
	return err
}

//go:build linux

package tensorboard

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/holt-dl/holt/internal/process"
)

// info is what a TensorBoard says of itself in its file.
type info struct {
	Version    string `json:"version"`
	StartTime  int64  `json:"start_time"` // seconds since 1970
	PID        int    `json:"pid"`
	Port       int    `json:"port"`
	PathPrefix string `json:"path_prefix"`
	LogDir     string `json:"logdir"`
	DB         string `json:"db"`
	// CacheKey is how it was started, a [launch] as JSON in base64.
	CacheKey string `json:"cache_key"`
}

// launch is how a TensorBoard was started.
type launch struct {
	Args   []string       `json:"arguments"`
	Kwargs map[string]any `json:"configure_kwargs"` // of one that runs inside a Python program
	Dir    string         `json:"working_directory"`
}

const (
	infoFolder = ".tensorboard-info"
	maxInfo    = 1 << 16 // bytes
)

// tempDir is Python's tempfile.gettempdir.
func tempDir(env []string) string {
	for _, name := range []string{"TMPDIR", "TEMP", "TMP"} {
		dir := lookup(env, name)
		if info, err := os.Stat(dir); dir != "" && err == nil && info.IsDir() {
			return dir
		}
	}
	return "/tmp"
}

// peers reads the files of the TensorBoards of this user, by their ports. The
// folder is open to everyone, and a file of someone else could lead the
// notebook anywhere. Files that are no such files are left out.
func peers(temp string) []info {
	dir := filepath.Join(temp, infoFolder)
	files, _ := filepath.Glob(filepath.Join(dir, "pid-*.info"))
	var list []info
	for _, file := range files {
		if i, err := readInfo(file); err == nil {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b info) int { return a.Port - b.Port })
	return list
}

func readInfo(file string) (info, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return info{}, err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return info{}, err
	}
	if owner, ok := stat.Sys().(*syscall.Stat_t); !stat.Mode().IsRegular() || !ok || int(owner.Uid) != os.Getuid() {
		return info{}, fmt.Errorf("%s is not a file of this user", file)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxInfo))
	if err != nil {
		return info{}, err
	}
	var i info
	if err := json.Unmarshal(text, &i); err != nil {
		return info{}, err
	}
	if i.PID <= 1 || i.Port <= 0 || i.Port > 0xffff || i.PathPrefix != "" && !strings.HasPrefix(i.PathPrefix, "/") {
		return info{}, fmt.Errorf("%s names process %d, port %d and path %q", file, i.PID, i.Port, i.PathPrefix)
	}
	return i, nil
}

// shows reports whether a TensorBoard shows what a request in a folder asks for, in
// the way that it asks for.
func (i info) shows(r Request, dir string) bool {
	if r.Port != 0 && r.Port != i.Port {
		return false
	}
	text, err := base64.StdEncoding.DecodeString(i.CacheKey)
	var l launch
	if err != nil || json.Unmarshal(text, &l) != nil || len(l.Kwargs) > 0 {
		return false
	}
	theirs, ours := settings(l.Args, l.Dir), settings(r.Args, dir)
	return slices.Equal(theirs, ours)
}

// settings are the options of a command line in one form, sorted, with the
// folder of the logs resolved and without the port.
func settings(args []string, dir string) []string {
	var list []string
	for i := 0; i < len(args); i++ {
		option := args[i]
		if strings.HasPrefix(option, "--") && !strings.Contains(option, "=") && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			i++
			option += "=" + args[i]
		}
		name, value, _ := strings.Cut(option, "=")
		switch {
		case name == "--port", i == 0 && option == "serve":
			continue
		case name == "--logdir":
			option = name + "=" + Folder(value, dir)
		}
		list = append(list, option)
	}
	slices.Sort(list)
	return list
}

// Folder is the whole name of a folder of logs that is named in another one; links
// count as what they lead to.
func Folder(name, dir string) string {
	if strings.Contains(name, "://") { // gs://, s3://
		return name
	}
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			name = filepath.Join(home, rest)
		}
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	if real, err := filepath.EvalSymlinks(name); err == nil {
		return real
	}
	// It is not there yet, but the folder above it may be.
	if real, err := filepath.EvalSymlinks(filepath.Dir(name)); err == nil {
		return filepath.Join(real, filepath.Base(name))
	}
	return filepath.Clean(name)
}

// answerTime is what a TensorBoard has to answer in, which may be reading
// large logs.
const answerTime = 10 * time.Second

// answers reports whether a TensorBoard answers at a port. One that was killed leaves
// its file, and another program may have its process id or its port.
func (i info) answers(ctx context.Context, host string) bool {
	if stat := process.Stat(i.PID); len(stat) == 0 || stat[0] == "Z" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, strconv.Itoa(i.Port)) + strings.TrimSuffix(i.PathPrefix, "/") + "/data/environment"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // and no proxy
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var said struct {
		Version *string `json:"version"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, maxInfo)).Decode(&said)
	return resp.StatusCode == http.StatusOK && err == nil && said.Version != nil
}
